package pipeline

import (
	"strings"
	"testing"
)

// The plan of a camera that is away is its placeholder alone, in the format that is asked for, with all that encodes it.
func TestPlanOfACameraThatIsAway(t *testing.T) {
	g := Given{
		Machine: machineWith(debian13, append(everywhere, "textoverlay", "v4l2h264enc"), nil), Board: boardOf(t, "pi-4"), Connector: true,
		Away: Away{Name: "the <front>", Reason: "in use by another program"}, Direct: true,
		Trials: prover{encoder: func(e Encoder, _ Raw, _ VideoFormat) Verdict {
			if e.Hardware {
				return failure("no device") // so that the mode is chosen anew for the next one
			}
			return Verdict{Outcome: OutcomeUsable, FramesPerSecond: 200}
		}},
	}
	for _, c := range []struct {
		request Request
		want    string
	}{{Request{}, "width=1280,height=720,framerate=30/1"}, {Request{Width: 320, Height: 240, FPS: 15}, "width=320,height=240,framerate=15/1"}} {
		p, err := Choose(t.Context(), c.request, g)
		if err != nil {
			t.Fatal(err)
		}
		capture := p.Capture.String()
		if want := "videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420," + c.want; !strings.Contains(capture, want) {
			t.Errorf("capture %s, want %s in it", capture, want)
		}
		if want := "textoverlay name=words text=\"No picture from the front: in use by another program\""; !strings.Contains(capture, want) {
			t.Errorf("capture %s, want %s in it", capture, want)
		}
		if p.Placeholder != nil || !p.Source.Away() || len(p.Choices) < 2 || len(p.Lower) == 0 || !strings.HasPrefix(p.Why[0], "mode: placeholder ") {
			t.Errorf("%+v", p)
		}
	}
}

// While a microphone is away or not there yet, silence is sent, with the test tone and without sound never.
func TestSilence(t *testing.T) {
	for _, c := range []struct {
		name           string
		audio          AudioSource
		sound, silence bool
	}{
		{"a microphone", AudioSource{PCM: "hw:CARD=Mic,DEV=0"}, true, true},
		{"none there yet", AudioSource{Silent: true}, false, true},
		{"the test tone", AudioSource{Test: true}, true, false},
		{"no sound", AudioSource{None: true}, false, false},
	} {
		p, err := Choose(t.Context(), Request{}, Given{NoVideo: true, Audio: c.audio})
		if err != nil || (p.Audio != nil) != c.sound || (p.Silence != nil) != c.silence {
			t.Errorf("%s: sound %v, silence %v, %v", c.name, p.Audio, p.Silence, err)
		}
	}
}
