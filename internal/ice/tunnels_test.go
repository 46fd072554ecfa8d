package ice

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestTunnelChecksCertificate: a server whose certificate nobody knows gets nothing of what the agent says. (That a known one does is
// shown with coturn in test/e2e.)
func TestTunnelChecksCertificate(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	var log bytes.Buffer
	p := New(Options{
		TURN:   []string{"turns://u:hunter2@" + server.Listener.Addr().String()},
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err := p.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	path, err := p.Join(nil)
	if err != nil {
		t.Fatal(err)
	}
	leads, err := url.Parse(path.TURN[0])
	if err != nil {
		t.Fatal(err)
	}
	c, err := (&net.Dialer{Timeout: testWithin}).DialContext(t.Context(), "tcp", leads.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(testWithin)); err != nil {
		t.Fatal(err)
	}
	refused(t, c)
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	if got := log.String(); !strings.Contains(got, "TURN server not reached by TLS") || !strings.Contains(got, "certificate") || strings.Contains(got, "hunter2") {
		t.Errorf("log %s", got)
	}
}
