package web

import (
	"encoding/binary"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	now := time.Unix(1000, 0)
	l := newLimiter(2, 3, func() time.Time { return now })
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	take := func(from netip.Addr, want int) {
		t.Helper()
		got := 0
		for range 10 {
			if l.allow(from) {
				got++
			}
		}
		if got != want {
			t.Errorf("%v: %d of 10 allowed, want %d", from, got, want)
		}
	}
	take(a, 3) // the burst
	take(b, 3) // of its own
	now = now.Add(time.Second)
	take(a, 2) // the rate
	now = now.Add(time.Hour)
	take(a, 3) // never more than the burst
}

func TestLimiterIsBounded(t *testing.T) {
	now := time.Unix(1000, 0)
	l := newLimiter(1, 1, func() time.Time { return now })
	address := func(n uint32) netip.Addr { return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, n))) }
	served := 0
	for n := range uint32(3 * maxClients) {
		now = now.Add(time.Microsecond)
		l.allow(address(n))
		if l.allow(address(1 << 20)) { // one that stays awake
			served++
		}
	}
	if len(l.buckets) != maxClients {
		t.Errorf("%d addresses remembered, want %d", len(l.buckets), maxClients)
	}
	if served != 1 {
		t.Errorf("the busiest address was forgotten, and its limit with it: %d requests allowed, want 1", served)
	}
}

func TestClient(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:80":                    "192.0.2.1",
		"[::ffff:192.0.2.1]:80":           "192.0.2.1",
		"[2001:db8:1:2:3:4:5:6]:80":       "2001:db8:1:2::",
		"[fe80::1%eth0]:80":               "fe80::1",
		"[2001:db8:1:2:ffff:ffff::1]:443": "2001:db8:1:2::",
		"@":                               "invalid IP",
	} {
		if got := client(remote).String(); got != want {
			t.Errorf("client(%s) = %s, want %s", remote, got, want)
		}
	}
}

func TestFreshConnsCloseWhatComesLate(t *testing.T) {
	early, late, busy := pipe(t), pipe(t), pipe(t)
	var f freshConns
	f.note(early, http.StateNew)
	f.note(busy, http.StateNew)
	f.note(busy, http.StateActive)
	f.closeAll()
	f.note(late, http.StateNew)
	for name, c := range map[string]*closable{"early": early, "late": late} {
		if !c.closed {
			t.Errorf("the %s connection is open", name)
		}
	}
	if busy.closed {
		t.Error("a connection with a request in flight was closed")
	}
}

type closable struct {
	net.Conn
	closed bool
}

func (c *closable) Close() error {
	c.closed = true
	return c.Conn.Close()
}

func pipe(t *testing.T) *closable {
	t.Helper()
	a, b := net.Pipe()
	t.Cleanup(func() { _, _ = a.Close(), b.Close() })
	return &closable{Conn: a}
}
