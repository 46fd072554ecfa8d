package live

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// inboxSize is how many messages of a viewer may wait: some more than a page sends within a second, offer and ICE candidates together.
const inboxSize = 128

// errOusted ends a viewer whose place another has.
var errOusted = errors.New("not connected yet, and gave way to another viewer: all places were taken")

// errGone ends a viewer without being a failure.
var errGone = errors.New("gone")

// inbox is what other goroutines tell a viewer, and how they learn of its end.
//
// # Concurrency
//
// Its methods may be called from any goroutine, and never wait.
type inbox struct {
	messages chan Message
	hangup   chan struct{} // closed by Close
	hangOnce sync.Once
	ousted   atomic.Bool // Close was called because another viewer needs the place
	detached atomic.Bool // signalling is gone
	done     chan struct{}
}

func newInbox() inbox {
	return inbox{messages: make(chan Message, inboxSize), hangup: make(chan struct{}), done: make(chan struct{})}
}

// Receive hands over a message of the other side. The viewer ends when more messages wait than it has room for.
func (i *inbox) Receive(m Message) {
	select {
	case i.messages <- m:
	default:
		i.Close()
	}
}

// Detach tells that signalling is gone while the call is not hung up: media goes on as long as the other side lives.
func (i *inbox) Detach() { i.detached.Store(true) }

// Close hangs up. Done tells when the viewer is gone.
func (i *inbox) Close() { i.hangOnce.Do(func() { close(i.hangup) }) }

// Done is closed when the viewer is gone and its connection closed.
func (i *inbox) Done() <-chan struct{} { return i.done }

// giveWay ends a viewer that is not connected yet, for another.
func (i *inbox) giveWay() {
	i.ousted.Store(true)
	i.Close()
}

// hungUp is why a viewer ends that was hung up.
func (i *inbox) hungUp() error {
	if i.ousted.Load() {
		return errOusted
	}
	return fmt.Errorf("%w: hung up", errGone)
}
