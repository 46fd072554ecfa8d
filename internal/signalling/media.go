package signalling

import (
	"context"
	"errors"

	"boardcast/internal/sdp"
)

// ErrFull is what [Media.Open] wraps when no more viewers are taken: the caller is answered "busy" and may try again.
var ErrFull = errors.New("no more viewers are taken")

// Media is the streamer behind the signalling.
type Media interface {
	// Open makes the media side of one session. send delivers to the remote peer; it never blocks and may be called from
	// any goroutine, before Open returns and after the signalling is gone (then it drops).
	//
	// Open may take its time, and then nobody waits but the caller: it is called from a goroutine of its own, without a lock
	// held. ctx ends when the caller has gone, or the program ends; Open then returns soon, with an error, for there is
	// nobody left to make a session for. Every error makes the caller hear "busy"; [ErrFull] alone is expected.
	Open(ctx context.Context, caller Caller, send func(sdp.Message)) (Session, error)
}

// Session is the media of one remote peer. One of Detach and Close is called exactly once, and nothing after it; only a
// client whose Run ends, or whose peer calls anew, calls Close after Detach.
type Session interface {
	// Receive hands over what the remote said, in order. It never blocks. An offer request means: make the offer.
	Receive(sdp.Message)
	// Detach says that the signalling is gone but nobody hung up: the media lives for as long as it flows.
	Detach()
	// Close hangs up.
	Close()
	// Done is closed when the media has ended, for whatever reason.
	Done() <-chan struct{}
}
