// Package fake answers "what was an engine asked to do": it implements [media.Engine] for tests, runs nothing and remembers everything.
//
// A stage makes frames by a clock, so that tests run it in a bubble of testing/synctest. An element can be told to fail, to make
// nothing or to be deaf; what happens to a stage or a peer beyond that is posted by the test.
//
//	e := fake.NewEngine()
//	b := live.NewBroadcast(e, plan, live.Options{})
//	e.Refuses("x264enc", errors.New("busy"))
package fake

import (
	"context"
	"errors"
	"sync"
	"time"

	"boardcast/internal/latest"
	"boardcast/pipeline"
	"boardcast/pipeline/media"
)

// Engine runs nothing and remembers everything. An element is the first one of a graph, by its factory.
//
// # Concurrency
//
// Its methods may be called from any goroutine.
type Engine struct {
	mu     sync.Mutex
	stages []*Stage
	peers  []*Peer
	refuse map[string]error // errors that Start returns, by element
	Still  map[string]bool  // elements that start and make nothing; see Turn
	Deaf   map[string]bool  // elements that make no keyframe when asked; see Turn
}

// NewEngine makes an engine whose elements all work.
func NewEngine() *Engine {
	return &Engine{refuse: map[string]error{}, Still: map[string]bool{}, Deaf: map[string]bool{}}
}

// Turn puts an element into Still or Deaf, or takes it out, from now on.
func (e *Engine) Turn(m map[string]bool, element string, on bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	m[element] = on
}

// Refuses lets an element fail to start, or no longer.
func (e *Engine) Refuses(element string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refuse[element] = err
}

func (e *Engine) is(m map[string]bool, s *Stage) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return m[s.Graph[0].Factory]
}

// Fan implements [media.Engine].
func (e *Engine) Fan(coded bool) media.Fan { return &Fan{coded: coded, key: make(chan struct{}, 1)} }

// Start implements [media.Engine].
func (e *Engine) Start(_ context.Context, g pipeline.Graph, in, out media.Fan) (media.Stage, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := &Stage{engine: e, Graph: g, in: in, out: out, at: time.Now(), Post: make(chan media.StageEvent, 8), end: end{ended: make(chan struct{})}}
	e.stages = append(e.stages, s)
	if err := e.refuse[g[0].Factory]; err != nil {
		s.closed = true
		return nil, err
	}
	go s.run()
	return s, nil
}

// Peer implements [media.Engine].
func (e *Engine) Peer(_ context.Context, o media.PeerOptions) (media.Peer, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := &Peer{Options: o, Post: make(chan media.PeerEvent, 64)}
	e.peers = append(e.peers, p)
	return p, nil
}

// LastPeer is the newest peer.
func (e *Engine) LastPeer() *Peer {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.peers[len(e.peers)-1]
}

// PeerAt is the one that was made after i others.
func (e *Engine) PeerAt(i int) *Peer {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.peers[i]
}

// Started are the stages that were started, in order.
func (e *Engine) Started() []*Stage {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]*Stage{}, e.stages...)
}

// Of are the stages of an element.
func (e *Engine) Of(element string) []*Stage {
	var out []*Stage
	for _, s := range e.Started() {
		if s.Graph[0].Factory == element {
			out = append(out, s)
		}
	}
	return out
}

// Fan counts the frames of the stages that fill it.
type Fan struct {
	coded   bool
	key     chan struct{}
	mu      sync.Mutex
	Made    media.FanCount // what was made until now
	HasCaps string         // what Caps answers
}

// KeyWanted implements [media.Fan].
func (f *Fan) KeyWanted() <-chan struct{} { return f.key }

// Close implements [media.Fan].
func (f *Fan) Close() {}

// Caps implements [media.Fan].
func (f *Fan) Caps() string { return f.HasCaps }

// Count implements [media.Fan].
func (f *Fan) Count() media.FanCount {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.Made
}

// WantKeyframe asks for a keyframe, as a subscription does.
func (f *Fan) WantKeyframe() { latest.Poke(f.key) }

// flow adds frames, of which some are keyframes.
func (f *Fan) flow(pictures, keys uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Made.Frames += pictures
	f.Made.Keyframes += keys
}

// Stage makes a frame every 40 ms, the first a keyframe, unless its element is still.
type Stage struct {
	engine  *Engine
	Graph   pipeline.Graph
	in, out media.Fan
	at      time.Time
	Post    chan media.StageEvent // what Events delivers; a test posts to it
	mu      sync.Mutex
	keys    []time.Time
	sets    []string
	end
}

// end is how a stage ends.
type end struct {
	ended  chan struct{}
	Hang   chan struct{} // Close waits until it is closed, unless it is nil
	Stuck  error         // what Close returns
	closed bool
}

func (s *Stage) run() {
	clock := time.NewTicker(40 * time.Millisecond)
	defer clock.Stop()
	first := true
	for {
		select {
		case <-s.ended:
			return
		case <-clock.C:
		}
		if s.engine.is(s.engine.Still, s) {
			continue
		}
		if first {
			s.Post <- media.StageEvent{First: true}
			s.out.(*Fan).flow(0, 1)
			first = false
		}
		s.out.(*Fan).flow(1, 0)
	}
}

// Events implements [media.Stage].
func (s *Stage) Events() <-chan media.StageEvent { return s.Post }

// Keyframe implements [media.Stage].
func (s *Stage) Keyframe(pipeline.KeyframeMethod) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append(s.keys, time.Now())
	if !s.engine.is(s.engine.Deaf, s) {
		s.out.(*Fan).flow(0, 1)
	}
	return nil
}

// Set implements [media.Stage].
func (s *Stage) Set(element, property, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sets = append(s.sets, element+" "+property+"="+value)
	return nil
}

// Told are the calls of Set, as texts.
func (s *Stage) Told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.sets...)
}

// Close implements [media.Stage]. It may be called once.
func (s *Stage) Close() error {
	if s.Hang != nil {
		<-s.Hang
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("closed twice")
	}
	s.closed = true
	close(s.ended)
	return s.Stuck
}

// IsClosed reports whether the stage was closed, or never started.
func (s *Stage) IsClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// Forced are the times of the calls of Keyframe.
func (s *Stage) Forced() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]time.Time{}, s.keys...)
}
