package hostile

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	honestViewers  = 20
	honestFrom     = 200 // number of the stranger that is honest: nobody else comes from there
	hastyLoops     = 8
	hastyPause     = 80 * time.Millisecond // of each: a hundred sessions a second in all, whatever the machine can bear
	halfOpenAtOnce = 24                    // half-open sessions that the attacker has at once: more than there are places
)

// halfOpen takes places and does nothing with them, from one address, while twenty viewers join from another, one by one.
func halfOpen(ctx context.Context, s Scene) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var opened, turnedAway atomic.Int64
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for i := range halfOpenAtOnce {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if s.Door(1).takePlace(ctx, fmt.Sprintf("half-%d-%d", i, n), i%4 == 0) {
					opened.Add(1)
				} else {
					turnedAway.Add(1)
					wait(ctx, 100*time.Millisecond)
				}
			}
		})
	}
	wait(ctx, time.Second) // the places are taken by now
	var bad []error
	pause := max(0, s.For-time.Second) / honestViewers
	for i := range honestViewers {
		began := time.Now()
		if err := s.Door(honestFrom).Watch(ctx, fmt.Sprint("honest", i)); err != nil {
			bad = append(bad, fmt.Errorf("honest viewer %d: %w", i+1, err))
		}
		wait(ctx, pause-time.Since(began))
	}
	found := fmt.Sprintf("%d half-open sessions, %d turned away; %d of %d honest viewers played", opened.Load(), turnedAway.Load(),
		honestViewers-len(bad), honestViewers)
	return found, errors.Join(bad...)
}

// takePlace begins a session and stays in it until the program ends it. It tells whether there was one.
func (d Door) takePlace(ctx context.Context, id string, byPost bool) bool {
	if byPost {
		reply, err := d.Offer(ctx, Offers()[len(Offers())-len(shapes)])
		if err != nil || reply.Status != http.StatusCreated {
			return false
		}
		wait(ctx, time.Second) // nothing tells of the session's end
		return true
	}
	line, err := d.Call(ctx, id)
	if err != nil {
		return false
	}
	defer line.Close()
	stop := context.AfterFunc(ctx, line.Break)
	defer stop()
	if line.Say("OFFER_REQUEST") != nil {
		return false
	}
	for {
		if _, err := line.Hear(time.Minute); err != nil {
			return true
		}
	}
}

// hastyHalfOpen begins a hundred sessions a second and breaks them off, from many addresses. It is for the log.
func hastyHalfOpen(ctx context.Context, s Scene) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, s.For)
	defer cancel()
	var opened atomic.Int64
	var wg sync.WaitGroup
	for i := range hastyLoops {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if line, err := s.Door(1+i+hastyLoops*(n%20)).Call(ctx, fmt.Sprintf("hasty-%d-%d", i, n)); err == nil {
					opened.Add(1)
					_ = line.Say("OFFER_REQUEST") // it breaks off in any case
					line.Break()
				}
				wait(ctx, hastyPause)
			}
		})
	}
	wg.Wait()
	return fmt.Sprintf("%d sessions", opened.Load()), nil
}

// comeAndGo has fourteen peers join at once, misbehave in turns and go in turns: in order, and without a word.
func comeAndGo(ctx context.Context, s Scene) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, s.For)
	defer cancel()
	var joins, refusals atomic.Int64
	var wg sync.WaitGroup
	for i := range 14 {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				p, err := s.Door(i+1).Join(ctx, fmt.Sprintf("guest-%d-%d", i, n))
				if err != nil {
					refusals.Add(1)
					wait(ctx, 200*time.Millisecond)
					continue
				}
				joins.Add(1)
				p.misbehave(ctx, i+n)
			}
		})
	}
	wg.Wait()
	found := fmt.Sprintf("%d joined, %d not", joins.Load(), refusals.Load())
	if joins.Load() < 14 {
		return found, errors.New("too few to show anything")
	}
	return found, nil
}

// misbehave does one thing or another for a second or two, and goes.
func (p *Peer) misbehave(ctx context.Context, n int) {
	switch n % 4 {
	case 0:
		for i := range 20 {
			_, _ = p.pc.CreateDataChannel(fmt.Sprint("c", i), nil) // it may have been ended
		}
	case 1:
		if out, err := p.stream(); err == nil {
			say(out, 0, sourceCount/2)
		}
	case 2:
		p.line.Break()
	}
	wait(ctx, time.Second+time.Duration(n%10)*100*time.Millisecond)
	p.Leave()
}

// slowHeaders begins requests and does not end them.
func slowHeaders(ctx context.Context, s Scene) (string, error) {
	return crowd(ctx, s, "GET / HTTP/1.1\r\nHost: 10.77.0.1\r\nX: ")
}

// idleConnections asks once, by each connection, and then no more.
func idleConnections(ctx context.Context, s Scene) (string, error) {
	return crowd(ctx, s, "HEAD /app.js HTTP/1.1\r\nHost: 10.77.0.1\r\n\r\n")
}

// crowd opens connections from five addresses, and sends the text by each; a sixth asks for the page.
func crowd(ctx context.Context, s Scene, text string) (string, error) {
	const each = 256
	var open []net.Conn
	defer func() {
		for _, c := range open {
			_ = c.Close()
		}
	}()
	for i := range 5 {
		for range each {
			c, err := s.Door(i+1).dial(ctx, "tcp", s.Door(i+1).Program)
			if err != nil {
				return "", fmt.Errorf("connect number %d: %w", len(open)+1, err)
			}
			open = append(open, c)
			_, _ = c.Write([]byte(text)) // it may have been closed already
		}
	}
	slowest := time.Duration(0)
	for i := range 10 {
		asked := time.Now()
		reply, err := s.Door(honestFrom+i).Request(ctx, http.MethodGet, "/", "", "")
		if err != nil || reply.Status != http.StatusOK || !strings.Contains(reply.Body, "<html") {
			return "", fmt.Errorf("a newcomer got %d: %w", reply.Status, err)
		}
		slowest = max(slowest, time.Since(asked))
	}
	found := fmt.Sprintf("%d connections; ten newcomers had the page after %v at most", len(open), slowest.Round(time.Millisecond))
	if slowest > time.Second {
		return found, fmt.Errorf("a newcomer waited for the page for %v, want at most 1 s", slowest)
	}
	return found, nil
}
