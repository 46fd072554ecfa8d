//go:build !nogst

package gst

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"boardcast/pipeline"
	"boardcast/pipeline/live"
	"boardcast/pipeline/media"
)

func testPlan(t *testing.T, _ *Engine, codec string) pipeline.Plan {
	t.Helper()
	return planFor(t, pipeline.Request{Width: 320, Height: 240, FPS: 15, Codec: codec})
}

// planFor is the plan for a test picture, by an encoder in software: one in hardware that is installed may not work.
func planFor(t *testing.T, w pipeline.Request) pipeline.Plan {
	t.Helper()
	m := Machine()
	installed := m.Installed
	m.Installed = func(element string) bool {
		e, ok := pipeline.EncoderByID(element)
		return installed(element) && (!ok || !e.Hardware)
	}
	p, err := pipeline.Choose(t.Context(), w, pipeline.Given{Machine: m, Audio: pipeline.AudioSource{Test: true}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func broadcast(t *testing.T, e media.Engine, plan pipeline.Plan) *live.Broadcast {
	t.Helper()
	b := live.NewBroadcast(e, plan, live.Options{Logger: testLog(t), Grace: time.Second})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = b.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return b
}

// Two broadcasts call one another: what one sends, the other decodes.
func TestCall(t *testing.T) {
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, codec := range []string{"h264", "vp8"} {
		t.Run(codec, func(t *testing.T) {
			a, b := broadcast(t, e, testPlan(t, e, codec)), broadcast(t, e, testPlan(t, e, "auto"))
			va, vb := call(t, a, b)
			defer hangUp(va, vb)
			deadline := time.After(15 * time.Second)
			check := time.NewTicker(100 * time.Millisecond)
			defer check.Stop()
			for {
				sa, sb := a.Status(), b.Status()
				if len(sb.Viewers) == 1 && len(sb.Viewers[0].Incoming) == 2 && sb.Viewers[0].IncomingAudioDB != nil && sa.Viewers[0].Sent != nil && sa.Viewers[0].Sent.VideoFrames > 20 {
					break
				}
				select {
				case <-deadline:
					t.Fatalf("no media: %+v\n%+v", sa, sb)
				case <-check.C:
				}
			}
			t.Logf("%+v %+v", a.Status(), b.Status())
		})
	}
}

// What hangs while a pipeline is freed does not hold up who stops it.
func TestStopIsBounded(t *testing.T) {
	initOnce()
	p, err := newPipe()
	if err != nil {
		t.Fatal(err)
	}
	stuck := make(chan struct{})
	if err := p.stop(50*time.Millisecond, func() { <-stuck }); !errors.Is(err, media.ErrStuck) {
		t.Errorf("stop said %v, want %v", err, media.ErrStuck)
	}
	close(stuck)
}

// safeText takes a log on several goroutines.
type safeText struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *safeText) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeText) has(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.b.String(), text)
}

// What is to play a viewer's sound and cannot be built is told in the log; the viewer goes on.
func TestTalkbackThatCannotBeBuilt(t *testing.T) {
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	plan := testPlan(t, e, "vp8")
	plan.Hear = pipeline.Graph{pipeline.El("queue").Named(pipeline.InName), pipeline.El("nosuchelement")}
	var log safeText
	a := live.NewBroadcast(e, plan, live.Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), Grace: time.Second})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = a.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	va, vb := call(t, a, broadcast(t, e, testPlan(t, e, "vp8")))
	defer hangUp(va, vb)
	eventually(t, "it is told", 10*time.Second, func() bool { return log.has("nosuchelement") })
	eventually(t, "pictures are sent", 10*time.Second, func() bool { return sentTo(a, "callee") > 10 })
}
