package whip

import (
	"context"
	"errors"
	"net/netip"

	"boardcast/internal/sdp"
)

// Errors that [Media.Open] wraps when a later attempt may do better.
var (
	ErrFull  = errors.New("no more viewers are taken")
	ErrLater = errors.New("not ready yet")
)

// Media is the streamer behind the HTTP.
type Media interface {
	// Open makes the media side of one session, which sends and takes nothing. It may wait until ctx ends. from is the address of
	// the other side, the zero Addr where that is not known. send delivers what the session says; it never blocks and may be
	// called from any goroutine until the session is done.
	Open(ctx context.Context, peer string, from netip.Addr, send func(sdp.Message)) (Session, error)
}

// Session is the media of one player or server.
type Session interface {
	// Receive hands over what the other side said, in order. It never blocks.
	Receive(sdp.Message)
	// Close hangs up.
	Close()
	// Done is closed when the media has ended, for whatever reason.
	Done() <-chan struct{}
}

// Media types of the bodies, and the bounds of what is read of one.
const (
	sdpType      = "application/sdp"
	fragmentType = "application/trickle-ice-sdpfrag"
	maxSDP       = 64 << 10 // bytes; a browser's offer is under 20 kB
	maxFragment  = 32 << 10 // bytes
)

// Keys of the log attributes of this package.
const (
	keyAttempt = "attempt"
	keyDelay   = "delay_seconds"
	keyError   = "error"
	keyHint    = "hint"
	keyPeer    = "peer"
	keyServer  = "server"
	keyServers = "ice_servers"
	keyStatus  = "status"
)
