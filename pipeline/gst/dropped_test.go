//go:build !nogst

package gst

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/go-gst/go-gst/gst"

	"boardcast/pipeline"
	"boardcast/pipeline/live"
	"boardcast/pipeline/media"
)

// failing are graphs for a viewer's media that fail, each in another way.
var failing = []struct {
	name  string
	slot  pipeline.Slot
	graph string
}{
	{"video, a screen that is not there", pipeline.VideoSlot, "queue name=in ! decodebin ! videoconvert ! ximagesink display=:nosuch"},
	{"video, no screen at all", pipeline.VideoSlot, "queue name=in ! decodebin ! videoconvert ! autovideosink"},
	{"video, a screen that fails later", pipeline.VideoSlot, "queue name=in ! decodebin ! videoconvert ! identity error-after=20 ! fakesink"},
	{"video, a decoder that fails", pipeline.VideoSlot, "queue name=in ! rtpvp8depay ! breakmydata probability=1 skip=20000 ! vp8dec max-errors=0 ! fakesink async=false"},
	{"video, a decoder on webrtcbin's own thread", pipeline.VideoSlot, "rtpvp8depay name=in ! identity error-after=20 ! fakesink async=false"},
	{"sound, a decoder that fails", pipeline.AudioSlot, "queue name=in ! rtpopusdepay ! breakmydata probability=1 ! opusdec max-errors=0 ! fakesink async=false"},
	{"sound, an error later", pipeline.AudioSlot, "queue name=in ! decodebin ! audioconvert ! identity error-after=20 ! fakesink"},
	{"sound, an error on webrtcbin's own thread", pipeline.AudioSlot, "rtpopusdepay name=in ! identity error-after=20 ! fakesink async=false"},
}

// A viewer whose video cannot be shown, or whose sound cannot be decoded, is served as before: its frames go on after the error, which is
// logged once, and its other medium still comes in.
func TestIncomingFailsBesideThePicture(t *testing.T) {
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range failing {
		t.Run(c.name, func(t *testing.T) {
			a, log := showing(t, e, c.slot, c.graph)
			theirs := testPlan(t, e, "vp8")
			theirs.Display = true // so that it takes our video too
			va, vb := call(t, a, broadcast(t, e, theirs))
			defer hangUp(va, vb)
			const dropped = "incoming media dropped"
			eventually(t, "the error is logged", 20*time.Second, func() bool { return log.has(dropped) })
			before := sentTo(a, "callee")
			eventually(t, "pictures are sent after it", 10*time.Second, func() bool { return sentTo(a, "callee") > before+45 })
			if s := a.Status(); len(s.Viewers) != 1 || s.Viewers[0].State != "connected" || len(s.Viewers[0].Incoming) != 2 {
				t.Errorf("the viewers: %+v", s.Viewers)
			}
			log.mu.Lock()
			defer log.mu.Unlock()
			if n := strings.Count(log.b.String(), dropped); n != 1 {
				t.Errorf("%d lines say that it was dropped", n)
			}
			t.Logf("%d frames sent at the failure, then 45 more; the log:\n%s", before, log.b.String())
		})
	}
}

// Once a viewer's sound has failed, no packet of it reaches an element.
func TestFailedSoundIsNotDecoded(t *testing.T) {
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	s := &spy{Engine: e}
	a, log := showing(t, s, pipeline.AudioSlot, "rtpopusdepay name=in ! identity error-after=20 ! fakesink async=false")
	theirs := testPlan(t, e, "vp8")
	theirs.Display = true // so that it takes our video too
	va, vb := call(t, a, broadcast(t, e, theirs))
	defer hangUp(va, vb)
	eventually(t, "the error is logged", 20*time.Second, func() bool { return log.has("incoming media dropped") })
	taken := func() any {
		stats, err := element(t, s.peers[0].(*peer), "identity").GetProperty("stats")
		if err != nil {
			t.Fatal(err)
		}
		n, err := stats.(*gst.Structure).GetValue("num-buffers")
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before, sent := taken(), sentTo(a, "callee")
	eventually(t, "a second goes by", 10*time.Second, func() bool { return sentTo(a, "callee") > sent+15 })
	if after := taken(); after != before {
		t.Errorf("%v packets were decoded until the error, %v a second later", before, after)
	}
}

// Caps that no element of a receiver takes are not refused, after a failure neither: webrtcbin's jitter buffer, which sends them, would
// fail by that.
func TestFailedSoundRefusesNoCaps(t *testing.T) {
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	s := &spy{Engine: e}
	a, log := showing(t, s, pipeline.AudioSlot, "queue name=in ! rtpopusdepay ! identity error-after=20 ! fakesink async=false")
	va, vb := call(t, a, broadcast(t, e, testPlan(t, e, "vp8")))
	defer hangUp(va, vb)
	eventually(t, "the error is logged", 20*time.Second, func() bool { return log.has("incoming media dropped") })
	all, err := s.peers[0].(*peer).pipe.p.GetElementsRecursive()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, receiver := range all {
		if strings.HasPrefix(receiver.GetName(), "receiver") { // its type's name, and a number
			found++
			if !receiver.GetStaticPad("sink").SendEvent(gst.NewCapsEvent(gst.NewCapsFromString("application/x-rtp,media=audio,encoding-name=OPUS"))) {
				t.Errorf("%s refuses caps", receiver.GetName())
			}
		}
		letGo(receiver.InitiallyUnowned.Object)
	}
	if found == 0 {
		t.Error("no receiver is there")
	}
}

// showing is a broadcast that plays what viewers send in one slot by a graph, and drops what they send in the other.
func showing(t *testing.T, e media.Engine, slot pipeline.Slot, graph string) (*live.Broadcast, *safeText) {
	t.Helper()
	plan := testPlan(t, nil, "vp8")
	drop := plan.See
	plan.Display, plan.Hear = true, drop
	var raw pipeline.Graph
	for element := range strings.SplitSeq(graph, " ! ") {
		words := strings.Fields(element)
		raw = append(raw, pipeline.El(words[0], words[1:]...))
	}
	if slot == pipeline.AudioSlot {
		plan.Hear = raw
	} else {
		plan.See = raw
	}
	log := &safeText{}
	b := live.NewBroadcast(e, plan, live.Options{Logger: slog.New(slog.NewTextHandler(log, nil)), Grace: time.Second})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = b.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return b, log
}
