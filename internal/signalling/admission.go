package signalling

import (
	"net/http"
	"sync"
)

// admission counts the connections of a [Server], and refuses those beyond its limits.
//
// # Concurrency
//
// Safe for concurrent use.
type admission struct {
	most       int // connections at once
	perAddress int // of these from one origin
	told       refusals

	mu       sync.Mutex
	byOrigin map[string]int // admitted connections
	total    int            // their sum
	refused  uint64         // connections that were over a limit
	closed   bool
	empty    chan struct{} // closed when closed is set and total is 0
}

func newAdmission(l Limits) *admission {
	return &admission{most: l.Connections, perAddress: l.PerAddress, byOrigin: make(map[string]int), empty: make(chan struct{})}
}

// admit counts a connection in, or returns the HTTP status by which it is refused.
func (a *admission) admit(from string) (refusal int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.closed:
		return http.StatusServiceUnavailable
	case a.total >= a.most:
		refusal = http.StatusServiceUnavailable
	case a.byOrigin[from] >= a.perAddress:
		refusal = http.StatusTooManyRequests
	default:
		a.total++
		a.byOrigin[from]++
		return 0
	}
	a.refused++
	return refusal
}

// dismiss counts an admitted connection out.
func (a *admission) dismiss(from string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.byOrigin[from]--; a.byOrigin[from] == 0 {
		delete(a.byOrigin, from)
	}
	if a.total--; a.total == 0 && a.closed {
		a.closeEmptyLocked()
	}
}

// close refuses all connections from now on. empty is closed when the last of those admitted before has been dismissed.
func (a *admission) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed = true; a.total == 0 {
		a.closeEmptyLocked()
	}
}

func (a *admission) isClosed() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.closed
}

func (a *admission) refusals() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.refused
}

func (a *admission) closeEmptyLocked() {
	select {
	case <-a.empty:
	default:
		close(a.empty)
	}
}
