package ice

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"syscall"
)

// ErrNoPort tells that each port of the range is taken.
var ErrNoPort = errors.New("no free port")

// Range is the ports from First to Last.
type Range struct{ First, Last int }

func (r Range) String() string {
	if r.First == r.Last {
		return strconv.Itoa(r.First)
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

// ports hands out the ports of a range, one to each viewer. webrtcbin's agent has a socket of its own for each viewer, so that no two
// viewers can share a port. The agent would choose one of a range by itself, but does not tell when there is none left: it stays silent
// (libnice 0.1.21).
type ports struct {
	Range
	mu    sync.Mutex
	taken map[int]bool
	next  int // where to begin to look: a port that was just given back may still get the packets of its last viewer
}

func newPorts(r Range) *ports { return &ports{Range: r, taken: map[int]bool{}, next: r.First} }

// take takes a port that no viewer has, and no other program either. The error wraps ErrNoPort.
func (p *ports) take() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	foreign, count := 0, p.Last-p.First+1
	for i := range count {
		port := p.First + (p.next-p.First+i)%count
		if p.taken[port] {
			continue
		}
		if !unused(port) {
			foreign++
			continue
		}
		p.taken[port], p.next = true, port+1
		return port, nil
	}
	return 0, fmt.Errorf("%w among ice.port %s: each viewer takes one; %d are taken by viewers, and %d are in use otherwise",
		ErrNoPort, p.Range, len(p.taken), foreign)
}

func (p *ports) free(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.taken, port)
}

// unused tells whether UDP and TCP have the port free on each of the machine's addresses. It asks without SO_REUSEADDR, as the agent
// does, for whom a port of TCP is in use for a minute after its last connection.
func unused(port int) bool {
	at := ":" + strconv.Itoa(port)
	strict := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		return errors.Join(c.Control(func(fd uintptr) {
			err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 0)
		}), err)
	}}
	udp, err := strict.ListenPacket(context.Background(), "udp", at)
	if err != nil {
		return false
	}
	defer udp.Close() //nolint:errcheck // nothing was sent
	tcp, err := strict.Listen(context.Background(), "tcp", at)
	if err != nil {
		return false
	}
	return tcp.Close() == nil
}
