//go:build !nogst

package gst

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/go-gst/go-gst/gst"

	"boardcast/pipeline"
	"boardcast/pipeline/live"
)

// rtxOf finds a viewer that is sent video, and its rtprtxsend.
func rtxOf(t *testing.T) (p *peer, rtx *gst.Element) {
	t.Helper()
	receivers.Range(func(_, r any) (ok bool) {
		p, ok = r.(*peer)
		if !ok || p.Count().VideoFrames == 0 {
			return true
		}
		if all := elements(t, p, "rtprtxsend"); len(all) > 0 {
			rtx = all[0]
		}
		return rtx == nil
	})
	if rtx == nil {
		t.Fatal("no viewer's pipeline has an rtprtxsend")
	}
	return p, rtx
}

func property[T any](t *testing.T, e *gst.Element, name string) T {
	t.Helper()
	v, err := e.GetProperty(name)
	if err != nil {
		t.Fatal(err)
	}
	return v.(T)
}

// What retransmit.c decides is what GStreamer does. A packet that is asked for twice at once is sent once. A packet that is asked for in
// vain is answered by a keyframe, unless it is from before the newest keyframe. After KeyframesOnly nothing from before is sent again.
func TestRetransmission(t *testing.T) {
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	a, b := broadcast(t, e, testPlan(t, e, "vp8")), broadcast(t, e, testPlan(t, e, "vp8"))
	// webrtcbin 1.22 does not take retransmission up in its answers, as browsers do.
	takes := regexp.MustCompile(`(?m)^(m=video \S+ \S+) 96\r\n`)
	va, vb := callEdited(t, a, b, nil, func(sdp string) string {
		return takes.ReplaceAllString(sdp, "$1 96 98\r\na=rtpmap:98 rtx/90000\r\na=fmtp:98 apt=96\r\na=rtcp-fb:96 nack\r\n")
	})
	defer hangUp(va, vb)
	eventually(t, "pictures are sent", 10*time.Second, func() bool { return sentTo(a, "callee") > 10 })
	p, rtx := rtxOf(t)
	out := watch(t, p, pipeline.VP8)
	eventually(t, "a packet", 5*time.Second, func() bool { n, _, _ := out.newest(); return n > 0 })
	_, _, ssrc := out.newest()
	// ask asks for packets, and returns how many of the requests reach rtprtxsend.
	ask := func(seqs ...uint) int {
		t.Helper()
		before := property[uint](t, rtx, "num-rtx-requests")
		for _, seq := range seqs {
			s := gst.NewStructureFromString(fmt.Sprintf("GstRTPRetransmissionRequest, seqnum=(uint)%d, ssrc=(uint)%d", seq&0xffff, ssrc))
			rtx.GetStaticPad("src").SendEvent(gst.NewCustomEvent(gst.EventTypeCustomUpstream, s))
		}
		return int(property[uint](t, rtx, "num-rtx-requests") - before)
	}
	keyframes := func() (n uint64) {
		for _, x := range []*live.Broadcast{a, b} {
			for _, l := range x.Status().Producers {
				n += l.Keyframes
			}
		}
		return n
	}
	eventually(t, "the beginning's keyframes are over", 10*time.Second, func() bool {
		before, frames := keyframes(), sentTo(a, "callee")
		eventually(t, "more pictures", 10*time.Second, func() bool { return sentTo(a, "callee") > frames+30 })
		return keyframes() == before
	})
	_, newest, _ := out.newest()
	old := newest + 1<<15 + 1000
	if n := ask(newest, newest-1, newest, newest); n != 2 {
		t.Errorf("%d requests for two packets are passed on", n)
	}
	before, began := keyframes(), time.Now()
	eventually(t, "the old packet is asked for again, and in vain", 3*time.Second, func() bool {
		ask(old)
		return time.Since(began) > 1200*time.Millisecond
	})
	if n := keyframes() - before; n != 0 {
		t.Errorf("%d keyframes for a packet from before the last one", n)
	}
	eventually(t, "a keyframe for what was asked for in vain", 3*time.Second, func() bool { ask(newest); return keyframes() > before })
	_, newest, _ = out.newest()
	if n := ask(newest-100, newest-101); n != 2 {
		t.Errorf("%d requests for two packets are passed on", n)
	}
	p.KeyframesOnly(true)
	if n := ask(newest, newest-1, newest-102, newest-103); n != 0 {
		t.Errorf("%d requests are passed on for what a keyframe is to replace", n)
	}
}
