package signalling

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
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

// newRig serves s over TCP and returns how to dial it.
func newRig(t *testing.T, s *Server) func() (*websocket.Conn, error) {
	t.Helper()
	ts := httptest.NewServer(s)
	t.Cleanup(ts.Close)
	runServer(t, s)
	return dialer(ts.URL)
}

// newPipeRig serves s over pipes, inside a synctest bubble.
func newPipeRig(t *testing.T, s *Server) (*pipeNet, func() (*websocket.Conn, error)) {
	t.Helper()
	n := newPipeNet()
	serveHTTP(t, n, s)
	runServer(t, s)
	return n, n.dialer()
}

func TestLocalPeer(t *testing.T) {
	checkLeaks(t)
	s, m := NewServer(ServerOptions{}), newFakeMedia()
	if err := s.Register("camera", m); err != nil {
		t.Fatal(err)
	}
	if err := s.Register("camera", m); !errors.Is(err, ErrTaken) {
		t.Fatalf("registered twice: %v", err)
	}
	dial := newRig(t, s)
	a, b := dialProbe(t, dial).hello("a"), dialProbe(t, dial).hello("b")
	a.say("SESSION camera")
	a.expect("< SESSION_OK")
	sa := m.next(t)
	b.say("SESSION camera")
	b.expect("< SESSION_OK")
	sb := m.next(t)
	if sa.peer != "a" || sb.peer != "b" {
		t.Fatalf("sessions with %q and %q", sa.peer, sb.peer)
	}

	a.say("OFFER_REQUEST")
	sa.expect("OFFER_REQUEST")
	sa.send(payload(t, offerText))
	a.expect("< " + offerText)
	for _, ignored := range []string{"", "hi", `{"sdp":`, "SESSION camera", `{"sdp":{"type":"x"}}`} {
		a.say(ignored)
	}
	a.write(websocket.BinaryMessage, iceText)
	a.say(answerText)
	a.say(iceText)
	sa.expect(answerText, iceText)
	b.say(offerText) // b makes the offer itself
	sb.expect(offerText)
	sb.send(payload(t, answerText))
	sb.send(payload(t, iceText))
	b.expect("< " + answerText)
	b.expect("< " + iceText)
	if got, want := s.Stats(), (Stats{Connections: 2, Peers: 2, InSession: 2, Viewers: 2}); got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}

	sb.end() // the media ends: the viewer is hung up on
	b.expect("! 1000")
	sb.expect("closed")
	a.say(ice2Text)
	sa.expect(ice2Text)
	sb.send(payload(t, iceText)) // dropped
	sb.quiet()
}

func TestHowAViewerLeaves(t *testing.T) {
	for _, tc := range []struct {
		name  string
		leave func(*probe)
		want  string
	}{
		{"closes", func(p *probe) { p.close(websocket.CloseNormalClosure) }, "closed"},
		{"goes away", func(p *probe) { p.close(websocket.CloseGoingAway) }, "closed"},
		{"closes without a code", func(p *probe) {
			_ = p.ws.WriteControl(websocket.CloseMessage, nil, time.Now().Add(patience))
		}, "closed"},
		{"gives up on us", func(p *probe) { p.close(websocket.CloseInternalServerErr) }, "detached"},
		{"breaks", (*probe).kill, "detached"},
		{"says too much", func(p *probe) { p.say(strings.Repeat("x", maxMessage+1)) }, "closed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			checkLeaks(t)
			s, m := NewServer(ServerOptions{}), newFakeMedia()
			if err := s.Register("camera", m); err != nil {
				t.Fatal(err)
			}
			p := dialProbe(t, newRig(t, s)).hello("v")
			p.say("SESSION camera")
			p.expect("< SESSION_OK")
			session := m.next(t)
			tc.leave(p)
			session.expect(tc.want)
			waitUntil(t, func() bool { return s.Stats() == Stats{} })
			session.quiet()
		})
	}
}

func TestFullAndFailingMedia(t *testing.T) {
	checkLeaks(t)
	errs := []error{fmt.Errorf("open: %w", ErrFull), errors.New("no camera"), nil}
	s, m := NewServer(ServerOptions{}), newFakeMedia()
	var late func(Payload)
	m.fail = func(string) (err error) {
		err, errs = errs[0], errs[1:]
		return err
	}
	if err := s.Register("camera", mediaFunc(func(peer string, send func(Payload)) (Session, error) {
		if late == nil {
			late = send
		}
		send(Payload{OfferRequest: true}) // kept until the call is taken, dropped if it isn't
		return m.Open(peer, send)
	})); err != nil {
		t.Fatal(err)
	}
	p := dialProbe(t, newRig(t, s)).hello("v")
	for range 2 {
		p.say("SESSION camera")
		p.expect("< ERROR peer 'camera' busy")
	}
	late(payload(t, offerText)) // of a call that wasn't taken
	p.say("SESSION camera")
	p.expect("< SESSION_OK")
	p.expect("< OFFER_REQUEST")
	m.next(t)
}

type mediaFunc func(string, func(Payload)) (Session, error)

func (f mediaFunc) Open(peer string, send func(Payload)) (Session, error) { return f(peer, send) }

func TestBlockingOpenStallsNobodyElse(t *testing.T) {
	checkLeaks(t)
	s, m := NewServer(ServerOptions{}), newFakeMedia()
	entered, free := make(chan struct{}), make(chan struct{})
	m.fail = func(peer string) error {
		if peer == "slow" {
			close(entered)
			<-free
		}
		return nil
	}
	if err := s.Register("camera", m); err != nil {
		t.Fatal(err)
	}
	dial := newRig(t, s)
	slow, quick := dialProbe(t, dial).hello("slow"), dialProbe(t, dial).hello("quick")
	slow.say("SESSION camera")
	slow.say("OFFER_REQUEST")
	<-entered
	quick.say("SESSION slow")
	quick.expect("< ERROR peer 'slow' busy")
	quick.say("SESSION camera")
	quick.expect("< SESSION_OK")
	quick.say("OFFER_REQUEST")
	m.next(t).expect("OFFER_REQUEST")
	close(free)
	slow.expect("< SESSION_OK")
	m.next(t).expect("OFFER_REQUEST")
}

func TestEndOfTheServer(t *testing.T) {
	checkLeaks(t)
	s, m := NewServer(ServerOptions{}), newFakeMedia()
	if err := s.Register("camera", m); err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewServer(s)
	t.Cleanup(ts.Close)
	stop := runServer(t, s)
	dial := dialer(ts.URL)
	v, a, b := dialProbe(t, dial).hello("v"), dialProbe(t, dial).hello("a"), dialProbe(t, dial).hello("b")
	v.say("SESSION camera")
	v.expect("< SESSION_OK")
	a.say("SESSION b")
	a.expect("< SESSION_OK")
	stop()
	for _, p := range []*probe{v, a, b} {
		p.expect("! 1001")
	}
	m.next(t).expect("detached")
	if _, err := dial(); !errors.Is(err, websocket.ErrBadHandshake) {
		t.Errorf("dial after the end: %v", err)
	}
	if err := s.Run(canceled()); err != nil { // harmless
		t.Error(err)
	}
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// A peer that neither reads nor closes costs the server two seconds at its end, and no more.
func TestEndWithAStuckPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(ServerOptions{})
		n := newPipeNet()
		serveHTTP(t, n, s)
		stop := runServer(t, s)
		ws, err := n.dialer()()
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		stop()
		if took := time.Since(start); took > closeWait {
			t.Errorf("took %s", took)
		}
		_ = ws.Close()
	})
}

func TestTimeLimits(t *testing.T) {
	for _, tc := range []struct {
		name string
		do   func(p *probe)
		want string
		at   time.Duration
	}{
		{"no HELLO", func(*probe) {}, "! 1008 no HELLO", 10 * time.Second},
		{"pings but no HELLO", func(p *probe) {
			_ = p.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(patience))
		}, "! 1008 no HELLO", 10 * time.Second},
		{"answers no ping", func(p *probe) {
			p.mute.Store(true)
			p.hello("v")
		}, "! 1011 keepalive ping timeout", 40 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, dial := newPipeRig(t, NewServer(ServerOptions{}))
				start := time.Now()
				p := dialProbe(t, dial)
				tc.do(p)
				got := <-p.heard
				if at := time.Since(start); got != tc.want || at != tc.at {
					t.Errorf("%q after %s, want %q after %s", got, at, tc.want, tc.at)
				}
			})
		})
	}
}

func TestWhoAnswersPingsStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, dial := newPipeRig(t, NewServer(ServerOptions{}))
		p := dialProbe(t, dial).hello("v")
		<-time.After(time.Hour)
		p.say("SESSION x")
		p.expect("< ERROR peer 'x' not found")
	})
}

// A pong that waits behind a write that takes its time is a pong.
func TestPongBehindASlowWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, dial := newPipeRig(t, NewServer(ServerOptions{Limits: Limits{PongWait: 5 * time.Second}}))
		ws, err := dial()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = ws.Close() })
		pinged := make(chan struct{}, 1)
		ws.SetPingHandler(func(string) error { pinged <- struct{}{}; return nil })
		read := func(want string) {
			t.Helper()
			if _, data, err := ws.ReadMessage(); err != nil || string(data) != want {
				t.Fatalf("got %q, %v, want %q", data, err, want)
			}
		}
		if err := ws.WriteMessage(websocket.TextMessage, []byte("HELLO slow")); err != nil {
			t.Fatal(err)
		}
		read("HELLO")
		a := dialProbe(t, dial).hello("a")
		a.say("SESSION slow")
		a.expect("< SESSION_OK")
		for range 16 {
			said := make(chan struct{})
			go func() {
				defer close(said)
				<-pinged
				a.say("one")
				a.say("two")
			}()
			read("one") // and leave the server writing the second
			<-said
			<-time.After(4 * time.Second)
			if err := ws.WriteControl(websocket.PongMessage, nil, time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			<-time.After(2 * time.Second)
			read("two")
		}
	})
}

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

// A peer that does not read is cut off; who talks to it notices by its partner's end alone, and at once.
func TestSlowPeerIsCut(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		limits     Limits
		most       int
	}{
		{"by frames", "x", Limits{QueueFrames: 10}, 12},
		{"by bytes", strings.Repeat("x", 100), Limits{QueueBytes: 1000}, 14},
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

// Trickle ICE of a big room is no flood, and a flood ends the connection it comes from.
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
		origins            []string
		want               int
	}{
		{"none", "cam.lan:8080", "", nil, 101},
		{"same", "cam.lan:8080", "http://cam.lan:8080", nil, 101},
		{"other port", "cam.lan:8443", "https://CAM.lan", nil, 101},
		{"address", "[fd00::1]:8080", "http://[fd00::1]:8080", nil, 101},
		{"foreign", "cam.lan:8080", "https://evil.example", nil, 403},
		{"suffix", "cam.lan", "https://evilcam.lan", nil, 403},
		{"null", "cam.lan", "null", nil, 403},
		{"rubbish", "cam.lan", "http://%zz", nil, 403},
		{"listed", "cam.lan", "https://site.example:444", []string{"https://a.example", "https://site.example:444"}, 101},
		{"listed, other port", "cam.lan", "https://site.example:445", []string{"https://site.example:444"}, 403},
		{"listed by host", "cam.lan", "https://site.example:445", []string{"site.example"}, 101},
		{"all", "cam.lan", "null", []string{"*"}, 101},
	} {
		t.Run(tc.name, func(t *testing.T) {
			checkLeaks(t)
			s := NewServer(ServerOptions{Origins: tc.origins})
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
	s := NewServer(ServerOptions{Limits: Limits{QueueFrames: 4, QueueBytes: 1 << 10}})
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

// stdlib's server must be able to end while a connection is upgraded.
var _ net.Listener = (*pipeNet)(nil)
