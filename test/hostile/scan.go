package hostile

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	tcpPorts   = 20
	udpPorts   = 255
	mostHit    = 30 // ports that may be asked: a session may have so many candidates
	scanFor    = 4 * time.Second
	victimFrom = 240 // number of the stranger whose ports are looked for
	nameCount  = 900
	// The attack sends candidateBurst candidates at once, and then candidateRate a second. The server allows a connection a burst of 500
	// messages and 100 a second. It keeps only some of the candidates that arrive before it has read the answer.
	candidateBurst, candidateRate = 20, 200
)

// trap listens on ports and counts those that something came to.
type trap struct {
	ports []int
	tcp   atomic.Int64 // connections
	udp   atomic.Int64 // ports that a datagram came to
	close func()
}

func (d Door) newTrap(tcp, udp int) (*trap, error) {
	t := &trap{}
	var closers []func() error
	var wg sync.WaitGroup
	t.close = func() {
		for _, c := range closers {
			_ = c()
		}
		wg.Wait()
	}
	for range tcp {
		l, err := d.listenTCP()
		if err != nil {
			t.close()
			return nil, fmt.Errorf("listen: %w", err)
		}
		closers, t.ports = append(closers, l.Close), append(t.ports, l.Addr().(*net.TCPAddr).Port)
		wg.Go(func() { t.accept(l) })
	}
	for range udp {
		c, err := d.listenUDP()
		if err != nil {
			t.close()
			return nil, fmt.Errorf("listen: %w", err)
		}
		closers, t.ports = append(closers, c.Close), append(t.ports, c.LocalAddr().(*net.UDPAddr).Port)
		wg.Go(func() {
			if _, _, err := c.ReadFromUDPAddrPort(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
				t.udp.Add(1)
			}
		})
	}
	return t, nil
}

func (t *trap) accept(l *net.TCPListener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		t.tcp.Add(1)
		_ = c.Close()
	}
}

// scanPorts names other machines' ports, and the program's own, as its candidates.
func scanPorts(ctx context.Context, s Scene) (string, error) {
	victim := s.Door(victimFrom)
	loopback := Door{From: netip.MustParseAddr("127.0.0.1"), Enter: func(f func()) { f() }} // the program's own
	traps := map[string]*trap{}
	for _, one := range []struct {
		name     string
		at       Door
		tcp, udp int
	}{{"TCP", victim, tcpPorts, 0}, {"UDP", victim, 0, udpPorts}, {"loopback TCP", loopback, 5, 0}, {"loopback UDP", loopback, 0, 5}} {
		t, err := one.at.newTrap(one.tcp, one.udp)
		if err != nil {
			return "", err
		}
		defer t.close()
		traps[one.name] = t
	}
	var named []string
	for _, kind := range []string{"TCP", "loopback TCP"} {
		at := map[string]Door{"TCP": victim, "loopback TCP": loopback}[kind].From
		for _, port := range traps[kind].ports {
			named = append(named, fmt.Sprintf("candidate:t%d 1 TCP 1518280447 %s %d typ host tcptype passive", port, at, port))
		}
	}
	for _, kind := range []string{"loopback UDP", "UDP"} {
		at := map[string]Door{"UDP": victim, "loopback UDP": loopback}[kind].From
		for _, port := range traps[kind].ports {
			named = append(named, fmt.Sprintf("candidate:u%d 1 UDP 2122260223 %s %d typ host", port, at, port))
		}
	}
	if err := s.Door(1).nameCandidates(ctx, named); err != nil {
		return "", err
	}
	tcp, udp := traps["TCP"].tcp.Load()+traps["loopback TCP"].tcp.Load(), traps["UDP"].udp.Load()
	own := traps["loopback UDP"].udp.Load()
	found := fmt.Sprintf("%d TCP connections, %d of %d UDP ports, %d of 5 on the loopback", tcp, udp, udpPorts, own)
	if tcp > 0 || udp > mostHit || own > 0 {
		return found, fmt.Errorf("%s; want none, at most %d, none", found, mostHit)
	}
	return found, nil
}

// manyNames has the program look for machines that are not there.
func manyNames(ctx context.Context, s Scene) (string, error) {
	var named []string
	for i := range nameCount {
		named = append(named, fmt.Sprintf("candidate:n%d 1 UDP 2122260223 0a3c5b9e-0000-4000-8000-%012d.local 40000 typ host", i, i))
	}
	return fmt.Sprintf("%d names", nameCount), s.Door(1).nameCandidates(ctx, named)
}

// nameCandidates answers an offer with somebody else's address.
func (d Door) nameCandidates(ctx context.Context, texts []string) error {
	line, offer, err := d.ask(ctx, "scanner")
	if err != nil {
		return err
	}
	defer line.Close()
	answer, err := pionAnswer(offer)
	if err != nil {
		return fmt.Errorf("make an answer: %w", err)
	}
	if err = line.Describe("answer", answer); err != nil {
		return fmt.Errorf("send the answer: %w", err)
	}
	for i, text := range texts {
		if line.Candidate(text, 0) != nil {
			return nil // it was hung up on, which is right as well
		}
		if i > candidateBurst {
			wait(ctx, time.Second/candidateRate)
		}
	}
	wait(ctx, scanFor)
	return nil
}
