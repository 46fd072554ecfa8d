package trial

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"boardcast/pipeline"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	out, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// spsCases are what encoders wrote, after the NAL header. The sizes were read by another parser.
var spsCases = []struct {
	name, nal string
	want      SPS
	announced string // empty where it is refused
}{
	{"x264enc 320x240", "42c01fda0507ec05a830303528000003000800000301847a8440a2c6b8", SPS{66, 0xc0, 31, 320, 240, 1}, "42c01f"},
	{"x264enc 1280x720, level 4", "42c028da014016ec05a808080a0000030002000003006123d421122c6b80", SPS{66, 0xc0, 40, 1280, 720, 1}, "42c028"},
	{"openh264enc 320x240", "42c01f8c8d40a0fd00f08846a0", SPS{66, 0xc0, 31, 320, 240, 1}, "42c01f"},
	{"openh264enc 1280x720", "42c01f8c8d402802dd00f08846a0", SPS{66, 0xc0, 31, 1280, 720, 1}, "42c01f"},
	{"plain baseline", "42001f8c8d402802dd00f08846a0", SPS{66, 0, 31, 1280, 720, 1}, "42c01f"},
	{"cropped below", "42c028da01e0089f97016a02020280000003008000001e478c1950", SPS{66, 0xc0, 40, 1920, 1080, 1}, "42c028"},
	{"cropped on two sides", "42c028da0290bf8893016a0c0c0d4a000003000200000300791e306540", SPS{66, 0xc0, 40, 642, 362, 1}, "42c028"},
	{"High", "64001eacb201485fc44980b5060606a50000030001000003003c8f162e48", SPS{100, 0, 30, 642, 362, 3}, ""},
	{"High 4:4:4", "f4001e919640290bf8f9f016a0c0c0c8000003000800000301e478b17240", SPS{244, 0, 30, 642, 362, 3}, ""},
	{"constrained by all three", "42e01f8c8d402802dd00f08846a0", SPS{66, 0xe0, 31, 1280, 720, 1}, "42e01f"},
}

func TestParseSPS(t *testing.T) {
	for _, c := range spsCases {
		got, err := ParseSPS(unhex(t, c.nal))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if id, err := got.Announced(); id != c.announced {
			t.Errorf("%s: announced %q, %v; want %q", c.name, id, err, c.announced)
		}
		for cut := range 4 { // the head alone is no SPS
			if s, err := ParseSPS(unhex(t, c.nal)[:cut]); err == nil {
				t.Errorf("%s cut to %d bytes: %+v", c.name, cut, s)
			}
		}
	}
}

// Emulation prevention may stand anywhere after the level.
func TestUnescape(t *testing.T) {
	cases := []struct{ in, want string }{
		{"0000030001", "00000001"}, {"000003", "0000"}, {"00000300000300", "0000000000"}, {"0003000103", "0003000103"}, {"", ""},
	}
	for _, c := range cases {
		if got := hex.EncodeToString(unescape(unhex(t, c.in))); got != c.want {
			t.Errorf("%s: %s, want %s", c.in, got, c.want)
		}
	}
}

func TestAnnouncedRefusesOtherProfiles(t *testing.T) {
	for _, profile := range []int{77, 100, 88, 0} {
		if id, err := (SPS{Profile: profile, Level: 31}).Announced(); err == nil || id != "" {
			t.Errorf("profile %d announced as %q", profile, id)
		}
	}
}

func TestFindSPS(t *testing.T) {
	nal := "67" + spsCases[0].nal
	cases := []struct {
		name, stream string
		found        bool
	}{
		{"after a delimiter", "00000001 0910 00000001 " + nal + " 00000001 68ce3c80", true},
		{"with short start codes", "000001 0910 000001 " + nal, true},
		{"alone", "000001" + nal, true},
		{"none", "00000001 0910 00000001 65888040", false},
		{"no start code", nal, false},
		{"nothing", "", false},
	}
	for _, c := range cases {
		got, err := FindSPS(unhex(t, c.stream))
		if found := err == nil && got == spsCases[0].want; found != c.found || !found && !errors.Is(err, ErrNoSPS) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

// What is read is of a size that any level allows, whatever comes in.
func FuzzSPS(f *testing.F) {
	for _, c := range spsCases {
		f.Add(unhex(f, c.nal))
	}
	f.Fuzz(func(t *testing.T, nal []byte) {
		s, err := ParseSPS(nal)
		if err != nil {
			return
		}
		const most = 2 * (1<<12 + 1) * macroblock
		if s.Width <= 0 || s.Height <= 0 || s.Width > most || s.Height > most {
			t.Errorf("size %dx%d", s.Width, s.Height)
		}
		if len(s.ProfileLevelID()) != 6 {
			t.Errorf("profile-level-id %q", s.ProfileLevelID())
		}
	})
}

var unitCases = []struct {
	name  string
	codec pipeline.Codec
	data  string
	want  Unit
	err   string
}{
	{"H.264 IDR", pipeline.H264, "00000001 67" + spsCases[0].nal + " 000001 65888040", Unit{Key: true, Width: 320, Height: 240, SPS: &SPS{66, 0xc0, 31, 320, 240, 1}}, ""},
	{"H.264 delta", pipeline.H264, "00000001 0910 00000001 4188", Unit{}, ""},
	{"H.264 recovery point is no IDR", pipeline.H264, "00000001 0605 00000001 4188", Unit{}, ""},
	{"AVC with lengths", pipeline.H264, "00000004 65888040", Unit{}, "does not begin"},
	{"JPEG for H.264", pipeline.H264, "ffd8ffe000104a46", Unit{}, "does not begin"},
	{"a start code further on", pipeline.H264, "ffd8 00000001 65888040", Unit{}, "does not begin"},
	{"broken SPS", pipeline.H264, "00000001 6742c0", Unit{}, "ends early"},
	{"VP8 key", pipeline.VP8, "100200 9d012a 4001 f000 3947", Unit{Key: true, Width: 320, Height: 240}, ""},
	{"VP8 key, scaled", pipeline.VP8, "100200 9d012a 4041 f080 3947", Unit{Key: true, Width: 320, Height: 240}, ""},
	{"VP8 delta", pipeline.VP8, "b1020000", Unit{}, ""},
	{"VP8 key without its code", pipeline.VP8, "100200 9d012b 4001 f000", Unit{}, "start code"},
	{"VP8 cut", pipeline.VP8, "100200", Unit{}, "start code"},
	{"VP9 key", pipeline.VP9, "82498342 00 13f0 0ef0 00", Unit{Key: true, Width: 320, Height: 240}, ""},
	{"VP9 delta", pipeline.VP9, "86004000", Unit{}, ""},
	{"VP9 without its mark", pipeline.VP9, "10020000", Unit{}, "frame marker"},
	{"VP9 key without its code", pipeline.VP9, "82498343 00 13f0 0ef0", Unit{}, "start code"},
	{"nothing", pipeline.VP8, "", Unit{}, "empty"},
	{"another codec", pipeline.Opus, "00", Unit{}, "no reader"},
}

func TestInspect(t *testing.T) {
	for _, c := range unitCases {
		got, err := Inspect(c.codec, unhex(t, c.data))
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want %q", c.name, err, c.err)
			}
			continue
		}
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", c.name, err, diff)
		}
	}
}

func FuzzInspect(f *testing.F) {
	for _, c := range unitCases {
		f.Add(string(c.codec), unhex(f, c.data))
	}
	f.Fuzz(func(t *testing.T, codec string, data []byte) {
		if u, err := Inspect(pipeline.Codec(codec), data); err == nil && (u.Width < 0 || u.Height < 0) {
			t.Errorf("%+v", u)
		}
	})
}
