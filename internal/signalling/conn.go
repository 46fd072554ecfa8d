package signalling

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// conn is one connection of a server.
type conn struct {
	*wire
	id    connID
	wg    sync.WaitGroup
	rings sync.WaitGroup // those that ask a local peer to take the connection's call

	mu       sync.Mutex // what is below: the reading goroutine's, and whose who rings
	log      *slog.Logger
	caller   Caller  // its ID is empty until HELLO
	session  Session // with a local peer; nil without
	ringing  bool    // what is said waits
	kept     []frame // until the local peer has decided
	keptSize int     // bytes
}

// serve runs one connection from its upgrade to its end.
func (s *Server) serve(ws *websocket.Conn, r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	c := s.join(ws, r)
	c.wg.Go(c.write)
	err := s.listen(ctx, c)
	cancel() // nobody is left to make a session for
	hungUp := c.stop(err)
	s.leave(c, err)
	c.rings.Wait()
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

func (s *Server) join(ws *websocket.Conn, r *http.Request) *conn {
	c := &conn{wire: newWire(ws, s.limits), log: s.log.With(keyRemote, r.RemoteAddr), caller: CallerOf(r)}
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
func (s *Server) listen(ctx context.Context, c *conn) error {
	if err := c.ws.SetReadDeadline(time.Now().Add(s.limits.Hello)); err != nil {
		return err
	}
	for {
		f, err := c.read()
		if err != nil {
			return err
		}
		if err := s.hear(ctx, c, f); err != nil {
			return err
		}
	}
}

// hear takes one message, or keeps it while a local peer is asked: what the connection says is dealt with in order.
func (s *Server) hear(ctx context.Context, c *conn, f frame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ringing {
		return s.decide(ctx, c, f)
	}
	if c.keptSize += len(f.text); len(c.kept) >= s.limits.QueueFrames || c.keptSize > s.limits.QueueBytes {
		return errTooMany
	}
	c.kept = append(c.kept, f)
	return nil
}

// decide decides about one message under the server's lock, and does outside it what may take time. c.mu is held.
func (s *Server) decide(ctx context.Context, c *conn, f frame) error {
	mine := s.step(input{from: c.id, kind: heard, frame: f})
	if c.caller.ID == "" {
		if c.caller.ID = s.uid(c.id); c.caller.ID != "" {
			c.log = c.log.With(keyPeer, c.caller.ID)
			c.log.Debug("peer registered")
			if err := c.ws.SetReadDeadline(time.Time{}); err != nil {
				return err
			}
		}
	}
	for _, r := range mine {
		if r.kind == ring {
			c.ringing = true
			caller := c.caller
			c.rings.Go(func() { s.ring(ctx, c, caller, r.callee) })
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
