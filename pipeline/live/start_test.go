package live

import (
	"context"
	"log/slog"
	"testing"

	"boardcast/pipeline"
	"boardcast/pipeline/media/fake"
)

// software reports whether an element can be made where every encoder in software is installed.
func software(element string) bool {
	e, ok := pipeline.EncoderByID(element)
	return !ok || !e.Hardware
}

// testPlan is the plan for a test picture of 640x480.
func testPlan(t *testing.T, w pipeline.Request) pipeline.Plan {
	t.Helper()
	w.Width, w.Height, w.FPS = 640, 480, 30
	p, err := pipeline.Choose(t.Context(), w, pipeline.Given{
		Machine: pipeline.Machine{Installed: software}, Audio: pipeline.AudioSource{Test: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// startBroadcast runs a broadcast on a fake engine until the test ends.
func startBroadcast(t *testing.T, o Options) (*Broadcast, *fake.Engine) {
	t.Helper()
	return startPlan(t, testPlan(t, pipeline.Request{}), o)
}

func startPlan(t *testing.T, plan pipeline.Plan, o Options) (*Broadcast, *fake.Engine) {
	t.Helper()
	e := fake.NewEngine()
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	b := NewBroadcast(e, plan, o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = b.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return b, e
}
