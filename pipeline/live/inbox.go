package live

import (
	"errors"
	"sync"
	"sync/atomic"
)

// inboxSize is how many messages of a viewer may wait: some more than a page sends within a second, offer and ICE candidates together.
const inboxSize = 128

// errFlood ends a viewer that sends messages faster than they can be dealt with.
var errFlood = errors.New("more messages than a viewer may send at once")

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
	flooded  atomic.Bool // Close was called because too many messages wait
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
		i.flooded.Store(true)
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
	switch {
	case i.ousted.Load():
		return ended(causeReplaced, nil)
	case i.flooded.Load():
		return ended(causeRefused, errFlood)
	case i.detached.Load():
		return ended(causeServer, nil)
	}
	return ended(causeHungUp, nil)
}
