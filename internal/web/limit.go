package web

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

const (
	requestsPerSecond = 100
	requestBurst      = 400 // thirty people behind one address opening the page at once
	offersPerSecond   = 5   // of WHEP, each of which makes a pipeline
	offerBurst        = 40
	maxClients        = 1024 // addresses remembered
)

// limiter is a token bucket for each client address, for a bounded number of addresses. What a reverse proxy says of
// its clients is not believed, as anyone can say it: all of them count as one.
//
// # Concurrency
//
// Safe for concurrent use.
type limiter struct {
	rate  float64 // tokens a second
	burst float64
	now   func() time.Time

	mu      sync.Mutex
	buckets map[netip.Addr]bucket
}

type bucket struct {
	tokens float64
	seen   time.Time
}

func newLimiter(rate, burst float64, now func() time.Time) *limiter {
	return &limiter{rate: rate, burst: burst, now: now, buckets: map[netip.Addr]bucket{}}
}

// allow takes a token of the address and says whether there was one.
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

// makeRoomLocked forgets the address that was silent longest, when there are too many.
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

// freshConns knows the connections that have not sent a request yet. Browsers open such ones in advance, and
// http.Server.Shutdown would wait for them until its deadline.
type freshConns struct {
	mu      sync.Mutex
	conns   map[net.Conn]struct{}
	closing bool
}

// note is a http.Server.ConnState hook.
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

// closeAll closes the connections that are there and those that come later.
func (f *freshConns) closeAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closing = true
	for c := range f.conns {
		_ = c.Close()
	}
}
