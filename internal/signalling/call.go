package signalling

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"boardcast/internal/sdp"
)

// opening is the outcome of opening a call's session: the session, or an error.
type opening struct {
	cl      *call
	session Session
	err     error
}

// hearRoom takes one message while the client is in a room.
func (l *link) hearRoom(m Message) error {
	switch m.Kind {
	case KindRoomPeerMsg:
		return l.receive(m.ID, m.Text)
	case KindRoomPeerJoined:
		l.c.log.Debug("peer joined the room", keyPeer, m.ID) // a newcomer makes the offer
	case KindRoomPeerLeft:
		delete(l.calls.toMake, m.ID)
		if cl := l.calls.byKey[m.ID]; cl != nil {
			delete(l.calls.byKey, m.ID)
			l.calls.end(cl)
		}
	case KindError:
		return l.refused(m.Text)
	case KindOther, KindHello, KindSession, KindSessionOK, KindRoom, KindRoomOK, KindRoomPeerList:
	}
	return nil
}

// inRoom calls all members that were in the room before us, as peers of this protocol do. A member whose kept session still has
// media is called when that session has ended.
func (l *link) inRoom(members []string) error {
	l.enter(StateInRoom, 0)
	l.c.log.Info("joined the room", keyRoom, l.c.opts.Room, keyCallable, len(members))
	for _, peer := range members {
		if peer == l.c.id || l.calls.byKey[peer] != nil || l.calls.full() {
			continue
		}
		l.calls.toMake[peer] = true
		if err := l.afterKept(peer); err != nil {
			return err
		}
	}
	return nil
}

// afterKept makes the call that had to wait for the end of a kept session with the peer, if there is such a call.
func (l *link) afterKept(peer string) error {
	switch {
	case l.c.kept[peer] != nil:
		return nil
	case l.calls.toMake[peer]:
		delete(l.calls.toMake, peer)
		l.begin(&call{peer: peer})
	case l.c.state == StateWaiting && peer == l.c.opts.Peer:
		return l.call()
	}
	return nil
}

// key is the key of a peer's call in calls.byKey.
func (l *link) key(peer string) string {
	if l.c.opts.Room == "" {
		return ""
	}
	return peer
}

// begin opens a call that we make: we make the offer, or ask the peer for one.
func (l *link) begin(cl *call) {
	if cl.ask = l.c.opts.RemoteOfferer; !cl.ask {
		cl.early = []sdp.Message{{OfferRequest: true}}
	}
	l.open(cl)
}

// receive takes what a peer says. Outside a room peer is empty. The first offer, or the first request for one, opens a call. What
// comes before the call's session is there is kept, and handed to the session in order.
func (l *link) receive(peer, text string) error {
	m, err := ParsePayload(text)
	if err != nil {
		l.c.log.Debug("message ignored", keyPeer, peer, keySize, len(text), keyError, err)
		return nil
	}
	cl := l.calls.byKey[peer]
	if cl == nil {
		if len(l.calls.byKey) >= maxCalls {
			return nil
		}
		cl = &call{peer: peer}
		l.calls.byKey[peer] = cl
	}
	if cl.session != nil {
		cl.session.Receive(m)
		return nil
	}
	if !cl.opening && m.Opens() {
		l.accept(cl)
	}
	cl.keep(m)
	return nil
}

// accept opens a call that the peer makes. A peer that calls anew has ended its kept session.
func (l *link) accept(cl *call) {
	delete(l.calls.toMake, cl.peer)
	if l.c.opts.Room == "" {
		l.c.callers++
		cl.peer = "caller-" + strconv.Itoa(l.c.callers)
		l.enter(StateInCall, 0)
	} else if old := l.c.kept[cl.peer]; old != nil {
		delete(l.c.kept, cl.peer)
		old.Close()
	}
	l.open(cl)
}

// open queues the call for openDue. hasOpened is called when its session is there.
func (l *link) open(cl *call) {
	l.calls.byKey[l.key(cl.peer)] = cl
	cl.opening = true
	l.calls.due = append(l.calls.due, cl)
}

// openDue begins to open as many sessions as may be opened now. Opening may take long, and meanwhile the link has to notice the
// socket's end and members that leave. So each session is opened on a goroutine of its own.
func (l *link) openDue(ctx context.Context) {
	for {
		cl, ok := l.calls.nextDue()
		if !ok {
			return
		}
		own, cancel := context.WithCancel(ctx)
		cl.cancel = cancel
		l.wg.Go(func() {
			defer cancel()
			session, err := l.c.media.Open(own, Caller{ID: cl.peer}, func(m sdp.Message) { l.sendTo(cl, m) })
			select {
			case l.events.opened <- opening{cl, session, err}:
			case <-l.events.quit:
				if err == nil {
					session.Close()
				}
			}
		})
	}
}

// hasOpened takes a call's session. Where the media did not open one the call is hung up: outside a room the socket is closed for
// that, and in a room the peer hears nothing.
func (l *link) hasOpened(o opening) error {
	cl, key := o.cl, l.key(o.cl.peer)
	switch {
	case l.calls.byKey[key] != cl: // the call has ended meanwhile
		if o.err == nil {
			o.session.Close()
		}
		return nil
	case o.err != nil:
		delete(l.calls.byKey, key)
		l.calls.end(cl)
		return l.notOpened(cl, o.err)
	}
	cl.session = o.session
	l.wg.Go(func() { watch(o.session, l.events.ended, cl, l.events.quit) })
	if cl.ask {
		l.sendTo(cl, sdp.Message{OfferRequest: true})
	}
	for _, m := range cl.early {
		cl.session.Receive(m)
	}
	cl.early = nil
	return nil
}

func (l *link) notOpened(cl *call, err error) error {
	if l.c.opts.Room == "" {
		return fmt.Errorf("open media: %w", err)
	}
	say := l.c.log.Warn
	if errors.Is(err, ErrFull) {
		say = l.c.log.Info
	}
	say("peer is not served", keyPeer, cl.peer, keyError, err)
	return nil
}

// watch reports the end of a session by sending which, unless nobody listens any more.
func watch[T any](session Session, ended chan<- T, which T, quit <-chan struct{}) {
	select {
	case <-session.Done():
	case <-quit:
		return
	}
	select {
	case ended <- which:
	case <-quit:
	}
}

// sendTo sends to the peer of a call. It may be called from any goroutine. The end of our ICE candidates is not sent: peers of this
// protocol have no use for an empty ICE candidate, and some fail at one.
func (l *link) sendTo(cl *call, m sdp.Message) {
	if cl.over.Load() || m.Gathered {
		return
	}
	text := payloadText(m)
	if l.c.opts.Room != "" {
		text = Message{Kind: KindRoomPeerMsg, ID: cl.peer, Text: text}.String()
	}
	l.send(frame{text: text})
}

// mediaEnded hangs up after the media of a call have ended. In a room the peer hears nothing: the protocol has no word for it.
func (l *link) mediaEnded(cl *call) error {
	key := l.key(cl.peer)
	if l.calls.byKey[key] != cl {
		return nil // the call has ended already
	}
	delete(l.calls.byKey, key)
	l.calls.end(cl)
	if l.c.opts.Room == "" {
		return errEnded
	}
	return nil
}
