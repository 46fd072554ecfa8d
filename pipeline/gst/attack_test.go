//go:build e2e && !nogst

package gst

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-gst/go-gst/gst"

	"boardcast/pipeline/live"
	"boardcast/pipeline/media"
)

// attack is a viewer that sends packets as it likes, and the broadcast that it is connected to, the victim.
type attack struct {
	t                *testing.T
	victim           *live.Viewer
	served           func() uint64 // frames of video that the attacker was sent
	victims, hostile *peer
	broadcast        *live.Broadcast
}

// newAttack connects an attacker to a victim. With talkback the victim takes sound in, without it nothing.
func newAttack(t *testing.T, talkback bool) *attack {
	t.Helper()
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	sa, sb := &spy{Engine: e}, &spy{Engine: e}
	plan := testPlan(t, e, "vp8")
	plan.Talkback = talkback
	a := broadcast(t, sa, plan)
	va, vb := call(t, a, broadcast(t, sb, testPlan(t, e, "vp8")))
	t.Cleanup(func() { hangUp(va, vb) })
	at := &attack{t: t, victim: va, broadcast: a, served: func() uint64 { return sentTo(a, "callee") }}
	eventually(t, "pictures are sent", 10*time.Second, func() bool { return at.served() > 5 })
	at.victims, at.hostile = sa.peers[0].(*peer), sb.peers[0].(*peer)
	return at
}

// send has the attacker's side encrypt packets and send them.
func (a *attack) send(pad string, packets ...[]byte) {
	a.t.Helper()
	sink := element(a.t, a.hostile, "srtpenc").GetStaticPad(pad)
	if sink == nil {
		a.t.Fatalf("srtpenc has no pad %s", pad)
	}
	if !strings.HasPrefix(pad, "rtcp") && !sink.HasCurrentCaps() { // nothing of its own is sent
		sink.SendEvent(gst.NewStreamStartEvent("attack"))
		sink.SendEvent(gst.NewCapsEvent(gst.NewCapsFromString("application/x-rtp")))
		sink.SendEvent(gst.NewSegmentEvent(gst.NewFormattedSegment(gst.FormatTime)))
	}
	for _, p := range packets {
		if r := sink.Chain(gst.NewBufferFromBytes(p)); r != gst.FlowOK {
			a.t.Fatalf("send % x: %v", p, r)
		}
	}
}

// goesOn waits until the victim has sent more frames, as it does to any viewer.
func (a *attack) goesOn() {
	a.t.Helper()
	before := a.served()
	eventually(a.t, "more pictures are sent", 10*time.Second, func() bool { return a.served() > before+15 })
	select {
	case <-a.victim.Done():
		a.t.Error("the viewer was lost")
	default:
	}
}

func rtp(payload byte, ssrc uint32, seq uint16) []byte {
	p := append(rtpHeader(payload, ssrc, 0), make([]byte, 80)...)
	binary.BigEndian.PutUint16(p[2:], seq)
	return p
}

// A viewer that sends RTP that was not agreed on is served as before, with talkback and without.
func TestSendsWhatWasNotAgreed(t *testing.T) {
	for _, talkback := range []bool{false, true} {
		t.Run(fmt.Sprint("talkback ", talkback), func(t *testing.T) {
			a := newAttack(t, talkback)
			for i := range uint16(20) {
				for _, payload := range []byte{0, 35, 96, 97, 102, 127} {
					a.send("rtp_sink_0", rtp(payload, 77+uint32(payload), i))
				}
			}
			if !talkback { // agreed on, but webrtcbin has linked nothing
				a.victims.Take([]int{50})
				for i := range uint16(5) {
					a.send("rtp_sink_0", rtp(50, 50, i))
				}
			}
			a.goesOn()
			if n := len(elements(t, a.victims, "rtpjitterbuffer")); n > 1 {
				t.Errorf("%d jitter buffers", n)
			}
		})
	}
}

// Packets of ever new SSRCs leave nothing behind, and the viewer is served as before.
func TestSendsManySources(t *testing.T) {
	a := newAttack(t, true)
	eventually(t, "sound comes in", 10*time.Second, func() bool { return len(a.broadcast.Status().Viewers[0].Incoming) > 0 })
	before := threads(t)
	for ssrc := range uint32(1000) {
		a.send("rtp_sink_0", rtp(111, 1000+ssrc, 1), rtp(111, 1000+ssrc, 2), rtp(111, 1000+ssrc, 3))
		a.send("rtcp_sink_0", rtcpPart(sr, 0, 4000+ssrc, 0, 0, 0, 0, 0))
		a.send("rtcp_sink_0", append(rtcpPart(rr, 0, 5000), rtcpPart(sdes, 1, chunk(9000+ssrc)...)...))
		a.send("rtcp_sink_0", rtcpPart(psfb, pli, 20000+ssrc, 1))
	}
	a.goesOn()
	if n := len(elements(t, a.victims, "rtpjitterbuffer")); n > rtpSenders {
		t.Errorf("%d jitter buffers", n)
	}
	if n := sources(elements(t, a.victims, "rtpsession")); n < 3 || n > senders+3 { // and our own: picture, sound, the picture sent again
		t.Errorf("%d sources", n)
	}
	if now := threads(t); now > before+20 {
		t.Errorf("%d threads, of %d before", now, before)
	}
}

// A viewer that opens a fifth data channel is ended before anything is made of that one.
func TestOpensManyChannels(t *testing.T) {
	a := newAttack(t, true)
	dec := element(t, a.victims, "sctpdec")
	var pads atomic.Int32
	if _, err := dec.Connect("pad-added", func() { pads.Add(1) }); err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		openChannel(a.hostile, fmt.Sprint("channel ", i))
	}
	select {
	case <-a.victim.Done():
	case <-time.After(10 * time.Second):
		t.Error("the viewer is still there")
	}
	if n := pads.Load(); n == 0 || n > maxChannels {
		t.Errorf("%d data channels were made", n)
	}
}

// A viewer that closes its connection in order is gone at once.
func TestClosesInOrder(t *testing.T) {
	a := newAttack(t, true)
	enc := element(t, a.hostile, "dtlsenc")
	unregister(a.hostile.handle) // or that side hears it first, and is taken down before its alert is sent
	enc.GetStaticPad("sink").SendEvent(gst.NewEOSEvent())
	select {
	case <-a.victim.Done():
	case <-time.After(time.Second):
		t.Error("the viewer is still there a second later")
	}
}

// An empty ICE candidate, which is how 1.24 tells the end of gathering, is not passed on as a candidate.
func TestEmptyCandidate(t *testing.T) {
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	made, err := e.Peer(t.Context(), media.PeerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p := made.(*peer)
	defer func() { _ = p.Close() }()
	w := element(t, p, "webrtcbin")
	for _, text := range []string{"", "candidate:1"} {
		if _, err := w.Emit("on-ice-candidate", uint(0), text); err != nil {
			t.Fatal(err)
		}
	}
	if got := <-p.Events(); got.Kind != media.CandidateFound || got.Text != "candidate:1" {
		t.Errorf("the first candidate is told as %+v", got)
	}
}
