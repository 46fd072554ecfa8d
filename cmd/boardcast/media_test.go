package main

import (
	"context"
	"errors"
	"testing"

	"boardcast/internal/signalling"
	"boardcast/pipeline/live"
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
		message live.Message
	}{
		"offer": {
			signalling.Payload{SDP: &signalling.Description{Type: "offer", SDP: "v=0"}}, live.Message{Type: "offer", SDP: "v=0"},
		},
		"candidate": {
			signalling.Payload{ICE: &signalling.Candidate{Candidate: "c", SDPMLineIndex: 2}}, live.Message{Candidate: "c", MLine: 2},
		},
		"request": {signalling.Payload{OfferRequest: true}, live.Message{OfferRequest: true}},
		"error":   {signalling.Payload{Error: "no codec"}, live.Message{Error: "no codec"}},
	} {
		if got := message(tc.payload); got != tc.message {
			t.Errorf("%s: read as %+v", name, got)
		}
		if got, want := payload(tc.message).String(), tc.payload.String(); got != want {
			t.Errorf("%s: written as %s, want %s", name, got, want)
		}
	}
}
