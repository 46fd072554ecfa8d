package signalling

import (
	"context"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

// town is our server on a network of pipes, inside a synctest bubble. It can be ended and started again.
type town struct {
	t      *testing.T
	mu     sync.Mutex
	net    *pipeNet
	server *Server
	stop   func()
}

func newTown(t *testing.T) *town {
	t.Helper()
	w := &town{t: t}
	w.build()
	return w
}

func (w *town) build() {
	w.t.Helper()
	n, s := newPipeNet(), NewServer(ServerOptions{})
	serveHTTP(w.t, n, s)
	w.stop = runServer(w.t, s)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.net, w.server = n, s
}

// raze breaks all connections at once.
func (w *town) raze() {
	w.net.kill()
	w.stop()
}

func (w *town) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	w.mu.Lock()
	n := w.net
	w.mu.Unlock()
	return n.Dial(ctx, network, addr)
}

func (w *town) probe() *probe {
	w.t.Helper()
	return dialProbe(w.t, w.net.dialer())
}

// client runs a client until the test ends, or until stop is called.
func (w *town) client(opts ClientOptions) (m *fakeMedia, stop func()) {
	w.t.Helper()
	m = newFakeMedia()
	opts.URL = "ws://localhost/ws"
	c := NewClient(opts, m)
	c.dial = w.dial
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("Run: %v", err)
		}
	})
	w.t.Cleanup(stop)
	return m, stop
}

// later waits for a session, however long that takes by the bubble's clock.
func (m *fakeMedia) later(t *testing.T) *fakeSession {
	t.Helper()
	select {
	case s := <-m.opened:
		s.t = t
		return s
	case <-time.After(time.Hour):
		t.Fatal("no session was opened")
		return nil
	}
}

// talk lets one side offer and the other answer.
func talk(t *testing.T, from, to *fakeSession) {
	t.Helper()
	from.send(payload(t, offerText))
	from.send(payload(t, iceText))
	to.expect(offerText, iceText)
	to.send(payload(t, answerText))
	to.send(payload(t, ice2Text))
	from.expect(answerText, ice2Text)
}

func TestClientCallsClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		caller, _ := w.client(ClientOptions{Peer: "b"}) // b is not there yet
		callee, _ := w.client(ClientOptions{ID: "b"})
		for range 3 {
			a := caller.later(t)
			a.expect("OFFER_REQUEST")
			a.send(payload(t, offerText))
			b := callee.next(t)
			b.expect(offerText)
			b.send(payload(t, answerText))
			a.expect(answerText)
			b.end() // hangs up
			a.expect("closed")
			b.expect("closed")
		}
	})
}

func TestRemoteOffererOverOurServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		callee, _ := w.client(ClientOptions{ID: "b"})
		caller, stop := w.client(ClientOptions{Peer: "b", RemoteOfferer: true})
		a, b := caller.later(t), callee.later(t)
		b.expect("OFFER_REQUEST")
		talk(t, b, a)
		stop()
		a.expect("closed")
		b.expect("closed")
	})
}

func TestClientCallsTheStreamer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		camera := newFakeMedia()
		if err := w.server.Register("camera", camera); err != nil {
			t.Fatal(err)
		}
		ones, _ := w.client(ClientOptions{ID: "one", Peer: "camera"})
		others, _ := w.client(ClientOptions{ID: "other", Peer: "camera", RemoteOfferer: true})
		for range 2 {
			if s := camera.later(t); s.peer == "one" {
				one := ones.next(t)
				one.expect("OFFER_REQUEST")
				talk(t, one, s)
			} else {
				s.expect("OFFER_REQUEST")
				talk(t, s, others.next(t))
			}
		}
	})
}

func TestClientsInARoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		a, _ := w.client(ClientOptions{ID: "a", Room: "r"})
		synctest.Wait()
		b, stopB := w.client(ClientOptions{ID: "b", Room: "r"})
		ba := b.later(t)
		ba.expect("OFFER_REQUEST")
		ba.send(payload(t, offerText))
		ab := a.later(t)
		ab.expect(offerText)
		ab.send(payload(t, answerText))
		ba.expect(answerText)
		viewer := w.probe().hello("v") // a page without a camera, say
		viewer.say("ROOM r")
		viewer.expect("< ROOM_OK a b")
		viewer.say("ROOM_PEER_MSG a OFFER_REQUEST")
		av := a.later(t)
		av.expect("OFFER_REQUEST")
		av.send(payload(t, offerText))
		viewer.expect("< ROOM_PEER_MSG a " + offerText)
		stopB()
		ba.expect("closed")
		ab.expect("closed")
		viewer.expect("< ROOM_PEER_LEFT b")
		viewer.close(websocket.CloseNormalClosure)
		av.expect("closed")
	})
}

// The server is killed and starts again: the media go on, both clients register again, and the caller calls its peer anew when the
// media have ended.
func TestServerKilledUnderACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		caller, _ := w.client(ClientOptions{ID: "a", Peer: "b"})
		callee, _ := w.client(ClientOptions{ID: "b"})
		a := caller.later(t)
		a.expect("OFFER_REQUEST")
		a.send(payload(t, offerText))
		b := callee.later(t)
		b.expect(offerText)
		for range 3 {
			w.raze()
			<-time.After(time.Minute)
			w.build()
			<-time.After(time.Minute)
			if got := w.server.Stats(); got.Peers != 2 || got.InSession != 0 {
				t.Fatalf("after the restart: %+v", got)
			}
			a.send(payload(t, iceText)) // nobody to send it to
		}
		a.expect("detached") // once
		b.expect("detached")
		caller.none(t)
		a.end()
		a2 := caller.later(t)
		a2.expect("OFFER_REQUEST")
		a2.send(payload(t, offerText))
		b2 := callee.later(t)
		b2.expect(offerText)
		a.quiet()
		b.quiet()
		if b2.peer == b.peer {
			t.Errorf("both calls are %q", b.peer)
		}
	})
}

// However often other connections say HELLO with its id, a peer that answers pings keeps the id. It gets few pings for that.
func TestIDHeldByALivePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		holder := w.probe().hello("cam")
		start := time.Now()
		for range 100 {
			other := w.probe()
			other.say("HELLO cam")
			other.expect("! 1002 invalid peer uid")
			<-time.After(100 * time.Millisecond)
		}
		if most := int32(time.Since(start)/(1500*time.Millisecond)) + 1; holder.pings.Load() > most || holder.pings.Load() == 0 {
			t.Errorf("%d pings, want at most %d", holder.pings.Load(), most)
		}
		holder.say("SESSION nobody")
		holder.expect("< ERROR peer 'nobody' not found")
	})
}

// When a board has lost its network, its own dead connection holds its id until the server has noticed.
func TestIDHeldByADeadPredecessor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		dead := w.probe()
		dead.mute.Store(true)
		dead.hello("cam")
		start := time.Now()
		callee, _ := w.client(ClientOptions{ID: "cam"})
		v := w.probe().hello("v")
		if got := <-dead.heard; got != "broken" {
			t.Errorf("got %q", got)
		}
		<-time.After(heldLong)
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("took %s", took)
		}
		v.say("SESSION cam")
		v.expect("< SESSION_OK")
		v.say(offerText)
		callee.next(t).expect(offerText)
	})
}

// The same over real sockets, once.
func TestClientOverSockets(t *testing.T) {
	checkLeaks(t)
	s, camera, m := NewServer(ServerOptions{}), newFakeMedia(), newFakeMedia()
	if err := s.Register("camera", camera); err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewServer(s)
	t.Cleanup(ts.Close)
	stopServer := runServer(t, s)
	states := make(chan State, 100)
	c := NewClient(ClientOptions{
		URL: "ws" + strings.TrimPrefix(ts.URL, "http"), Peer: "camera", OnState: func(s State) { states <- s },
	}, m)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	near, far := m.next(t), camera.next(t)
	near.expect("OFFER_REQUEST")
	talk(t, near, far)
	stopServer()
	near.expect("detached")
	far.expect("detached")
	for s := range states {
		if s == StateOffline {
			break
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	near.expect("closed") // kept until the client ended
}
