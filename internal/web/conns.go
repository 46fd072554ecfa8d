package web

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
)

const (
	maxConns          = 1024 // connections at once; the rest of the file descriptors is for the media
	maxConnsPerClient = 256  // connections from one address: thirty people behind one router, whose browsers open eight each
)

// connLimit is a listener that bounds the open connections. One client's sockets must not use up the file descriptors that the media
// need, nor keep other clients away. A connection beyond the bounds is closed at once.
//
//   - An address may have perClient connections, and no more than there are free places. So one address's part shrinks as the places
//     are taken.
//   - A further connection may take the place of a waiting connection, the oldest one of the address that has the most connections.
//     That address must have more connections than the newcomer's. Otherwise the newcomer is closed.
//   - A connection is waiting until it has sent its first request, and between two requests. A WebSocket never waits: it keeps its
//     place until it is closed.
//
// # Concurrency
//
// net/http calls Accept. note, and Close of the connections, are safe for concurrent use.
type connLimit struct {
	net.Listener
	most, perClient int

	mu     sync.Mutex
	total  int
	shares map[netip.Addr][]*countedConn // the open connections of each address, the oldest first
}

// countedConn is one connection that has a place. The listener's mutex guards its fields.
type countedConn struct {
	net.Conn
	listener *connLimit
	from     netip.Addr
	busy     bool // it is serving a request, or is a WebSocket
	gone     bool // it has no place any more
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

// admit gives a connection a place if it may have one. The place may be that of a victim, which the caller then closes.
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

// victimLocked finds the connection that has to give up its place: the oldest waiting one of the address with the most connections.
// Addresses with no more than least connections are spared.
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

// removeLocked frees the place of a connection.
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

// note is an http.Server.ConnState hook. It notes which connections are busy.
func (l *connLimit) note(c net.Conn, state http.ConnState) {
	for outer, ok := c.(interface{ NetConn() net.Conn }); ok; outer, ok = c.(interface{ NetConn() net.Conn }) { // TLS
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

// Close closes the connection and frees its place.
func (c *countedConn) Close() error {
	c.listener.mu.Lock()
	c.listener.removeLocked(c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}
