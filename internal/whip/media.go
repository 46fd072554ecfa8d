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

// Media opens sessions. It is the streamer.
type Media interface {
	// Open makes the media side of one session. It may wait until ctx ends. peer is a name for the log. from is the address of the
	// other side, the zero Addr where that is not known. send delivers the session's messages. It never blocks, and may be called
	// from any goroutine until the session is done.
	Open(ctx context.Context, peer string, from netip.Addr, send func(sdp.Message)) (Session, error)
}

// Session is the media of one player or server.
type Session interface {
	// Receive hands over a message of the other side. Messages come in order. It never blocks.
	Receive(sdp.Message)
	// Close hangs up.
	Close()
	// Done is closed when the media have ended, for whatever reason.
	Done() <-chan struct{}
}

// Media types of the bodies, and how much of a body is read.
const (
	sdpType      = "application/sdp"
	fragmentType = "application/trickle-ice-sdpfrag"
	maxSDP       = 64 << 10 // bytes of a description: a browser's is under 20 kB
	maxFragment  = 32 << 10 // bytes of a fragment: maxCandidates of maxCandidate bytes
)

// Keys of this package's log attributes.
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
