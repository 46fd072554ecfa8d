//go:build lab

package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Process is a script that runs in the guest. Its methods are safe for concurrent use.
type Process struct {
	machine *Machine
	group   string // of processes, in the guest
	cancel  context.CancelFunc
	done    chan struct{}

	mu     sync.Mutex
	output strings.Builder
	grew   chan struct{} // closed and renewed when there is more output
	status int
	err    error
}

// read takes the script's output until it ends.
func (p *Process) read(response *http.Response) {
	defer close(p.done)
	defer p.cancel()
	_, err := io.Copy(p, response.Body)
	_ = response.Body.Close()
	status := -1
	if err == nil {
		status, err = strconv.Atoi(response.Trailer.Get(statusTrailer))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status, p.err = status, err
}

// Write adds to the script's output.
func (p *Process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.output.Write(b)
	close(p.grew)
	p.grew = make(chan struct{})
	return len(b), nil
}

// Output returns what the script has printed so far.
func (p *Process) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// Await blocks until the script has printed the text, and returns the first whole line that holds it. It is an error
// if the script or ctx ends before.
func (p *Process) Await(ctx context.Context, text string) (string, error) {
	for {
		ended := p.hasEnded()
		p.mu.Lock()
		output, grew := p.output.String(), p.grew
		p.mu.Unlock()
		for line := range strings.Lines(output) {
			if strings.Contains(line, text) && strings.HasSuffix(line, "\n") {
				return strings.TrimSpace(line), nil
			}
		}
		if ended {
			return "", fmt.Errorf("await %q: the script ended:\n%s", text, output)
		}
		select {
		case <-grew:
		case <-p.done:
		case <-ctx.Done():
			return "", fmt.Errorf("await %q: %w\n%s", text, ctx.Err(), output)
		}
	}
}

func (p *Process) hasEnded() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Wait blocks until the script ends by itself and returns its exit status, which is -1 for one that a signal ended.
func (p *Process) Wait(ctx context.Context) (int, error) {
	select {
	case <-p.done:
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.status, p.err
	case <-ctx.Done():
		p.cancel()
		return -1, fmt.Errorf("wait for the script: %w", ctx.Err())
	}
}

// Signal sends a signal, such as TERM, to the script and all that it started.
func (p *Process) Signal(ctx context.Context, name string) error {
	if p.hasEnded() {
		return errors.New("signal the script: it has ended")
	}
	if out, err := p.machine.Run(ctx, "kill -"+name+" -- -"+p.group); err != nil {
		return fmt.Errorf("signal the script: %w: %s", err, out)
	}
	return nil
}

// Stop kills the script and what it started, and returns when they are gone.
func (p *Process) Stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if p.Signal(ctx, "KILL") == nil {
		_, _ = p.Wait(ctx)
	}
	p.cancel()
	<-p.done
}
