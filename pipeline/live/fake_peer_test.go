package live

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"boardcast/internal/sdp"
	"boardcast/pipeline"
	"boardcast/pipeline/agreement"
)

// fakePeer records calls as texts, in order.
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
	remote   string // description
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

// described is the event of the description that webrtcbin would have made by now.
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

// Count is what a viewer has been sent: 10 frames in 5,000 bytes.
func (p *fakePeer) Count() PeerCount { return PeerCount{VideoFrames: 10, Bytes: 5000} }

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
	p.note("keyframes only " + strconv.FormatBool(keyframesOnly))
}

func (p *fakePeer) Feed(f Fan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fakeFeed = fakeFeed{f.(*fakeFan), f.Count().Keyframes}
	p.calls = append(p.calls, "feed")
}

// Fed is true from the fan's next keyframe on.
func (p *fakePeer) Fed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.to == nil || p.to.Count().Keyframes > p.then
}

func (p *fakePeer) Hear(on bool) { p.note("hear " + strconv.FormatBool(on)) }

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
