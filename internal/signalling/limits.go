package signalling

import (
	"cmp"
	"net"
	"net/netip"
	"time"
)

// Limits are what a [Server] allows. A field that is zero takes the value of [defaultLimits].
type Limits struct {
	Message     int64     // bytes of one message
	ID          int       // bytes of a peer's or a room's id
	Messages    Allowance // messages, pings and pongs that one connection may send
	Bytes       Allowance // bytes that one connection may send
	Connections int       // open at once
	PerAddress  int       // open at once from one IPv4 address, or from one IPv6 /64
	Queue       Queue     // what waits to be sent to one connection
	Waits       Waits
}

// Allowance is how often something may happen.
type Allowance struct {
	PerSecond float64 // in the long run
	Burst     int     // at once, on top of that
}

// Queue bounds what waits for one connection. One message more than Bytes allows may wait.
type Queue struct {
	Frames int
	Bytes  int
}

// Waits are how long a [Server] waits for a connection.
type Waits struct {
	Hello time.Duration // for HELLO
	Ping  time.Duration // from one ping to the next
	Pong  time.Duration // for the answer to a ping
	Probe time.Duration // for the answer to a ping, when another connection says HELLO with this one's id
}

// defaultLimits are the limits of a server without others. docs/PROTOCOL.md lists them.
var defaultLimits = Limits{
	Message:     maxMessage,
	ID:          256,                           // bytes: a person could not read a longer one
	Messages:    Allowance{100, 500},           // a page sends a description and some twenty ICE candidates at once, and then hardly anything
	Bytes:       Allowance{256 << 10, 4 << 20}, // 2.6 kB for each of 100 messages; a browser's longest is an offer of 10 kB, once
	Connections: 256,                           // a quarter of the file descriptors that Linux gives a process by default
	PerAddress:  64,                            // a quarter of the connections: several people behind one router
	Queue:       Queue{512, maxMessage},
	Waits: Waits{
		Hello: 10 * time.Second, // a page says HELLO at once; the rest is for a slow link
		Ping:  20 * time.Second, // as the reference server, like Pong
		Pong:  20 * time.Second,
		Probe: 1500 * time.Millisecond, // much more than the round trip of a slow link; the newcomer waits for it
	},
}

func (l Limits) withDefaults() Limits {
	d := defaultLimits
	return Limits{
		Message:     cmp.Or(l.Message, d.Message),
		ID:          cmp.Or(l.ID, d.ID),
		Messages:    l.Messages.or(d.Messages),
		Bytes:       l.Bytes.or(d.Bytes),
		Connections: cmp.Or(l.Connections, d.Connections),
		PerAddress:  cmp.Or(l.PerAddress, d.PerAddress),
		Queue:       Queue{cmp.Or(l.Queue.Frames, d.Queue.Frames), cmp.Or(l.Queue.Bytes, d.Queue.Bytes)},
		Waits: Waits{
			Hello: cmp.Or(l.Waits.Hello, d.Waits.Hello),
			Ping:  cmp.Or(l.Waits.Ping, d.Waits.Ping),
			Pong:  cmp.Or(l.Waits.Pong, d.Waits.Pong),
			Probe: cmp.Or(l.Waits.Probe, d.Waits.Probe),
		},
	}
}

func (a Allowance) or(d Allowance) Allowance {
	return Allowance{cmp.Or(a.PerSecond, d.PerSecond), cmp.Or(a.Burst, d.Burst)}
}

// bucket is a token bucket: it holds Burst tokens at most, and PerSecond are added each second. It belongs to one goroutine.
type bucket struct {
	Allowance
	tokens float64
	last   time.Time
}

func newBucket(a Allowance, now time.Time) bucket { return bucket{a, float64(a.Burst), now} }

// take takes n tokens if that many are there.
func (b *bucket) take(now time.Time, n int) bool {
	b.tokens = min(float64(b.Burst), b.tokens+b.PerSecond*now.Sub(b.last).Seconds())
	b.last = now
	if b.tokens < float64(n) {
		return false
	}
	b.tokens -= float64(n)
	return true
}

// origin is what PerAddress counts by: an IPv4 address, or an IPv6 /64, since one IPv6 host may have a whole /64.
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
