package main

import (
	"context"
	"errors"

	"boardcast/internal/signalling"
	"boardcast/pipeline"
)

// media is the streamer as the signalling sees it. It is registered before GStreamer is up, so that a page that is already
// open does not have to ask again: Open waits for ready.
type media struct {
	ctx       context.Context //nolint:containedctx // the program's life: a caller that waits for ready must not outlast it
	ready     chan struct{}
	broadcast *pipeline.Broadcast // set before ready is closed
}

// errStopping answers callers while the program ends.
var errStopping = errors.New("the program is stopping")

// Open implements [signalling.Media].
func (m *media) Open(peer string, send func(signalling.Payload)) (signalling.Session, error) {
	select {
	case <-m.ready:
	case <-m.ctx.Done():
		return nil, errStopping
	}
	v, err := m.broadcast.Join(peer, func(msg pipeline.Message) { send(payload(msg)) })
	switch {
	case errors.Is(err, pipeline.ErrFull):
		return nil, signalling.ErrFull
	case err != nil:
		return nil, err
	}
	return session{v}, nil
}

// session is a viewer as the signalling sees it.
type session struct{ *pipeline.Viewer }

// Receive implements [signalling.Session].
func (s session) Receive(p signalling.Payload) { s.Viewer.Receive(message(p)) }

func payload(m pipeline.Message) signalling.Payload {
	switch {
	case m.OfferRequest:
		return signalling.Payload{OfferRequest: true}
	case m.Type != "":
		return signalling.Payload{SDP: &signalling.Description{Type: m.Type, SDP: m.SDP}}
	default:
		return signalling.Payload{ICE: &signalling.Candidate{Candidate: m.Candidate, SDPMLineIndex: m.MLine}}
	}
}

func message(p signalling.Payload) pipeline.Message {
	switch {
	case p.SDP != nil:
		return pipeline.Message{Type: p.SDP.Type, SDP: p.SDP.SDP}
	case p.ICE != nil:
		return pipeline.Message{Candidate: p.ICE.Candidate, MLine: p.ICE.SDPMLineIndex}
	default:
		return pipeline.Message{OfferRequest: true}
	}
}
