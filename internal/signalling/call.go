package signalling

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"boardcast/internal/sdp"
)

const (
	maxEarly = 64  // candidates kept per peer until its session is there
	maxWords = 2   // other payloads kept meanwhile: a request for an offer, and an answer of somebody who did not wait for it
	maxCalls = 256 // peers of a room that are listened to at once

	// Sessions opened in the long run, and at once on top of that: as many as players of WHEP may open from one address. The
	// rest of a larger room waits for some seconds; members that only come and go cost no more than this.
	opensPerSecond = 5
	openBurst      = 40
)

// call is what a link has with one peer.
type call struct {
	peer    string
	opening bool          // something has opened the call: its session is there, or will be
	session Session       // nil until it is there
	cancel  func()        // ends the opening; nil before it has begun
	early   []sdp.Message // what came before the session
	words   int           // how many of the peer's in early are no candidates
	ask     bool          // the peer is to make the offer
	over    atomic.Bool   // nothing more is sent
}

// opening is what came of opening a call's session.
type opening struct {
	cl      *call
	session Session
	err     error
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
		l.begin(&call{peer: peer})
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
func (l *link) begin(cl *call) {
	if cl.ask = l.c.opts.RemoteOfferer; !cl.ask {
		cl.early = []sdp.Message{{OfferRequest: true}}
	}
	l.open(cl)
}

// receive takes what a peer says; peer is empty outside a room. The first offer or request for one opens the call; what
// comes before the session is there is kept and handed on in order.
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
	if cl.session != nil {
		cl.session.Receive(p)
		return nil
	}
	if !cl.opening && p.Opens() {
		l.accept(cl)
	}
	cl.keep(p)
	return nil
}

// keep holds what the peer says until the session is there: candidates, and other things once something has opened the
// call.
func (cl *call) keep(p sdp.Message) {
	candidate := p.Candidate != "" || p.Gathered
	switch {
	case candidate && len(cl.early) < maxEarly:
	case !candidate && cl.opening && cl.words < maxWords:
		cl.words++
	default:
		return
	}
	cl.early = append(cl.early, p)
}

// accept opens a call that the peer makes.
func (l *link) accept(cl *call) {
	delete(l.calling, cl.peer)
	if l.c.opts.Room == "" {
		l.c.callers++
		cl.peer = "caller-" + strconv.Itoa(l.c.callers)
		l.enter(StateInCall, 0)
	} else if old := l.c.kept[cl.peer]; old != nil { // it calls anew: the last session is over
		delete(l.c.kept, cl.peer)
		old.Close()
	}
	l.open(cl)
}

// open asks for the session, which is there when hasOpened is called.
func (l *link) open(cl *call) {
	l.calls[l.key(cl.peer)] = cl
	cl.opening = true
	l.due = append(l.due, cl)
}

// openDue begins to open as many sessions as it may, each on a goroutine of its own: opening may take long, and meanwhile
// the socket's end and a member's leaving are to be seen.
func (l *link) openDue(ctx context.Context) {
	for len(l.due) > 0 && l.opens.take(time.Now(), 1) {
		cl := l.due[0]
		l.due = l.due[1:]
		own, cancel := context.WithCancel(ctx)
		cl.cancel = cancel
		l.wg.Go(func() {
			defer cancel()
			session, err := l.c.media.Open(own, Caller{ID: cl.peer}, func(p sdp.Message) { l.sendTo(cl, p) })
			select {
			case l.opened <- opening{cl, session, err}:
			case <-l.quit:
				if err == nil {
					session.Close()
				}
			}
		})
	}
}

// hasOpened takes a call's session. If there is none the call is hung up: in a room that is silence, else the socket's end.
func (l *link) hasOpened(o opening) error {
	cl, key := o.cl, l.key(o.cl.peer)
	switch {
	case l.calls[key] != cl: // it has ended meanwhile
		if o.err == nil {
			o.session.Close()
		}
		return nil
	case o.err != nil:
		delete(l.calls, key)
		l.end(cl)
		return l.notOpened(cl, o.err)
	}
	cl.session = o.session
	l.wg.Go(func() { watch(o.session, l.ended, cl, l.quit) })
	if cl.ask {
		l.sendTo(cl, sdp.Message{OfferRequest: true})
	}
	for _, p := range cl.early {
		cl.session.Receive(p)
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

// sendTo sends to the peer of a call, from any goroutine. The end of our candidates is not sent: peers of this protocol have no use
// for an empty candidate, and some fail at one.
func (l *link) sendTo(cl *call, p sdp.Message) {
	if cl.over.Load() || p.Gathered {
		return
	}
	text := payloadText(p)
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

// end hangs up, or gives up the opening of the session.
func (l *link) end(cl *call) {
	cl.over.Store(true)
	l.due = slices.DeleteFunc(l.due, func(d *call) bool { return d == cl })
	if cl.cancel != nil {
		cl.cancel()
	}
	if cl.session != nil {
		cl.session.Close()
	}
}
