package ice

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"
)

// attribute is one of a STUN message's.
func attribute(kind uint16, value string) []byte {
	out := binary.BigEndian.AppendUint16(nil, kind)
	out = binary.BigEndian.AppendUint16(out, uint16(len(value)))
	out = append(out, value...)
	return append(out, make([]byte, (4-len(value)%4)%4)...)
}

// framed is a check of ICE in a frame of RFC 4571.
func framed(attributes ...[]byte) []byte {
	body := bytes.Join(attributes, nil)
	message := binary.BigEndian.AppendUint16(nil, bindingCheck)
	message = binary.BigEndian.AppendUint16(message, uint16(len(body)))
	message = binary.BigEndian.AppendUint32(message, magicCookie)
	message = append(message, "transaction0"...)
	message = append(message, body...)
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...)
}

func checkFor(ufrag string) []byte {
	return framed(attribute(0x0024, "prio"), attribute(userName, ufrag+":theirs"), attribute(0x8022, "odd"))
}

func TestReadCheck(t *testing.T) {
	whole := checkFor("abcd")
	changed := func(at int, b byte) []byte {
		out := bytes.Clone(whole)
		out[at] = b
		return out
	}
	tests := []struct {
		name string
		in   []byte
		want string // the ufrag, or none
	}{
		{"a check", whole, "abcd"},
		{"with more behind it", append(bytes.Clone(whole), "more"...), "abcd"},
		{"cut off", whole[:len(whole)-1], ""},
		{"nothing", nil, ""},
		{"an empty frame", []byte{0, 0}, ""},
		{"shorter than a header", []byte{0, 4, 0, 1, 0, 0}, ""},
		{"an answer", changed(2, 1), ""},
		{"no cookie", changed(6, 0), ""},
		{"another length within", changed(5, 0), ""},
		{"a request of HTTP", []byte("GET / HTTP/1.1\r\nHost: board\r\n\r\n"), ""},
		{"TLS", []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), ""},
		{"no user name", framed(attribute(0x0024, "prio")), ""},
		{"no colon", framed(attribute(userName, "abcd")), ""},
		{"an empty ufrag", framed(attribute(userName, ":theirs")), ""},
		{"a ufrag that is too long", framed(attribute(userName, strings.Repeat("a", 257)+":x")), ""},
		{"an attribute beyond the end", framed([]byte{0, 6, 0, 9, 'a', ':', 'b', 0}), ""},
		{"too long", append([]byte{0xff, 0xff}, make([]byte, 1<<16)...), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := readCheck(bytes.NewReader(tt.in))
			if err != nil {
				c.ufrag = ""
			}
			if c.ufrag != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("ufrag %q, %v, want %q", c.ufrag, err, tt.want)
			}
			if err == nil && !bytes.HasPrefix(tt.in, c.frame) {
				t.Error("the frame is not as it came")
			}
		})
	}
}

func FuzzReadCheck(f *testing.F) {
	f.Add(checkFor("abcd"))
	f.Add(framed())
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := readCheck(bytes.NewReader(data))
		if len(c.frame) > longestCheck {
			t.Errorf("%d bytes are kept", len(c.frame))
		}
		if err == nil && (c.ufrag == "" || len(c.ufrag) > longestUfrag || !bytes.HasPrefix(data, c.frame)) {
			t.Errorf("took %q of %x", c.ufrag, data)
		}
	})
}

// newTestGate runs a gate, and an agent that answers what it is sent.
func newTestGate(t *testing.T) (*gate, netip.AddrPort) {
	t.Helper()
	g := newGate(slog.New(slog.DiscardHandler))
	g.within = 2 * time.Second
	if err := g.listen(t.Context(), "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	var config net.ListenConfig
	at, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- g.run(ctx) }()
	go func() {
		ended <- acceptAll(ctx, at, func(_ context.Context, c net.Conn) {
			_, _ = io.Copy(c, c)
			_ = c.Close()
		})
	}()
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	return g, netip.MustParseAddrPort(at.Addr().String())
}

// dial connects to the gate and says something.
func dial(t *testing.T, g *gate, say []byte) net.Conn {
	t.Helper()
	return dialFrom(t, g, "127.0.0.1", say)
}

// dialFrom does so from an address of this machine's: all of 127.0.0.0/8 are.
func dialFrom(t *testing.T, g *gate, address string, say []byte) net.Conn {
	t.Helper()
	d := net.Dialer{Timeout: testWithin, LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	c, err := d.DialContext(t.Context(), "tcp", g.at.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(testWithin)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(say); err != nil {
		t.Fatal(err)
	}
	return c
}

const testWithin = 20 * time.Second // on a loaded machine

// refused waits until the gate has closed a connection.
func refused(t *testing.T, c net.Conn) {
	t.Helper()
	var timeout net.Error
	if _, err := c.Read(make([]byte, 1)); err == nil || errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("the connection goes on: %v", err)
	}
}

// answered reads so many bytes.
func answered(t *testing.T, c net.Conn, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("the agent answered %q, %v, want %q", got, err, want)
	}
}

func TestGate(t *testing.T) {
	g, at := newTestGate(t)
	g.serve("abcd", at)
	g.serve("abcd", netip.MustParseAddrPort("127.0.0.1:1")) // a second address of the same agent
	c := dial(t, g, checkFor("abcd"))
	answered(t, c, checkFor("abcd"))
	if _, err := c.Write([]byte("media")); err != nil {
		t.Fatal(err)
	}
	answered(t, c, []byte("media"))
	refused(t, dial(t, g, checkFor("none")))
	refused(t, dial(t, g, []byte("GET / HTTP/1.1\r\nHost: board.example\r\n\r\n")))
	g.forget("abcd")
	refused(t, dial(t, g, checkFor("abcd")))
	if _, err := c.Write([]byte("goes on")); err != nil { // until the agent ends it
		t.Fatal(err)
	}
	answered(t, c, []byte("goes on"))
}

// TestGateIsBounded: as many connections as one viewer may have, and then no other until one of them ends.
func TestGateIsBounded(t *testing.T) {
	g, at := newTestGate(t)
	g.serve("abcd", at)
	var open []net.Conn
	for range perViewer {
		c := dial(t, g, checkFor("abcd"))
		answered(t, c, checkFor("abcd"))
		open = append(open, c)
	}
	refused(t, dial(t, g, checkFor("abcd")))
	_ = open[0].Close()
	deadline := time.Now().Add(testWithin)
	for again := false; !again; {
		c := dial(t, g, checkFor("abcd"))
		_, err := io.ReadFull(c, make([]byte, len(checkFor("abcd"))))
		if again = err == nil; time.Now().After(deadline) {
			t.Fatal("no place is free, though a connection has ended")
		}
	}
}

// awaitWaiting waits until so many connections wait.
func awaitWaiting(t *testing.T, g *gate, want int) {
	t.Helper()
	for begin := time.Now(); ; runtime.Gosched() {
		g.mu.Lock()
		count := g.count
		g.mu.Unlock()
		if count == want {
			return
		}
		if time.Since(begin) > testWithin {
			t.Fatalf("%d connections wait, want %d", count, want)
		}
	}
}

// TestSilentConnections: those that say nothing are bounded, of one address and in all, and keep no viewer out for long.
func TestSilentConnections(t *testing.T) {
	g, at := newTestGate(t)
	g.serve("abcd", at)
	early := dial(t, g, checkFor("abcd"))
	answered(t, early, checkFor("abcd"))
	var silent []net.Conn
	for i := range waitingMost {
		address := fmt.Sprintf("127.0.0.%d", 2+i/waitingOfOne)
		silent = append(silent, dialFrom(t, g, address, nil))
		awaitWaiting(t, g, i+1)
		if i == waitingOfOne-1 {
			refused(t, dialFrom(t, g, address, checkFor("abcd")))
			other := dial(t, g, checkFor("abcd"))
			answered(t, other, checkFor("abcd"))
			_ = other.Close()
		}
	}
	refused(t, dial(t, g, checkFor("abcd")))
	for _, c := range silent {
		refused(t, c)
	}
	awaitWaiting(t, g, 0)
	c := dialFrom(t, g, "127.0.0.2", checkFor("abcd"))
	answered(t, c, checkFor("abcd"))
	if _, err := early.Write([]byte("later")); err != nil {
		t.Fatal(err)
	}
	answered(t, early, []byte("later")) // the time for a first message is none for the rest
	awaitWaiting(t, g, 0)
	if len(g.waiting) != 0 {
		t.Errorf("%v wait", g.waiting)
	}
}

// TestGateOfPath: checks come to a viewer from its first ICE candidate of TCP until the viewer leaves.
func TestGateOfPath(t *testing.T) {
	p := New(Options{TCPPort: 8081})
	path, err := p.Join(nil)
	if err != nil {
		t.Fatal(err)
	}
	path.Named("abcd")
	path.Told(udp4)
	if len(p.gate.agents) != 0 {
		t.Error("the gate leads to a port of UDP")
	}
	path.Told("candidate:9 1 TCP 1015021823 fe80::1 50001 typ host tcptype passive")
	path.Told(passive)
	if a := p.gate.agents["abcd"]; a == nil || a.at != netip.MustParseAddrPort("192.168.1.5:50000") {
		t.Errorf("the gate leads to %+v", a)
	}
	path.Leave()
	if len(p.gate.agents) != 0 {
		t.Error("the gate leads to a viewer that has left")
	}
}
