package pipeline

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"boardcast/board"
)

func TestLowerFormat(t *testing.T) {
	f := func(width, height, bitrate int) VideoFormat {
		return VideoFormat{Width: width, Height: height, FPSNum: 30, FPSDen: 1, Bitrate: bitrate}
	}
	for _, c := range []struct {
		name       string
		full, want VideoFormat
		limits     board.Limits
	}{
		{"half", f(1280, 720, 4_000_000), f(640, 360, 1_000_000), board.Limits{}},
		{"even", f(642, 482, 1_500_000), f(320, 240, 375_000), board.Limits{}},
		{"not below 160x120", f(240, 180, 400_000), f(160, 120, 100_000), board.Limits{}},
		{"the picture keeps its form", f(320, 200, 400_000), f(192, 120, 100_000), board.Limits{}},
		{"as small as it is", f(128, 96, 400_000), f(128, 96, 100_000), board.Limits{}},
		{"multiples", f(1280, 720, 4_000_000), f(640, 352, 1_000_000), board.Limits{SizeMultiple: 16}},
		{"the encoder's least", f(640, 480, 1_500_000), f(480, 360, 375_000), board.Limits{MinWidth: 480}},
		{"least bitrate", f(320, 240, 120_000), f(160, 120, LeastBitrate), board.Limits{}},
	} {
		if diff := cmp.Diff(c.want, c.full.lower(c.limits)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// What an encoder was seen to manage says whether it bears a lower rendition beside the first.
func TestAffords(t *testing.T) {
	full := VideoFormat{Width: 640, Height: 480, FPSNum: 30, FPSDen: 1, Bitrate: 1_500_000}
	fps := func(n float64) Verdict { return Verdict{Outcome: OutcomeUsable, FramesPerSecond: n} }
	hard, soft := Encoder{Hardware: true}, Encoder{}
	for _, c := range []struct {
		name    string
		encoder Encoder
		verdict Verdict
		limits  board.Limits
		want    bool
	}{
		{"software with headroom", soft, fps(90), board.Limits{}, true},
		{"software without", soft, fps(89), board.Limits{}, false},
		{"software on another core", soft, Verdict{Outcome: OutcomeUsable, FramesPerSecond: 60, CPUMillis: 10}, board.Limits{}, true},
		{"hardware", hard, fps(45), board.Limits{}, true},
		{"hardware that is full", hard, fps(44), board.Limits{}, false},
		{"hardware within its macroblocks", hard, fps(200), board.Limits{MacroblocksPerSecond: 45_000}, true},
		{"hardware beyond its macroblocks", hard, fps(200), board.Limits{MacroblocksPerSecond: 44_000}, false},
		{"untried", soft, Verdict{Outcome: OutcomeUsable}, board.Limits{}, true},
	} {
		choice := Choice{Encoder: c.encoder, Format: full, Verdict: c.verdict}
		if got := affords(choice, full.lower(c.limits), c.limits); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestOneRendition(t *testing.T) {
	if p := planFor(t, Request{}); len(p.Lower) != len(p.Choices) {
		t.Errorf("%d lower renditions of %d", len(p.Lower), len(p.Choices))
	}
	for _, w := range []Request{{OneRendition: true}, {Bitrate: 90_000}} {
		if p := planFor(t, w); len(p.Lower) != 0 {
			t.Errorf("%+v: %d lower renditions", w, len(p.Lower))
		}
	}
}

// planFor is the plan for a test picture of 640x480 where every encoder in software is installed.
func planFor(t *testing.T, w Request) Plan {
	t.Helper()
	w.Width, w.Height, w.FPS = 640, 480, 30
	software := func(element string) bool {
		e, ok := EncoderByID(element)
		return !ok || !e.Hardware
	}
	return choosePlan(t, w, Given{Machine: Machine{Installed: software}, Audio: AudioSource{Test: true}})
}
