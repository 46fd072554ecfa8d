//go:build !nogst

package gst

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-gst/go-gst/gst"

	"boardcast/pipeline/live"
	"boardcast/pipeline/places"
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

// call makes a calls b and waits until b decodes what a sends; the two are closed by the caller.
func call(t *testing.T, a, b *live.Broadcast) (va, vb *live.Viewer) {
	t.Helper()
	return callBy(t, a, b, func(sdp string) string { return sdp })
}

// callBy is call with a's descriptions as b is to see them.
func callBy(t *testing.T, a, b *live.Broadcast, seen func(sdp string) string) (va, vb *live.Viewer) {
	t.Helper()
	ready := make(chan struct{})
	va, err := a.Join("callee", from(), func(m live.Message) { <-ready; m.SDP = seen(m.SDP); vb.Receive(m) })
	if err != nil {
		t.Fatal(err)
	}
	vb, err = b.Join("caller", from(), func(m live.Message) { <-ready; va.Receive(m) })
	if err != nil {
		t.Fatal(err)
	}
	close(ready)
	va.Receive(live.Message{OfferRequest: true})
	return va, vb
}

// eventually polls what has no event to wait for: counters that C keeps.
func eventually(t *testing.T, what string, limit time.Duration, ok func() bool) {
	t.Helper()
	deadline := time.After(limit)
	check := time.NewTicker(20 * time.Millisecond)
	defer check.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("not within %v: %s", limit, what)
		case <-check.C:
		}
	}
}

var callers atomic.Uint32

// from is another address each time, for those of one may not come as fast as they do here.
func from() places.Origin {
	n := callers.Add(1)
	return places.Origin{Address: netip.AddrFrom4([4]byte{192, 0, byte(n >> 8), byte(n)})}
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
		va.Close()
		vb.Close()
		<-va.Done()
		<-vb.Done()
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
	steady.Close()
	steadyB.Close()
}

// sender makes a call and returns its callee, of which the data channel's sender runs.
func sender(t *testing.T) (*live.Viewer, *peer, *gst.Element) {
	t.Helper()
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	s := &spy{Engine: e}
	va, vb := call(t, broadcast(t, s, testPlan(t, e, "vp8")), broadcast(t, e, testPlan(t, e, "vp8")))
	t.Cleanup(func() { va.Close(); vb.Close(); <-va.Done(); <-vb.Done() })
	var found *gst.Element
	eventually(t, "the data channel's sender runs", 10*time.Second, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for i := 0; found == nil && len(s.peers) > 0 && i < 10_000; i++ { // named in the order in which the process made them
			found, _ = s.peers[0].(*peer).pipe.p.GetElementByName(fmt.Sprint("sctpenc", i))
		}
		return found != nil && found.GetCurrentState() == gst.StatePlaying
	})
	return va, s.peers[0].(*peer), found
}

// onReconfigure has f called when the event that starts the sender comes in.
func onReconfigure(src *gst.Pad, f func()) {
	src.AddProbe(gst.PadProbeTypeEventUpstream, func(_ *gst.Pad, info *gst.PadProbeInfo) gst.PadProbeReturn {
		if info.GetEvent().Type() == gst.EventTypeReconfigure {
			f()
		}
		return gst.PadProbeOK
	})
}

// A viewer goes even if its data channel's sender is started again while it is stopped, by an event that had come in before.
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
	for _, o := range []interface{ Unref() }{src.InitiallyUnowned.Object, sender.InitiallyUnowned.Object} { // who has the last reference ends the thread
		runtime.SetFinalizer(o, nil)
		o.Unref()
	}
	v.Close()
	<-v.Done()
	if err := p.Close(); err != nil { // what its end said
		t.Error(err)
	}
}

// Nothing starts the sender of a viewer that is about to be stopped.
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
