//go:build !nogst

package gst

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"boardcast/pipeline"
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
		for _, session := range elements(t, p, "rtpsession") {
			if pad := session.GetStaticPad("send_rtp_sink"); pad != nil {
				if caps := pad.GetCurrentCaps(); caps != nil {
					out = append(out, caps.String())
				}
			}
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
	// webrtcbin 1.22 does not take the extension up in its answers, as browsers do.
	takes := regexp.MustCompile(`(?m)^m=video .*\n`)
	va, vb := callEdited(t, a, b, nil, func(sdp string) string {
		return takes.ReplaceAllString(sdp, "${0}a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n")
	})
	defer hangUp(va, vb)
	var caps []string
	eventually(t, "sound is sent both ways", 10*time.Second, func() bool { caps = sendingCaps(t); return len(caps) == 2 })
	if n := sentTo(a, "callee"); n > 0 {
		t.Fatalf("%d pictures are there before the sound: this tests nothing", n)
	}
	if !strings.Contains(strings.Join(caps, "\n"), "draft-holmer-rmcat-transport-wide-cc") {
		t.Errorf("a session sends without the extension: %q", caps)
	}
}
