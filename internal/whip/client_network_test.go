package whip

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"boardcast/internal/sdp"
)

// An error of the network is logged, without the secrets of the URL.
func TestClientWithoutNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		c := NewClient(ClientOptions{
			URL: "http://media.example/whip?key=" + secretQuery, Token: token, Transport: deadNetwork{},
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
		}, &fakeMedia{script: says(sdp.TypeOffer, answerText)})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
		text := log.String()
		if !strings.Contains(text, "POST http://media.example/whip: no route to host") || strings.Contains(text, secretQuery) {
			t.Errorf("log:\n%s", text)
		}
		if !strings.Contains(text, "goes out unencrypted") || strings.Contains(text, token) {
			t.Errorf("no warning of http, or the token itself:\n%s", text)
		}
	})
}

// resettingNetwork breaks each connection, which has a port of its own.
type resettingNetwork struct{ port atomic.Int32 }

func (n *resettingNetwork) RoundTrip(*http.Request) (*http.Response, error) {
	from := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 50000 + int(n.port.Add(1))}
	return nil, &net.OpError{
		Op: "read", Net: "tcp", Source: from, Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 9), Port: 443}, Err: syscall.ECONNRESET,
	}
}

// A failure is logged once, though its text names another port of ours each time.
func TestClientLogsARepeatedFailureOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		n := &resettingNetwork{}
		c := NewClient(ClientOptions{
			URL: "https://media.example/whip", Transport: n, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		}, &fakeMedia{script: says(sdp.TypeOffer, answerText)})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
		if lines := strings.Count(log.String(), "\n"); lines != 1 || n.port.Load() < 10 {
			t.Errorf("%d lines of %d attempts:\n%s", lines, n.port.Load(), &log)
		}
	})
}
