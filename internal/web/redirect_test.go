package web

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// startTLS runs a server of https, and returns what trusts it.
func startTLS(t *testing.T, opts Options) (addr string, shown *certificate, trust *tls.Config) {
	t.Helper()
	shown, pool := selfSigned(t)
	opts.Listen, opts.Certificate = "127.0.0.1:0", shown.get
	addr, _ = start(t, New(opts))
	return addr, shown, &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}
}

// Plain HTTP at the port of https is sent on to https, to the same host, path and query. A stranger's name is not.
func TestPlainHTTPIsSentOn(t *testing.T) {
	addr, _, _ := startTLS(t, Options{Access: open, Hosts: []string{"cam.example"}})
	tests := []struct {
		name, request string
		code          int
		location      string
	}{
		{"page", "GET / HTTP/1.1\r\nHost: 192.0.2.1:8080\r\n\r\n", 308, "https://192.0.2.1:8080/"},
		{"path and query", "GET /a%2Fb/c?camera=x&y=%20 HTTP/1.1\r\nHost: cam.example\r\n\r\n", 308, "https://cam.example/a%2Fb/c?camera=x&y=%20"},
		{"an offer", "POST /whep HTTP/1.1\r\nHost: [::1]:8080\r\nContent-Length: 4\r\n\r\nv=0\n", 308, "https://[::1]:8080/whep"},
		{"a large offer", "POST /whep HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n" + strings.Repeat("x", 60000), 308, "https://localhost/whep"},
		{"a socket", "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 308, "https://localhost/ws"},
		{"two slashes", "GET //evil.example/x HTTP/1.1\r\nHost: localhost\r\n\r\n", 308, "https://localhost//evil.example/x"},
		{"a stranger's name", "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421, ""},
		{"a stranger's name in the line", "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 421, ""},
		{"a name with a user", "GET / HTTP/1.1\r\nHost: localhost:80@evil.example\r\n\r\n", 421, ""},
		{"no name", "GET / HTTP/1.0\r\n\r\n", 400, ""},
		{"no HTTP", "HELLO 1\r\n\r\n", 400, ""},
		{"a header that is too long", "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", 2*maxHeaderBytes), 400, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := dial(t, addr)
			if _, err := io.WriteString(c, tt.request); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if got := resp.Header.Get("Location"); resp.StatusCode != tt.code || got != tt.location {
				t.Errorf("%d to %q, want %d to %q", resp.StatusCode, got, tt.code, tt.location)
			}
			if body, err := io.ReadAll(resp.Body); err != nil || len(body) == 0 || resp.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("body %q, %v, Cache-Control %q", body, err, resp.Header.Get("Cache-Control"))
			}
			checkHeaders(t, resp.Header)
			// A connection that is closed with unread bytes is reset, and some systems then forget the answer.
			if _, err := io.ReadAll(c); err != nil && (tt.code == 308 || errors.Is(err, os.ErrDeadlineExceeded)) {
				t.Errorf("the connection did not end in order: %v", err)
			}
		})
	}
}

// A browser that opens the address by http arrives at the page.
func TestBrowserArrivesByHTTP(t *testing.T) {
	addr, _, trust := startTLS(t, Options{})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: trust}}
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/health", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.Request.URL.Scheme != "https" {
		t.Errorf("%d at %s", resp.StatusCode, resp.Request.URL)
	}
}

// Who begins in neither way, or does not go on, is cut off.
func TestSilentTLSConnectionsEnd(t *testing.T) {
	addr, _, _ := startTLS(t, Options{})
	for name, begin := range map[string]string{"HTTP that does not go on": "GET / HTT", "TLS that does not": "\x16\x03\x01"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, addr)
			_ = c.SetDeadline(time.Now().Add(readHeaderTimeout + 5*time.Second))
			if _, err := io.WriteString(c, begin); err != nil {
				t.Fatal(err)
			}
			wantClosed(t, c)
		})
	}
}

// Another certificate is for new connections. Those that are open go on, a viewer's socket too.
func TestChangedCertificateEndsNoConnection(t *testing.T) {
	addr, shown, trust := startTLS(t, Options{Access: open, Signalling: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = c.Close() }()
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
		_, _ = io.CopyN(c, buffered, 8) // an echo
	})})
	open := tls.Client(dial(t, addr), trust)
	if _, err := io.WriteString(open, upgrade); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(open)
	echo := func(text string) {
		t.Helper()
		got := make([]byte, len(text))
		if _, err := io.WriteString(open, text); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(reader, got); err != nil || string(got) != text {
			t.Fatalf("%q came back as %q, %v", text, got, err)
		}
	}
	if resp, err := http.ReadResponse(reader, nil); err != nil || resp.StatusCode != http.StatusSwitchingProtocols { //nolint:bodyclose // a 101 has none
		t.Fatalf("%v, %v", resp, err)
	}
	echo("once")
	other, pool := selfSigned(t)
	shown.Store(other.Load())
	echo("more")
	fresh := tls.Client(dial(t, addr), trust)
	if err := fresh.HandshakeContext(t.Context()); err == nil {
		t.Error("a new connection is shown the old certificate")
	}
	fresh = tls.Client(dial(t, addr), &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"})
	if err := fresh.HandshakeContext(t.Context()); err != nil {
		t.Errorf("a new connection is not shown the new certificate: %v", err)
	}
}

// Connections of TLS are counted as busy and idle too, through the layers above the counted one.
func TestTLSConnectionsAreNoted(t *testing.T) {
	reached, release := make(chan struct{}), make(chan struct{})
	shown, pool := selfSigned(t)
	s := New(Options{Access: open, Listen: "127.0.0.1:0", Certificate: shown.get, Status: func() any {
		close(reached)
		<-release
		return map[string]int{}
	}})
	addr, _ := start(t, s)
	c := tls.Client(dial(t, addr), &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"})
	if _, err := io.WriteString(c, "GET /api/status HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-reached:
	case <-time.After(10 * time.Second):
		t.Fatal("the status is not asked for")
	}
	s.conns.mu.Lock()
	for from, share := range s.conns.shares {
		if len(share) != 1 || !share[0].busy {
			t.Errorf("connections from %v: %d, and it is not known to be busy", from, len(share))
		}
	}
	s.conns.mu.Unlock()
	close(release)
}
