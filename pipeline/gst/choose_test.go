//go:build !nogst

package gst

import (
	"testing"
	"time"

	"boardcast/pipeline"
	"boardcast/pipeline/media"
	"boardcast/pipeline/trial"
)

// What Choose takes here, by real trials, is what the SDP then says, and it runs.
func TestChooseHere(t *testing.T) {
	g := pipeline.Given{
		Machine: Machine(), Audio: pipeline.AudioSource{Test: true},
		Trials: trial.New(testChild(30*time.Second).Run, nil, testLog(t)),
	}
	p, err := pipeline.Choose(t.Context(), pipeline.Request{Width: 320, Height: 240, FPS: 15}, g)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range p.Choices {
		if !c.Verdict.Works() || c.Verdict.FramesPerSecond <= 0 {
			t.Errorf("%s: %+v", c.Encoder.ID, c.Verdict)
		}
	}
	if len(p.Choices) != 2 || p.Format.Measured == "" || p.Format.Measured != p.Choices[0].Verdict.ProfileLevelID {
		t.Errorf("choices %d, the SDP says %q", len(p.Choices), p.Format.ProfileLevelID())
	}
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	raw, coded := e.Fan(false), e.Fan(true)
	defer raw.Close()
	defer coded.Close()
	encoder, err := e.Start(t.Context(), p.Choices[0].Graph, raw, coded)
	if err != nil {
		t.Fatal(err)
	}
	defer closeStage(t, encoder)
	capture, err := e.Start(t.Context(), p.Capture, nil, raw)
	if err != nil {
		t.Fatal(err)
	}
	defer closeStage(t, capture)
	await(t, "a keyframe", func() bool { return coded.Count().Keyframes == 1 })
	if err := encoder.Keyframe(pipeline.KeyframeEvent); err != nil {
		t.Fatal(err)
	}
	await(t, "the keyframe asked for", func() bool { return coded.Count().Keyframes == 2 })
	prop, takes := p.Choices[0].Encoder.LiveBitrate(300_000)
	if !takes {
		t.Fatal("no live bitrate")
	}
	if err := encoder.Set(pipeline.EncoderName, prop.Name, prop.Value); err != nil {
		t.Error(err)
	}
}

func closeStage(t *testing.T, s media.Stage) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// await looks until it is so, for ten seconds.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		case <-look.C:
		}
	}
}

// The other ways to ask for a keyframe, on elements that have what they need: identity has neither, and says so; v4l2src
// has extra-controls.
func TestKeyframeMethods(t *testing.T) {
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name    string
		encoder pipeline.Node
		method  pipeline.KeyframeMethod
		works   bool
	}{
		{"no force-IDR", pipeline.El("identity"), pipeline.KeyframeForceIDR, false},
		{"no extra-controls", pipeline.El("identity"), pipeline.KeyframeExtraControls, false},
		{"nothing to do", pipeline.El("identity"), pipeline.KeyframeNone, true},
		{"event", pipeline.El("identity"), pipeline.KeyframeEvent, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			out := e.Fan(true)
			defer out.Close()
			g := pipeline.Graph{
				pipeline.El("videotestsrc", "is-live=true"), c.encoder.Named(pipeline.EncoderName),
				pipeline.El("appsink", "sync=false").Named(pipeline.OutName),
			}
			s, err := e.Start(t.Context(), g, nil, out)
			if err != nil {
				t.Fatal(err)
			}
			defer closeStage(t, s)
			await(t, "a picture", func() bool { return out.Count().Frames > 1 })
			if err := s.Keyframe(c.method); (err == nil) != c.works {
				t.Errorf("%v", err)
			}
		})
	}
}

// Before its first picture an encoder is not forced: NVIDIA's crash on it. That identity lacks the signal would show.
func TestForceIDRWaitsForAPicture(t *testing.T) {
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	out := e.Fan(true)
	defer out.Close()
	g := pipeline.Graph{
		pipeline.El("appsrc", "is-live=true"), pipeline.El("identity").Named(pipeline.EncoderName),
		pipeline.El("appsink", "async=false").Named(pipeline.OutName),
	}
	s, err := e.Start(t.Context(), g, nil, out)
	if err != nil {
		t.Fatal(err)
	}
	defer closeStage(t, s)
	if err := s.Keyframe(pipeline.KeyframeForceIDR); err != nil {
		t.Error(err)
	}
}
