package signalling

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// conn is one connection of a server. The fields below the wire belong to its reading goroutine.
type conn struct {
	*wire
	id      connID
	log     *slog.Logger
	uid     string // empty until HELLO
	near    []netip.Addr
	bucket  bucket
	session Session // with a local peer; nil without
	wg      sync.WaitGroup
}

// serve runs one connection from its upgrade to its end.
func (s *Server) serve(ws *websocket.Conn, r *http.Request) {
	c := s.join(ws, r.RemoteAddr)
	c.near = near(r, ws.LocalAddr())
	c.wg.Go(c.write)
	err := s.listen(c)
	hungUp := c.stop(err)
	s.leave(c, err)
	if c.session != nil {
		endSession(c.session, hungUp)
	}
	c.drain(err)
	c.wg.Wait()
	c.log.Debug("connection ended", keyReason, err.Error(), keyHangUp, hungUp)
}

func endSession(session Session, hungUp bool) {
	if hungUp {
		session.Close()
	} else {
		session.Detach()
	}
}

func (s *Server) join(ws *websocket.Conn, remote string) *conn {
	c := &conn{
		wire: newWire(ws, s.limits), bucket: newBucket(s.limits, time.Now()),
		log: s.log.With(keyRemote, remote),
	}
	ping, pong := ws.PingHandler(), ws.PongHandler()
	ws.SetPingHandler(c.counted(ping))
	ws.SetPongHandler(c.counted(pong))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	c.id = s.lastID
	s.conns[c.id] = c
	s.world.step(input{from: c.id, kind: joined})
	if s.closed {
		c.finish(websocket.CloseGoingAway, "")
	}
	return c
}

// counted makes control frames cost as much as messages.
func (c *conn) counted(handle func(string) error) func(string) error {
	return func(data string) error {
		if !c.bucket.take(time.Now()) {
			return errTooMany
		}
		return handle(data)
	}
}

func (s *Server) leave(c *conn, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c.id)
	if errors.Is(err, errTooMany) {
		s.stats.Flooding++
	}
	if c.reason() == reasonSlow {
		s.stats.Slow++
	}
	s.apply(s.world.step(input{from: c.id, kind: left}))
}

// listen reads until it can't.
func (s *Server) listen(c *conn) error {
	if err := c.ws.SetReadDeadline(time.Now().Add(s.limits.Hello)); err != nil {
		return err
	}
	for {
		f, err := c.read()
		if err != nil {
			return err
		}
		if !c.bucket.take(time.Now()) {
			return errTooMany
		}
		if err := s.hear(c, f); err != nil {
			return err
		}
	}
}

// hear decides about one message under the lock, and does outside it what may take time.
func (s *Server) hear(c *conn, f frame) error {
	mine := s.step(input{from: c.id, kind: heard, frame: f})
	if c.uid == "" {
		if c.uid = s.uid(c.id); c.uid != "" {
			c.log = c.log.With(keyPeer, c.uid)
			c.log.Debug("peer registered")
			if err := c.ws.SetReadDeadline(time.Time{}); err != nil {
				return err
			}
		}
	}
	for _, r := range mine {
		if r.kind == ring {
			s.ring(c, r.callee)
		} else {
			c.deliver(r.frame)
		}
	}
	return nil
}

func (s *Server) step(in input) (mine []reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.apply(s.world.step(in))
}

func (s *Server) uid(id connID) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.world.peers[id]; p != nil {
		return p.uid
	}
	return ""
}

// apply does what can be done at once, which is all that concerns other connections, and returns the rest. The lock is
// held: replies reach a connection's queue in the order of the decisions.
func (s *Server) apply(replies []reply) (rest []reply) {
	for _, r := range replies {
		c := s.conns[r.to]
		switch {
		case r.kind == ring || r.kind == deliver:
			rest = append(rest, r)
		case c == nil: // it has left its goroutine's loop, or is a local peer
		case r.kind == doubt:
			notify(c.probe)
		case r.kind == hangUp:
			c.finish(r.code, r.reason)
		default:
			c.send(r.frame)
		}
	}
	return rest
}

// ring asks a local peer to take a call. What it sends before the caller has been told SESSION_OK waits for that.
func (s *Server) ring(c *conn, callee connID) {
	s.mu.Lock()
	media := s.media[callee]
	s.mu.Unlock()
	v := &voice{}
	session, err := media.Open(Caller{c.uid, c.near}, v.send)
	if err != nil {
		v.decide(nil)
		s.step(input{from: c.id, kind: refused})
		if errors.Is(err, ErrFull) {
			c.log.Info("viewer turned away", keyReason, err.Error())
		} else {
			c.log.Warn("media did not open", keyError, err)
		}
		return
	}
	c.session = session
	s.step(input{from: c.id, kind: opened})
	v.decide(c.wire)
	c.wg.Go(func() {
		select {
		case <-session.Done():
			c.finish(websocket.CloseNormalClosure, "")
		case <-c.done:
		}
	})
}

// deliver hands what a viewer says to its session. What makes no sense is ignored, as the reference peer does.
func (c *conn) deliver(f frame) {
	p, err := ParsePayload(f.text)
	if f.binary || err != nil {
		c.log.Debug("message to the streamer ignored", keySize, len(f.text), keyError, err)
		return
	}
	c.session.Receive(p)
}

// voice is what a local peer speaks through: what it says is kept until the call is taken.
type voice struct {
	mu      sync.Mutex
	decided bool
	wire    *wire // nil when the call was not taken
	waiting []Payload
}

func (v *voice) send(p Payload) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case !v.decided:
		v.waiting = append(v.waiting, p)
	case v.wire != nil:
		v.wire.send(frame{text: p.String()})
	}
}

// decide lets what was kept out to a connection, or drops it and all to come.
func (v *voice) decide(to *wire) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.decided, v.wire = true, to
	if to != nil {
		for _, p := range v.waiting {
			to.send(frame{text: p.String()})
		}
	}
	v.waiting = nil
}
