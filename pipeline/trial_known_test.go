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
