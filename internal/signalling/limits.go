package signalling

import (
	"net"
	"net/netip"
	"time"
)

// Limits are what a [Server] allows. A field that is zero takes the default written behind it.
type Limits struct {
	Message     int64         // bytes of one message: 1 MiB
	ID          int           // bytes of a peer's or a room's id: 256
	Rate        float64       // messages and pings per second of one connection, in the long run: 100
	Burst       int           // messages and pings at once, on top of that: 500
	Bytes       float64       // bytes per second from one connection, in the long run: 256 KiB
	ByteBurst   int           // bytes at once, on top of that: 4 MiB
	Connections int           // at once: 256
	PerAddress  int           // of these from one IPv4 address or one IPv6 /64: 64
	QueueFrames int           // messages waiting to be sent to one connection: 512
	QueueBytes  int           // and their bytes, by at most one message more: 1 MiB
	Hello       time.Duration // time to say HELLO: 10 s
	PingEvery   time.Duration // 20 s
	PongWait    time.Duration // 20 s
	ProbeWait   time.Duration // the same when another says HELLO with the connection's id: 1.5 s
}

func (l Limits) withDefaults() Limits {
	return Limits{
		Message:     or(l.Message, maxMessage),
		ID:          or(l.ID, 256),
		Rate:        or(l.Rate, 100),
		Burst:       or(l.Burst, 500),
		Bytes:       or(l.Bytes, 256<<10), // 2.6 kB a message at Rate; a browser's longest is an offer of 10 kB, once
		ByteBurst:   or(l.ByteBurst, 4<<20),
		Connections: or(l.Connections, 256),
		PerAddress:  or(l.PerAddress, 64),
		QueueFrames: or(l.QueueFrames, 512),
		QueueBytes:  or(l.QueueBytes, maxMessage),
		Hello:       or(l.Hello, 10*time.Second),
		PingEvery:   or(l.PingEvery, 20*time.Second),
		PongWait:    or(l.PongWait, 20*time.Second),
		ProbeWait:   or(l.ProbeWait, 1500*time.Millisecond),
	}
}

func or[T int | int64 | float64 | time.Duration](value, fallback T) T {
	if value <= 0 {
		return fallback
	}
	return value
}

// bucket is a token bucket: take gives burst tokens at once and rate a second in the long run. It belongs to one goroutine.
type bucket struct {
	rate, burst, tokens float64
	last                time.Time
}

func newBucket(rate, burst float64, now time.Time) bucket { return bucket{rate, burst, burst, now} }

func (b *bucket) take(now time.Time, n int) bool {
	b.tokens = min(b.burst, b.tokens+b.rate*now.Sub(b.last).Seconds())
	b.last = now
	if b.tokens < float64(n) {
		return false
	}
	b.tokens -= float64(n)
	return true
}

// origin is what PerAddress counts by: an IPv6 host has a whole /64 to call from.
func origin(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if addr = addr.Unmap().WithZone(""); addr.Is4() {
		return addr.String()
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return addr.String()
	}
	return prefix.String()
}
