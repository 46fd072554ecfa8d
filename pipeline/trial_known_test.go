package pipeline

import (
	"context"
	"log/slog"
	"testing"
)

// Known tries nothing: what a trial showed of an encoder holds, in proportion, for pictures of another kind.
func TestKnownVerdicts(t *testing.T) {
	hard, _ := EncoderByID("v4l2h264enc")
	soft, _ := EncoderByID("x264enc")
	other, _ := EncoderByID("vp8enc")
	seen := good()
	trials := NewTrials(func(_ context.Context, s TrialSpec) (Observation, error) {
		o := seen
		if s.Codec == VP8 {
			o.Error = "broken"
		}
		return o, nil
	}, nil, slog.New(slog.DiscardHandler))
	trials.Encoder(t.Context(), soft, vgaRaw, vga)
	trials.Encoder(t.Context(), other, vgaRaw, vga)
	trials.run = func(context.Context, TrialSpec) (Observation, error) {
		t.Error("something was tried")
		return Observation{}, nil
	}
	k := trials.Known()
	larger := VideoFormat{Width: 1280, Height: 960, FPSNum: 30, FPSDen: 1, Bitrate: 1_500_000}
	v := k.Encoder(t.Context(), soft, Raw{Format: "NV12", Width: 1280, Height: 960}, larger)
	if !v.Works() || v.FramesPerSecond != seen.FramesPerSecond/4 || v.CPUMillis != seen.CPUMillis*4 || v.ProfileLevelID != "" {
		t.Errorf("four times the pixels: %+v of %+v", v, seen)
	}
	if v := k.Encoder(t.Context(), other, vgaRaw, larger); v.Works() {
		t.Errorf("what failed works: %+v", v)
	}
	if v := k.Encoder(t.Context(), hard, vgaRaw, vga); v.Works() {
		t.Errorf("untried hardware is taken: %+v", v)
	}
	fresh := NewTrials(trials.run, nil, slog.New(slog.DiscardHandler)).Known()
	if v := fresh.Encoder(t.Context(), soft, vgaRaw, vga); !v.Works() {
		t.Errorf("untried software is refused: %+v", v)
	}
	if v := fresh.Source(t.Context(), Graph{El("nvv4l2decoder")}, "camera", ""); v.Works() {
		t.Errorf("an untried source is taken: %+v", v)
	}
}

// A camera's own verdict goes with it to another node.
func TestKnownSources(t *testing.T) {
	at := func(node, size string) Graph {
		return Graph{El("v4l2src", "device="+node), Filter("video/x-h264,%s", size), El("appsink").Named(OutName)}
	}
	runs := 0
	trials := NewTrials(func(context.Context, TrialSpec) (Observation, error) {
		runs++
		return good(), nil
	}, nil, slog.New(slog.DiscardHandler))
	if v := trials.Source(t.Context(), at("/dev/video0", "width=640"), "C920", H264); !v.Works() || runs != 1 {
		t.Fatalf("%+v after %d trials", v, runs)
	}
	k := trials.Known()
	if v := k.Source(t.Context(), at("/dev/video3", "width=640"), "C920", H264); !v.Works() {
		t.Errorf("on another node: %+v", v)
	}
	if v := k.Source(t.Context(), at("/dev/video0", "width=320"), "C920", H264); v.Works() {
		t.Errorf("another mode is taken untried: %+v", v)
	}
	if v := k.Source(t.Context(), at("/dev/video0", "width=640"), "another", H264); v.Works() {
		t.Errorf("another camera is taken untried: %+v", v)
	}
	if runs != 1 {
		t.Errorf("%d trials", runs)
	}
}
