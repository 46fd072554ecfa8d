package signalling

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

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
		if !strings.Contains(b.log.String(), "--id gives this board another one") {
			b.Errorf("no hint:\n%s", &b.log)
		}
	})
}

// An id that another peer really has is asked for at growing intervals, for ever.
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
		if strings.Contains(b.log.String(), keyHint) {
			b.Errorf("a hint to choose an id, where the client does so by itself:\n%s", &b.log)
		}
		p, id := b.register()
		b.bye(p, websocket.CloseGoingAway, "")
		if _, again := b.register(); again != id {
			b.Errorf("an id that was good was changed")
		}
	})
}

// However a connection ends, the client connects again. Its session is closed only when the partner has hung up.
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

// When a server falls silent and the connection stays open, the client notices that no pongs come.
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
		b.register()
		synctest.Wait()
		b.net.kill()
		<-time.After(10 * time.Minute)
		tries := strings.Count(b.log.String(), "not registered with the signalling server")
		if tries < 40 || tries > 200 { // one in 7.5 s is the mean
			b.Errorf("%d tries in 10 minutes", tries)
		}
		warned := regexp.MustCompile(`level=WARN .*`).FindAllString(b.log.String(), -1)
		if len(warned) != 2 || !strings.Contains(warned[0], "read: ") || !strings.Contains(warned[1], "connection refused") {
			b.Errorf("warned %q, want once of the loss and once of the server that is not there", warned)
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

// When the machine loses the address of the client's socket, no error tells the client: it looks for itself. The media go on.
func TestAddressIsGone(t *testing.T) {
	var gone atomic.Bool
	var asked atomic.Int64
	home := func(net.Addr) bool {
		asked.Add(1)
		return !gone.Load()
	}
	onBenchAt(t, ClientOptions{ID: "cam"}, home, func(b *bench) {
		p, _ := b.register()
		p.say(offerText)
		s := b.media.next(b.T)
		s.expect(offerText)
		<-time.After(10 * time.Second)
		b.silent(p)
		if n := asked.Load(); n < 9 {
			b.Errorf("looked %d times in 10 s", n)
		}
		gone.Store(true)
		began := time.Now()
		s.expect("detached")
		gone.Store(false)
		b.register()
		if took := time.Since(began); took > addressEvery+backoffFirst {
			b.Errorf("back after %s", took)
		}
		if !strings.Contains(b.log.String(), "no longer this machine's") {
			b.Errorf("it does not say why:\n%s", &b.log)
		}
	})
}

func TestOwnAddress(t *testing.T) {
	for text, want := range map[string]bool{"127.0.0.1:1": true, "127.1.2.3:1": true, "[::1]:1": true, "192.0.2.1:1": false, "[2001:db8::1]:1": false} {
		address, err := net.ResolveTCPAddr("tcp", text)
		if err != nil {
			t.Fatal(err)
		}
		if got := ownAddress(address); got != want {
			t.Errorf("%s is ours: %v, want %v", text, got, want)
		}
	}
	if !ownAddress(&net.UnixAddr{}) {
		t.Error("what is no IP address is taken for gone")
	}
}
