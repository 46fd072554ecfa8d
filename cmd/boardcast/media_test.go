package main

import (
	"context"
	"errors"
	"testing"

	"boardcast/internal/sdp"
	"boardcast/internal/signalling"
)

// A caller that has gone by the time that the program is ready gets no viewer: without a broadcast, making one would panic.
func TestCallerThatHasGone(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	m := &media{ctx: t.Context(), ready: make(chan struct{})}
	close(m.ready)
	for range 100 { // of two that are ready, select takes either
		s, err := m.Open(gone, signalling.Caller{ID: "v"}, func(sdp.Message) {})
		if s != nil || !errors.Is(err, errStarting) {
			t.Fatalf("session %v, error %v", s, err)
		}
	}
}
