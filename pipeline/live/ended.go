package live

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"boardcast/pipeline/media"
)

// cause is what ended a viewer.
type cause int

const (
	causeFailed      cause = iota // none of the others: something of ours failed
	causeClosed                   // the viewer closed the connection in order
	causeUnsendable               // nothing can be sent to the viewer any more
	causeSilent                   // nothing was heard from the viewer for too long
	causeDetached                 // the same, after signalling was gone
	causeLeftEarly                // signalling was gone before the connection was up
	causeUnconnected              // ICE found no pair of addresses, or there was no progress in time
	causeRefused                  // we took no offer or answer of the viewer's, or the viewer sent more than it may
	causeDeclined                 // the viewer took no offer or answer of ours
	causeReplaced                 // another viewer needed the place
	causeHungUp                   // the viewer, or our server for it, hung up
	causeServer                   // our signalling client ended a session whose signalling was gone: the peer calls anew, or the client ends
	causeProgram                  // the program ends
)

// causes is how the log tells each cause, and where the viewer is a media server that we publish to, if that is another thing. A
// viewer that goes is no fault of the program's: such ends are logged at info.
var causes = [...]struct {
	words    string
	ofServer string // empty: as of any viewer
	level    slog.Level
}{
	causeFailed:      {"failed", "", slog.LevelWarn},
	causeClosed:      {"closed the connection: left the page, or stopped the player", "the media server closed the connection", slog.LevelInfo},
	causeUnsendable:  {"closed the page without hanging up, or its network is gone", "the media server is gone, or its network", slog.LevelInfo},
	causeSilent:      {"lost: nothing was heard from the viewer", "lost: nothing was heard from the media server", slog.LevelInfo},
	causeDetached:    {"lost: signalling ended, and nothing was heard from the viewer since", "", slog.LevelInfo},
	causeLeftEarly:   {"left before the connection was up", "", slog.LevelInfo},
	causeUnconnected: {"not connected", "", slog.LevelInfo},
	causeRefused:     {"refused", "", slog.LevelInfo},
	causeDeclined:    {"declined by the viewer", "declined by the media server", slog.LevelInfo},
	causeReplaced:    {"not connected yet, and replaced by another viewer: all places were taken", "", slog.LevelInfo},
	causeHungUp:      {"hung up: left the page, or stopped the player", "publishing ended", slog.LevelInfo},
	causeServer:      {"its session at the signalling server is over", "", slog.LevelInfo},
	causeProgram:     {"the program ends or begins again", "", slog.LevelInfo},
}

func (c cause) String() string { return causes[c].words }

// of says the cause in words that fit a viewer, or a media server that we publish to.
func (c cause) of(server bool) string {
	if server {
		return cmp.Or(causes[c].ofServer, causes[c].words)
	}
	return causes[c].words
}

// ending is the end of a viewer.
type ending struct {
	cause  cause
	detail error // nil where the cause tells all
	debug  bool  // the detail is an element's text, which tells people less than the cause
}

// ended ends a viewer.
func ended(c cause, detail error) error { return &ending{cause: c, detail: detail} }

// Error is the cause with its detail.
func (e *ending) Error() string {
	if e.detail == nil {
		return e.cause.String()
	}
	return e.cause.String() + ": " + e.detail.Error()
}

func (e *ending) Unwrap() error { return e.detail }

// endingOf finds what ended a viewer in the error that its loop returned. An error that names no cause is a failure.
func endingOf(ctx context.Context, err error) *ending {
	e := &ending{cause: causeFailed, detail: err}
	if ctx.Err() != nil { // at the program's end signalling may hang up first
		return &ending{cause: causeProgram}
	}
	errors.As(err, &e)
	return e
}

// tellEnd logs the end of a viewer, in one line. sent is what the viewer was sent until then.
func (v *Viewer) tellEnd(ctx context.Context, e *ending, sent media.PeerCount) {
	at := causes[e.cause].level
	args := []any{"reason", e.cause.of(v.publishes)}
	if e.detail != nil && !e.debug {
		args = append(args, "error", e.detail)
	}
	if v.since.IsZero() {
		args = append(args, "duration_seconds", time.Since(v.stat.now.Since).Seconds())
		if v.publishes { // the WHIP client logs why, once
			at = slog.LevelDebug
		}
	} else {
		watched := time.Since(v.since).Seconds()
		args = append(args, "watched_seconds", watched, "frames_sent", sent.VideoFrames, "bitrate_bps", meanRate(sent.Bytes, watched))
	}
	v.log.Log(ctx, at, "viewer gone", args...)
	if e.debug {
		v.log.Debug("an element failed as the viewer went", "error", e.detail)
	}
}

// meanRate is bits per second; 0 for no time.
func meanRate(bytes uint64, seconds float64) int64 {
	if seconds <= 0 {
		return 0
	}
	return int64(float64(bytes) * 8 / seconds)
}
