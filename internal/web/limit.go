package web

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

const (
	requestsPerSecond = 100  // of one address: six people open the page each second, which has some fifteen files
	requestBurst      = 400  // of one address: thirty people behind one router open the page at once
	offersPerSecond   = 5    // of WHEP, of one address: each offer costs a pipeline
	offerBurst        = 40   // of WHEP, of one address: thirty players behind one router begin at once, and some try again
	maxClients        = 1024 // addresses that are remembered: some 100 kB
)

// limiter has a token bucket for each client address, and remembers a bounded number of addresses. All clients behind a reverse proxy
// count as one, unless the settings list the proxy (see proxies).
//
// # Concurrency
//
// Safe for concurrent use.
type limiter struct {
	rate  float64 // tokens a second
	burst float64 // tokens at most
	now   func() time.Time

	mu      sync.Mutex
	buckets map[netip.Addr]bucket
}

type bucket struct {
	tokens float64
	seen   time.Time // when the address last asked
}

func newLimiter(rate, burst float64, now func() time.Time) *limiter {
	return &limiter{rate: rate, burst: burst, now: now, buckets: map[netip.Addr]bucket{}}
}

// allow takes a token from the address's bucket, and says whether there was one.
func (l *limiter) allow(a netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	b, known := l.buckets[a]
	if !known {
		b = bucket{tokens: l.burst, seen: now}
		l.makeRoomLocked()
	}
	b.tokens = min(l.burst, b.tokens+l.rate*now.Sub(b.seen).Seconds())
	b.seen = now
	allowed := b.tokens >= 1
	if allowed {
		b.tokens--
	}
	l.buckets[a] = b
	return allowed
}

// makeRoomLocked forgets the address that has not asked for the longest time, when there are too many.
func (l *limiter) makeRoomLocked() {
	if len(l.buckets) < maxClients {
		return
	}
	var oldest netip.Addr
	var seen time.Time
	for a, b := range l.buckets {
		if seen.IsZero() || b.seen.Before(seen) {
			oldest, seen = a, b.seen
		}
	}
	delete(l.buckets, oldest)
}

// freshConns knows the connections that have not sent a request yet. Browsers open some in advance, and http.Server.Shutdown would
// wait for them until its deadline.
type freshConns struct {
	mu      sync.Mutex
	conns   map[net.Conn]struct{}
	closing bool
}

// note is an http.Server.ConnState hook.
func (f *freshConns) note(c net.Conn, state http.ConnState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if state != http.StateNew {
		delete(f.conns, c)
		return
	}
	if f.closing {
		_ = c.Close()
		return
	}
	if f.conns == nil {
		f.conns = map[net.Conn]struct{}{}
	}
	f.conns[c] = struct{}{}
}

// closeAll closes the fresh connections, and those that are made later.
func (f *freshConns) closeAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closing = true
	for c := range f.conns {
		_ = c.Close()
	}
}
