package signalling

import (
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
)

const (
	maxEarly = 64  // candidates kept per peer until its offer comes
	maxCalls = 256 // peers of a room that are listened to at once
)

// call is what a link has with one peer.
type call struct {
	peer    string
	session Session     // nil until something opens the call
	early   []Payload   // what came before that
	over    atomic.Bool // nothing more is sent
}

// hearRoom takes one message while in a room.
func (l *link) hearRoom(m Message) error {
	switch m.Kind {
	case KindRoomPeerMsg:
		return l.receive(m.ID, m.Text)
	case KindRoomPeerJoined:
		l.c.log.Debug("peer joined the room", keyPeer, m.ID) // it will make the offer
	case KindRoomPeerLeft:
		delete(l.calling, m.ID)
		if cl := l.calls[m.ID]; cl != nil {
			delete(l.calls, m.ID)
			l.end(cl)
		}
	case KindError:
		return l.refused(m.Text)
	case KindOther, KindHello, KindSession, KindSessionOK, KindRoom, KindRoomOK, KindRoomPeerList:
	}
	return nil
}

// inRoom calls all that were in the room before us, the way the family does it. A member whose last session still flows
// is called when that has ended.
func (l *link) inRoom(members []string) error {
	l.enter(StateInRoom, 0)
	l.c.log.Info("joined the room", keyRoom, l.c.opts.Room, keyCallable, len(members))
	for _, peer := range members {
		if peer == l.c.id || l.calls[peer] != nil || len(l.calls)+len(l.calling) >= maxCalls {
			continue
		}
		l.calling[peer] = true
		if err := l.afterKept(peer); err != nil {
			return err
		}
	}
	return nil
}

// afterKept makes the call that had to wait for the end of a kept session, if there is one.
func (l *link) afterKept(peer string) error {
	switch {
	case l.c.kept[peer] != nil:
		return nil
	case l.calling[peer]:
		delete(l.calling, peer)
		return l.begin(&call{peer: peer})
	case l.c.state == StateWaiting && peer == l.c.opts.Peer:
		return l.call()
	}
	return nil
}

// key is where a peer's call stands.
func (l *link) key(peer string) string {
	if l.c.opts.Room == "" {
		return ""
	}
	return peer
}

// begin opens a call that we make.
func (l *link) begin(cl *call) error {
	if err := l.open(cl); err != nil || cl.session == nil {
		return err
	}
	if l.c.opts.RemoteOfferer {
		l.sendTo(cl, Payload{OfferRequest: true})
	} else {
		cl.session.Receive(Payload{OfferRequest: true})
	}
	return nil
}

// receive takes what a peer says; peer is empty outside a room. The first offer or request for one opens the call; what
// came before is kept and handed on in order.
func (l *link) receive(peer, text string) error {
	p, err := ParsePayload(text)
	if err != nil {
		l.c.log.Debug("message ignored", keyPeer, peer, keySize, len(text), keyError, err)
		return nil
	}
	cl := l.calls[peer]
	if cl == nil {
		if len(l.calls) >= maxCalls {
			return nil
		}
		cl = &call{peer: peer}
		l.calls[peer] = cl
	}
	if cl.session == nil && !p.opens() {
		if p.ICE != nil && len(cl.early) < maxEarly {
			cl.early = append(cl.early, p)
		}
		return nil
	}
	if cl.session == nil {
		if err := l.accept(cl); err != nil || cl.session == nil {
			return err
		}
	}
	cl.session.Receive(p)
	return nil
}

// accept opens a call that the peer makes.
func (l *link) accept(cl *call) error {
	delete(l.calling, cl.peer)
	if l.c.opts.Room == "" {
		l.c.callers++
		cl.peer = "caller-" + strconv.Itoa(l.c.callers)
		l.enter(StateInCall, 0)
	} else if old := l.c.kept[cl.peer]; old != nil { // it calls anew: the last session is over
		delete(l.c.kept, cl.peer)
		old.Close()
	}
	if err := l.open(cl); err != nil || cl.session == nil {
		return err
	}
	for _, p := range cl.early {
		cl.session.Receive(p)
	}
	cl.early = nil
	return nil
}

// open makes the session. If that fails the call is hung up: in a room that is silence, else the socket's end.
func (l *link) open(cl *call) error {
	key := l.key(cl.peer)
	l.calls[key] = cl
	session, err := l.c.media.Open(Caller{ID: cl.peer}, func(p Payload) { l.sendTo(cl, p) })
	switch {
	case err == nil:
		cl.session = session
		l.wg.Go(func() { watch(session, l.ended, cl, l.quit) })
		return nil
	case l.c.opts.Room == "":
		delete(l.calls, key)
		return fmt.Errorf("open media: %w", err)
	}
	delete(l.calls, key)
	say := l.c.log.Warn
	if errors.Is(err, ErrFull) {
		say = l.c.log.Info
	}
	say("peer is not served", keyPeer, cl.peer, keyError, err)
	return nil
}

// watch reports the end of a session until nobody listens any more.
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

// sendTo sends to the peer of a call, from any goroutine.
func (l *link) sendTo(cl *call, p Payload) {
	if cl.over.Load() {
		return
	}
	text := p.String()
	if l.c.opts.Room != "" {
		text = Message{Kind: KindRoomPeerMsg, ID: cl.peer, Text: text}.String()
	}
	l.send(frame{text: text})
}

// mediaEnded hangs up after the media has ended. In a room the other member is left alone: there is no word for it.
func (l *link) mediaEnded(cl *call) error {
	key := l.key(cl.peer)
	if l.calls[key] != cl {
		return nil // ended already
	}
	delete(l.calls, key)
	l.end(cl)
	if l.c.opts.Room == "" {
		return errEnded
	}
	return nil
}

func (l *link) end(cl *call) {
	cl.over.Store(true)
	if cl.session != nil {
		cl.session.Close()
	}
}
