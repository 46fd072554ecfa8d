package ice

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// freeRange finds so many ports in a row that nobody uses.
func freeRange(t *testing.T, count int) Range {
	t.Helper()
	for first := 40000; first < 60000; first += count {
		r := Range{first, first + count - 1}
		free := true
		for port := r.First; port <= r.Last; port++ {
			free = free && unused(port)
		}
		if free {
			return r
		}
	}
	t.Fatal("no free ports on this machine")
	return Range{}
}

func TestEachViewerHasAPort(t *testing.T) {
	r := freeRange(t, 2)
	paths := New(Options{Ports: r})
	a, err := paths.Join(nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := paths.Join(nil)
	if err != nil || a.Port == b.Port || min(a.Port, b.Port) != r.First || max(a.Port, b.Port) != r.Last {
		t.Fatalf("ports %d and %d of %s, %v", a.Port, b.Port, r, err)
	}
	_, err = paths.Join(nil)
	if !errors.Is(err, ErrNoPort) || !strings.Contains(err.Error(), "ice.port "+r.String()) || !strings.Contains(err.Error(), "2 are taken by viewers, and 0") {
		t.Fatalf("a third viewer: %v", err)
	}
	a.Leave()
	if c, err := paths.Join(nil); err != nil || c.Port != a.Port {
		t.Fatalf("after the first has left: %+v, %v", c, err)
	}
}

// TestForeignPorts: a port that another program has, of either kind and on any address, is not handed out.
func TestForeignPorts(t *testing.T) {
	r := freeRange(t, 3)
	var config net.ListenConfig
	udp, err := config.ListenPacket(t.Context(), "udp4", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(r.First)).String())
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	tcp, err := config.Listen(t.Context(), "tcp4", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(r.First+1)).String())
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	paths := New(Options{Ports: r})
	if p, err := paths.Join(nil); err != nil || p.Port != r.Last {
		t.Fatalf("%+v, %v, want port %d", p, err, r.Last)
	}
	if _, err := paths.Join(nil); !errors.Is(err, ErrNoPort) || !strings.Contains(err.Error(), "1 are taken by viewers, and 2 are in use") {
		t.Fatalf("when all are in use: %v", err)
	}
}

// TestPortOfEndedConnection: for the agent a port is in use as long as the kernel keeps the end of a connection of it.
func TestPortOfEndedConnection(t *testing.T) {
	r := freeRange(t, 1)
	var config net.ListenConfig
	at := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(r.First)).String()
	l, err := config.Listen(t.Context(), "tcp4", at)
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan net.Conn, 1)
	go func() {
		c, _ := l.Accept() // nil where it fails
		accepted <- c
	}()
	far, err := (&net.Dialer{}).DialContext(context.Background(), "tcp4", at)
	if err != nil {
		t.Fatal(err)
	}
	c := <-accepted
	if c == nil {
		t.Fatal("nothing was accepted")
	}
	_ = c.Close() // we end it first, so that our port keeps its end
	if _, err := far.Read(make([]byte, 1)); err == nil {
		t.Fatal("the connection goes on")
	}
	_ = far.Close()
	_ = l.Close()
	if unused(r.First) {
		t.Error("the port is taken for free, and the agent would not get it")
	}
}

func TestNoPaths(t *testing.T) {
	var none *Paths
	near := []netip.Addr{netip.MustParseAddr("192.168.1.5")}
	p, err := none.Join(near)
	if err != nil || p.Port != 0 || len(p.Local) != 1 || len(p.TURN) != 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	p.Named("abcd")
	if told := p.Told("candidate:x"); len(told) != 1 || told[0] != "candidate:x" {
		t.Errorf("told %q", told)
	}
	p.Leave()
	(*Path)(nil).Leave()
}
