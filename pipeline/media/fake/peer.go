package fake

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"boardcast/pipeline"
	"boardcast/pipeline/agreement"
	"boardcast/pipeline/media"
)

// Peer records calls as texts, in order.
//
// # Concurrency
//
// Its methods may be called from any goroutine, and lock Mu. A test that reads or writes a field other than Post while the viewer runs
// locks Mu.
type Peer struct {
	Options     media.PeerOptions    // that the peer was made with
	Post        chan media.PeerEvent // what Events delivers; a test posts to it
	Mu          sync.Mutex
	Calls       []string                            // as texts; see Said
	Preferences map[pipeline.Slot]string            // of AddMedia
	Packets     map[pipeline.Slot]agreement.Packets // of Attach
	Sent        []string                            // over the data channel
	Taken       []int                               // payload types of Take
	Silent      time.Duration                       // what Alive answers
	Overflow    bool                                // what Overflowed answers
	Remote      string                              // the description of SetRemote
	feed
}

// feed is the last call of Feed.
type feed struct {
	to   *Fan
	then uint64 // keyframes of that fan at the time
}

func (p *Peer) note(words ...string) {
	p.Mu.Lock()
	defer p.Mu.Unlock()
	p.Calls = append(p.Calls, words...)
}

// Said are the calls until now.
func (p *Peer) Said() []string {
	p.Mu.Lock()
	defer p.Mu.Unlock()
	return append([]string{}, p.Calls...)
}

// Words are the messages that were sent over the data channel.
func (p *Peer) Words() []string {
	p.Mu.Lock()
	defer p.Mu.Unlock()
	return slices.Clone(p.Sent)
}

// Events implements [media.Peer].
func (p *Peer) Events() <-chan media.PeerEvent { return p.Post }

// AddMedia implements [media.Peer].
func (p *Peer) AddMedia(slot pipeline.Slot, section int, prefs, direction string) error {
	p.note("media " + strconv.Itoa(int(slot)) + " at " + strconv.Itoa(section) + " " + direction)
	p.Mu.Lock()
	defer p.Mu.Unlock()
	if p.Preferences == nil {
		p.Preferences = map[pipeline.Slot]string{}
	}
	p.Preferences[slot] = prefs
	return nil
}

// Open implements [media.Peer].
func (p *Peer) Open(label string) error { p.note("open " + label); return nil }

// Offer implements [media.Peer].
func (p *Peer) Offer() { p.note("offer") }

// Answer implements [media.Peer].
func (p *Peer) Answer() { p.note("answer") }

// SetLocal implements [media.Peer].
func (p *Peer) SetLocal(typ, _ string) error { p.note("local " + typ); return nil }

// AddCandidate implements [media.Peer].
func (p *Peer) AddCandidate(i int, c string) { p.note(strconv.Itoa(i) + " " + c) }

// SetRemote implements [media.Peer].
func (p *Peer) SetRemote(typ, text string) error {
	p.note("remote " + typ)
	p.Mu.Lock()
	defer p.Mu.Unlock()
	p.Remote = text
	return nil
}

// Take implements [media.Peer].
func (p *Peer) Take(types []int) {
	p.note("take " + fmt.Sprint(types))
	p.Mu.Lock()
	defer p.Mu.Unlock()
	p.Taken = types
}

// Count is what a viewer has been sent: 10 frames in 5,000 bytes.
func (p *Peer) Count() media.PeerCount { return media.PeerCount{VideoFrames: 10, Bytes: 5000} }

// Attach implements [media.Peer].
func (p *Peer) Attach(s pipeline.Slot, k agreement.Packets, _ media.Fan) error {
	p.note("attach " + strconv.Itoa(int(s)) + " " + k.Payloader.Factory)
	p.Mu.Lock()
	defer p.Mu.Unlock()
	if p.Packets == nil {
		p.Packets = map[pipeline.Slot]agreement.Packets{}
	}
	p.Packets[s] = k
	return nil
}

// Resume implements [media.Peer].
func (p *Peer) Resume() { p.note("resume") }

// KeyframesOnly implements [media.Peer].
func (p *Peer) KeyframesOnly(keyframesOnly bool) {
	p.note("keyframes only " + strconv.FormatBool(keyframesOnly))
}

// Feed implements [media.Peer].
func (p *Peer) Feed(f media.Fan) {
	p.Mu.Lock()
	defer p.Mu.Unlock()
	p.feed = feed{f.(*Fan), f.Count().Keyframes}
	p.Calls = append(p.Calls, "feed")
}

// Fed implements [media.Peer]: it is true from the fan's next keyframe on.
func (p *Peer) Fed() bool {
	p.Mu.Lock()
	defer p.Mu.Unlock()
	return p.to == nil || p.to.Count().Keyframes > p.then
}

// Hear implements [media.Peer].
func (p *Peer) Hear(on bool) { p.note("hear " + strconv.FormatBool(on)) }

// Send implements [media.Peer].
func (p *Peer) Send(_ int, text string) bool {
	p.Mu.Lock()
	defer p.Mu.Unlock()
	p.Sent = append(p.Sent, text)
	return true
}

// Alive implements [media.Peer].
func (p *Peer) Alive() time.Duration {
	p.Mu.Lock()
	defer p.Mu.Unlock()
	return p.Silent
}

// Overflowed implements [media.Peer].
func (p *Peer) Overflowed() bool {
	p.Mu.Lock()
	defer p.Mu.Unlock()
	return p.Overflow
}

// Close implements [media.Peer].
func (p *Peer) Close() error { p.note("close"); return nil }
