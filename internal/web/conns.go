package web

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
)

const (
	maxConns          = 1024 // descriptors; the media need some too
	maxConnsPerClient = 256  // a quarter of them: thirty people behind one address, with eight connections of a browser each
)

// connLimit is a listener that closes at once what exceeds its bounds, so that nobody's sockets can use up the descriptors
// that the media need, nor keep others away. One address may have perClient connections, and no more than are free: the
// part of one shrinks as the total fills. One more takes the place of the oldest waiting connection of the address that has
// the most of them all, if that has more than its own; else it is refused. A connection is waiting until it has sent a
// request, and between two requests. A WebSocket counts until it is closed, and is never taken from anybody.
//
// # Concurrency
//
// Accept is net/http's; note and the connections' Close are safe for concurrent use.
type connLimit struct {
	net.Listener
	most, perClient int

	mu     sync.Mutex
	total  int
	shares map[netip.Addr][]*countedConn // what each address has open, the oldest first
}

// countedConn is one connection that has a place. The listener's mutex guards its fields.
type countedConn struct {
	net.Conn
	listener *connLimit
	from     netip.Addr
	busy     bool // with a request, or taken over
	gone     bool // its place is another's
}

func limitConns(ln net.Listener, most, mostPerClient int) *connLimit {
	return &connLimit{Listener: ln, most: most, perClient: mostPerClient, shares: map[netip.Addr][]*countedConn{}}
}

// Accept returns the next connection within the bounds.
func (l *connLimit) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &countedConn{Conn: raw, listener: l, from: client(raw.RemoteAddr().String())}
		victim, taken := l.admit(c)
		if victim != nil {
			_ = victim.Conn.Close()
		}
		if taken {
			return c, nil
		}
		_ = raw.Close()
	}
}

// admit gives a connection a place if there is one for it: a free one, or that of a victim, which is then to be closed.
func (l *connLimit) admit(c *countedConn) (victim *countedConn, taken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	own := len(l.shares[c.from])
	if own >= min(l.perClient, l.most-l.total) {
		victim = l.victimLocked(own)
		if own >= l.perClient || victim == nil {
			return nil, false
		}
		l.removeLocked(victim)
	}
	l.total++
	l.shares[c.from] = append(l.shares[c.from], c)
	return victim, true
}

// victimLocked is the oldest waiting connection of the address that has the most, among those that have more than least.
func (l *connLimit) victimLocked(least int) *countedConn {
	var victim *countedConn
	for _, share := range l.shares {
		if len(share) <= least {
			continue
		}
		for _, c := range share {
			if !c.busy {
				victim, least = c, len(share)
				break
			}
		}
	}
	return victim
}

func (l *connLimit) removeLocked(c *countedConn) {
	if c.gone {
		return
	}
	c.gone = true
	l.total--
	share := l.shares[c.from]
	for i := range share {
		if share[i] == c {
			share = append(share[:i], share[i+1:]...)
			break
		}
	}
	if l.shares[c.from] = share; len(share) == 0 {
		delete(l.shares, c.from)
	}
}

// note is a http.Server.ConnState hook: it tells who has sent a request.
func (l *connLimit) note(c net.Conn, state http.ConnState) {
	if outer, ok := c.(interface{ NetConn() net.Conn }); ok { // TLS
		c = outer.NetConn()
	}
	counted, ok := c.(*countedConn)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	counted.busy = state == http.StateActive || state == http.StateHijacked
}

// Close closes the connection and gives its place to another.
func (c *countedConn) Close() error {
	c.listener.mu.Lock()
	c.listener.removeLocked(c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}
