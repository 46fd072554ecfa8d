package signalling

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// How a connection ends, besides by failing.
var (
	errEnded = errors.New("call ended") // the only call is over, by whichever side's hanging up
	errHeld  = errors.New("server refuses our id")
)

// link is one socket of a [Client]. All its fields but the wire belong to Run's goroutine; one more goroutine reads, one
// writes, and one per session waits for its end.
type link struct {
	*wire
	c        *Client
	frames   chan frame    // from the reader, which closes it after setting readErr
	readErr  error         // why reading ended
	quit     chan struct{} // closed when nobody takes from the channels any more
	opened   chan opening  // a call's session is there, or will not be
	ended    chan *call    // a call's media has ended
	released chan string   // the kept session of this peer has ended
	wg       sync.WaitGroup

	since   time.Time        // of the registration; zero before
	timer   *time.Timer      // for what the state waits for
	retry   backoff          // of SESSION
	calls   map[string]*call // by peer in a room, else the one call under ""
	calling map[string]bool  // members that are ours to call once their kept session has ended
	due     []*call          // calls whose session is to be opened, in the order of their coming
	opens   bucket           // of sessions
}

func newLink(c *Client, ws *websocket.Conn) *link {
	return &link{
		wire: newWire(ws, clientLimits), c: c,
		frames: make(chan frame), quit: make(chan struct{}),
		opened: make(chan opening), ended: make(chan *call), released: make(chan string),
		timer: time.NewTimer(replyWait), calls: make(map[string]*call), calling: make(map[string]bool),
		opens: newBucket(opensPerSecond, openBurst, time.Now()),
	}
}

// run serves the socket until it ends, and settles what becomes of the sessions.
func (l *link) run(ctx context.Context) error {
	l.wg.Go(l.write)
	l.wg.Go(l.listen)
	l.say(Message{Kind: KindHello, ID: l.c.id})
	l.enter(StateRegistering, replyWait)
	for peer, session := range l.c.kept {
		l.wg.Go(func() { watch(session, l.released, peer, l.quit) })
	}
	err := l.loop(ctx)
	l.timer.Stop()
	l.finish(websocket.CloseNormalClosure, "") // no effect if the server was first
	l.settle(ctx.Err() != nil || errors.Is(err, errEnded))
	close(l.quit)
	l.wg.Wait()
	if !l.since.IsZero() && time.Since(l.since) >= stableAfter && !errors.Is(err, errTooMany) {
		l.c.backoff.reset()
		l.c.lastErr = ""
	}
	return err
}

// loop takes one event after the other; the error says what ended it.
func (l *link) loop(ctx context.Context) error {
	look := time.NewTicker(addressEvery)
	defer look.Stop()
	for {
		l.openDue(ctx)
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case f, open := <-l.frames:
			if !open {
				return l.lost()
			}
			err = l.hear(f)
		case <-l.timer.C:
			err = l.late()
		case <-look.C: // calls that are due are looked at as well
			err = l.homeless()
		case o := <-l.opened:
			err = l.hasOpened(o)
		case ended := <-l.ended:
			err = l.mediaEnded(ended)
		case peer := <-l.released:
			l.c.forgetEnded()
			err = l.afterKept(peer)
		}
		if err != nil {
			return err
		}
	}
}

// lost says what the end of the socket means: in a call, an orderly close is the partner's hanging up.
func (l *link) lost() error {
	code := closeCode(l.readErr)
	switch {
	case errors.Is(l.readErr, errTooMany):
		return fmt.Errorf("server sends more than a peer may: %w", errTooMany)
	case code == websocket.CloseNormalClosure && l.c.state == StateInCall:
		return errEnded
	case code == websocket.CloseProtocolError && l.c.state == StateRegistering:
		return fmt.Errorf("%w: %s", errHeld, quoteID(l.c.id, 64))
	case l.reason() != "":
		return fmt.Errorf("server is gone: %s", l.reason())
	}
	return fmt.Errorf("read: %w", l.readErr)
}

// listen is the reading goroutine.
func (l *link) listen() {
	for {
		f, err := l.read()
		if err != nil {
			l.readErr = err
			l.stop(err)
			close(l.frames)
			l.drain(err)
			return
		}
		select {
		case l.frames <- f:
		case <-l.quit: // it goes on reading until the socket has closed
		}
	}
}

// homeless is the error that this machine has lost the socket's address: nothing goes through any more, and nobody says so.
func (l *link) homeless() error {
	address := l.ws.LocalAddr()
	if l.c.home(address) {
		return nil
	}
	l.cut() // there is no way for a goodbye
	return fmt.Errorf("the address %s is no longer this machine's", address)
}

func (l *link) say(m Message) { l.send(frame{text: m.String()}) }

// enter changes the state; late is called when it lasts longer than limit, if there is one.
func (l *link) enter(s State, limit time.Duration) {
	l.timer.Stop()
	if limit > 0 {
		l.timer.Reset(limit)
	}
	l.c.enter(s)
}

// late is called when the time of the state is over.
func (l *link) late() error {
	if l.c.state == StateWaiting {
		return l.call()
	}
	return fmt.Errorf("no answer while %s", l.c.state)
}

// hear takes one message. What does not fit the state is ignored.
func (l *link) hear(f frame) error {
	m := ParseReply(f.text)
	switch {
	case f.binary:
	case l.c.state == StateInRoom:
		return l.hearRoom(m)
	case m.Kind == KindHello && l.c.state == StateRegistering:
		return l.registered()
	case m.Kind == KindSessionOK && l.c.state == StateCalling:
		return l.connected()
	case m.Kind == KindRoomOK && l.c.state == StateJoining:
		return l.inRoom(m.IDs)
	case m.Kind == KindError && l.c.state == StateInCall: // the partner's: a server has nothing to refuse in a session
		return l.receive("", f.text)
	case m.Kind == KindError:
		return l.refused(m.Text)
	case m.Kind == KindOther && l.c.opts.Room == "" && !l.since.IsZero():
		return l.receive("", m.Text)
	}
	return nil
}

func (l *link) registered() error {
	l.since = time.Now()
	l.c.heldAt = time.Time{}
	l.c.log.Info("registered with the signalling server", keyID, l.c.id)
	if l.c.opts.Room != "" {
		l.say(Message{Kind: KindRoom, ID: l.c.opts.Room})
		l.enter(StateJoining, replyWait)
		return nil
	}
	l.enter(StateWaiting, 0)
	return l.call()
}

// call asks for the session with the peer, unless its last session still flows: then the end of that is waited for.
func (l *link) call() error {
	if l.c.opts.Peer == "" || l.c.kept[l.c.opts.Peer] != nil {
		return nil
	}
	l.say(Message{Kind: KindSession, ID: l.c.opts.Peer})
	l.enter(StateCalling, replyWait)
	return nil
}

// connected is called when the peer has been reached: whoever calls makes the offer, or asks for one.
func (l *link) connected() error {
	l.retry.reset()
	l.enter(StateInCall, 0)
	l.begin(&call{peer: l.c.opts.Peer})
	return nil
}

// refused takes an ERROR. A peer that is unknown or busy is called again, on the same socket.
func (l *link) refused(text string) error {
	switch l.c.state {
	case StateCalling:
		delay := l.retry.next()
		if l.retry.attempt == 1 {
			l.c.log.Info("peer can't be called, will retry", keyPeer, l.c.opts.Peer, keyAnswer, text)
		}
		l.enter(StateWaiting, delay)
		return nil
	case StateRegistering, StateJoining:
		return fmt.Errorf("server answered while %s: %s", l.c.state, text)
	}
	l.c.log.Debug("error from the signalling server", keyAnswer, text)
	return nil
}

// settle ends the calls that are left: closes them when somebody hung up, else detaches them.
func (l *link) settle(hungUp bool) {
	for _, cl := range l.calls {
		switch {
		case hungUp, cl.session == nil:
			l.end(cl)
		default:
			cl.over.Store(true)
			l.c.keep(cl.peer, cl.session)
		}
	}
	clear(l.calls)
}
