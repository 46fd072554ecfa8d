package pipeline

import (
	"strings"
	"testing"
)

func TestVerdictApplies(t *testing.T) {
	e, _ := EncoderByID("v4l2h264enc")
	got := Verdict{NoKeyframe: true, NotLive: true, Input: 1}.apply(e)
	if got.Keyframe != KeyframeNone || got.Live || len(got.Inputs) != 1 {
		t.Errorf("%+v", got)
	}
	if g := got.Graph(vgaRaw, vga).String(); !strings.Contains(g, "h264_i_frame_period=30") {
		t.Errorf("no short group of pictures: %s", g)
	}
	if got := (Verdict{Input: 7}).apply(e); len(got.Inputs) != len(e.Inputs) {
		t.Errorf("an input of another day: %+v", got.Inputs)
	}
}
