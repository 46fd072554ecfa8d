package main

import (
	"context"
	"errors"

	"boardcast/internal/sdp"
	"boardcast/internal/signalling"
	"boardcast/internal/web"
	"boardcast/pipeline/live"
	"boardcast/pipeline/places"
)

// media is the streamer as the signalling sees it. It is registered before GStreamer is up, so that a page that is already
// open does not have to ask again: Open waits for ready.
type media struct {
	ctx       context.Context //nolint:containedctx // the program's life: a caller that waits for ready must not outlast it
	ready     chan struct{}
	broadcast *live.Broadcast               // set before ready is closed
	devices   func() (away, limited string) // why the camera is not there, and why it runs in a lesser mode; nil where nothing can be
}

// said is what devices says, "" for what is as it should be.
func (m *media) said() (away, limited string) {
	if m.devices == nil {
		return "", ""
	}
	return m.devices()
}

// errStopping answers callers while the program ends, errStarting those who would not wait for its beginning.
var (
	errStopping = errors.New("the program is stopping")
	errStarting = errors.New("the program is starting")
)

// await waits until viewers can be made. It fails when the caller has gone before: then ctx has ended.
func (m *media) await(ctx context.Context) error {
	select {
	case <-m.ready:
	case <-m.ctx.Done():
		return errStopping
	case <-ctx.Done():
		return errStarting
	}
	if ctx.Err() != nil { // both came true at once
		return errStarting
	}
	return nil
}

// The ways by which sessions begin, as the log tells them. Package live adds "whip".
const (
	byPage   = "page"   // at our own signalling server
	byWHEP   = "whep"   // a player
	byServer = "server" // at a signalling server elsewhere
)

// join makes a viewer, unless the caller has gone. A viewer that came by a key, which the context tells, is ended with it.
func (m *media) join(ctx context.Context, caller signalling.Caller, way string, send func(sdp.Message)) (*live.Viewer, error) {
	if err := m.await(ctx); err != nil {
		return nil, err
	}
	v, err := m.broadcast.Join(caller.ID, places.Origin{Near: caller.Near, Address: caller.Address, Way: way}, send)
	if key := web.GrantOf(ctx).Done(); err == nil && key != nil {
		go endWith(key, v) // which ends with the viewer at the latest, and Broadcast.Run waits for that
	}
	return v, err
}

// Open implements [signalling.Media] for our own signalling server.
func (m *media) Open(ctx context.Context, caller signalling.Caller, send func(sdp.Message)) (signalling.Session, error) {
	return m.open(ctx, caller, byPage, send)
}

// elsewhere is the streamer as a client at another signalling server sees it.
type elsewhere struct{ *media }

// Open implements [signalling.Media].
func (e elsewhere) Open(ctx context.Context, caller signalling.Caller, send func(sdp.Message)) (signalling.Session, error) {
	return e.open(ctx, caller, byServer, send)
}

func (m *media) open(ctx context.Context, caller signalling.Caller, way string, send func(sdp.Message)) (signalling.Session, error) {
	v, err := m.join(ctx, caller, way, send)
	switch {
	case errors.Is(err, places.ErrFull):
		return nil, signalling.ErrFull
	case err != nil:
		return nil, err
	}
	return v, nil
}
