// Package places answers "who may watch": it counts the viewers of all broadcasts, and shares the places out between addresses.
//
// It knows a viewer by its address and by a function that has it end. It starts nothing, and does not look at what a viewer does:
// pipeline/live tells when one is connected and when one has gone.
//
//	place, err := limit.Admit(address, viewer.Close)
//	limit.Connect(place)
//	limit.Leave(place)
package places

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// ErrFull tells that as many viewers watch as may.
var ErrFull = errors.New("as many viewers as allowed")

const (
	// One address may join so often a second, and so often at once: each join makes a pipeline, and of those that never connect
	// 94 a second were seen to take 0.8 cores (TestHostile). Thirty people behind one router open the page together, and some reload it.
	joinRate   = 15
	joinBurst  = 60
	maxJoiners = 1024 // addresses whose joins are counted
	// viewerThreads is the most threads that a viewer takes (README, one more viewer with sound), and spareThreads what the
	// encoders may still want.
	viewerThreads  = 12
	encoderThreads = 24
)

// Origin is where a viewer comes from.
type Origin struct {
	// Near are the local addresses that the viewer reaches, and maybe no others: the connection is tried by them alone. Nil for all.
	Near []netip.Addr
	// Address is the viewer's own. All whose address is not known count as one.
	Address netip.Addr
}

// Limit limits the viewers of one broadcast, or of several together, and shares the places out: where they are all taken, the oldest
// viewer that is not connected yet gives way, of the address that holds the most of such places. So half-open sessions of one address
// shut nobody else out.
//
// # Concurrency
//
// Safe for concurrent use.
type Limit struct {
	// ThreadsFree is how many more threads the program may start; nil, or not known, for any number. GLib ends a program that may
	// start none. Set before the first viewer joins.
	ThreadsFree func() (free int, known bool)

	most   int
	mu     sync.Mutex
	places map[*Place]struct{}
	joins  map[netip.Addr]*rate.Limiter
}

// Place is one viewer's, from Admit to Leave or until it gives way.
type Place struct {
	from      netip.Addr
	since     time.Time
	connected bool
	giveWay   func() // has the viewer end; it does not wait
}

// New has room for so many viewers.
func New(most int) *Limit {
	return &Limit{most: most, places: map[*Place]struct{}{}, joins: map[netip.Addr]*rate.Limiter{}}
}

// Admit takes a place for a viewer from an address. giveWay has the viewer end, for another; it is called with a lock held and must
// not wait or call the limit. The error wraps ErrFull.
func (a *Limit) Admit(from netip.Addr, giveWay func()) (*Place, error) {
	if err := a.threads(); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.limiterLocked(from).Allow() {
		return nil, fmt.Errorf("%w: too many from one address at once", ErrFull)
	}
	if len(a.places) >= a.most && !a.makeRoomLocked(from) {
		return nil, ErrFull
	}
	s := &Place{from: from, since: time.Now(), giveWay: giveWay}
	a.places[s] = struct{}{}
	return s, nil
}

// threads refuses a viewer whose threads could not all be started.
func (a *Limit) threads() error {
	if a.ThreadsFree == nil {
		return nil
	}
	if free, known := a.ThreadsFree(); known && free < viewerThreads+encoderThreads {
		return fmt.Errorf("%w: the program may start %d more threads, and a viewer takes %d", ErrFull, free, viewerThreads)
	}
	return nil
}

func (a *Limit) limiterLocked(from netip.Addr) *rate.Limiter {
	l := a.joins[from]
	if l == nil {
		if len(a.joins) >= maxJoiners {
			clear(a.joins) // all begin anew, which is seldom and harmless
		}
		l = rate.NewLimiter(joinRate, joinBurst)
		a.joins[from] = l
	}
	return l
}

// makeRoomLocked has the oldest unconnected viewer of the address with the most of them give way, unless the newcomer's own address
// would then have more than that one.
func (a *Limit) makeRoomLocked(newcomer netip.Addr) bool {
	waiting := map[netip.Addr]int{}
	for s := range a.places {
		if !s.connected {
			waiting[s.from]++
		}
	}
	var oldest *Place
	for s := range a.places {
		switch {
		case s.connected || s.from != newcomer && waiting[s.from] <= waiting[newcomer]:
		case oldest == nil || waiting[s.from] > waiting[oldest.from] || waiting[s.from] == waiting[oldest.from] && s.since.Before(oldest.since):
			oldest = s
		}
	}
	if oldest == nil {
		return false
	}
	delete(a.places, oldest)
	oldest.giveWay()
	return true
}

// Connect tells that the viewer of a place is connected: it gives way to nobody.
func (a *Limit) Connect(s *Place) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s.connected = true
}

// Leave gives a place back; one that gave way has none.
func (a *Limit) Leave(s *Place) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.places, s)
}
