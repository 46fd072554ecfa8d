package signalling

import (
	"context"
	"errors"
	"sync"

	"github.com/gorilla/websocket"

	"boardcast/internal/sdp"
)

// ring asks a local peer to take a call. What it sends before the caller has been told SESSION_OK waits for that, and so
// does what the caller says meanwhile. A session that comes when the caller has gone is closed.
func (s *Server) ring(ctx context.Context, c *conn, caller Caller, callee connID) {
	s.mu.Lock()
	media := s.media[callee]
	s.mu.Unlock()
	v := &voice{}
	session, err := media.Open(ctx, caller, v.send)
	if err == nil && ctx.Err() != nil {
		session.Close()
		err = ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		v.decide(nil)
		s.step(input{from: c.id, kind: refused})
		c.notTaken(ctx, err)
	} else {
		c.session = session
		s.step(input{from: c.id, kind: opened})
		v.decide(c.wire)
		c.wg.Go(func() { c.hangUpAfter(session) })
	}
	s.goOn(ctx, c)
}

// goOn deals with what was kept while a local peer was asked, up to the next call. c.mu is held.
func (s *Server) goOn(ctx context.Context, c *conn) {
	c.ringing = false
	for len(c.kept) > 0 && !c.ringing {
		f := c.kept[0]
		c.kept = c.kept[1:]
		c.keptSize -= len(f.text)
		if err := s.decide(ctx, c, f); err != nil {
			c.cut() // reading ends with it
			return
		}
	}
}

func (c *conn) notTaken(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil:
		c.log.Debug("caller has gone before its call was taken", keyReason, err.Error())
	case errors.Is(err, ErrFull):
		c.log.Info("viewer turned away", keyReason, err.Error())
	default:
		c.log.Warn("media did not open", keyError, err)
	}
}

// hangUpAfter closes the connection when its session has ended.
func (c *conn) hangUpAfter(session Session) {
	select {
	case <-session.Done():
		c.finish(websocket.CloseNormalClosure, "")
	case <-c.done:
	}
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
	waiting []sdp.Message
}

func (v *voice) send(p sdp.Message) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case p.Gathered: // see link.sendTo
	case !v.decided:
		v.waiting = append(v.waiting, p)
	case v.wire != nil:
		v.wire.send(frame{text: payloadText(p)})
	}
}

// decide lets what was kept out to a connection, or drops it and all to come.
func (v *voice) decide(to *wire) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.decided, v.wire = true, to
	if to != nil {
		for _, p := range v.waiting {
			to.send(frame{text: payloadText(p)})
		}
	}
	v.waiting = nil
}
