package produce

import (
	"sync"
	"time"

	"boardcast/internal/latest"
)

// closeWait bounds the time that a source is waited for while a stage of this producer still closes it. Ending a stream takes a camera
// up to some three seconds. After closeWait viewers had better see the placeholder.
const closeWait = 5 * time.Second

// held are the sources that stages still close. Most of them can be opened once only, so that a new stage would find the source busy.
//
// # Concurrency
//
// Its methods may be called from any goroutine.
type held struct {
	mu      sync.Mutex
	closing map[string]closing // by what is opened, see Alternative.source
	freed   chan struct{}      // a source was closed
}

// closing are the stages that still close one source.
type closing struct {
	stages int
	since  time.Time
}

func newHeld() held { return held{closing: map[string]closing{}, freed: make(chan struct{}, 1)} }

// begin notes that a stage begins to close a source. The function that it returns notes the end.
func (h *held) begin(source string, now time.Time) (end func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closing[source] = closing{h.closing[source].stages + 1, now}
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		c := h.closing[source]
		if c.stages--; c.stages > 0 {
			h.closing[source] = c
			return
		}
		delete(h.closing, source)
		latest.Poke(h.freed)
	}
}

// wait is how long to wait for a source at most; 0 where no stage closes it, or closeWait has passed.
func (h *held) wait(source string, now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	c, ok := h.closing[source]
	if source == "" || !ok {
		return 0
	}
	return max(0, c.since.Add(closeWait).Sub(now))
}

// source is what an alternative opens and no other stage can open meanwhile; "" for nothing.
func (a Alternative) source() string {
	if a.Up != nil || a.Placeholder || len(a.Graph) == 0 {
		return ""
	}
	return a.Graph[0].String()
}

// postponed tells that the alternative at index i has to wait for its source, and sees to it that it is tried when the source is free.
func (p *Producer) postponed(i int) bool {
	wait := p.held.wait(p.alternatives.list[i].source(), time.Now())
	if wait == 0 {
		return false
	}
	p.log.Debug("waits until its source is closed", "alternative", p.alternatives.list[i].ID)
	p.retry.timer.Reset(wait)
	return true
}
