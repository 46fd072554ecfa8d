package web

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// conn is a connection without a network.
func conn(l *connLimit, from string, busy bool) *countedConn {
	return &countedConn{listener: l, from: netip.MustParseAddr(from), busy: busy}
}

// Which connection gives way to one more. There are eight places, and an address may have four.
func TestPlaces(t *testing.T) {
	const a, b, c, d = "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"
	type one struct {
		from string
		busy bool
	}
	waiting := func(from ...string) (all []one) {
		for _, f := range from {
			all = append(all, one{f, false})
		}
		return all
	}
	tests := []struct {
		name   string
		open   []one
		from   string
		taken  bool
		victim int // index in open; -1: none
	}{
		{"the first", nil, a, true, -1},
		{"up to its bound", waiting(a, a, a), a, true, -1},
		{"beyond its bound", waiting(a, a, a, a), a, false, -1},
		{"another beside it", waiting(a, a, a, a, b), b, true, -1},
		{"as many as are free", waiting(a, a, a, a, b, b), b, true, 0},
		{"a new one takes the last place", waiting(a, a, a, b, b, b, c), d, true, -1},
		{"full: the greediest gives way", waiting(a, a, b, b, b, c, c, d), d, true, 2},
		{"full: not to who has as many", waiting(a, a, b, b, c, c, d, d), d, false, -1},
		{"full: not who has sent a request", append([]one{{a, true}, {a, true}}, waiting(a, b, b, c, c, d)...), d, true, 2},
		{"full: the next greediest", append([]one{{a, true}, {a, true}, {a, true}, {a, true}}, waiting(b, b, c, d)...), "192.0.2.5", true, 4},
		{"full: nobody waits", []one{{a, true}, {a, true}, {a, true}, {a, true}, {b, true}, {b, true}, {b, true}, {c, true}}, d, false, -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := limitConns(nil, 8, 4)
			var open []*countedConn
			for _, o := range tt.open {
				open = append(open, conn(l, o.from, o.busy))
				l.total++
				l.shares[open[len(open)-1].from] = append(l.shares[open[len(open)-1].from], open[len(open)-1])
			}
			victim, taken := l.admit(conn(l, tt.from, false))
			if taken != tt.taken {
				t.Errorf("taken: %v, want %v", taken, tt.taken)
			}
			got := -1
			for i, o := range open {
				if o == victim {
					got = i
				}
			}
			if got != tt.victim {
				t.Errorf("the place of %d, want %d", got, tt.victim)
			}
			if want := len(open) + map[bool]int{true: 1}[taken && victim == nil]; l.total != want {
				t.Errorf("%d places taken, want %d", l.total, want)
			}
		})
	}
}

// flood opens slow requests from an address until n were opened, and returns those that were not closed at once.
func flood(t *testing.T, from, addr string, n int) {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	for range n {
		c, err := d.DialContext(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatalf("from %s: %v", from, err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_, _ = fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ") // it may be closed already
	}
}

// A flood of slow requests keeps no new address out, and closes no connection of another address.
func TestSlowRequestsShutNobodyOut(t *testing.T) {
	up := websocket.Upgrader{}
	s := New(Options{Access: open, Listen: "127.0.0.1:0", Signalling: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		for { // an echo
			kind, text, err := ws.ReadMessage()
			if err != nil || ws.WriteMessage(kind, text) != nil {
				return
			}
		}
	})})
	addr, _ := start(t, s)
	// From the address that then has the most connections.
	dialer := websocket.Dialer{NetDialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}).DialContext}
	ws, resp, err := dialer.DialContext(t.Context(), "ws://"+addr+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	defer ws.Close()
	const addresses, each = 20, 256
	for i := range addresses {
		flood(t, fmt.Sprintf("127.0.0.%d", 2+i), addr, each)
		if i != 4 && i != addresses-1 {
			continue
		}
		if took := page(t, fmt.Sprintf("127.0.1.%d", 2+i), addr); took > time.Second {
			t.Errorf("after %d slow requests a new address waits for its page for %s", (i+1)*each, took)
		}
		if err := ws.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
			t.Fatalf("the WebSocket that was open: %v", err)
		}
		if _, text, err := ws.ReadMessage(); err != nil || string(text) != "hello" {
			t.Fatalf("the WebSocket that was open: %q, %v", text, err)
		}
	}
}

// page loads the page from an address and returns how long that took.
func page(t *testing.T, from, addr string) time.Duration {
	t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).DialContext(ctx, "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(began.Add(10 * time.Second))
	_, _ = fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "HTTP/1.1 200") {
		t.Fatalf("the page: %q, %v", line, err)
	}
	return time.Since(began)
}

func TestConnectionsAreBounded(t *testing.T) {
	inner, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := limitConns(inner, 100, 3)
	defer ln.Close()
	accepted := make(chan net.Conn, 16)
	go func() {
		defer close(accepted)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	addr := inner.Addr().String()
	var kept []net.Conn
	for range 3 {
		dial(t, addr)
		kept = append(kept, <-accepted)
	}
	wantClosed(t, dial(t, addr)) // one too many
	if len(accepted) != 0 {
		t.Errorf("%d too many accepted", len(accepted))
	}
	_ = kept[0].Close()
	_ = kept[0].Close() // giving the place back twice would let one too many in
	dial(t, addr)
	<-accepted
	wantClosed(t, dial(t, addr)) // closing twice made one place
	_ = ln.Close()
	<-accepted
}
