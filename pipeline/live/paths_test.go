package live

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"boardcast/internal/ice"
	"boardcast/pipeline/media"
	"boardcast/pipeline/places"
)

// freePort is a port that nobody uses.
func freePort(t *testing.T) int {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// TestViewerWithoutPort: a viewer that finds no port is refused like one that finds no place, and keeps no place from others. The port
// is free again when its viewer has gone.
func TestViewerWithoutPort(t *testing.T) {
	port := freePort(t)
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		limit := places.New(2)
		b, e := startBroadcast(t, Options{
			Limit: limit, Paths: ice.New(ice.Options{Ports: ice.Range{First: port, Last: port}}), Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		first := joinConnected(t, b, e)
		if got := e.LastPeer().Options.Port; got != port {
			t.Errorf("the agent was given port %d, want %d", got, port)
		}
		for range 3 {
			if _, err := b.Join("second", places.Origin{}, func(Message) {}); !errors.Is(err, places.ErrFull) || !errors.Is(err, ice.ErrNoPort) {
				t.Fatalf("a viewer without a port: %v", err)
			}
		}
		if got := log.String(); !strings.Contains(got, "viewer refused") || !strings.Contains(got, "no free port among ice.port") {
			t.Errorf("log %s", got)
		}
		first.Close()
		<-first.Done()
		synctest.Wait()
		if _, err := b.Join("third", places.Origin{}, func(Message) {}); err != nil {
			t.Errorf("after the first has gone: %v", err)
		}
	})
}

// TestViewerIsToldOfPaths: what the agent finds reaches the viewer as the paths have it.
func TestViewerIsToldOfPaths(t *testing.T) {
	public := netip.MustParseAddr("203.0.113.7")
	synctest.Test(t, func(t *testing.T) {
		b, e := startBroadcast(t, Options{Paths: ice.New(ice.Options{
			STUN: "stun://s:3478", TURN: []string{"turn://u:p@t:3478"}, Advertised: []netip.Addr{public},
		})})
		_, p, box := join(t, b, e)
		if o := p.Options; o.STUN != "stun://s:3478" || len(o.TURN) != 1 || o.TURN[0] != "turn://u:p@t:3478" {
			t.Errorf("the agent was given %+v", o)
		}
		events(p, media.PeerEvent{Kind: media.CandidateFound, Text: earlyCandidate})
		if got := box.all(); len(got) != 1 || !strings.Contains(got[0], " 203.0.113.7 50001 typ host") {
			t.Errorf("the viewer was told %q", got)
		}
	})
}
