package web

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// start runs a server on a free port of the loopback; stop ends it and returns how long that took.
func start(t *testing.T, s *Server) (addr string, stop func() time.Duration) {
	t.Helper()
	listen, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stopped := false
	stop = func() time.Duration {
		stopped = true
		begin := time.Now()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		return time.Since(begin)
	}
	t.Cleanup(func() {
		if !stopped {
			stop()
		}
	})
	return listen.String(), stop
}

func fetch(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestRunServesUntilTheEnd(t *testing.T) {
	s := New(Options{Access: open, Listen: "127.0.0.1:0"})
	addr, stop := start(t, s)
	if got, want := s.URLs(), "http://"+addr+"/"; len(got) != 1 || got[0] != want {
		t.Errorf("URLs %v, want %s", got, want)
	}
	if code, body := fetch(t, "http://"+addr+"/health"); code != 200 || body != "OK\n" {
		t.Errorf("health: %d %q", code, body)
	}
	stop()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatalf("the port is not given back: %v", err)
	}
	_ = ln.Close()
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(10 * time.Second)) // a test fails rather than hangs
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// wantClosed reads a connection to its end, and fails the test if it does not end.
func wantClosed(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := io.ReadAll(c); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection was left open")
	}
}

// A browser opens connections in advance; http.Server.Shutdown alone would wait for them.
func TestShutdownDoesNotWaitForSilentConnections(t *testing.T) {
	s := New(Options{Access: open, Listen: "127.0.0.1:0"})
	s.grace = time.Minute
	addr, stop := start(t, s)
	silent := dial(t, addr)
	fetch(t, "http://"+addr+"/health") // the one before has been accepted by now
	if took := stop(); took > 2*time.Second {
		t.Errorf("shutdown took %v", took)
	}
	wantClosed(t, silent)
}

func TestShutdownIsBounded(t *testing.T) {
	if s := New(Options{}); s.grace != 2*time.Second {
		t.Errorf("grace %v, want 2s", s.grace)
	}
	reached, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	hang := func() {
		close(reached)
		<-release
	}
	tests := map[string]struct {
		opts    Options
		request string
	}{
		"status":  {Options{Access: open, Status: func() any { hang(); return nil }}, "GET /api/status HTTP/1.1\r\nHost: localhost\r\n\r\n"},
		"handler": {Options{Access: open, Signalling: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hang() })}, upgrade},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			reached = make(chan struct{})
			tt.opts.Listen = "127.0.0.1:0"
			s := New(tt.opts)
			s.grace = 50 * time.Millisecond
			addr, stop := start(t, s)
			c := dial(t, addr)
			_, _ = io.WriteString(c, tt.request)
			<-reached
			if took := stop(); took < s.grace || took > 2*time.Second {
				t.Errorf("shutdown took %v, want it soon after %v", took, s.grace)
			}
			wantClosed(t, c)
		})
	}
}

const upgrade = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

// Run neither waits for a connection that the signalling took over, nor closes it.
func TestShutdownLeavesSockets(t *testing.T) {
	taken := make(chan net.Conn, 1)
	s := New(Options{Access: open, Listen: "127.0.0.1:0", Signalling: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
		}
		taken <- c
	})})
	addr, stop := start(t, s)
	c := dial(t, addr)
	_, _ = io.WriteString(c, upgrade)
	socket := <-taken
	defer socket.Close()
	if took := stop(); took > time.Second {
		t.Errorf("shutdown took %v", took)
	}
	if _, err := socket.Write([]byte("x")); err != nil {
		t.Errorf("the socket was closed: %v", err)
	}
}

func TestHeadersAreBounded(t *testing.T) {
	addr, _ := start(t, New(Options{Access: open, Listen: "127.0.0.1:0"}))
	c := dial(t, addr)
	_, _ = fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: localhost\r\nX: %s\r\n\r\n", strings.Repeat("x", 2*maxHeaderBytes))
	answer := make([]byte, 64)
	n, _ := c.Read(answer)
	if got := string(answer[:n]); !strings.HasPrefix(got, "HTTP/1.1 431") {
		t.Errorf("answer %q, want 431", got)
	}
}

func TestLogLevels(t *testing.T) {
	var logged bytes.Buffer
	s := New(Options{Access: open, Logger: slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	for line, want := range map[string]string{
		"http: panic serving 192.0.2.1:1: oh\nstack\n":      "level=ERROR",
		"http: TLS handshake error from 192.0.2.1:1: EOF\n": "level=DEBUG",
	} {
		logged.Reset()
		s.httpServer(t.Context()).ErrorLog.Print(line)
		if !strings.Contains(logged.String(), want) {
			t.Errorf("%q is logged as %q, want %s", line, &logged, want)
		}
	}
}

func TestListenErrors(t *testing.T) {
	other, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	busy := other.Addr().String()
	_, port, _ := net.SplitHostPort(busy)
	tests := []struct {
		name     string
		opts     Options
		wantIs   error
		wantText string
		wantHint string
	}{
		{"busy port", Options{Listen: busy}, syscall.EADDRINUSE, "port " + port + " is in use", "--listen 127.0.0.1:"},
		{"not ours", Options{Listen: "192.0.2.77:0"}, syscall.EADDRNOTAVAIL, "192.0.2.77 is no address of this machine", "--listen :0"},
		{"no port", Options{Listen: "8080"}, nil, "listen on 8080", "--listen :8080"},
		{"port too big", Options{Listen: ":70000"}, nil, "70000", "65535"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := New(tt.opts)
			_, err := s.Listen()
			var e *ListenError
			if !errors.As(err, &e) {
				t.Fatalf("error %v is no *ListenError", err)
			}
			if tt.wantIs != nil && !errors.Is(err, tt.wantIs) {
				t.Errorf("error %v is not %v", err, tt.wantIs)
			}
			if !strings.Contains(err.Error(), tt.wantText) || !strings.Contains(e.Hint(), tt.wantHint) {
				t.Errorf("error %q, hint %q; want %q, %q", err, e.Hint(), tt.wantText, tt.wantHint)
			}
			if runErr := s.Run(t.Context()); runErr == nil || runErr.Error() != err.Error() {
				t.Errorf("Run says %v", runErr)
			}
			if s.URLs() != nil {
				t.Errorf("URLs %v", s.URLs())
			}
		})
	}
}

func TestNextPort(t *testing.T) {
	for port, want := range map[string]string{"8080": "8081", "65535": "8081", "http": "8081", "1": "2"} {
		if got := nextPort(port); got != want {
			t.Errorf("nextPort(%s) = %s, want %s", port, got, want)
		}
	}
}

func TestTLS(t *testing.T) {
	shown, pool := selfSigned(t)
	s := New(Options{Access: open, Listen: "127.0.0.1:0", Certificate: shown.get, Signalling: signalling})
	addr, _ := start(t, s)
	if got := s.URLs(); len(got) != 1 || got[0] != "https://"+addr+"/" {
		t.Errorf("URLs %v", got)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+addr+"/health", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.Proto != "HTTP/1.1" {
		t.Errorf("%d over %s, want 200 over HTTP/1.1, which a WebSocket needs", resp.StatusCode, resp.Proto)
	}
}

// certificate is what a server shows; a test may change it.
type certificate struct {
	atomic.Pointer[tls.Certificate]
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.Load(), nil }

// selfSigned makes a certificate for 127.0.0.1.
func selfSigned(t *testing.T) (shown *certificate, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "test"},
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(leaf)
	shown = &certificate{}
	shown.Store(&tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf})
	return shown, pool
}
