//go:build !nogst

package gst

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"boardcast/pipeline"
	"boardcast/pipeline/live"
	"boardcast/pipeline/places"
)

// sendingCaps are the caps that the sessions of all viewers see of what they send.
func sendingCaps(t *testing.T) []string {
	t.Helper()
	var out []string
	receivers.Range(func(_, r any) bool {
		p, ok := r.(*peer)
		if !ok {
			return true
		}
		for i := range 1000 { // named in the order in which the process made them
			session, err := p.pipe.p.GetElementByName(fmt.Sprintf("rtpsession%d", i))
			if err != nil {
				continue
			}
			if pad := session.GetStaticPad("send_rtp_sink"); pad != nil {
				if caps := pad.GetCurrentCaps(); caps != nil {
					out = append(out, caps.String())
				}
			}
			break
		}
		return true
	})
	return out
}

// A viewer's packets are numbered from the first picture on, also when its sound comes long before.
func TestSoundBeforePictureIsFollowed(t *testing.T) {
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	plan := testPlan(t, e, "vp8")
	graph := plan.Choices[0].Graph
	plan.Choices[0].Graph = append(pipeline.Graph{graph[0], pipeline.El("queue", "min-threshold-time=2000000000")}, graph[1:]...)
	a, b := broadcast(t, e, plan), broadcast(t, e, testPlan(t, e, "auto"))
	var va, vb *live.Viewer
	ready := make(chan struct{})
	va, err = a.Join("callee", places.Origin{}, func(m live.Message) { <-ready; vb.Receive(m) })
	if err != nil {
		t.Fatal(err)
	}
	// webrtcbin 1.22 does not take the extension up in its answers, as browsers do.
	takes := regexp.MustCompile(`(?m)^m=video .*\n`)
	vb, err = b.Join("caller", places.Origin{}, func(m live.Message) {
		<-ready
		m.SDP = takes.ReplaceAllString(m.SDP, "${0}a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n")
		va.Receive(m)
	})
	if err != nil {
		t.Fatal(err)
	}
	close(ready)
	va.Receive(live.Message{OfferRequest: true})
	defer func() { va.Close(); vb.Close(); <-va.Done(); <-vb.Done() }()
	var caps []string
	eventually(t, "sound is sent both ways", 10*time.Second, func() bool { caps = sendingCaps(t); return len(caps) == 2 })
	if n := sentTo(a, "callee"); n > 0 {
		t.Fatalf("%d pictures are there before the sound: this tests nothing", n)
	}
	if !strings.Contains(strings.Join(caps, "\n"), "draft-holmer-rmcat-transport-wide-cc") {
		t.Errorf("a session sends without the extension: %q", caps)
	}
}
