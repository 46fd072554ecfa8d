//go:build !nogst

package gst

import (
	"net/netip"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-gst/go-gst/gst"

	"boardcast/pipeline/live"
	"boardcast/pipeline/places"
)

// edit changes a session description on its way; nil leaves it as it is.
type edit func(sdp string) string

func (e edit) apply(m live.Message) live.Message {
	if e != nil {
		m.SDP = e(m.SDP)
	}
	return m
}

// call has a call b. The caller ends both viewers by hangUp.
func call(t *testing.T, a, b *live.Broadcast) (va, vb *live.Viewer) {
	t.Helper()
	return callEdited(t, a, b, nil, nil)
}

// callEdited is call with a's descriptions as b is to see them, and b's as a is to see them.
func callEdited(t *testing.T, a, b *live.Broadcast, toB, toA edit) (va, vb *live.Viewer) {
	t.Helper()
	joined := make(chan struct{}) // neither viewer is told anything before both are there
	va, err := a.Join("callee", from(), func(m live.Message) { <-joined; vb.Receive(toB.apply(m)) })
	if err != nil {
		t.Fatal(err)
	}
	vb, err = b.Join("caller", from(), func(m live.Message) { <-joined; va.Receive(toA.apply(m)) })
	if err != nil {
		t.Fatal(err)
	}
	close(joined)
	va.Receive(live.Message{OfferRequest: true})
	return va, vb
}

// hangUp ends viewers and waits until they are gone.
func hangUp(viewers ...*live.Viewer) {
	for _, v := range viewers {
		v.Close()
	}
	for _, v := range viewers {
		<-v.Done()
	}
}

var callers atomic.Uint32

// from is another address each time: viewers of one address may not come as fast as they do here.
func from() places.Origin {
	n := callers.Add(1)
	return places.Origin{Address: netip.AddrFrom4([4]byte{192, 0, byte(n >> 8), byte(n)})}
}

// eventually polls what has no event to wait for: counters that C keeps.
func eventually(t *testing.T, what string, limit time.Duration, ok func() bool) {
	t.Helper()
	if !within(limit, ok) {
		t.Fatalf("not within %v: %s", limit, what)
	}
}

// within polls until it is so; false when it is not within limit.
func within(limit time.Duration, ok func() bool) bool {
	deadline := time.After(limit)
	check := time.NewTicker(20 * time.Millisecond)
	defer check.Stop()
	for !ok() {
		select {
		case <-deadline:
			return false
		case <-check.C:
		}
	}
	return true
}

// elements are those of a viewer's pipeline that this factory made. Their names count how many the whole process has made.
func elements(t *testing.T, p *peer, factory string) []*gst.Element {
	t.Helper()
	all, err := p.pipe.p.GetElementsRecursive()
	if err != nil {
		t.Fatal(err)
	}
	var out []*gst.Element
	known := map[string]bool{} // a list that changed meanwhile has elements twice
	for _, e := range all {
		if f := e.GetFactory(); f != nil && f.GetName() == factory && !known[e.GetName()] {
			known[e.GetName()] = true
			out = append(out, e)
			continue
		}
		letGo(e.InitiallyUnowned.Object)
	}
	return out
}

// element is the one element of a viewer's pipeline that this factory made.
func element(t *testing.T, p *peer, factory string) *gst.Element {
	t.Helper()
	all := elements(t, p, factory)
	if len(all) != 1 {
		t.Fatalf("the viewer's pipeline has %d elements of %s, want one", len(all), factory)
	}
	return all[0]
}

// letGo gives back Go's reference on an object at once, and not when garbage is collected: the last reference decides when an
// element is freed.
func letGo(object interface{ Unref() }) {
	runtime.SetFinalizer(object, nil)
	object.Unref()
}
