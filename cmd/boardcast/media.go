package main

import (
	"context"
	"errors"

	"boardcast/internal/signalling"
	"boardcast/pipeline/live"
	"boardcast/pipeline/places"
)

// media is the streamer as the signalling sees it. It is registered before GStreamer is up, so that a page that is already
// open does not have to ask again: Open waits for ready.
type media struct {
	ctx       context.Context //nolint:containedctx // the program's life: a caller that waits for ready must not outlast it
	ready     chan struct{}
	broadcast *live.Broadcast // set before ready is closed
}

// errStopping answers callers while the program ends, errStarting those who would not wait for its beginning.
var (
	errStopping = errors.New("the program is stopping")
	errStarting = errors.New("the program is starting")
)

// join waits for ready and makes a viewer, unless the caller has gone before: then ctx has ended.
func (m *media) join(ctx context.Context, caller signalling.Caller, send func(live.Message)) (*live.Viewer, error) {
	select {
	case <-m.ready:
	case <-m.ctx.Done():
		return nil, errStopping
	case <-ctx.Done():
		return nil, errStarting
	}
	if ctx.Err() != nil { // both came true at once
		return nil, errStarting
	}
	return m.broadcast.Join(caller.ID, places.Origin{Near: caller.Near, Address: caller.Address}, send)
}

// Open implements [signalling.Media].
func (m *media) Open(ctx context.Context, caller signalling.Caller, send func(signalling.Payload)) (signalling.Session, error) {
	v, err := m.join(ctx, caller, func(msg live.Message) {
		if !msg.Gathered { // peers of the family have no use for it, and some none for an empty candidate
			send(payload(msg))
		}
	})
	switch {
	case errors.Is(err, places.ErrFull):
		return nil, signalling.ErrFull
	case err != nil:
		return nil, err
	}
	return session{v}, nil
}

// session is a viewer as the signalling sees it.
type session struct{ *live.Viewer }

// Receive implements [signalling.Session].
func (s session) Receive(p signalling.Payload) { s.Viewer.Receive(message(p)) }

func payload(m live.Message) signalling.Payload {
	switch {
	case m.Error != "":
		return signalling.Payload{Error: m.Error}
	case m.OfferRequest:
		return signalling.Payload{OfferRequest: true}
	case m.Type != "":
		return signalling.Payload{SDP: &signalling.Description{Type: m.Type, SDP: m.SDP}}
	default:
		return signalling.Payload{ICE: &signalling.Candidate{Candidate: m.Candidate, SDPMLineIndex: m.MLine}}
	}
}

func message(p signalling.Payload) live.Message {
	switch {
	case p.Error != "":
		return live.Message{Error: p.Error}
	case p.SDP != nil:
		return live.Message{Type: p.SDP.Type, SDP: p.SDP.SDP}
	case p.ICE != nil:
		return live.Message{Candidate: p.ICE.Candidate, MLine: p.ICE.SDPMLineIndex}
	default:
		return live.Message{OfferRequest: true}
	}
}
