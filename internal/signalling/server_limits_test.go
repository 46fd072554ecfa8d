package signalling

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"
)

func TestUnansweredPingDetachesTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m := NewServer(ServerOptions{}), newFakeMedia()
		if err := s.Register("camera", m); err != nil {
			t.Fatal(err)
		}
		_, dial := newPipeRig(t, s)
		p := dialProbe(t, dial)
		p.mute.Store(true)
		p.hello("v").say("SESSION camera")
		p.expect("< SESSION_OK")
		<-time.After(time.Minute)
		m.next(t).expect("detached")
	})
}

// A peer that does not read is cut off. Its partner notices nothing before that, and then is closed at once.
func TestSlowPeerIsCut(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		limits     Limits
		most       int
	}{
		{"by frames", "x", Limits{Queue: Queue{Frames: 10}}, 12},
		{"by bytes", strings.Repeat("x", 100), Limits{Queue: Queue{Bytes: 1000}}, 14},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := NewServer(ServerOptions{Limits: tc.limits})
				_, dial := newPipeRig(t, s)
				ws, err := dial()
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = ws.Close() })
				if err := ws.WriteMessage(websocket.TextMessage, []byte("HELLO slow")); err != nil {
					t.Fatal(err)
				}
				synctest.Wait() // HELLO is answered, but read by nobody
				a := dialProbe(t, dial).hello("a")
				a.say("SESSION slow")
				a.expect("< SESSION_OK")
				start, said := time.Now(), 0
				for ; said < 100 && a.ws.WriteMessage(websocket.TextMessage, []byte(tc.text)) == nil; said++ {
					synctest.Wait()
					if s.Stats().Slow > 0 {
						break
					}
				}
				a.expect("! 1000")
				if said >= tc.most || time.Since(start) != 0 {
					t.Errorf("cut after %d messages and %s", said, time.Since(start))
				}
			})
		})
	}
}

// The ICE candidates of a large room are no flood. A flood ends the connection that it comes from.
func TestRate(t *testing.T) {
	flood := map[string]func(*probe) error{
		"messages": func(p *probe) error { return p.ws.WriteMessage(websocket.TextMessage, []byte("x")) },
		"pings":    func(p *probe) error { return p.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(patience)) },
		"pongs":    func(p *probe) error { return p.ws.WriteControl(websocket.PongMessage, nil, time.Now().Add(patience)) },
	}
	for name, send := range flood {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := NewServer(ServerOptions{})
				_, dial := newPipeRig(t, s)
				p := dialProbe(t, dial).hello("v")
				for range 499 {
					if err := send(p); err != nil {
						t.Fatal(err)
					}
				}
				<-time.After(time.Second) // gives 100 more
				for range 100 {
					if err := send(p); err != nil {
						t.Fatal(err)
					}
				}
				synctest.Wait()
				if got := s.Stats().Connections; got != 1 {
					t.Fatalf("%d connections", got)
				}
				if err := send(p); err != nil {
					t.Fatal(err)
				}
				p.expect("! 1008 too many messages")
				if got := s.Stats(); got != (Stats{Flooding: 1}) {
					t.Errorf("stats %+v", got)
				}
			})
		})
	}
}

func TestConnectionLimits(t *testing.T) {
	for _, tc := range []struct {
		name   string
		limits Limits
		want   int
	}{
		{"in all", Limits{Connections: 2}, http.StatusServiceUnavailable},
		{"per address", Limits{PerAddress: 2}, http.StatusTooManyRequests},
	} {
		t.Run(tc.name, func(t *testing.T) {
			checkLeaks(t)
			s := NewServer(ServerOptions{Limits: tc.limits})
			ts := httptest.NewServer(s)
			t.Cleanup(ts.Close)
			runServer(t, s)
			dial := dialer(ts.URL)
			p := dialProbe(t, dial)
			dialProbe(t, dial)
			_, resp, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(ts.URL, "http"), nil)
			if err == nil || resp.StatusCode != tc.want || resp.Header.Get("Retry-After") == "" {
				t.Fatalf("error %v, answer %+v", err, resp)
			}
			_ = resp.Body.Close()
			if got := s.Stats().Refused; got != 1 {
				t.Errorf("%d refused", got)
			}
			p.close(websocket.CloseNormalClosure)
			var again *websocket.Conn
			waitUntil(t, func() bool { again, err = dial(); return err == nil }) // a place is free
			_ = again.Close()
		})
	}
}

func TestOriginOfAnAddress(t *testing.T) {
	for _, tc := range []struct{ remote, want string }{
		{"192.0.2.1:99", "192.0.2.1"},
		{"[2001:db8:1:2:3:4:5:6]:99", "2001:db8:1:2::/64"},
		{"[2001:db8:1:2::1]:99", "2001:db8:1:2::/64"},
		{"[fe80::1%eth0]:99", "fe80::/64"},
		{"[::ffff:192.0.2.1]:99", "192.0.2.1"},
		{"pipe", "pipe"},
		{"host:1", "host"},
	} {
		if got := origin(tc.remote); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.remote, got, tc.want)
		}
	}
}

func TestOriginHeader(t *testing.T) {
	for _, tc := range []struct {
		name, host, origin string
		origins, hosts     []string
		want               int
	}{
		{"none", "cam.lan:8080", "", nil, nil, 101},
		{"same", "cam.lan:8080", "http://CAM.lan:8080", nil, nil, 101},
		{"other port", "cam.lan:8080", "http://cam.lan:3000", nil, nil, 403},
		{"other port, the default", "cam.lan:8080", "http://cam.lan", nil, nil, 403},
		{"default port", "cam.lan:80", "http://cam.lan", nil, nil, 101},
		{"default port the other way", "cam.lan", "http://cam.lan:80", nil, nil, 101},
		{"other scheme", "cam.lan:8080", "https://cam.lan:8080", nil, nil, 403},
		{"a proxy's scheme", "cam.lan", "https://cam.lan", nil, []string{"Cam.lan"}, 101},
		{"a proxy's scheme and port", "cam.lan:8443", "https://cam.lan:8443", nil, []string{"cam.lan"}, 101},
		{"a proxy's scheme, any name", "cam.lan", "https://cam.lan", nil, []string{"*"}, 101},
		{"a proxy's scheme, other port", "cam.lan", "https://cam.lan:8443", nil, []string{"cam.lan"}, 403},
		{"a proxy's name for another", "cam.lan", "https://evil.example", nil, []string{"*"}, 403},
		{"a scheme of no browser", "cam.lan", "ftp://cam.lan", nil, []string{"*"}, 403},
		{"public: other port and scheme", "cam.lan:8443", "https://cam.lan", nil, nil, 101},
		{"public: foreign", "cam.lan:8443", "https://evil.example", nil, nil, 403},
		{"address", "[fd00::1]:8080", "http://[fd00::1]:8080", nil, nil, 101},
		{"foreign", "cam.lan:8080", "https://evil.example", nil, nil, 403},
		{"suffix", "cam.lan", "http://evilcam.lan", nil, nil, 403},
		{"null", "cam.lan", "null", nil, nil, 403},
		{"rubbish", "cam.lan", "http://%zz", nil, nil, 403},
		{"listed", "cam.lan", "https://site.example:444", []string{"https://a.example", "https://site.example:444"}, nil, 101},
		{"listed, other port", "cam.lan", "https://site.example:445", []string{"https://site.example:444"}, nil, 403},
		{"listed by host", "cam.lan", "https://site.example:445", []string{"site.example"}, nil, 101},
		{"all", "cam.lan", "null", []string{"*"}, nil, 101},
	} {
		t.Run(tc.name, func(t *testing.T) {
			checkLeaks(t)
			s := NewServer(ServerOptions{Origins: tc.origins, Hosts: tc.hosts, SameHost: strings.HasPrefix(tc.name, "public: ")})
			ts := httptest.NewServer(s)
			t.Cleanup(ts.Close)
			runServer(t, s)
			header := http.Header{"Host": {tc.host}}
			if tc.origin != "" {
				header.Set("Origin", tc.origin)
			}
			ws, resp, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(ts.URL, "http"), header)
			if resp == nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != tc.want {
				t.Errorf("got %d, want %d", resp.StatusCode, tc.want)
			}
			if ws != nil {
				_ = ws.Close()
			}
		})
	}
}

func TestPlainHTTP(t *testing.T) {
	s := NewServer(ServerOptions{})
	ts := httptest.NewServer(WithHealth(HealthPath, s))
	t.Cleanup(ts.Close)
	runServer(t, s)
	for _, tc := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/health", 200, "OK\n"},
		{"GET", "/health?x=1", 426, ""},
		{"GET", "/healthz", 426, ""},
		{"GET", "/", 426, ""},
		{"POST", "/health", 426, ""},
		{"POST", "/", 426, ""},
	} {
		t.Run(tc.method+" "+tc.path, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), tc.method, ts.URL+tc.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil || resp.StatusCode != tc.status || tc.body != "" && string(body) != tc.body {
				t.Errorf("%d %q %v", resp.StatusCode, body, err)
			}
			if tc.status == 200 {
				if diff := cmp.Diff("text/plain", resp.Header.Get("Content-Type")); diff != "" || !resp.Close {
					t.Errorf("%s close %v", diff, resp.Close)
				}
			} else if resp.Header.Get("Upgrade") != "websocket" {
				t.Error("426 names no protocol to upgrade to")
			}
		})
	}
	p := dialProbe(t, dialer(ts.URL+"/any/path?x"))
	p.hello("v")
}

func TestOverTLS(t *testing.T) {
	checkLeaks(t)
	s := NewServer(ServerOptions{Limits: Limits{Queue: Queue{4, 1 << 10}, Bytes: Allowance{Burst: 1 << 30}}})
	ts := httptest.NewTLSServer(s)
	t.Cleanup(ts.Close)
	runServer(t, s)
	pool := ts.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	dial := func() (*websocket.Conn, error) {
		d := websocket.Dialer{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
		ws, resp, err := d.Dial("wss"+strings.TrimPrefix(ts.URL, "https"), nil)
		if resp != nil {
			_ = resp.Body.Close()
		}
		return ws, err
	}
	a := dialProbe(t, dial).hello("a")
	stuck, err := dial() // reads nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stuck.NetConn().(*tls.Conn).NetConn().Close() })
	if err := stuck.WriteMessage(websocket.TextMessage, []byte("HELLO stuck")); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, func() bool { return s.Stats().Peers == 2 })
	a.say("SESSION stuck")
	a.expect("< SESSION_OK")
	big := strings.Repeat("x", maxMessage)
	for range 100 { // the kernel's buffers take the first ones
		if a.ws.WriteMessage(websocket.TextMessage, []byte(big)) != nil {
			break
		}
	}
	a.expect("! 1000")
	if got := s.Stats().Slow; got != 1 {
		t.Errorf("%d slow", got)
	}
}

// net/http's server can end while a connection is being upgraded.
var _ net.Listener = (*pipeNet)(nil)
