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
	b := Graph{El("appsrc").Named(InName), El("enc"), outEnd(8)}
	if got, want := Join(a, b)[:2].String(), "src ! enc"; got != want {
		t.Errorf("Join = %q, want %q", got, want)
	}
}

func TestSubject(t *testing.T) {
	for want, g := range map[string]Graph{
		"":             nil,
		"v4l2src":      {El("v4l2src"), El("videoconvert")},
		"x264enc":      {El("appsrc").Named(InName), El("x264enc").Named(EncoderName), El("appsink")},
		"alsasink":     {El("appsrc").Named(InName), El("audioconvert"), El("alsasink")},
		"audiotestsrc": {El("audiotestsrc"), El("opusenc")},
	} {
		if got := g.Subject(); got != want {
			t.Errorf("the subject of %q is %q, want %q", g, got, want)
		}
	}
}
