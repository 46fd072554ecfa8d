package signalling

import (
	"cmp"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// tellLocked logs what the server decided about a message of the connection: registrations, sessions and refusals have one line each.
// The session of a local peer is not logged here, because the media log it. Where there are local peers, a registration is logged at
// debug for the same reason. c.mu is held.
func (s *Server) tellLocked(c *conn, said Message, decided []reply) {
	for _, r := range decided {
		switch {
		case r.to != c.id:
		case r.kind == hangUp:
			s.tellUnregistered(c, cutText(said.ID, c.limits.ID), r.why)
		case r.kind == say && !r.frame.binary:
			answer := ParseReply(r.frame.text)
			if answer.Kind == KindHello {
				s.admission.told.forget(c.caller.ID)
			}
			c.tellAnswerLocked(said, answer, s.serves.Load())
		}
	}
}

// tellAnswerLocked logs the server's answer to a message. A peer that asks for the same in vain again and again is logged once.
func (c *conn) tellAnswerLocked(said, answer Message, local bool) {
	switch {
	case answer.Kind == KindHello && said.Kind == KindHello && local:
		c.log.Debug("peer registered")
	case answer.Kind == KindHello && said.Kind == KindHello:
		c.log.Info("peer registered")
	case answer.Kind == KindSessionOK && said.Kind == KindSession:
		c.log.Info("session began", keyPartner, said.ID)
	case answer.Kind == KindRoomOK && said.Kind == KindRoom:
		c.log.Info("peer joined the room", keyRoom, said.ID)
	case answer.Kind == KindError && answer.Text != c.refusal:
		c.log.Info("request refused", keyAnswer, answer.Text)
		c.refusal = answer.Text
	case answer.Kind == KindError:
		c.log.Debug("request refused again", keyAnswer, answer.Text)
	}
}

// tellEnd logs the end of the connection, which is also the end of its registration and its session. It is logged at debug where the
// registration was.
func (s *Server) tellEnd(c *conn, err error, hungUp bool) {
	say := c.log.Info
	if c.caller.ID == "" || c.session != nil || s.serves.Load() {
		say = c.log.Debug // it was never registered, or the media log the end
	}
	say("peer left", keyReason, c.why(err), keyHangUp, hungUp, keyDuration, time.Since(c.since).Seconds())
}

// Why a connection has ended, by the code of the close frame: that of ours, where we sent one, else that of the peer.
var (
	weClosed = map[int]string{
		websocket.CloseNormalClosure: "its partner has left the session",
		websocket.CloseGoingAway:     "the server ends",
	}
	peerClosed = map[int]string{
		websocket.CloseNormalClosure:    "hung up",
		websocket.CloseNoStatusReceived: "hung up",
		websocket.CloseGoingAway:        "left the page, or its program ended",
		websocket.CloseAbnormalClosure:  "the connection broke",
	}
)

// why tells why a connection has ended. err is why reading failed.
func (c *conn) why(err error) string {
	return cmp.Or(c.reason(), weClosed[c.endCode()], peerClosed[closeCode(err)], err.Error())
}

// tellUnregistered logs that a peer may not register. A client asks for a fixed id again and again, twice a second: that is logged once.
func (s *Server) tellUnregistered(c *conn, id, why string) {
	say := c.log.Info
	if s.admission.told.again(unregistered{id, c.caller.Address}) {
		say = c.log.Debug
	}
	say("registration refused", keyID, id, keyReason, why)
}

// tellRefused logs that a connection was not admitted.
func (s *Server) tellRefused(r *http.Request, status int) {
	s.log.Info("connection refused: too many are open", keyRemote, r.RemoteAddr, keyStatus, status)
}

// tellNotUpgraded logs that a handshake failed, in which Upgrade has answered the request.
func (s *Server) tellNotUpgraded(r *http.Request, err error) {
	if s.Allowed(r) {
		s.log.Debug("handshake failed", keyRemote, r.RemoteAddr, keyError, err)
		return
	}
	s.log.Info("page of another site refused", keyRemote, r.RemoteAddr, keyOrigin, cutText(r.Header.Get("Origin"), maxOrigin))
}

// maxOrigin is how many bytes of an Origin header are logged: a host name has at most 253.
const maxOrigin = 300
