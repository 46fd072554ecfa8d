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
	since time.Time // when it was made
	wg    sync.WaitGroup
	rings sync.WaitGroup // goroutines that ask a local peer to take the connection's call

	mu      sync.Mutex // guards the fields below, which the reading goroutine and the ringing one use
	log     *slog.Logger
	caller  Caller  // its ID is empty until HELLO
	session Session // with a local peer; nil without
	ringing bool    // a local peer is being asked to take the connection's call
	kept    backlog // messages that came while ringing
	refusal string  // the ERROR that was logged last
}

// backlog holds messages that are handled later.
type backlog struct {
	frames []frame
	bytes  int
}

// keep adds a message, unless there are more than a queue may hold.
func (b *backlog) keep(f frame, most Queue) error {
	if b.bytes += len(f.text); len(b.frames) >= most.Frames || b.bytes > most.Bytes {
		return errTooMany
	}
	b.frames = append(b.frames, f)
	return nil
}

// next takes the oldest message.
func (b *backlog) next() (f frame, ok bool) {
	if len(b.frames) == 0 {
		return frame{}, false
	}
	f, b.frames = b.frames[0], b.frames[1:]
	b.bytes -= len(f.text)
	return f, true
}

// serve runs one connection from its upgrade to its end.
func (s *Server) serve(ws *websocket.Conn, r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	rights := s.rights(r)
	c := s.join(ws, r, rights)
	c.wg.Go(c.write)
	if rights.Done != nil {
		c.wg.Go(func() { c.endWith(rights.Done) })
	}
	err := s.listen(ctx, c)
	cancel() // the caller has gone: a session that is being opened is not wanted
	hungUp := c.stop(err)
	s.leave(c, err)
	c.rings.Wait()
	if c.session != nil {
		endSession(c.session, hungUp)
	}
	c.drain(err)
	c.wg.Wait()
	s.tellEnd(c, err, hungUp)
}

// endWith closes the connection when the rights of the peer have ended.
func (c *conn) endWith(rights <-chan struct{}) {
	select {
	case <-rights:
		c.finish(CloseLocked, reasonLocked)
	case <-c.done:
	}
}

// endSession closes a session when a side has hung up. When the connection broke, the media may go on.
func endSession(session Session, hungUp bool) {
	if hungUp {
		session.Close()
	} else {
		session.Detach()
	}
}

// join makes a connection known to the server.
func (s *Server) join(ws *websocket.Conn, r *http.Request, rights Rights) *conn {
	c := &conn{wire: newWire(ws, s.limits), since: time.Now(), log: s.log.With(keyRemote, r.RemoteAddr), caller: CallerOf(r)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	c.id = s.lastID
	s.conns[c.id] = c
	s.world.step(input{from: c.id, kind: joined, may: rights.May})
	if s.admission.isClosed() {
		c.finish(websocket.CloseGoingAway, "")
	}
	return c
}

// leave makes the server forget a connection.
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
	s.applyLocked(s.world.step(input{from: c.id, kind: left}))
}

// listen reads and handles messages until reading fails, or a message ends the connection.
func (s *Server) listen(ctx context.Context, c *conn) error {
	if err := c.ws.SetReadDeadline(time.Now().Add(s.limits.Waits.Hello)); err != nil {
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

// hear takes one message. While a local peer is being asked to take the call the message is kept, so that all are handled in order.
func (s *Server) hear(ctx context.Context, c *conn, f frame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ringing {
		return s.decideLocked(ctx, c, f)
	}
	return c.kept.keep(f, s.limits.Queue)
}

// decideLocked handles one message. The decision is made under the server's lock. Calls of Media and Session follow without that lock,
// since they may take time. c.mu is held.
func (s *Server) decideLocked(ctx context.Context, c *conn, f frame) error {
	all, mine := s.step(input{from: c.id, kind: heard, frame: f})
	if c.caller.ID == "" {
		if c.caller.ID = s.uid(c.id); c.caller.ID != "" {
			c.log = c.log.With(keyPeer, c.caller.ID)
			if err := c.ws.SetReadDeadline(time.Time{}); err != nil {
				return err
			}
		}
	}
	s.tellLocked(c, ParseRequest(f.text), all)
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

// step takes in one event of a connection. It returns all replies, and those that remain to be done without the lock.
func (s *Server) step(in input) (all, rest []reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all = s.world.step(in)
	return all, s.applyLocked(all)
}

// uid is the id by which a connection is registered, empty before HELLO.
func (s *Server) uid(id connID) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.world.peers[id]; p != nil {
		return p.uid
	}
	return ""
}

// applyLocked carries out all replies that never block, among them all to other connections, and returns the rest. It runs under the
// lock of the decision, so that replies reach a connection's queue in the order of the decisions.
func (s *Server) applyLocked(replies []reply) (rest []reply) {
	for _, r := range replies {
		c := s.conns[r.to]
		switch {
		case r.kind == ring || r.kind == deliver:
			rest = append(rest, r)
		case c == nil: // the connection has ended, or it is a local peer
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
