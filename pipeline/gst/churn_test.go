//go:build !nogst

package gst

import (
	"os"
	"sync"
	"testing"
	"time"

	"github.com/go-gst/go-gst/gst"

	"boardcast/pipeline/live"
)

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func threads(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// Viewers that come and go at any moment of their negotiation leave no descriptor and no thread behind.
func TestChurnLeavesNothing(t *testing.T) {
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	a, b := broadcast(t, e, testPlan(t, e, "vp8")), broadcast(t, e, testPlan(t, e, "vp8"))
	steady, steadyB := call(t, a, b)
	eventually(t, "the steady viewer is connected", 10*time.Second, func() bool { return state(a, "callee") == "connected" })
	round := func(wait time.Duration) {
		va, vb := call(t, a, b)
		select {
		case <-time.After(wait):
		case <-va.Done():
		}
		hangUp(va, vb)
	}
	for i := range 10 {
		round(time.Duration(i) * 25 * time.Millisecond)
	}
	fds, tasks := descriptors(t), threads(t)
	for i := range 120 { // while descriptions are applied
		round(time.Duration(i%60) * time.Millisecond)
	}
	for i := range 40 { // while the connection comes up, and after
		round(time.Duration(i%10) * 25 * time.Millisecond)
	}
	// GLib keeps some threads for the next task; one left per call would be 160.
	eventually(t, "descriptors and threads are back", 10*time.Second, func() bool {
		return descriptors(t) <= fds+2 && threads(t) <= tasks+20
	})
	t.Logf("descriptors %d -> %d, threads %d -> %d over 160 calls", fds, descriptors(t), tasks, threads(t))
	select {
	case <-steady.Done():
		t.Error("the steady viewer was lost")
	default:
	}
	hangUp(steady, steadyB)
}

// sender makes a call, and returns one side with its sctpenc, whose thread runs.
func sender(t *testing.T) (*live.Viewer, *peer, *gst.Element) {
	t.Helper()
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	s := &spy{Engine: e}
	va, vb := call(t, broadcast(t, s, testPlan(t, e, "vp8")), broadcast(t, e, testPlan(t, e, "vp8")))
	t.Cleanup(func() { hangUp(va, vb) })
	var found *gst.Element
	eventually(t, "the data channel's sender runs", 10*time.Second, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.peers) == 0 {
			return false
		}
		for _, e := range elements(t, s.peers[0].(*peer), "sctpenc") {
			if found == nil && e.GetCurrentState() == gst.StatePlaying {
				found = e
			} else {
				letGo(e.InitiallyUnowned.Object)
			}
		}
		return found != nil
	})
	return va, s.peers[0].(*peer), found
}

// onReconfigure has f called when the event comes that starts the thread of an sctpenc.
func onReconfigure(src *gst.Pad, f func()) {
	src.AddProbe(gst.PadProbeTypeEventUpstream, func(_ *gst.Pad, info *gst.PadProbeInfo) gst.PadProbeReturn {
		if info.GetEvent().Type() == gst.EventTypeReconfigure {
			f()
		}
		return gst.PadProbeOK
	})
}

// A viewer's end does not wait for ever when its sctpenc, which sends the data channel's messages, is started again while it is stopped:
// the event that starts it had come in before.
func TestSenderStartedTooLate(t *testing.T) {
	v, p, sender := sender(t)
	src := sender.GetStaticPad("src")
	came, stopped, handled := make(chan struct{}), make(chan struct{}), make(chan struct{})
	first := sync.OnceFunc(func() { close(came) })
	onReconfigure(src, func() { first(); <-stopped })
	go func() {
		defer close(handled)
		src.SendEvent(gst.NewReconfigureEvent())
	}()
	<-came
	if err := sender.SetLockedState(true); err != nil {
		t.Fatal(err)
	}
	if err := sender.SetState(gst.StateNull); err != nil {
		t.Fatal(err)
	}
	close(stopped)
	<-handled
	letGo(src.InitiallyUnowned.Object) // the last reference ends the thread, and is to be the pipeline's
	letGo(sender.InitiallyUnowned.Object)
	v.Close()
	<-v.Done()
	if err := p.Close(); err != nil { // what its end said
		t.Error(err)
	}
}

// From quiet on no event starts the sctpenc of a viewer.
func TestSenderStaysStopped(t *testing.T) {
	_, p, sender := sender(t)
	src, events := sender.GetStaticPad("src"), 0
	send := func() int {
		src.SendEvent(gst.NewReconfigureEvent())
		return events
	}
	p.quiet()
	onReconfigure(src, func() { events++ }) // after the one that refuses it
	if n := send(); n != 0 {
		t.Errorf("%d events reach the sender", n)
	}
}

func state(b *live.Broadcast, id string) string {
	for _, v := range b.Status().Viewers {
		if v.ID == id {
			return v.State
		}
	}
	return ""
}
