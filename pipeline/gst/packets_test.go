//go:build !nogst

package gst

import (
	"encoding/binary"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-gst/go-gst/gst"

	"boardcast/pipeline"
	"boardcast/pipeline/agreement"
	"boardcast/pipeline/media"
)

// packets are those of one codec that a viewer is sent, as counted.
type packets struct {
	payload      byte
	mu           sync.Mutex
	n            int
	ssrc, time   uint32
	seq          uint16
	gaps, back   int // in the sequence numbers; steps back in time
	long, halves int // more than 1200 bytes; frames without an end
	ended        bool
}

var payloadOf = map[pipeline.Codec]byte{pipeline.H264: 102, pipeline.VP8: 96}

// watch follows what a viewer is sent from now on.
func watch(t *testing.T, p *peer, c pipeline.Codec) *packets {
	t.Helper()
	w := &packets{payload: payloadOf[c]}
	pads, err := element(t, p, "webrtcbin").GetSinkPads()
	if err != nil {
		t.Fatal(err)
	}
	for _, pad := range pads {
		pad.AddProbe(gst.PadProbeTypeBufferList, func(_ *gst.Pad, info *gst.PadProbeInfo) gst.PadProbeReturn {
			info.GetBufferList().ForEach(func(b *gst.Buffer, _ uint) bool { w.see(b); return true })
			return gst.PadProbeOK
		})
	}
	return w
}

func (w *packets) see(b *gst.Buffer) {
	const header, most = 12, 1200
	h := b.Extract(0, header)
	if len(h) != header || h[1]&0x7f != w.payload {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	seq, now := binary.BigEndian.Uint16(h[2:]), binary.BigEndian.Uint32(h[4:])
	if w.n > 0 {
		if seq != w.seq+1 {
			w.gaps++
		}
		if int32(now-w.time) < 0 {
			w.back++
		}
		if (now == w.time) == w.ended {
			w.halves++
		}
	}
	if b.GetSize() > most {
		w.long++
	}
	w.seq, w.time, w.ssrc, w.ended = seq, now, binary.BigEndian.Uint32(h[8:]), h[1]&0x80 != 0
	w.n++
}

func (w *packets) newest() (n int, seq, ssrc uint) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.n, uint(w.seq), uint(w.ssrc)
}

// check finds fault with what was seen.
func (w *packets) check(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.n == 0 || w.gaps > 0 || w.back > 0 || w.long > 0 || w.halves > 0 {
		t.Errorf("of %d packets: %d gaps in the numbers, %d steps back in time, %d too long, %d frames without an end",
			w.n, w.gaps, w.back, w.long, w.halves)
	}
}

// Two viewers of one encoder get the same frames in packets of their own: each viewer has its own SSRC, and sequence numbers without a
// gap, also when it was not sent all frames. A frame's packets stay in one list down to the socket.
func TestPacketsAreAViewersOwn(t *testing.T) {
	for _, codec := range []pipeline.Codec{pipeline.H264, pipeline.VP8} {
		t.Run(string(codec), func(t *testing.T) {
			e, err := New(testLog(t))
			if err != nil {
				t.Fatal(err)
			}
			plan := planFor(t, pipeline.Request{Width: 640, Height: 480, FPS: 15, Codec: string(codec), Bitrate: 1_500_000})
			s := &spy{Engine: e}
			a := broadcast(t, s, plan)
			for range 2 {
				va, vb := call(t, a, broadcast(t, e, testPlan(t, e, "auto")))
				defer hangUp(va, vb)
			}
			eventually(t, "both are sent pictures", 10*time.Second, func() bool {
				sent := 0
				for _, v := range a.Status().Viewers {
					if v.Sent != nil && v.Sent.VideoFrames > 10 && v.Sent.Bytes > 1000 {
						sent++
					}
				}
				return sent == 2
			})
			s.mu.Lock()
			peers, first := s.peers, s.fans[0].(*fan)
			s.mu.Unlock()
			var seen []*packets
			for _, p := range peers {
				seen = append(seen, watch(t, p.(*peer), codec))
			}
			together := lists(t, peers[0].(*peer))
			wait := func(what string, more int) {
				t.Helper()
				for _, w := range seen {
					before, _, _ := w.newest()
					eventually(t, what, 10*time.Second, func() bool { n, _, _ := w.newest(); return n > before+more })
				}
			}
			wait("packets", 100)
			peers[0].KeyframesOnly(true)
			before, _, _ := seen[1].newest()
			eventually(t, "the other's packets", 10*time.Second, func() bool { n, _, _ := seen[1].newest(); return n > before+100 })
			peers[0].KeyframesOnly(false)
			select {
			case first.key <- struct{}{}:
			default:
			}
			wait("packets again", 100)
			for _, w := range seen {
				w.check(t)
			}
			_, _, one := seen[0].newest()
			_, _, other := seen[1].newest()
			if one == other {
				t.Error("two viewers have one SSRC")
			}
			if n := together(); n == 0 {
				t.Error("every packet goes down to the socket by itself")
			}
		})
	}
}

// lists counts the lists of several packets that reach a viewer's socket.
func lists(t *testing.T, p *peer) func() int {
	t.Helper()
	var (
		mu sync.Mutex
		n  int
	)
	element(t, p, "nicesink").GetStaticPad("sink").AddProbe(gst.PadProbeTypeBufferList, func(_ *gst.Pad, info *gst.PadProbeInfo) gst.PadProbeReturn {
		several := 0
		info.GetBufferList().ForEach(func(*gst.Buffer, uint) bool { several++; return true })
		mu.Lock()
		defer mu.Unlock()
		if several > 1 {
			n++
		}
		return gst.PadProbeOK
	})
	return func() int { mu.Lock(); defer mu.Unlock(); return n }
}

// A viewer that connects soon after a keyframe gets that keyframe at once, and then waits for the next one. A viewer that connects later
// waits for the next one.
func TestFreshKeyframe(t *testing.T) {
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	s := &spy{Engine: e}
	a := broadcast(t, s, testPlan(t, e, "vp8"))
	va, vb := call(t, a, broadcast(t, e, testPlan(t, e, "auto")))
	defer hangUp(va, vb)
	eventually(t, "pictures are sent", 10*time.Second, func() bool { return sentTo(a, "callee") > 10 })
	s.mu.Lock()
	f := s.fans[0].(*fan)
	s.mu.Unlock()
	// unconnected is a viewer whose connection is not up yet.
	unconnected := func() media.Peer {
		p, err := e.Peer(t.Context(), media.PeerOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Close() })
		if err := p.AddMedia(pipeline.VideoSlot, -1, pipeline.Preferences(pipeline.VP8, pipeline.VideoFormat{}, 96), "sendonly"); err != nil {
			t.Fatal(err)
		}
		if err := p.Attach(pipeline.VideoSlot, agreement.Packets{Payloader: pipeline.El("rtpvp8pay"), Type: 96, Source: 1}, f); err != nil {
			t.Fatal(err)
		}
		return p
	}
	soon, later := unconnected(), unconnected()
	eventually(t, "the beginning's keyframes are over", 10*time.Second, func() bool {
		began := f.Count()
		eventually(t, "more pictures", 5*time.Second, func() bool { return f.Count().Frames > began.Frames+15 })
		return f.Count().Keyframes == began.Keyframes
	})
	before := f.Count().Keyframes
	f.key <- struct{}{}
	eventually(t, "a keyframe", 5*time.Second, func() bool { return f.Count().Keyframes > before })
	soon.Resume()
	soon.Resume() // a description that is applied again
	if n := soon.Count().VideoFrames; n != 1 {
		t.Errorf("a viewer right after a keyframe is sent %d frames", n)
	}
	began := f.Count()
	eventually(t, "pictures for most of a second", 5*time.Second, func() bool { return f.Count().Frames >= began.Frames+12 })
	if f.Count().Keyframes != before+1 {
		t.Fatal("a keyframe that nobody asked for: this tests nothing")
	}
	later.Resume()
	if s, l := soon.Count().VideoFrames, later.Count().VideoFrames; s != 1 || l != 0 {
		t.Errorf("without a keyframe the one that came soon is sent %d frames, the one that came later %d", s, l)
	}
	f.key <- struct{}{}
	eventually(t, "both are sent the next", 5*time.Second, func() bool {
		return soon.Count().VideoFrames > 1 && later.Count().VideoFrames > 0
	})
}

// A section is not sent packets that were not agreed on.
func TestNoSuchPackets(t *testing.T) {
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	f := e.Fan(true)
	defer f.Close()
	p, err := e.Peer(t.Context(), media.PeerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	if err := p.AddMedia(pipeline.VideoSlot, -1, pipeline.Preferences(pipeline.VP8, pipeline.VideoFormat{}, 96), "sendonly"); err != nil {
		t.Fatal(err)
	}
	packets := agreement.Packets{Payloader: pipeline.El("rtpvp8pay"), Type: 102}
	if err := p.Attach(pipeline.VideoSlot, packets, f); err == nil || !strings.Contains(err.Error(), "no such packets") {
		t.Errorf("attach %+v: %v", packets, err)
	}
}
