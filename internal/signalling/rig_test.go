package signalling

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"boardcast/internal/sdp"
)

// patience is how long a test waits for something that must come. No test waits to see that something does not come.
const patience = 10 * time.Second

// pipeNet is a network without sockets, so that a test inside a synctest bubble can use it.
type pipeNet struct {
	conns chan net.Conn
	gone  chan struct{}
	once  sync.Once

	mu   sync.Mutex
	open []net.Conn
}

func newPipeNet() *pipeNet {
	return &pipeNet{conns: make(chan net.Conn), gone: make(chan struct{})}
}

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "192.0.2.1:1" }

type pipeConn struct{ net.Conn }

func (pipeConn) RemoteAddr() net.Addr { return pipeAddr{} }

func (n *pipeNet) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case n.conns <- pipeConn{far}:
		n.mu.Lock()
		defer n.mu.Unlock()
		n.open = append(n.open, near)
		return near, nil
	case <-n.gone:
	case <-ctx.Done():
	}
	return nil, errors.New("connection refused")
}

// kill breaks every connection, as a power cut does, and refuses new ones.
func (n *pipeNet) kill() {
	_ = n.Close()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.open {
		_ = c.Close()
	}
}

func (n *pipeNet) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.gone:
		return nil, net.ErrClosed
	}
}

func (n *pipeNet) Close() error {
	n.once.Do(func() { close(n.gone) })
	return nil
}

// dialer opens WebSockets to the server on n.
func (n *pipeNet) dialer() func() (*websocket.Conn, error) {
	return func() (*websocket.Conn, error) {
		d := websocket.Dialer{NetDialContext: n.Dial}
		ws, resp, err := d.Dial("ws://localhost/", nil)
		if resp != nil {
			_ = resp.Body.Close()
		}
		return ws, err
	}
}

func (n *pipeNet) Addr() net.Addr { return pipeAddr{} }

// serveHTTP serves h on l until the test ends.
func serveHTTP(t *testing.T, l net.Listener, h http.Handler) {
	t.Helper()
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(l)
	}()
	t.Cleanup(func() {
		_ = srv.Close()
		<-done
	})
}

// runServer runs s until the test ends, or until stop is called.
func runServer(t *testing.T, s *Server) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// checkLeaks fails the test when, after its other clean-ups, goroutines of this package are left.
func checkLeaks(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		var left string
		defer func() {
			if left != "" {
				t.Errorf("goroutines left:\n%s", left)
			}
		}()
		waitUntil(t, func() bool {
			left = ourGoroutines()
			return left == ""
		})
	})
}

// waitUntil asks again and again until done returns true.
func waitUntil(t *testing.T, done func() bool) {
	t.Helper()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	limit := time.After(patience)
	for !done() {
		select {
		case <-poll.C:
		case <-limit:
			t.Fatal("waited in vain")
		}
	}
}

func ourGoroutines() string {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	var left []string
	for g := range strings.SplitSeq(string(buf), "\n\n") {
		g, _, _ = strings.Cut(g, "created by ") // a goroutine past its last line counts as ended
		for _, of := range []string{"(*Server).", "(*wire).", "(*link).", "(*Client).", "watch"} {
			if strings.Contains(g, "internal/signalling."+of) && !strings.Contains(g, "testing.tRunner") {
				left = append(left, g)
				break
			}
		}
	}
	return strings.Join(left, "\n\n")
}

// probe is a peer driven by a test, at either end of a WebSocket: it reads all the time, so pings are answered.
type probe struct {
	t     *testing.T
	ws    *websocket.Conn
	heard chan string // one line per frame or close: as in a transcript, without the name
	mute  atomic.Bool // answers no pings
	pings atomic.Int32
}

func newProbe(t *testing.T, ws *websocket.Conn) *probe {
	t.Helper()
	p := &probe{t: t, ws: ws, heard: make(chan string, 4096)}
	pong := ws.PingHandler()
	ws.SetPingHandler(func(data string) error {
		p.pings.Add(1)
		if p.mute.Load() {
			return nil
		}
		return pong(data)
	})
	go func() {
		defer close(p.heard)
		for {
			kind, data, err := ws.ReadMessage()
			if err != nil {
				p.heard <- closeLine(err)
				return
			}
			mark := "< "
			if kind == websocket.BinaryMessage {
				mark = "~ "
			}
			p.heard <- mark + string(data)
		}
	}()
	t.Cleanup(p.kill)
	return p
}

// closeLine describes the end of a connection: "! 1000", "! 1002 reason", "broken".
func closeLine(err error) string {
	var closed *websocket.CloseError
	if !errors.As(err, &closed) || closed.Code == websocket.CloseAbnormalClosure {
		return "broken"
	}
	return strings.TrimSuffix(fmt.Sprintf("! %d %s", closed.Code, closed.Text), " ")
}

func dialProbe(t *testing.T, dial func() (*websocket.Conn, error)) *probe {
	t.Helper()
	ws, err := dial()
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	return newProbe(t, ws)
}

func (p *probe) say(text string) {
	p.t.Helper()
	p.write(websocket.TextMessage, text)
}

func (p *probe) write(kind int, text string) {
	p.t.Helper()
	if err := p.ws.WriteMessage(kind, []byte(text)); err != nil {
		p.t.Fatalf("say %.60q: %v", text, err)
	}
}

// expect waits for the next line and compares it.
func (p *probe) expect(want string) {
	p.t.Helper()
	if got := p.next(); got != want {
		p.t.Fatalf("got %.300q, want %.300q", got, want)
	}
}

func (p *probe) next() string {
	p.t.Helper()
	select {
	case got, open := <-p.heard:
		if !open {
			return "nothing: it is closed"
		}
		return got
	case <-time.After(patience):
		p.t.Fatal("nothing came")
		return ""
	}
}

// hello registers.
func (p *probe) hello(id string) *probe {
	p.t.Helper()
	p.say("HELLO " + id)
	p.expect("< HELLO")
	return p
}

// close sends a close frame.
func (p *probe) close(code int) {
	p.t.Helper()
	if err := p.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(patience)); err != nil {
		p.t.Fatalf("close: %v", err)
	}
}

// kill closes the connection without a close frame.
func (p *probe) kill() { _ = p.ws.NetConn().Close() }

// fakeMedia makes fakeSessions.
type fakeMedia struct {
	opened chan *fakeSession
	fail   func(peer string) error         // nil: never
	wait   func(ctx context.Context) error // for as long as opening takes; nil: no time
}

func newFakeMedia() *fakeMedia { return &fakeMedia{opened: make(chan *fakeSession, 64)} }

func (m *fakeMedia) Open(ctx context.Context, caller Caller, send func(sdp.Message)) (Session, error) {
	peer := caller.ID
	if m.wait != nil {
		if err := m.wait(ctx); err != nil {
			return nil, err
		}
	}
	if m.fail != nil {
		if err := m.fail(peer); err != nil {
			return nil, err
		}
	}
	s := &fakeSession{peer: peer, send: send, events: make(chan string, 1024), done: make(chan struct{})}
	m.opened <- s
	return s, nil
}

func (m *fakeMedia) next(t *testing.T) *fakeSession {
	t.Helper()
	select {
	case s := <-m.opened:
		s.t = t
		return s
	case <-time.After(patience):
		t.Fatal("no session was opened")
		return nil
	}
}

// nextOf takes a session with each of the peers, which are opened at the same time.
func (m *fakeMedia) nextOf(t *testing.T, peers ...string) []*fakeSession {
	t.Helper()
	found := make([]*fakeSession, len(peers))
	for range peers {
		s := m.next(t)
		i := slices.Index(peers, s.peer)
		if i < 0 || found[i] != nil {
			t.Fatalf("a session with %q, want one with each of %q", s.peer, peers)
		}
		found[i] = s
	}
	return found
}

// none fails the test if a session was opened that no next has returned.
func (m *fakeMedia) none(t *testing.T) {
	t.Helper()
	select {
	case s := <-m.opened:
		t.Fatalf("a session with %q was opened", s.peer)
	default:
	}
}

// fakeSession notes what happens to it as lines: the payloads, "detached", "closed".
type fakeSession struct {
	t      *testing.T
	peer   string
	send   func(sdp.Message)
	events chan string
	done   chan struct{}
	once   sync.Once
}

func (s *fakeSession) Receive(p sdp.Message) { s.events <- payloadText(p) }
func (s *fakeSession) Detach()               { s.events <- "detached" }
func (s *fakeSession) Done() <-chan struct{} { return s.done }
func (s *fakeSession) Close()                { s.events <- "closed" }
func (s *fakeSession) end()                  { s.once.Do(func() { close(s.done) }) }

func (s *fakeSession) expect(want ...string) {
	s.t.Helper()
	for _, w := range want {
		select {
		case got := <-s.events:
			if got != w {
				s.t.Fatalf("session of %q: got %.200q, want %.200q", s.peer, got, w)
			}
		case <-time.After(patience):
			s.t.Fatalf("session of %q: nothing came, want %.200q", s.peer, w)
		}
	}
}

// quiet fails the test if something happened that no expect has read.
func (s *fakeSession) quiet() {
	s.t.Helper()
	select {
	case got := <-s.events:
		s.t.Fatalf("session of %q: got %.200q, want nothing", s.peer, got)
	default:
	}
}

// Payloads as both sides of the tests say them.
const (
	offerText  = `{"sdp":{"type":"offer","sdp":"v=0\r\n"}}`
	answerText = `{"sdp":{"type":"answer","sdp":"v=0\r\na=x\r\n"}}`
	iceText    = `{"ice":{"candidate":"candidate:1 1 UDP 1 192.0.2.1 9 typ host","sdpMLineIndex":0}}`
	ice2Text   = `{"ice":{"candidate":"candidate:2 1 UDP 1 192.0.2.1 9 typ host","sdpMLineIndex":1}}`
)

func payload(t *testing.T, text string) sdp.Message {
	t.Helper()
	p, err := ParsePayload(text)
	if err != nil {
		t.Fatalf("payload %q: %v", text, err)
	}
	return p
}
