package signalling

import (
	"bytes"
	"context"
	"errors"
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
)

// bench is a client under test, inside a synctest bubble, with a scripted server that speaks the reference's words.
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

// onBench runs test with a client of these options, and fails if the client leaves a goroutine behind: a bubble ends only
// when all have ended.
func onBench(t *testing.T, opts ClientOptions, test func(b *bench)) {
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

// register takes a connection to the end of the registration and returns it with the id.
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

// bye closes a connection of the client's with a code.
func (b *bench) bye(p *probe, code int, reason string) {
	b.Helper()
	_ = p.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(patience))
	synctest.Wait()
	p.kill()
}

// silent fails the test if the client has said something that expect has not taken.
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
				s.send(payload(b.T, iceText))
				p.expect("< " + offerText)
				p.expect("< " + iceText)
				p.say(iceText) // before the answer
				p.say(answerText)
				p.say(ice2Text)
				s.expect(iceText, answerText, ice2Text)
				for _, ignored := range []string{"HELLO", "SESSION_OK", "ERROR what", "hi", `{"sdp":`, "", "ROOM_OK a"} {
					p.say(ignored)
				}
				p.write(websocket.BinaryMessage, iceText)
				p.say("OFFER_REQUEST") // renegotiation
				s.expect("OFFER_REQUEST")
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
		a, bb := b.media.next(b.T), b.media.next(b.T)
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
		}
		synctest.Wait()
		if n := len(b.media.opened); n != maxCalls {
			b.Errorf("%d sessions", n)
		}
		p.say("ROOM_PEER_LEFT m1")
		p.say("ROOM_PEER_MSG new " + offerText)
		synctest.Wait()
		if n := len(b.media.opened); n != maxCalls+1 {
			b.Errorf("%d sessions", n)
		}
	})
}

func TestRoomThatIsFull(t *testing.T) {
	onBench(t, ClientOptions{Room: "r"}, func(b *bench) {
		full := false
		b.media.fail = func(string) error {
			if full = !full; full {
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

// next2 waits longer than a test's patience, on the bubble's clock.
func (p *probe) next2(b *bench, want string) {
	b.Helper()
	select {
	case got := <-p.heard:
		if got != want {
			b.Fatalf("got %.200q, want %.200q", got, want)
		}
	case <-time.After(time.Hour):
		b.Fatalf("nothing came, want %.200q", want)
	}
}

// While the peer we call is not there, another may call us.
func TestCalledWhileCalling(t *testing.T) {
	onBench(t, ClientOptions{Peer: "77"}, func(b *bench) {
		p, _ := b.register()
		p.expect("< SESSION 77")
		p.say("ERROR peer '77' not found")
		p.say(offerText)
		s := b.media.next(b.T)
		s.expect(offerText)
		<-time.After(time.Minute)
		b.silent(p) // no SESSION into the call
		s.end()
		s.expect("closed")
		p.expect("! 1000")
		p, _ = b.register()
		p.expect("< SESSION 77")
	})
}

func TestHeldID(t *testing.T) {
	onBench(t, ClientOptions{ID: "cam"}, func(b *bench) {
		start, tries := time.Now(), 0
		var last time.Time
		for time.Since(start) < 45*time.Second {
			p := b.next()
			if wait := time.Since(last); tries > 0 && (wait < heldShort || wait > heldLong) {
				b.Errorf("try %d after %s", tries, wait)
			}
			p.expect("< HELLO cam")
			b.bye(p, websocket.CloseProtocolError, "invalid peer uid")
			last = time.Now()
			tries++
		}
		if tries < 15 {
			b.Errorf("%d tries in 45 s", tries)
		}
		if _, id := b.register(); id != "cam" {
			b.Errorf("id %q", id)
		}
		if n := strings.Count(b.log.String(), "level=WARN"); n != 1 {
			b.Errorf("warned %d times:\n%s", n, &b.log)
		}
	})
}

// An id that is really somebody else's is asked for at growing intervals, for ever.
func TestHeldIDForGood(t *testing.T) {
	onBench(t, ClientOptions{ID: "cam"}, func(b *bench) {
		start, tries := time.Now(), 0
		for time.Since(start) < 30*time.Minute {
			p := b.next()
			p.expect("< HELLO cam")
			b.bye(p, websocket.CloseProtocolError, "invalid peer uid")
			tries++
		}
		if tries < 120 || tries > 500 {
			b.Errorf("%d tries", tries)
		}
	})
}

func TestTakenRandomID(t *testing.T) {
	onBench(t, ClientOptions{}, func(b *bench) {
		seen := make(map[string]bool)
		for range 10 {
			p := b.next()
			id, _ := strings.CutPrefix(p.next(), "< HELLO ")
			seen[id] = true
			if n := len(id); n < 2 || n > 4 || strings.Trim(id, "0123456789") != "" || id[0] == '0' {
				b.Errorf("id %q", id)
			}
			b.bye(p, websocket.CloseProtocolError, "invalid peer uid")
		}
		if len(seen) < 5 {
			b.Errorf("ids %v", seen)
		}
		p, id := b.register()
		b.bye(p, websocket.CloseGoingAway, "")
		if _, again := b.register(); again != id {
			b.Errorf("an id that was good was changed")
		}
	})
}

// However a connection ends, the client comes back; the session is closed only when the partner hung up.
func TestEndsOfACall(t *testing.T) {
	for _, tc := range []struct {
		name string
		end  func(b *bench, p *probe)
		want string
	}{
		{"partner hangs up", func(b *bench, p *probe) { b.bye(p, websocket.CloseNormalClosure, "") }, "closed"},
		{"server goes away", func(b *bench, p *probe) { b.bye(p, websocket.CloseGoingAway, "") }, "detached"},
		{"server fails", func(b *bench, p *probe) { b.bye(p, websocket.CloseInternalServerErr, "") }, "detached"},
		{"server is cross", func(b *bench, p *probe) { b.bye(p, websocket.CloseProtocolError, "x") }, "detached"},
		{"connection breaks", func(_ *bench, p *probe) { p.kill() }, "detached"},
		{"server says too much", func(_ *bench, p *probe) { p.say(over) }, "detached"},
		{"server says no UTF-8", func(_ *bench, p *probe) { p.say("\xff") }, "detached"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			onBench(t, ClientOptions{Peer: "77"}, func(b *bench) {
				p, _ := b.register()
				p.expect("< SESSION 77")
				p.say("SESSION_OK")
				s := b.media.next(b.T)
				s.expect("OFFER_REQUEST")
				tc.end(b, p)
				s.expect(tc.want)
				p, _ = b.register()
				if tc.want == "detached" {
					<-time.After(time.Minute)
					b.silent(p) // no second session beside the one that flows
					s.quiet()
					s.end()
				}
				p.expect("< SESSION 77")
				p.say("SESSION_OK")
				b.media.next(b.T).expect("OFFER_REQUEST")
				s.quiet()
			})
		})
	}
}

func TestMediaThatEndsHangsUp(t *testing.T) {
	onBench(t, ClientOptions{Peer: "77"}, func(b *bench) {
		p, _ := b.register()
		p.expect("< SESSION 77")
		p.say("SESSION_OK")
		s := b.media.next(b.T)
		s.end()
		p.expect("! 1000")
		s.expect("OFFER_REQUEST", "closed")
		p, _ = b.register()
		p.expect("< SESSION 77")
	})
}

func TestMediaThatDoesNotOpenHangsUp(t *testing.T) {
	onBench(t, ClientOptions{}, func(b *bench) {
		b.media.fail = func(string) error { return ErrFull }
		p, _ := b.register()
		p.say(offerText)
		p.expect("! 1000")
		b.media.fail = nil
		p, _ = b.register()
		p.say(offerText)
		b.media.next(b.T).expect(offerText)
	})
}

func TestAnswersThatDoNotCome(t *testing.T) {
	for _, tc := range []struct {
		name string
		opts ClientOptions
		last string
		say  []string // before it
	}{
		{"HELLO", ClientOptions{ID: "me"}, "< HELLO me", nil},
		{"SESSION", ClientOptions{ID: "me", Peer: "77"}, "< SESSION 77", []string{"HELLO"}},
		{"ROOM", ClientOptions{ID: "me", Room: "r"}, "< ROOM r", []string{"HELLO"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			onBench(t, tc.opts, func(b *bench) {
				p := b.next()
				for _, text := range tc.say {
					p.next()
					p.say(text)
				}
				p.expect(tc.last)
				start := time.Now()
				p.next2(b, "! 1000")
				if took := time.Since(start); took != replyWait {
					b.Errorf("waited %s", took)
				}
				b.next().expect("< HELLO me")
			})
		})
	}
}

func TestErrorsToHelloAndRoom(t *testing.T) {
	onBench(t, ClientOptions{ID: "me", Room: "r"}, func(b *bench) {
		p := b.next()
		p.expect("< HELLO me")
		p.say("ERROR go away")
		p.expect("! 1000")
		p, _ = b.register()
		p.expect("< ROOM r")
		p.say("ERROR invalid room id 'r'")
		p.expect("! 1000")
		b.register()
	})
}

// A server that falls silent, with the connection open, is noticed by its missing pongs.
func TestDeadServer(t *testing.T) {
	onBench(t, ClientOptions{Peer: "77"}, func(b *bench) {
		p, _ := b.register()
		p.expect("< SESSION 77")
		p.say("SESSION_OK")
		s := b.media.next(b.T)
		s.expect("OFFER_REQUEST")
		<-time.After(5 * time.Minute) // alive all the time
		s.quiet()
		start := time.Now()
		p.mute.Store(true)
		select {
		case got := <-s.events:
			if took := time.Since(start); got != "detached" || took > 45*time.Second {
				b.Errorf("%s after %s", got, took)
			}
		case <-time.After(time.Hour):
			b.Fatal("not noticed")
		}
		b.register()
	})
}

func TestBackoff(t *testing.T) {
	onBench(t, ClientOptions{}, func(b *bench) {
		b.net.kill()
		<-time.After(10 * time.Minute)
		tries := strings.Count(b.log.String(), "signalling lost")
		if tries < 40 || tries > 200 { // one in 7.5 s is the mean
			b.Errorf("%d tries in 10 minutes", tries)
		}
		if n := strings.Count(b.log.String(), "level=WARN"); n != 1 {
			b.Errorf("warned %d times", n)
		}
		n := newPipeNet()
		b.serve(n)
		start := time.Now()
		p, _ := b.register()
		if took := time.Since(start); took > backoffMost {
			b.Errorf("came back after %s", took)
		}
		<-time.After(stableAfter)
		start = time.Now()
		p.kill()
		b.register()
		if took := time.Since(start); took > backoffFirst+time.Millisecond {
			b.Errorf("came back after %s, though all was well", took)
		}
	})
}

func TestBackoffGrows(t *testing.T) {
	var most [8]time.Duration
	for range 200 {
		var b backoff
		for i := range most {
			d := b.next()
			if most[i] = max(most[i], d); d <= 0 || d > backoffMost+1 {
				t.Fatalf("delay %d is %s", i, d)
			}
		}
	}
	for i, ceiling := range []time.Duration{500, 1000, 2000, 4000, 8000, 15000, 15000, 15000} {
		if ceiling *= time.Millisecond; most[i] > ceiling+1 || most[i] < ceiling*8/10 {
			t.Errorf("delay %d is up to %s, want %s", i, most[i], ceiling)
		}
	}
}

func TestSecretsAreNotLogged(t *testing.T) {
	onBench(t, ClientOptions{URL: "ws://user:sesame@localhost:8443/path?token=t0ken#x", ID: "me"}, func(b *bench) {
		p, _ := b.register()
		if got := b.header.Get("Authorization"); got != "Basic dXNlcjpzZXNhbWU=" {
			b.Errorf("authorization %q", got)
		}
		p.kill()
		b.net.kill()
		<-time.After(time.Minute)
		b.stop()
		for _, secret := range []string{"sesame", "user", "t0ken", "dXNlc"} {
			if strings.Contains(b.log.String(), secret) {
				b.Errorf("%q is in the log:\n%s", secret, &b.log)
			}
		}
		if !strings.Contains(b.log.String(), "server=ws://localhost:8443/path") {
			b.Errorf("the server is not in the log:\n%s", &b.log)
		}
	})
}

func TestImpossibleOptions(t *testing.T) {
	for _, opts := range []ClientOptions{
		{URL: ""},
		{URL: "http://host"},
		{URL: "ws://"},
		{URL: "ws://user:sesame@host:port"},
		{URL: "ws://host", Peer: "1", Room: "r"},
		{URL: "ws://host", ID: "a b"},
		{URL: "ws://host", Peer: "a\n"},
		{URL: "ws://host", Room: " "},
	} {
		t.Run(fmt.Sprint(opts), func(t *testing.T) {
			err := NewClient(opts, newFakeMedia()).Run(canceled())
			if !errors.Is(err, ErrOptions) || strings.Contains(err.Error(), "sesame") {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestRefusedHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newPipeNet()
		asked := make(chan struct{}, 100)
		serveHTTP(t, n, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked <- struct{}{}
			http.Error(w, "no", http.StatusForbidden)
		}))
		var log logBuffer
		c := NewClient(ClientOptions{URL: "ws://localhost", Logger: slog.New(slog.NewTextHandler(&log, nil))}, newFakeMedia())
		c.dial = n.Dial
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- c.Run(ctx) }()
		for range 5 {
			<-asked
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if n := strings.Count(log.String(), "server answered 403 Forbidden"); n != 1 {
			t.Errorf("logged %d times:\n%s", n, &log)
		}
	})
}

func TestStateNames(t *testing.T) {
	for s, want := range map[State]string{StateOffline: "offline", StateInRoom: "in room", State(99): "state 99", State(-1): "state -1"} {
		if s.String() != want {
			t.Errorf("%d is %q, want %q", int(s), s, want)
		}
	}
}
