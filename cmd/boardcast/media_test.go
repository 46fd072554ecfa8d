package main

import (
	"context"
	"errors"
	"testing"

	"boardcast/internal/signalling"
	"boardcast/pipeline"
)

// A caller that has gone by the time that the program is ready gets no viewer: without a broadcast, making one would panic.
func TestCallerThatHasGone(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	m := &media{ctx: t.Context(), ready: make(chan struct{})}
	close(m.ready)
	for range 100 { // of two that are ready, select takes either
		s, err := m.Open(gone, signalling.Caller{ID: "v"}, func(signalling.Payload) {})
		if s != nil || !errors.Is(err, errStarting) {
			t.Fatalf("session %v, error %v", s, err)
		}
	}
}

func TestPayloadsAndMessages(t *testing.T) {
	for name, tc := range map[string]struct {
		payload signalling.Payload
		message pipeline.Message
	}{
		"offer": {
			signalling.Payload{SDP: &signalling.Description{Type: "offer", SDP: "v=0"}}, pipeline.Message{Type: "offer", SDP: "v=0"},
		},
		"candidate": {
			signalling.Payload{ICE: &signalling.Candidate{Candidate: "c", SDPMLineIndex: 2}}, pipeline.Message{Candidate: "c", MLine: 2},
		},
		"request": {signalling.Payload{OfferRequest: true}, pipeline.Message{OfferRequest: true}},
		"error":   {signalling.Payload{Error: "no codec"}, pipeline.Message{Error: "no codec"}},
	} {
		if got := message(tc.payload); got != tc.message {
			t.Errorf("%s: read as %+v", name, got)
		}
		if got, want := payload(tc.message).String(), tc.payload.String(); got != want {
			t.Errorf("%s: written as %s, want %s", name, got, want)
		}
	}
}
