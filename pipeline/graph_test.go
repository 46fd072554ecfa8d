package pipeline

import "testing"

func TestGraphPrints(t *testing.T) {
	g := Graph{
		El("appsrc", "is-live=true").Named(InName), El("clockoverlay", "font-desc=Sans Bold 36", `text=say "hi" \o/`),
		Filter("video/x-raw(memory:NVMM),width=%d", 640), El("x", "extra-controls=c,a=1").Named("encoder"), outEnd(2),
	}
	want := `appsrc name=in is-live=true ! clockoverlay font-desc="Sans Bold 36" text="say \"hi\" \\o/" ! ` +
		`video/x-raw(memory:NVMM),width=640 ! x name=encoder extra-controls=c,a=1 ! ` +
		`appsink name=out sync=false async=false drop=true max-buffers=2`
	if got := g.String(); got != want {
		t.Errorf("String() =\n%s\nwant\n%s", got, want)
	}
	shell := `gst-launch-1.0 clockoverlay 'font-desc=Sans Bold 36' 'text=say "hi" \o/' ! ` +
		`'video/x-raw(memory:NVMM),width=640' ! x name=encoder extra-controls=c,a=1 ! fakesink sync=false`
	if got := g.Shell(); got != shell {
		t.Errorf("Shell() =\n%s\nwant\n%s", got, shell)
	}
}

func TestJoin(t *testing.T) {
	a := Graph{El("src"), outEnd(2)}
	b := Graph{viewerEnd(), El("enc"), outEnd(8)}
	if got, want := Join(a, b)[:2].String(), "src ! enc"; got != want {
		t.Errorf("Join = %q, want %q", got, want)
	}
}

func TestLevel(t *testing.T) {
	cases := []struct {
		f         VideoFormat
		level, id string
	}{
		{VideoFormat{320, 240, 15, 1, 200_000}, "3.1", "42c01f"}, // the floor
		{VideoFormat{1280, 720, 30, 1, 2_000_000}, "3.1", "42c01f"},
		{VideoFormat{1280, 720, 60, 1, 4_000_000}, "3.2", "42c020"},
		{VideoFormat{1920, 1080, 30, 1, 6_000_000}, "4", "42c028"},
		{VideoFormat{1920, 1080, 60, 1, 6_000_000}, "4.2", "42c02a"},
		{VideoFormat{1280, 720, 30, 1, 15_000_000}, "3.2", "42c020"},
		{VideoFormat{8192, 8192, 120, 1, 6_000_000}, "5.2", "42c034"}, // beyond every level
	}
	for _, c := range cases {
		if c.f.Level() != c.level || c.f.ProfileLevelID() != c.id {
			t.Errorf("%v: level %s, id %s; want %s, %s", c.f, c.f.Level(), c.f.ProfileLevelID(), c.level, c.id)
		}
	}
}
