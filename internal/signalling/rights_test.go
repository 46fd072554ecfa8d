package signalling

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

// A peer whose rights are for one camera gets that camera, and no other peer or room.
func TestRightsOfOneCamera(t *testing.T) {
	checkLeaks(t)
	s := NewServer(ServerOptions{Rights: func(*http.Request) Rights {
		return Rights{May: func(id string) bool { return id == "front" }}
	}})
	front, rear := newFakeMedia(), newFakeMedia()
	for id, m := range map[string]*fakeMedia{"front": front, "rear": rear} {
		if err := s.Register(id, m); err != nil {
			t.Fatal(err)
		}
	}
	dial := newRig(t, s)
	other := dialProbe(t, dial).hello("other")
	p := dialProbe(t, dial).hello("guest")
	for command, want := range map[string]string{
		"SESSION rear":   "< ERROR this key is not for 'rear'",
		"SESSION other":  "< ERROR this key is not for 'other'",
		"SESSION nobody": "< ERROR this key is not for 'nobody'",
		"ROOM hall":      "< ERROR this key is not for 'hall'",
	} {
		p.say(command)
		p.expect(want)
	}
	p.say("SESSION front")
	p.expect("< SESSION_OK")
	session := front.next(t)
	rear.none(t)
	p.close(1000)
	session.expect("closed")
	other.close(1000)
}

// When a peer's rights end, its connection is closed with a code of its own and its session is hung up, wherever it stands.
func TestRightsThatEnd(t *testing.T) {
	for name, come := range map[string]func(*probe){
		"before HELLO": func(*probe) {},
		"registered":   func(p *probe) { p.hello("v") },
		"in a room": func(p *probe) {
			p.hello("v").say("ROOM hall")
			p.expect("< ROOM_OK ")
		},
		"in a session": func(p *probe) {
			p.hello("v").say("SESSION camera")
			p.expect("< SESSION_OK")
		},
	} {
		t.Run(name, func(t *testing.T) {
			checkLeaks(t)
			over := make(chan struct{})
			s := NewServer(ServerOptions{Rights: func(*http.Request) Rights { return Rights{Done: over} }})
			m := newFakeMedia()
			if err := s.Register("camera", m); err != nil {
				t.Fatal(err)
			}
			p := dialProbe(t, newRig(t, s))
			come(p)
			close(over)
			p.expect("! 4401 the key was changed, was removed or has expired")
			if name == "in a session" {
				m.next(t).expect("closed")
			}
		})
	}
}

// A server that wants a login is said to want one where the address has none.
func TestHandshakeWithoutLogin(t *testing.T) {
	for address, hinted := range map[string]bool{"ws://localhost": true, "ws://viewer:sesame@localhost": false} {
		synctest.Test(t, func(t *testing.T) {
			n := newPipeNet()
			asked := make(chan struct{}, 100)
			serveHTTP(t, n, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked <- struct{}{}
				http.Error(w, "no", http.StatusUnauthorized)
			}))
			var log logBuffer
			c := NewClient(ClientOptions{URL: address, Logger: slog.New(slog.NewTextHandler(&log, nil))}, newFakeMedia())
			c.dial = n.Dial
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- c.Run(ctx) }()
			for range 2 {
				<-asked
			}
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if got := log.String(); !strings.Contains(got, "server answered 401") || strings.Contains(got, "wss://user:KEY@host") != hinted ||
				strings.Contains(got, "sesame") {
				t.Errorf("%s: hinted should be %t:\n%s", address, hinted, got)
			}
		})
	}
}
