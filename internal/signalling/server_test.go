package signalling

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"boardcast/internal/sdp"
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
	var late func(sdp.Message)
	m.fail = func(string) (err error) {
		err, errs = errs[0], errs[1:]
		return err
	}
	if err := s.Register("camera", mediaFunc(func(ctx context.Context, c Caller, send func(sdp.Message)) (Session, error) {
		if late == nil {
			late = send
		}
		send(sdp.Message{OfferRequest: true}) // kept until the call is taken, dropped if it isn't
		return m.Open(ctx, c, send)
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

type mediaFunc func(context.Context, Caller, func(sdp.Message)) (Session, error)

func (f mediaFunc) Open(ctx context.Context, c Caller, send func(sdp.Message)) (Session, error) {
	return f(ctx, c, send)
}

// curious asks the server something in every callback. That blocks for ever if the callback is called under the server's lock.
type curious struct {
	*fakeSession
	s *Server
}

func (c curious) Receive(p sdp.Message) { c.s.Stats(); c.fakeSession.Receive(p) }
func (c curious) Detach()               { c.s.Stats(); c.fakeSession.Detach() }
func (c curious) Close()                { c.s.Stats(); c.fakeSession.Close() }

func TestCallbacksHoldNoLock(t *testing.T) {
	checkLeaks(t)
	s, m := NewServer(ServerOptions{}), newFakeMedia()
	if err := s.Register("camera", mediaFunc(func(ctx context.Context, c Caller, send func(sdp.Message)) (Session, error) {
		s.Stats()
		session, err := m.Open(ctx, c, send)
		return curious{session.(*fakeSession), s}, err
	})); err != nil {
		t.Fatal(err)
	}
	dial := newRig(t, s)
	for want, leave := range map[string]func(*probe){
		"closed":   func(p *probe) { p.close(websocket.CloseNormalClosure) },
		"detached": (*probe).kill,
	} {
		p := dialProbe(t, dial).hello(want)
		p.say("SESSION camera")
		p.expect("< SESSION_OK")
		p.say(offerText)
		session := m.next(t)
		session.expect(offerText)
		leave(p)
		session.expect(want)
	}
}

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

// A connection whose handshake ends after the server has ended is closed too.
func TestEndDuringAHandshake(t *testing.T) {
	checkLeaks(t)
	s := NewServer(ServerOptions{})
	ts := httptest.NewServer(s)
	t.Cleanup(ts.Close)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	s.upgrader.CheckOrigin = func(*http.Request) bool {
		cancel()
		waitUntil(t, s.admission.isClosed)
		return true
	}
	dialProbe(t, dialer(ts.URL)).expect("! 1001")
	if err := <-done; err != nil {
		t.Error(err)
	}
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

// A pong counts although the writing goroutine, held up by a slow write, sees it too late.
func TestPongBehindASlowWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, dial := newPipeRig(t, NewServer(ServerOptions{Limits: Limits{Waits: Waits{Pong: 5 * time.Second}}}))
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
