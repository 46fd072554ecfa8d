package signalling

import (
	"context"
	"errors"

	"boardcast/internal/sdp"
)

// ErrFull is wrapped by the error of [Media.Open] when no more viewers are taken. The caller hears "busy" and may try again.
var ErrFull = errors.New("no more viewers are taken")

// Media is the streamer behind the signalling.
type Media interface {
	// Open makes the media side of one session. send delivers to the remote peer. It never blocks and may be called from any
	// goroutine, also before Open returns. After the signalling is gone it drops the message.
	//
	// Open may take its time: it is called on a goroutine of its own, without a lock held, and only the caller waits for it. ctx
	// ends when the caller has gone or the program ends. Then Open returns soon, with an error. With any error the caller hears
	// "busy". Only [ErrFull] is expected and not logged as a failure.
	Open(ctx context.Context, caller Caller, send func(sdp.Message)) (Session, error)
}

// Session is the media of one remote peer. Either Detach or Close is called, once, and nothing after it. There is one exception: a
// client calls Close after Detach when its Run ends or the peer calls anew.
type Session interface {
	// Receive hands over a message of the remote peer. Messages come in order. It never blocks.
	Receive(sdp.Message)
	// Detach says that the signalling is gone, though nobody hung up. The media go on for as long as they flow.
	Detach()
	// Close hangs up.
	Close()
	// Done is closed when the media have ended, for whatever reason.
	Done() <-chan struct{}
}
