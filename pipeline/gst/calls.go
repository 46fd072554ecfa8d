//go:build !nogst

package gst

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"boardcast/pipeline/media"
)

// errClosed is the answer to a call on what has been closed.
var errClosed = errors.New("gst: closed")

// bounded runs f in a goroutine and returns its error. If f takes longer than limit, bounded returns media.ErrStuck and f goes on; late,
// unless it is nil, is called when f ends.
func bounded(limit time.Duration, f func() error, late func()) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		if late != nil {
			go func() { <-done; late() }() //nolint:errcheck // too late for an answer
		}
		return media.ErrStuck
	}
}

// calls counts the calls into C for one pipeline. A call that was given up at its time limit goes on in C, and nothing that it uses may be
// freed. The zero value is ready.
type calls struct {
	mu      sync.Mutex
	running int
	closed  bool
	idle    chan struct{} // from settle on: closed when nothing runs
}

// do runs f as bounded does, and counts it. After settle it answers errClosed.
func (c *calls) do(limit time.Duration, f func() error, late func()) error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return errClosed
	}
	c.running++
	c.mu.Unlock()
	return bounded(limit, func() error {
		defer c.end()
		return f()
	}, late)
}

func (c *calls) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running--
	if c.closed && c.running == 0 {
		close(c.idle)
	}
}

// settle refuses calls from now on and waits for those that run; false when one is still busy after limit.
func (c *calls) settle(limit time.Duration) bool {
	c.mu.Lock()
	if !c.closed {
		c.closed, c.idle = true, make(chan struct{})
		if c.running == 0 {
			close(c.idle)
		}
	}
	idle := c.idle
	busy := c.running > 0
	c.mu.Unlock()
	if !busy {
		return true
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-idle:
		return true
	case <-timer.C:
		return false
	}
}

// abandoned are pipelines that were closed while a call was stuck in them. They are never freed, not by a finalizer either.
var abandoned struct {
	mu    sync.Mutex
	pipes []pipe
}

// abandon keeps a pipeline for ever, and returns an error that says so.
func abandon(p pipe) error {
	abandoned.mu.Lock()
	defer abandoned.mu.Unlock()
	abandoned.pipes = append(abandoned.pipes, p)
	return fmt.Errorf("%w: pipeline left behind, %d so far", media.ErrStuck, len(abandoned.pipes))
}
