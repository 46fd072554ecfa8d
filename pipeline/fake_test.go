package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"
)

// fakeEngine runs nothing and remembers everything.
type fakeEngine struct {
	mu     sync.Mutex
	stages []*fakeStage
	peers  []*fakePeer
	refuse error // what Start answers
	news   chan struct{}
}

func newFakeEngine() *fakeEngine { return &fakeEngine{news: make(chan struct{}, 100)} }

func (e *fakeEngine) Fan(coded bool) Fan { return &fakeFan{coded: coded, key: make(chan struct{}, 1)} }

func (e *fakeEngine) Start(_ context.Context, g Graph, in, out Fan) (Stage, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := &fakeStage{graph: g, in: in, out: out, at: time.Now(), events: make(chan StageEvent, 8)}
	e.stages = append(e.stages, s)
	if e.refuse != nil {
		return nil, e.refuse
	}
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
}

func (f *fakeFan) KeyWanted() <-chan struct{} { return f.key }
func (f *fakeFan) Count() FanCount            { return FanCount{} }
func (f *fakeFan) Close()                     {}

type fakeStage struct {
	graph   Graph
	in, out Fan
	at      time.Time
	events  chan StageEvent
	mu      sync.Mutex
	keys    []time.Time
	closed  bool
}

func (s *fakeStage) Events() <-chan StageEvent { return s.events }

func (s *fakeStage) Keyframe(KeyframeMethod) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append(s.keys, time.Now())
	return nil
}

func (s *fakeStage) Set(string, string, string) error { return nil }

func (s *fakeStage) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("closed twice")
	}
	s.closed = true
	return nil
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

// fakePeer records calls as words, in order.
type fakePeer struct {
	options  PeerOptions
	events   chan PeerEvent
	mu       sync.Mutex
	calls    []string
	prefs    map[Slot]string
	sent     []string
	resumed  int
	silent   time.Duration
	overflow bool
}

func (p *fakePeer) note(words ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, words...)
}

func (p *fakePeer) said() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.calls...)
}

func (p *fakePeer) Events() <-chan PeerEvent { return p.events }

func (p *fakePeer) AddMedia(slot Slot, mline int, prefs, direction string) error {
	p.note("media " + itoa(int(slot)) + " at " + itoa(mline) + " " + direction)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.prefs == nil {
		p.prefs = map[Slot]string{}
	}
	p.prefs[slot] = prefs
	return nil
}

func (p *fakePeer) Open(label string) error       { p.note("open " + label); return nil }
func (p *fakePeer) Offer()                        { p.note("offer") }
func (p *fakePeer) Answer()                       { p.note("answer") }
func (p *fakePeer) SetLocal(typ, _ string) error  { p.note("local " + typ); return nil }
func (p *fakePeer) SetRemote(typ, _ string) error { p.note("remote " + typ); return nil }
func (p *fakePeer) AddCandidate(_ int, c string)  { p.note("candidate " + c) }
func (p *fakePeer) Count() PeerCount              { return PeerCount{} }
func (p *fakePeer) Attach(s Slot, g Graph, _ Fan) error {
	p.note("attach " + itoa(int(s)) + " " + g[1].Factory)
	return nil
}

func (p *fakePeer) Resume() {
	p.note("resume")
}

func (p *fakePeer) Send(_ int, text string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, text)
	return true
}

func (p *fakePeer) Alive() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.silent
}

func (p *fakePeer) Overflowed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.overflow
}

func (p *fakePeer) Close() error { p.note("close"); return nil }

func everything(string) bool { return true }

func testPlan(t *testing.T, w Wish) Plan {
	t.Helper()
	p, err := Build(w, VideoSource{}, AudioSource{Test: true}, AudioSink{}, Machine{Installed: everything})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// startBroadcast runs a broadcast on a fake engine until the test ends.
func startBroadcast(t *testing.T, o Options) (*Broadcast, *fakeEngine) {
	t.Helper()
	e := newFakeEngine()
	o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	b := NewBroadcast(e, testPlan(t, Wish{}), o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = b.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return b, e
}
