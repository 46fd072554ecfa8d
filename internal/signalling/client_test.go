package signalling

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"boardcast/internal/sdp"
)

// bench is a client under test, inside a synctest bubble, with a scripted server that says what the reference server does.
type bench struct {
	*testing.T
	net     *pipeNet
	media   *fakeMedia
	sockets chan *probe // what the client opened, upgraded
	header  http.Header // of the last request
	log     logBuffer
	mu      sync.Mutex
	states  []State
	stop    func()
}

// logBuffer is a bytes.Buffer that may be read while it is written to.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// onBench runs test with a client of these options. It fails if the client leaves a goroutine behind, since a bubble ends only when all
// its goroutines have ended.
func onBench(t *testing.T, opts ClientOptions, test func(b *bench)) {
	t.Helper()
	onBenchAt(t, opts, ownAddress, test)
}

// onBenchAt is onBench where home says which addresses are the machine's.
func onBenchAt(t *testing.T, opts ClientOptions, home func(net.Addr) bool, test func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, net: newPipeNet(), media: newFakeMedia(), sockets: make(chan *probe, 64)}
		b.serve(b.net)
		if opts.URL == "" {
			opts.URL = "ws://localhost:8443"
		}
		opts.Logger = slog.New(slog.NewTextHandler(&b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		opts.OnState = func(s State) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.states = append(b.states, s)
		}
		c := NewClient(opts, b.media)
		c.home = home
		c.dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			b.mu.Lock()
			n := b.net
			b.mu.Unlock()
			return n.Dial(ctx, network, addr)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx) }()
		b.stop = sync.OnceFunc(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
			if left := ourGoroutines(); left != "" {
				t.Errorf("Run did not wait for:\n%s", left)
			}
		})
		defer b.stop()
		test(b)
	})
}

// serve makes n the network that the client's server is on.
func (b *bench) serve(n *pipeNet) {
	b.mu.Lock()
	b.net = n
	b.mu.Unlock()
	up := websocket.Upgrader{}
	serveHTTP(b.T, n, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.header = r.Header.Clone()
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			b.Error(err)
			return
		}
		b.sockets <- newProbe(b.T, ws)
	}))
}

// next waits for the client to connect, for as long as it takes.
func (b *bench) next() *probe {
	b.Helper()
	select {
	case p := <-b.sockets:
		return p
	case <-time.After(time.Hour):
		b.Fatal("the client does not come back")
		return nil
	}
}

// register answers the next connection until the client is registered. It returns the connection and the client's id.
func (b *bench) register() (p *probe, id string) {
	b.Helper()
	p = b.next()
	hello := p.next()
	id, ok := strings.CutPrefix(hello, "< HELLO ")
	if !ok {
		b.Fatalf("got %q, want HELLO", hello)
	}
	p.say("HELLO")
	return p, id
}

// bye closes a connection of the client with a code.
func (b *bench) bye(p *probe, code int, reason string) {
	b.Helper()
	_ = p.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(patience))
	synctest.Wait()
	p.kill()
}

// silent fails the test if the client has said something that no expect has read.
func (b *bench) silent(p *probe) {
	b.Helper()
	synctest.Wait()
	select {
	case got := <-p.heard:
		b.Fatalf("got %.200q, want silence", got)
	default:
	}
}

func (b *bench) state() State {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.states[len(b.states)-1]
}

func TestCaller(t *testing.T) {
	for _, ok := range []string{"SESSION_OK", "SESSION_OK ", "SESSION_OK eyJ2IjoxfQ=="} {
		t.Run(ok, func(t *testing.T) {
			onBench(t, ClientOptions{Peer: "77"}, func(b *bench) {
				p, _ := b.register()
				p.expect("< SESSION 77")
				p.say(ok)
				s := b.media.next(b.T)
				s.expect("OFFER_REQUEST") // the caller makes the offer
				s.send(payload(b.T, offerText))
				s.send(sdp.Message{Gathered: true}) // is not sent
				s.send(payload(b.T, iceText))
				p.expect("< " + offerText)
				p.expect("< " + iceText)
				p.say(iceText) // before the answer
				p.say(answerText)
				p.say(ice2Text)
				s.expect(iceText, answerText, ice2Text)
				for _, ignored := range []string{"HELLO", "SESSION_OK", "hi", `{"sdp":`, "", "ROOM_OK a"} {
					p.say(ignored)
				}
				p.write(websocket.BinaryMessage, iceText)
				p.say("OFFER_REQUEST") // renegotiation
				p.say("ERROR no codec in common")
				s.expect("OFFER_REQUEST", "ERROR no codec in common")
				if s.peer != "77" {
					b.Errorf("peer %q", s.peer)
				}
				want := []State{StateConnecting, StateRegistering, StateWaiting, StateCalling, StateInCall}
				if diff := cmp.Diff(want, b.states); diff != "" {
					b.Error(diff)
				}
				b.stop()
				p.expect("! 1000")
				s.expect("closed")
				s.send(payload(b.T, iceText)) // dropped
			})
		})
	}
}

func TestCallerWithRemoteOfferer(t *testing.T) {
	onBench(t, ClientOptions{ID: "me", Peer: "77", RemoteOfferer: true}, func(b *bench) {
		p, id := b.register()
		if id != "me" {
			b.Errorf("id %q", id)
		}
		p.expect("< SESSION 77")
		p.say("SESSION_OK")
		p.expect("< OFFER_REQUEST")
		s := b.media.next(b.T)
		p.say(iceText)
		p.say(offerText)
		s.expect(iceText, offerText)
		s.send(payload(b.T, answerText))
		p.expect("< " + answerText)
	})
}

func TestCallee(t *testing.T) {
	for _, tc := range []struct {
		name       string
		says, want []string
	}{
		{"offer", []string{offerText, iceText}, []string{offerText, iceText}},
		{"candidates first", []string{iceText, ice2Text, offerText}, []string{iceText, ice2Text, offerText}},
		{"offer request", []string{"OFFER_REQUEST", answerText}, []string{"OFFER_REQUEST", answerText}},
		{"noise first", []string{"hi", answerText, "SESSION_OK", "ERROR x", offerText}, []string{offerText}},
		{"early candidates are bounded", append(slices.Repeat([]string{iceText}, 100), offerText), append(slices.Repeat([]string{iceText}, maxEarly), offerText)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			onBench(t, ClientOptions{}, func(b *bench) {
				p, _ := b.register()
				b.silent(p)
				for _, text := range tc.says {
					p.say(text)
				}
				s := b.media.next(b.T)
				s.expect(tc.want...)
				if s.peer != "caller-1" || b.state() != StateInCall {
					b.Errorf("session with %q, %s", s.peer, b.state())
				}
				b.bye(p, websocket.CloseNormalClosure, "") // the caller hangs up
				s.expect("closed")
				p, _ = b.register() // and the next one calls
				p.say(offerText)
				if s = b.media.next(b.T); s.peer != "caller-2" {
					b.Errorf("session with %q", s.peer)
				}
			})
		})
	}
}

func TestRoom(t *testing.T) {
	onBench(t, ClientOptions{ID: "cam", Room: "r"}, func(b *bench) {
		p, _ := b.register()
		p.expect("< ROOM r")
		p.say("ROOM_OK a b cam")
		both := b.media.nextOf(b.T, "a", "b")
		a, bb := both[0], both[1]
		a.expect("OFFER_REQUEST") // the newcomer offers to all that are there
		bb.expect("OFFER_REQUEST")
		bb.send(payload(b.T, offerText))
		p.expect("< ROOM_PEER_MSG b " + offerText)
		p.say("ROOM_PEER_MSG a " + answerText)
		a.expect(answerText)

		p.say("ROOM_PEER_JOINED c") // c will offer to us
		p.say("ROOM_PEER_MSG c " + iceText)
		b.silent(p)
		b.media.none(b.T)
		p.say("ROOM_PEER_MSG c " + offerText)
		c := b.media.next(b.T)
		c.expect(iceText, offerText)
		c.send(payload(b.T, answerText))
		p.expect("< ROOM_PEER_MSG c " + answerText)
		p.say("ROOM_PEER_JOINED d")
		p.say("ROOM_PEER_MSG d OFFER_REQUEST")
		b.media.next(b.T).expect("OFFER_REQUEST")

		p.say("ROOM_PEER_LEFT a")
		a.expect("closed")
		a.send(payload(b.T, iceText)) // dropped
		for _, ignored := range []string{"ROOM_PEER_LEFT nobody", "ERROR peer 'a' not found", offerText, "ROOM_PEER_LIST ", "HELLO", "SESSION_OK"} {
			p.say(ignored)
		}
		bb.end() // its media has ended: the others stay
		bb.expect("closed")
		b.silent(p)
		c.quiet()
		p.say("ROOM_PEER_MSG b " + offerText) // b calls anew
		b2 := b.media.next(b.T)
		b2.expect(offerText)

		b.bye(p, websocket.CloseNormalClosure, "") // the server's, not a partner's
		c.expect("detached")
		b2.expect("detached")
		p, _ = b.register()
		p.expect("< ROOM r")
		p.say("ROOM_OK b c e") // b and c still see us
		e := b.media.next(b.T)
		if e.expect("OFFER_REQUEST"); e.peer != "e" {
			b.Errorf("offer to %q", e.peer)
		}
		b.media.none(b.T)
		c.end() // now c doesn't
		if c = b.media.next(b.T); c.peer != "c" {
			b.Errorf("offer to %q", c.peer)
		}
		p.say("ROOM_PEER_MSG b " + offerText) // b has given the old session up
		b2.expect("closed")
		b.media.next(b.T).expect(offerText)
		b.stop()
		e.expect("closed")
		c.expect("OFFER_REQUEST", "closed")
	})
}

func TestRoomWithRemoteOfferer(t *testing.T) {
	onBench(t, ClientOptions{Room: "r", RemoteOfferer: true}, func(b *bench) {
		p, _ := b.register()
		p.expect("< ROOM r")
		p.say("ROOM_OK a")
		p.expect("< ROOM_PEER_MSG a OFFER_REQUEST")
		p.say("ROOM_PEER_MSG a " + offerText)
		b.media.next(b.T).expect(offerText)
	})
}

func TestRoomOfTooMany(t *testing.T) {
	onBench(t, ClientOptions{Room: "r"}, func(b *bench) {
		b.media.opened = make(chan *fakeSession, 2*maxCalls)
		p, _ := b.register()
		p.expect("< ROOM r")
		p.say("ROOM_OK " + strings.Repeat("a b c ", 10))
		for i := range 2 * maxCalls {
			p.say(fmt.Sprintf("ROOM_PEER_MSG m%d %s", i, iceText))
			p.say(fmt.Sprintf("ROOM_PEER_MSG m%d %s", i, offerText))
			<-time.After(time.Second / 40) // a quicker server is hung up on
		}
		<-time.After(maxCalls / time.Duration(openAllowance.PerSecond) * time.Second)
		synctest.Wait()
		if n := len(b.media.opened); n != maxCalls {
			b.Errorf("%d sessions", n)
		}
		p.say("ROOM_PEER_LEFT m1")
		p.say("ROOM_PEER_MSG new " + offerText)
		<-time.After(time.Second)
		synctest.Wait()
		if n := len(b.media.opened); n != maxCalls+1 {
			b.Errorf("%d sessions", n)
		}
	})
}

func TestRoomThatIsFull(t *testing.T) {
	onBench(t, ClientOptions{Room: "r"}, func(b *bench) {
		b.media.fail = func(peer string) error {
			if peer == "a" {
				return ErrFull
			}
			return nil
		}
		p, _ := b.register()
		p.expect("< ROOM r")
		p.say("ROOM_OK a b")
		if s := b.media.next(b.T); s.peer != "b" {
			b.Errorf("session with %q", s.peer)
		}
		b.silent(p)
	})
}

func TestPeerNotThereYet(t *testing.T) {
	onBench(t, ClientOptions{Peer: "77"}, func(b *bench) {
		p, _ := b.register()
		start := time.Now()
		for i := range 20 {
			p.next2(b, "< SESSION 77")
			p.say([]string{"ERROR peer '77' not found", "ERROR peer '77' busy"}[i%2])
		}
		if took := time.Since(start); took < 20*time.Second || took > 20*backoffMost {
			b.Errorf("20 calls within %s", took)
		}
		p.next2(b, "< SESSION 77")
		p.say("SESSION_OK")
		b.media.next(b.T)
		if n := strings.Count(b.log.String(), "peer can't be called"); n != 1 {
			b.Errorf("logged %d times", n)
		}
		if len(b.sockets) != 0 {
			b.Error("there is a second socket")
		}
	})
}
