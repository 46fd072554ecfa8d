package signalling

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"boardcast/internal/sdp"
)

// A call is dropped when its caller hangs up, or its connection breaks, before the streamer has taken it.
func TestStaleCallIsDropped(t *testing.T) {
	leave := map[string]func(*probe){
		"hangs up": func(p *probe) { p.close(websocket.CloseNormalClosure) },
		"breaks":   (*probe).kill,
		"floods": func(p *probe) { // what it says meanwhile is kept, but not without end
			for range (Limits{}).withDefaults().Queue.Frames + 1 {
				if p.ws.WriteMessage(websocket.TextMessage, []byte("x")) != nil {
					return
				}
			}
		},
	}
	for name, leave := range leave {
		t.Run(name, func(t *testing.T) {
			checkLeaks(t)
			// Burst is so high that the flood meets the limit of what is kept.
			s, m := NewServer(ServerOptions{Limits: Limits{Messages: Allowance{Burst: 1 << 20}}}), newFakeMedia()
			asked, told := make(chan struct{}), make(chan error, 1)
			m.wait = func(ctx context.Context) error {
				close(asked)
				<-ctx.Done()
				told <- ctx.Err()
				return nil // too late all the same: the session that comes is closed
			}
			if err := s.Register("camera", m); err != nil {
				t.Fatal(err)
			}
			p := dialProbe(t, newRig(t, s)).hello("v")
			p.say("SESSION camera")
			<-asked
			leave(p)
			select {
			case err := <-told:
				if err == nil {
					t.Error("the context tells no reason")
				}
			case <-time.After(patience):
				t.Fatal("the caller's end was not told")
			}
			m.next(t).expect("closed")
			waitUntil(t, func() bool { return s.Stats().Connections == 0 })
		})
	}
}

// What a caller says before its call is taken is handled afterwards, in order. That goes for a second call too.
func TestWordsBeforeTheCallIsTaken(t *testing.T) {
	checkLeaks(t)
	s, m := NewServer(ServerOptions{}), newFakeMedia()
	free := make(chan struct{})
	fails := 1
	m.wait = func(context.Context) error {
		<-free
		if fails--; fails == 0 {
			return ErrFull
		}
		return nil
	}
	if err := s.Register("camera", m); err != nil {
		t.Fatal(err)
	}
	p := dialProbe(t, newRig(t, s)).hello("v")
	for _, text := range []string{"SESSION camera", "SESSION nobody", "SESSION camera", "OFFER_REQUEST", iceText} {
		p.say(text)
	}
	close(free)
	p.expect("< ERROR peer 'camera' busy")
	p.expect("< ERROR peer 'nobody' not found")
	p.expect("< SESSION_OK")
	m.next(t).expect("OFFER_REQUEST", iceText)
}

func TestCallerOf(t *testing.T) {
	local, err := net.ResolveTCPAddr("tcp", "192.0.2.9:8080")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, remote, header, want string }{
		{"IPv4", "192.0.2.1:99", "", "192.0.2.1"},
		{"IPv4 in IPv6", "[::ffff:192.0.2.1]:99", "", "192.0.2.1"},
		{"IPv6", "[2001:db8::1]:99", "", "2001:db8::1"},
		{"link-local", "[fe80::1%eth0]:99", "", "fe80::1"},
		{"no address", "pipe", "", "invalid IP"},
		{"by a proxy", "192.0.2.1:99", "X-Forwarded-For", "invalid IP"},
		{"by another", "192.0.2.1:99", "Via", "invalid IP"},
	} {
		r := httptest.NewRequestWithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, net.Addr(local)), http.MethodGet, "/", nil)
		r.RemoteAddr = tc.remote
		if tc.header != "" {
			r.Header.Set(tc.header, "10.0.0.1")
		}
		if got := CallerOf(r); got.Address.String() != tc.want || got.ID != "" {
			t.Errorf("%s: %+v, want the address %s", tc.name, got, tc.want)
		}
	}
}

// The streamer is told where its caller comes from, and the caller why its offer is refused.
func TestStreamerAndCaller(t *testing.T) {
	checkLeaks(t)
	s, m := NewServer(ServerOptions{}), newFakeMedia()
	callers := make(chan Caller, 1)
	if err := s.Register("camera", mediaFunc(func(ctx context.Context, c Caller, send func(sdp.Message)) (Session, error) {
		callers <- c
		return m.Open(ctx, c, send)
	})); err != nil {
		t.Fatal(err)
	}
	p := dialProbe(t, newRig(t, s)).hello("v")
	p.say("SESSION camera")
	p.expect("< SESSION_OK")
	if c := <-callers; c.ID != "v" || c.Address != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("caller %+v", c)
	}
	session := m.next(t)
	p.say("ERROR not this one")
	session.expect("ERROR not this one")
	session.send(sdp.Message{Gathered: true}) // is not sent
	session.send(sdp.Message{Error: "section 1: no codec\nthat we have" + strings.Repeat("!", 2*maxError)})
	session.end()
	p.expect("< ERROR section 1: no codec that we have" + strings.Repeat("!", maxError-len("section 1: no codec that we have")))
	p.expect("! 1000")
	session.expect("closed")
}
