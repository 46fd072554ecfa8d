package signalling

import (
	"context"
	"errors"
	"sync"

	"github.com/gorilla/websocket"

	"boardcast/internal/sdp"
)

// ring asks a local peer to take a call. If the local peer takes it, the caller first gets SESSION_OK. Until then the messages of the local
// peer wait in a voice, and the messages of the caller wait in c.kept. A session that is opened after the caller has gone is closed.
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
	s.goOnLocked(ctx, c)
}

// goOnLocked handles the messages that were kept while a local peer was asked, up to the next call. c.mu is held.
func (s *Server) goOnLocked(ctx context.Context, c *conn) {
	c.ringing = false
	for !c.ringing {
		f, ok := c.kept.next()
		if !ok {
			return
		}
		if err := s.decideLocked(ctx, c, f); err != nil {
			c.cut() // which ends reading
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

// hangUpAfter closes the connection when the media of its session have ended.
func (c *conn) hangUpAfter(session Session) {
	select {
	case <-session.Done():
		c.finish(websocket.CloseNormalClosure, "")
	case <-c.done:
	}
}

// deliver hands a viewer's message to its session. A message that cannot be read is ignored, as the reference peer does.
func (c *conn) deliver(f frame) {
	m, err := ParsePayload(f.text)
	if f.binary || err != nil {
		c.log.Debug("message to the streamer ignored", keySize, len(f.text), keyError, err)
		return
	}
	c.session.Receive(m)
}

// voice carries what a local peer says to its caller. Until the call is decided upon, messages are kept.
type voice struct {
	mu      sync.Mutex
	decided bool
	wire    *wire // the caller's; nil when the call was not taken
	waiting []sdp.Message
}

func (v *voice) send(m sdp.Message) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case m.Gathered: // see link.sendTo
	case !v.decided:
		v.waiting = append(v.waiting, m)
	case v.wire != nil:
		v.wire.send(frame{text: payloadText(m)})
	}
}

// decide ends the waiting. When the call was taken, to is the caller's wire: the messages that have waited are sent there, and later ones
// too. When it was not taken, to is nil, and all of them are dropped.
func (v *voice) decide(to *wire) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.decided, v.wire = true, to
	if to != nil {
		for _, m := range v.waiting {
			to.send(frame{text: payloadText(m)})
		}
	}
	v.waiting = nil
}
