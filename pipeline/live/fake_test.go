package live

import (
	"context"
	"errors"
	"sync"
	"time"

	"boardcast/internal/latest"
	"boardcast/pipeline"
)

// fakeEngine runs nothing and remembers everything. An element is the first one of a graph, by its factory.
//
// # Concurrency
//
// Its methods may be called from any goroutine.
type fakeEngine struct {
	mu     sync.Mutex
	stages []*fakeStage
	peers  []*fakePeer
	refuse map[string]error // errors that Start returns, by element
	still  map[string]bool  // elements that start and make nothing; see turn
	deaf   map[string]bool  // elements that make no keyframe when asked; see turn
}

// newFakeEngine makes an engine whose elements all work.
func newFakeEngine() *fakeEngine {
	return &fakeEngine{refuse: map[string]error{}, still: map[string]bool{}, deaf: map[string]bool{}}
}

// turn puts an element into still or deaf, or takes it out, from now on.
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

// Fan implements [Engine].
func (e *fakeEngine) Fan(coded bool) Fan { return &fakeFan{coded: coded, key: make(chan struct{}, 1)} }

// Start implements [Engine].
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

// Peer implements [Engine].
func (e *fakeEngine) Peer(_ context.Context, o PeerOptions) (Peer, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := &fakePeer{options: o, events: make(chan PeerEvent, 64)}
	e.peers = append(e.peers, p)
	return p, nil
}

// lastPeer is the newest peer.
func (e *fakeEngine) lastPeer() *fakePeer {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.peers[len(e.peers)-1]
}

// peer is the one that was made after i others.
func (e *fakeEngine) peer(i int) *fakePeer {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.peers[i]
}

// started are the stages that were started, in order.
func (e *fakeEngine) started() []*fakeStage {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]*fakeStage{}, e.stages...)
}

// of are the stages of an element.
func (e *fakeEngine) of(element string) []*fakeStage {
	var out []*fakeStage
	for _, s := range e.started() {
		if s.graph[0].Factory == element {
			out = append(out, s)
		}
	}
	return out
}

// fakeFan counts the frames of the stages that fill it.
type fakeFan struct {
	coded bool
	key   chan struct{}
	mu    sync.Mutex
	n     FanCount // what was made until now
	caps  string   // what Caps answers
}

// KeyWanted implements [Fan].
func (f *fakeFan) KeyWanted() <-chan struct{} { return f.key }

// Close implements [Fan].
func (f *fakeFan) Close() {}

// Caps implements [Fan].
func (f *fakeFan) Caps() string { return f.caps }

// Count implements [Fan].
func (f *fakeFan) Count() FanCount {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n
}

// wantKeyframe asks for a keyframe, as a subscription does.
func (f *fakeFan) wantKeyframe() { latest.Poke(f.key) }

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
	events  chan StageEvent // what Events delivers; a test posts to it
	mu      sync.Mutex
	keys    []time.Time
	sets    []string
	fakeEnd
}

// fakeEnd is how a fakeStage ends.
type fakeEnd struct {
	end    chan struct{}
	hang   chan struct{} // Close waits until it is closed, unless it is nil
	stuck  error         // what Close returns
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

// Events implements [Stage].
func (s *fakeStage) Events() <-chan StageEvent { return s.events }

// Keyframe implements [Stage].
func (s *fakeStage) Keyframe(pipeline.KeyframeMethod) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append(s.keys, time.Now())
	if !s.engine.is(s.engine.deaf, s) {
		s.out.(*fakeFan).flow(0, 1)
	}
	return nil
}

// Set implements [Stage].
func (s *fakeStage) Set(element, property, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sets = append(s.sets, element+" "+property+"="+value)
	return nil
}

// told are the calls of Set, as texts.
func (s *fakeStage) told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.sets...)
}

// Close implements [Stage]. It may be called once.
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

// isClosed reports whether the stage was closed, or never started.
func (s *fakeStage) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// forced are the times of the calls of Keyframe.
func (s *fakeStage) forced() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]time.Time{}, s.keys...)
}
