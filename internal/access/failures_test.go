package access

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// fails counts how many of n wrong keys from an address are answered as such.
func fails(f *Failures, from netip.Addr, n int) int {
	answered := 0
	for range n {
		if f.Fail(from) {
			answered++
		}
	}
	return answered
}

func TestFailuresOfOneAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, one, other := NewFailures(), netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
		if got := fails(f, one, 10_000); got != failureBurst || f.Allow(one) {
			t.Errorf("of 10,000 at once %d are answered, and one more: %v; want %d, false", got, f.Allow(one), failureBurst)
		}
		if !f.Allow(other) || !f.Fail(other) {
			t.Error("another address is refused")
		}
		<-time.After(time.Minute)
		if got := fails(f, one, 10_000); got != 10 {
			t.Errorf("a minute later %d are answered, want 10", got)
		}
	})
}

func TestFailuresOfAllAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, from := NewFailures(), netip.MustParseAddr("10.0.0.0")
		answered := 0
		for range 10_000 {
			from = from.Next()
			answered += fails(f, from, 1)
		}
		if answered != allFailureBurst || f.Allow(from.Next()) {
			t.Errorf("of 10,000 addresses %d are answered, want %d", answered, allFailureBurst)
		}
		for range 1000 {
			<-time.After(time.Second)
			for range 20 {
				from = from.Next()
				f.Fail(from)
			}
		}
		if len(f.addresses) > mostAddresses {
			t.Errorf("%d addresses are remembered", len(f.addresses))
		}
	})
}

// TestFailuresOfOneNetwork: an IPv6 address counts with all that its owner has, an IPv4 address in IPv6's form as itself.
func TestFailuresOfOneNetwork(t *testing.T) {
	f := NewFailures()
	fails(f, netip.MustParseAddr("2001:db8::1"), failureBurst)
	for text, want := range map[string]bool{"2001:db8::2": false, "2001:db8:0:1::1": true} {
		if got := f.Allow(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	fails(f, netip.MustParseAddr("::ffff:192.0.2.1"), failureBurst)
	if f.Allow(netip.MustParseAddr("192.0.2.1")) || !f.Allow(netip.MustParseAddr("192.0.2.2")) {
		t.Error("an IPv4 address in IPv6's form is not counted as itself")
	}
}
