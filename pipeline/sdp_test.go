package pipeline

import (
	"strings"
	"testing"
)

var h264Params = []struct {
	name, fmtp string
	want       bool
}{
	{"constrained baseline", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f", true},
	{"constrained baseline, other flags", "packetization-mode=1;profile-level-id=42c01f", true},
	{"baseline, constrained bit alone", "profile-level-id=42401f;packetization-mode=1", true},
	{"upper case and blanks", "Packetization-Mode=1; Profile-Level-ID=42E01F", true},
	{"plain baseline may hold slices in any order", "packetization-mode=1;profile-level-id=42001f", false},
	{"high", "packetization-mode=1;profile-level-id=64001f", false},
	{"single NAL packets", "packetization-mode=0;profile-level-id=42e01f", false},
	{"no mode means 0", "profile-level-id=42e01f", false},
	{"short", "packetization-mode=1;profile-level-id=42", false},
	{"not hex", "packetization-mode=1;profile-level-id=42zz1f", false},
	{"nothing", "", false},
}

func TestH264Fits(t *testing.T) {
	for _, c := range h264Params {
		if got := h264Fits(c.fmtp); got != c.want {
			t.Errorf("%s: h264Fits(%q) = %t, want %t", c.name, c.fmtp, got, c.want)
		}
	}
}

var descriptions = []struct {
	name, text string
	want       int // sections, -1 for an error
}{
	{"chromium's answer", sdpOf(chromiumVideo, opusAudio, dataSection), 3},
	{"refused video", sdpOf(noVideo), 1},
	{"payload types that are no numbers", sdpOf("m=video 9 RTP/AVP x 300 -1\r\n"), 1},
	{"no section", sdpOf(), -1},
	{"empty", "", -1},
	{"no description", "hello", -1},
	{"too long", sdpOf(chromiumVideo) + strings.Repeat("a=x\r\n", maxSDP/5), -1},
}

func TestParseSDP(t *testing.T) {
	for _, c := range descriptions {
		got, err := parseSDP(c.text)
		if (err != nil) != (c.want < 0) || err == nil && len(got) != c.want {
			t.Errorf("%s: %d sections, error %v; want %d", c.name, len(got), err, c.want)
		}
	}
}

func FuzzParseSDP(f *testing.F) {
	for _, c := range descriptions {
		if len(c.text) < maxSDP {
			f.Add(c.text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		sections, err := parseSDP(text)
		if err != nil {
			return
		}
		for _, s := range sections {
			if c, pt, ok := s.pick([]Codec{H264, VP8, opus}); ok && (c == "" || pt < 0 || pt > 255) {
				t.Errorf("picked %q at %d", c, pt)
			}
		}
	})
}
