package live

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"boardcast/pipeline"
	"boardcast/pipeline/agreement"
)

// fakePeer records calls as texts, in order.
//
// # Concurrency
//
// Its methods may be called from any goroutine, and lock mu. Who reads or writes a field beside events locks mu while the viewer runs.
type fakePeer struct {
	options  PeerOptions
	events   chan PeerEvent // what Events delivers; a test posts to it
	mu       sync.Mutex
	calls    []string
	prefs    map[pipeline.Slot]string            // of AddMedia
	packets  map[pipeline.Slot]agreement.Packets // of Attach
	sent     []string                            // over the data channel
	taken    []int                               // payload types of Take
	silent   time.Duration                       // what Alive answers
	overflow bool                                // what Overflowed answers
	remote   string                              // the description of SetRemote
	fakeFeed
}

// fakeFeed is the last call of Feed.
type fakeFeed struct {
	to   *fakeFan
	then uint64 // keyframes of that fan at the time
}

func (p *fakePeer) note(words ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, words...)
}

// said are the calls until now.
func (p *fakePeer) said() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.calls...)
}

// words are the messages that were sent over the data channel.
func (p *fakePeer) words() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.sent)
}

// Events implements [Peer].
func (p *fakePeer) Events() <-chan PeerEvent { return p.events }

// AddMedia implements [Peer].
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

// Open implements [Peer].
func (p *fakePeer) Open(label string) error { p.note("open " + label); return nil }

// Offer implements [Peer].
func (p *fakePeer) Offer() { p.note("offer") }

// Answer implements [Peer].
func (p *fakePeer) Answer() { p.note("answer") }

// SetLocal implements [Peer].
func (p *fakePeer) SetLocal(typ, _ string) error { p.note("local " + typ); return nil }

// AddCandidate implements [Peer].
func (p *fakePeer) AddCandidate(i int, c string) { p.note(strconv.Itoa(i) + " " + c) }

// SetRemote implements [Peer].
func (p *fakePeer) SetRemote(typ, text string) error {
	p.note("remote " + typ)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remote = text
	return nil
}

// Take implements [Peer].
func (p *fakePeer) Take(types []int) {
	p.note("take " + fmt.Sprint(types))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = types
}

// Count is what a viewer has been sent: 10 frames in 5,000 bytes.
func (p *fakePeer) Count() PeerCount { return PeerCount{VideoFrames: 10, Bytes: 5000} }

// Attach implements [Peer].
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

// Resume implements [Peer].
func (p *fakePeer) Resume() { p.note("resume") }

// KeyframesOnly implements [Peer].
func (p *fakePeer) KeyframesOnly(keyframesOnly bool) {
	p.note("keyframes only " + strconv.FormatBool(keyframesOnly))
}

// Feed implements [Peer].
func (p *fakePeer) Feed(f Fan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fakeFeed = fakeFeed{f.(*fakeFan), f.Count().Keyframes}
	p.calls = append(p.calls, "feed")
}

// Fed implements [Peer]: it is true from the fan's next keyframe on.
func (p *fakePeer) Fed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.to == nil || p.to.Count().Keyframes > p.then
}

// Hear implements [Peer].
func (p *fakePeer) Hear(on bool) { p.note("hear " + strconv.FormatBool(on)) }

// Send implements [Peer].
func (p *fakePeer) Send(_ int, text string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, text)
	return true
}

// Alive implements [Peer].
func (p *fakePeer) Alive() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.silent
}

// Overflowed implements [Peer].
func (p *fakePeer) Overflowed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.overflow
}

// Close implements [Peer].
func (p *fakePeer) Close() error { p.note("close"); return nil }
