package main

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"boardcast/configs"
	"boardcast/internal/sdp"
	"boardcast/internal/whip"
)

// Whoever comes before GStreamer is up is asked to come again, and so is whoever comes after the end.
func TestOneWayMediaThatAreNotReady(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, m := range map[string]*media{
		"starting": {ctx: t.Context(), ready: make(chan struct{})},
		"stopping": {ctx: ended, ready: make(chan struct{})},
	} {
		s, err := oneWay{m}.Open(ended, "p", netip.Addr{}, func(sdp.Message) {})
		if s != nil || !errors.Is(err, whip.ErrLater) {
			t.Errorf("%s: %v, %v; want whip.ErrLater", name, s, err)
		}
	}
}

func TestNoPublisherWithoutURL(t *testing.T) {
	for text, want := range map[string]bool{"": false, "https://media.example/whip": true} {
		cfg, err := configs.Load(configs.Options{Flags: map[string]string{"whip.url": text}})
		if err != nil {
			t.Fatal(err)
		}
		if got := newPublisher(cfg, &media{}, newLogger(cfg, t.Output())) != nil; got != want {
			t.Errorf("%q: a publisher: %v, want %v", text, got, want)
		}
	}
}
