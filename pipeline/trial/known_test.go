package trial

import (
	"context"
	"log/slog"
	"testing"

	"boardcast/pipeline"
)

// Known tries nothing: what a trial showed of an encoder holds, in proportion, for pictures of another kind.
func TestKnownVerdicts(t *testing.T) {
	hard, _ := pipeline.EncoderByID("v4l2h264enc")
	soft, _ := pipeline.EncoderByID("x264enc")
	other, _ := pipeline.EncoderByID("vp8enc")
	seen := good()
	trials := New(func(_ context.Context, s Spec) (Observation, error) {
		o := seen
		if s.Codec == pipeline.VP8 {
			o.Error = "broken"
		}
		return o, nil
	}, nil, slog.New(slog.DiscardHandler))
	trials.Encoder(t.Context(), soft, vgaRaw, vga)
	trials.Encoder(t.Context(), other, vgaRaw, vga)
	trials.run = func(context.Context, Spec) (Observation, error) {
		t.Error("something was tried")
		return Observation{}, nil
	}
	k := trials.Known()
	larger := pipeline.VideoFormat{Width: 1280, Height: 960, FPSNum: 30, FPSDen: 1, Bitrate: 1_500_000}
	v := k.Encoder(t.Context(), soft, pipeline.Raw{Format: "NV12", Width: 1280, Height: 960}, larger)
	if !v.Works() || v.FramesPerSecond != seen.FramesPerSecond/4 || v.CPUMillis != seen.CPUMillis*4 || v.ProfileLevelID != "" {
		t.Errorf("four times the pixels: %+v of %+v", v, seen)
	}
	if v := k.Encoder(t.Context(), other, vgaRaw, larger); v.Works() {
		t.Errorf("what failed works: %+v", v)
	}
	if v := k.Encoder(t.Context(), hard, vgaRaw, vga); v.Works() {
		t.Errorf("untried hardware is taken: %+v", v)
	}
	fresh := New(trials.run, nil, slog.New(slog.DiscardHandler)).Known()
	if v := fresh.Encoder(t.Context(), soft, vgaRaw, vga); !v.Works() {
		t.Errorf("untried software is refused: %+v", v)
	}
	if v := fresh.Source(t.Context(), pipeline.Graph{pipeline.El("nvv4l2decoder")}, "camera", ""); v.Works() {
		t.Errorf("an untried source is taken: %+v", v)
	}
}

// A camera's own verdict goes with it to another node.
func TestKnownSources(t *testing.T) {
	at := func(node, size string) pipeline.Graph {
		return pipeline.Graph{pipeline.El("v4l2src", "device="+node), pipeline.Filter("video/x-h264,%s", size), pipeline.El("appsink").Named(pipeline.OutName)}
	}
	runs := 0
	trials := New(func(context.Context, Spec) (Observation, error) {
		runs++
		return good(), nil
	}, nil, slog.New(slog.DiscardHandler))
	if v := trials.Source(t.Context(), at("/dev/video0", "width=640"), "C920", pipeline.H264); !v.Works() || runs != 1 {
		t.Fatalf("%+v after %d trials", v, runs)
	}
	k := trials.Known()
	if v := k.Source(t.Context(), at("/dev/video3", "width=640"), "C920", pipeline.H264); !v.Works() {
		t.Errorf("on another node: %+v", v)
	}
	if v := k.Source(t.Context(), at("/dev/video0", "width=320"), "C920", pipeline.H264); v.Works() {
		t.Errorf("another mode is taken untried: %+v", v)
	}
	if v := k.Source(t.Context(), at("/dev/video0", "width=640"), "another", pipeline.H264); v.Works() {
		t.Errorf("another camera is taken untried: %+v", v)
	}
	if runs != 1 {
		t.Errorf("%d trials", runs)
	}
}

// That there is no camera on a board's connector is not remembered, since one may be there at the next start. That one works is, and so
// is what becomes of any other source.
func TestMissingCameraOnAConnectorIsTriedAgain(t *testing.T) {
	for _, c := range []struct {
		element string
		fails   bool
		trials  int // in two calls
	}{{"libcamerasrc", true, 2}, {"libcamerasrc", false, 1}, {"v4l2src", true, 1}} {
		runs := 0
		trials := New(func(context.Context, Spec) (Observation, error) {
			runs++
			o := good()
			if c.fails {
				o.Error = "no cameras available"
			}
			return o, nil
		}, OpenCache(t.TempDir()+"/trials.json", "here", false), slog.New(slog.DiscardHandler))
		for range 2 {
			g := pipeline.Graph{pipeline.El(c.element), pipeline.El("appsink").Named(pipeline.OutName)}
			if v := trials.Source(t.Context(), g, "camera", ""); v.Works() == c.fails {
				t.Errorf("%+v: %+v", c, v)
			}
		}
		if runs != c.trials {
			t.Errorf("%+v: %d trials", c, runs)
		}
	}
}
