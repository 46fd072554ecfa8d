package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"boardcast/internal/sdp"
	"boardcast/pipeline"
	"boardcast/pipeline/agreement"
)

// fakeEngine runs nothing and remembers everything.
type fakeEngine struct {
	mu     sync.Mutex
	stages []*fakeStage
	peers  []*fakePeer
	refuse map[string]error // what Start answers, by the first element
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
	s := &fakeStage{engine: e, graph: g, in: in, out: out, at: time.Now(), events: make(chan StageEvent, 8), end: make(chan struct{})}
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

// flow adds pictures, of which some are keyframes.
func (f *fakeFan) flow(pictures, keys uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n.Frames += pictures
	f.n.Keyframes += keys
}

// fakeStage makes a picture every 40 ms, the first a keyframe, unless its element is still.
type fakeStage struct {
	engine  *fakeEngine
	graph   pipeline.Graph
	in, out Fan
	at      time.Time
	events  chan StageEvent
	end     chan struct{}
	hang    chan struct{} // Close waits for it, unless nil
	stuck   error         // what Close then says
	mu      sync.Mutex
	keys    []time.Time
	sets    []string
	closed  bool
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

// fakePeer records calls as words, in order.
type fakePeer struct {
	options  PeerOptions
	events   chan PeerEvent
	mu       sync.Mutex
	calls    []string
	prefs    map[pipeline.Slot]string
	packets  map[pipeline.Slot]agreement.Packets
	sent     []string
	taken    []int // payload types
	silent   time.Duration
	overflow bool
	remote   string   // description
	to       *fakeFan // that Feed named
	then     uint64   // its keyframes at that time
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

func (p *fakePeer) AddMedia(slot pipeline.Slot, section int, prefs, direction string) error {
	p.note("media " + strconv.Itoa(int(slot)) + " at " + strconv.Itoa(section) + " " + direction)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.prefs == nil {
		p.prefs = map[pipeline.Slot]string{}
	}
	p.prefs[slot] = prefs
	return nil
}

func (p *fakePeer) Open(label string) error      { p.note("open " + label); return nil }
func (p *fakePeer) Offer()                       { p.note("offer") }
func (p *fakePeer) Answer()                      { p.note("answer") }
func (p *fakePeer) SetLocal(typ, _ string) error { p.note("local " + typ); return nil }
func (p *fakePeer) AddCandidate(i int, c string) { p.note(strconv.Itoa(i) + " " + c) }

func (p *fakePeer) SetRemote(typ, text string) error {
	p.note("remote " + typ)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remote = text
	return nil
}

// described is the event of a description that webrtcbin would have made by now.
func (p *fakePeer) described(typ string) PeerEvent {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := PeerEvent{Kind: Described, Type: typ}
	if typ == "offer" {
		e.Text = offered3
		if slices.Contains(p.calls, "open ") {
			e.Text, _, _ = strings.Cut(strings.Replace(offered3, " 1 2", " 1", 1), "m=application")
			e.Text = strings.Replace(e.Text, "a=sendrecv", "a=sendonly", 1)
		}
		return e
	}
	d, err := sdp.Parse(p.remote)
	if err != nil {
		panic(err) // of the test
	}
	for i := range d.Sections {
		s := &d.Sections[i]
		s.Direction, s.Setup = s.Direction.Mirrored(), "active"
	}
	e.Text = d.String()
	return e
}

// offered3 is what webrtcbin makes of our offer: video, audio and data.
var offered3 = sdpOf(
	"m=video 9 UDP/TLS/RTP/SAVPF 102 96 97\r\na=mid:0\r\na=rtcp-mux\r\na=sendonly\r\na=rtpmap:102 H264/90000\r\na=rtcp-fb:102 nack\r\n"+
		"a=rtcp-fb:102 transport-cc\r\na=fmtp:102 packetization-mode=1;profile-level-id=42c01f;level-asymmetry-allowed=1\r\n"+
		"a=extmap:3 "+agreement.TransportCC+"\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=102\r\n"+
		"a=ssrc-group:FID 7 8\r\na=ssrc:7 cname:c\r\na=ssrc:8 cname:c\r\n",
	"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\na=rtcp-mux\r\na=sendrecv\r\na=rtpmap:111 OPUS/48000/2\r\n"+
		"a=ssrc-group:FID 9 10\r\na=ssrc:9 cname:c\r\na=ssrc:10 cname:c\r\n",
	dataSection,
)

func (p *fakePeer) Take(types []int) {
	p.note("take " + fmt.Sprint(types))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = types
}

func (p *fakePeer) Count() PeerCount { return PeerCount{} }
func (p *fakePeer) Attach(s pipeline.Slot, k agreement.Packets, _ Fan) error {
	p.note("attach " + strconv.Itoa(int(s)) + " " + k.Payloader.Factory)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.packets == nil {
		p.packets = map[pipeline.Slot]agreement.Packets{}
	}
	p.packets[s] = k
	return nil
}

func (p *fakePeer) Resume() {
	p.note("resume")
}

func (p *fakePeer) KeyframesOnly(keyframesOnly bool) {
	p.note("spare " + strconv.FormatBool(keyframesOnly))
}

func (p *fakePeer) Feed(f Fan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.to, p.then = f.(*fakeFan), f.Count().Keyframes
	p.calls = append(p.calls, "feed")
}

// Fed is true from the fan's next keyframe on.
func (p *fakePeer) Fed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.to == nil || p.to.Count().Keyframes > p.then
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
