package live

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"boardcast/pipeline"
)

// fakeEngine runs nothing and remembers everything.
type fakeEngine struct {
	mu     sync.Mutex
	stages []*fakeStage
	peers  []*fakePeer
	refuse map[string]error // errors that Start returns, by the first element of the graph
	still  map[string]bool  // elements that start and make nothing
	deaf   map[string]bool  // elements that make no keyframe when asked
}

func newFakeEngine() *fakeEngine {
	return &fakeEngine{refuse: map[string]error{}, still: map[string]bool{}, deaf: map[string]bool{}}
}

// turn changes how an element behaves from now on.
func (e *fakeEngine) turn(m map[string]bool, element string, on bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	m[element] = on
}

// refuses lets an element fail to start, or no longer.
func (e *fakeEngine) refuses(element string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refuse[element] = err
}

func (e *fakeEngine) is(m map[string]bool, s *fakeStage) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return m[s.graph[0].Factory]
}

func (e *fakeEngine) Fan(coded bool) Fan { return &fakeFan{coded: coded, key: make(chan struct{}, 1)} }

func (e *fakeEngine) Start(_ context.Context, g pipeline.Graph, in, out Fan) (Stage, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := &fakeStage{engine: e, graph: g, in: in, out: out, at: time.Now(), events: make(chan StageEvent, 8), fakeEnd: fakeEnd{end: make(chan struct{})}}
	e.stages = append(e.stages, s)
	if err := e.refuse[g[0].Factory]; err != nil {
		s.closed = true
		return nil, err
	}
	go s.run()
	return s, nil
}

func (e *fakeEngine) Peer(_ context.Context, o PeerOptions) (Peer, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := &fakePeer{options: o, events: make(chan PeerEvent, 64)}
	e.peers = append(e.peers, p)
	return p, nil
}

func (e *fakeEngine) peer(i int) *fakePeer {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.peers[i]
}

func (e *fakeEngine) started() []*fakeStage {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]*fakeStage{}, e.stages...)
}

type fakeFan struct {
	coded bool
	key   chan struct{}
	mu    sync.Mutex
	n     FanCount
	caps  string
}

func (f *fakeFan) KeyWanted() <-chan struct{} { return f.key }
func (f *fakeFan) Close()                     {}

func (f *fakeFan) Caps() string { return f.caps }

func (f *fakeFan) Count() FanCount {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n
}

// flow adds frames, of which some are keyframes.
func (f *fakeFan) flow(pictures, keys uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n.Frames += pictures
	f.n.Keyframes += keys
}

// fakeStage makes a frame every 40 ms, the first a keyframe, unless its element is still.
type fakeStage struct {
	engine  *fakeEngine
	graph   pipeline.Graph
	in, out Fan
	at      time.Time
	events  chan StageEvent
	mu      sync.Mutex
	keys    []time.Time
	sets    []string
	fakeEnd
}

// fakeEnd is how a fakeStage ends.
type fakeEnd struct {
	end    chan struct{}
	hang   chan struct{} // Close waits until it is closed, unless it is nil
	stuck  error         // that Close returns
	closed bool
}

func (s *fakeStage) run() {
	clock := time.NewTicker(40 * time.Millisecond)
	defer clock.Stop()
	first := true
	for {
		select {
		case <-s.end:
			return
		case <-clock.C:
		}
		if s.engine.is(s.engine.still, s) {
			continue
		}
		if first {
			s.events <- StageEvent{First: true}
			s.out.(*fakeFan).flow(0, 1)
			first = false
		}
		s.out.(*fakeFan).flow(1, 0)
	}
}

func (s *fakeStage) Events() <-chan StageEvent { return s.events }

func (s *fakeStage) Keyframe(pipeline.KeyframeMethod) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append(s.keys, time.Now())
	if !s.engine.is(s.engine.deaf, s) {
		s.out.(*fakeFan).flow(0, 1)
	}
	return nil
}

func (s *fakeStage) Set(element, property, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sets = append(s.sets, element+" "+property+"="+value)
	return nil
}

func (s *fakeStage) told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.sets...)
}

func (s *fakeStage) Close() error {
	if s.hang != nil {
		<-s.hang
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("closed twice")
	}
	s.closed = true
	close(s.end)
	return s.stuck
}

func (s *fakeStage) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (s *fakeStage) forced() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]time.Time{}, s.keys...)
}

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
func startBroadcast(t *testing.T, o Options) (*Broadcast, *fakeEngine) {
	t.Helper()
	return startPlan(t, testPlan(t, pipeline.Request{}), o)
}

func startPlan(t *testing.T, plan pipeline.Plan, o Options) (*Broadcast, *fakeEngine) {
	t.Helper()
	e := newFakeEngine()
	o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	b := NewBroadcast(e, plan, o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = b.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return b, e
}
