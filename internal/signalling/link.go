package signalling

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Ends of a connection that are no failures of it.
var (
	errEnded = errors.New("call ended") // the only call is over: either side has hung up
	errHeld  = errors.New("server refuses our id")
)

// link is one socket of a [Client]. All its fields but the wire belong to Run's goroutine. One more goroutine reads, one
// writes, and one for each session waits for the session's end.
type link struct {
	*wire
	c      *Client
	events events
	wg     sync.WaitGroup
	since  time.Time   // when the client was registered; zero before
	timer  *time.Timer // runs out when the state has lasted too long
	retry  backoff     // between one SESSION and the next
	calls  calls
}

// events are the reports of a link's other goroutines to Run's.
type events struct {
	frames   chan frame    // messages; the reading goroutine closes it after setting readErr
	readErr  error         // why reading ended
	opened   chan opening  // the media have opened a call's session, or failed to
	ended    chan *call    // a call's media have ended
	released chan string   // the media of the kept session with this peer have ended
	quit     chan struct{} // closed when Run's goroutine takes no more events
}

func newEvents() events {
	return events{
		frames: make(chan frame), opened: make(chan opening), ended: make(chan *call), released: make(chan string), quit: make(chan struct{}),
	}
}

func newLink(c *Client, ws *websocket.Conn) *link {
	return &link{wire: newWire(ws, clientLimits), c: c, events: newEvents(), timer: time.NewTimer(replyWait), calls: newCalls()}
}

// run serves the socket until it ends. Then it closes or detaches the sessions.
func (l *link) run(ctx context.Context) error {
	l.wg.Go(l.write)
	l.wg.Go(l.listen)
	l.say(Message{Kind: KindHello, ID: l.c.id})
	l.enter(StateRegistering, replyWait)
	for peer, session := range l.c.kept {
		l.wg.Go(func() { watch(session, l.events.released, peer, l.events.quit) })
	}
	err := l.loop(ctx)
	l.timer.Stop()
	l.finish(websocket.CloseNormalClosure, "") // has no effect if the server has closed the socket
	l.settle(ctx.Err() != nil || errors.Is(err, errEnded))
	close(l.events.quit)
	l.wg.Wait()
	if !l.since.IsZero() && time.Since(l.since) >= stableAfter && !errors.Is(err, errTooMany) {
		l.c.backoff.reset()
		l.c.lastErr = ""
	}
	return err
}

// loop takes one event after the other. The error says what ended the connection.
func (l *link) loop(ctx context.Context) error {
	look := time.NewTicker(addressEvery)
	defer look.Stop()
	for {
		l.openDue(ctx)
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case f, open := <-l.events.frames:
			if !open {
				return l.lost()
			}
			err = l.hear(f)
		case <-l.timer.C:
			err = l.late()
		case <-look.C: // each tick also has the loop call openDue again
			err = l.homeless()
		case o := <-l.events.opened:
			err = l.hasOpened(o)
		case ended := <-l.events.ended:
			err = l.mediaEnded(ended)
		case peer := <-l.events.released:
			l.c.forgetEnded()
			err = l.afterKept(peer)
		}
		if err != nil {
			return err
		}
	}
}

// lost says what the end of the socket means. In a call an orderly close means that the partner has hung up.
func (l *link) lost() error {
	readErr := l.events.readErr
	code := closeCode(readErr)
	switch {
	case errors.Is(readErr, errTooMany):
		return fmt.Errorf("server sends more than a client accepts: %w", errTooMany)
	case code == websocket.CloseNormalClosure && l.c.state == StateInCall:
		return errEnded
	case code == websocket.CloseProtocolError && l.c.state == StateRegistering:
		return fmt.Errorf("%w: %s", errHeld, quoteID(l.c.id, 64))
	case l.reason() != "":
		return fmt.Errorf("server is gone: %s", l.reason())
	}
	return fmt.Errorf("read: %w", readErr)
}

// listen is the reading goroutine.
func (l *link) listen() {
	for {
		f, err := l.read()
		if err != nil {
			l.events.readErr = err
			l.stop(err)
			close(l.events.frames)
			l.drain(err)
			return
		}
		select {
		case l.events.frames <- f:
		case <-l.events.quit: // reading goes on until the socket has closed
		}
	}
}

// homeless returns an error when this machine no longer has the socket's address. Nothing goes through the socket then, and
// reading from it does not fail.
func (l *link) homeless() error {
	address := l.ws.LocalAddr()
	if l.c.home(address) {
		return nil
	}
	l.cut() // a close frame could not be sent
	return fmt.Errorf("the address %s is no longer this machine's", address)
}

func (l *link) say(m Message) { l.send(frame{text: m.String()}) }

// enter changes the state. late is called when the state lasts longer than limit, unless limit is 0.
func (l *link) enter(s State, limit time.Duration) {
	l.timer.Stop()
	if limit > 0 {
		l.timer.Reset(limit)
	}
	l.c.enter(s)
}

// late is called when the state has lasted too long. A client that waits for a busy peer then calls it again.
func (l *link) late() error {
	if l.c.state == StateWaiting {
		return l.call()
	}
	return fmt.Errorf("no answer while %s", l.c.state)
}

// hear takes one message. A message that does not fit the state is ignored.
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
	case m.Kind == KindError && l.c.state == StateInCall: // the partner said it: in a session the server has nothing to refuse
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

// call asks the server for a session with the peer. While the kept session with that peer still has media, it does nothing:
// afterKept calls it again.
func (l *link) call() error {
	if l.c.opts.Peer == "" || l.c.kept[l.c.opts.Peer] != nil {
		return nil
	}
	l.say(Message{Kind: KindSession, ID: l.c.opts.Peer})
	l.enter(StateCalling, replyWait)
	return nil
}

// connected is called when the server has made the session. The side that calls, here we, makes the offer or asks for one.
func (l *link) connected() error {
	l.retry.reset()
	l.enter(StateInCall, 0)
	l.begin(&call{peer: l.c.opts.Peer})
	return nil
}

// refused takes an ERROR of the server. A peer that is unknown or busy is called again on the same socket.
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

// settle ends the calls that are left. When a side has hung up their sessions are closed, else they are detached.
func (l *link) settle(hungUp bool) {
	for _, cl := range l.calls.byKey {
		switch {
		case hungUp, cl.session == nil:
			l.calls.end(cl)
		default:
			cl.over.Store(true)
			l.c.keep(cl.peer, cl.session)
		}
	}
	clear(l.calls.byKey)
}
