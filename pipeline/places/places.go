// Package places answers "who may watch": it counts the viewers of all broadcasts, and shares the places out between addresses.
//
// It knows two things of a viewer: its address, and a function that ends it. It starts nothing, and does not see what a viewer does.
// Package pipeline/live tells it when a viewer is connected and when a viewer has gone.
//
//	place, err := limit.Admit(address, giveWay)
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

// ErrFull tells that no place is free.
var ErrFull = errors.New("as many viewers as allowed")

// joinRate is how many viewers of one address may join a second. Each join makes a pipeline: 94 joins a second of viewers that never
// connect were seen to take 0.8 cores (TestHostile).
const joinRate = 15

// joinBurst is how many viewers of one address may join at once. Thirty people behind one router open the page together, and some
// reload it.
const joinBurst = 60

// maxJoiners is how many addresses are remembered with how often they joined: a few hundred kilobytes.
const maxJoiners = 1024

// viewerThreads is how many threads a viewer is taken to need: a viewer with sound was measured to take 11 (README).
const viewerThreads = 12

// encoderThreads is how many threads the encoders may still start.
const encoderThreads = 24

// Origin is where a viewer comes from.
type Origin struct {
	// Near are the local addresses by which the connection to this viewer is tried; nil for all. The viewer may reach no others.
	Near []netip.Addr
	// Address is the viewer's own. Viewers whose address is not known count as viewers of one address.
	Address netip.Addr
	// Way is how the viewer's session began, for the log alone: "page", "whep", "whip", or "server" for one elsewhere.
	Way string
}

// Limit is the viewer limit of one broadcast, or of several together. Where all places are taken, a viewer that is not connected yet
// gives way to a new one: the oldest of the address that has the most such viewers. So an address that begins many sessions and never
// connects keeps no other address out.
//
// # Concurrency
//
// Safe for concurrent use.
type Limit struct {
	// ThreadsFree is how many more threads the program may start. Nil, or an answer that is not known, means any number. GLib ends a
	// program that cannot start a thread. The field is set before the first viewer joins.
	ThreadsFree func() (free int, known bool)

	most   int
	mu     sync.Mutex
	places map[*Place]struct{}
	joins  map[netip.Addr]*rate.Limiter
}

// Place is one viewer's right to be served, from Admit until Leave, or until the viewer gives way.
type Place struct {
	from      netip.Addr
	since     time.Time
	connected bool
	giveWay   func() // ends the viewer; it does not wait
}

// New makes a limit of most viewers.
func New(most int) *Limit {
	return &Limit{most: most, places: map[*Place]struct{}{}, joins: map[netip.Addr]*rate.Limiter{}}
}

// Admit takes a place for a viewer that comes from an address. giveWay ends the viewer, because another needs the place. It is called
// with a lock held, and must neither wait nor call the limit. The error wraps ErrFull.
func (l *Limit) Admit(from netip.Addr, giveWay func()) (*Place, error) {
	if err := l.threads(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.limiterLocked(from).Allow() {
		return nil, fmt.Errorf("%w: too many from one address at once", ErrFull)
	}
	if len(l.places) >= l.most && !l.makeRoomLocked(from) {
		return nil, ErrFull
	}
	p := &Place{from: from, since: time.Now(), giveWay: giveWay}
	l.places[p] = struct{}{}
	return p, nil
}

// threads refuses a viewer when the program might not be able to start all threads that the viewer takes.
func (l *Limit) threads() error {
	if l.ThreadsFree == nil {
		return nil
	}
	if free, known := l.ThreadsFree(); known && free < viewerThreads+encoderThreads {
		return fmt.Errorf("%w: the program may start %d more threads, and a viewer takes %d", ErrFull, free, viewerThreads)
	}
	return nil
}

// limiterLocked is the limiter of an address's joins.
func (l *Limit) limiterLocked(from netip.Addr) *rate.Limiter {
	r := l.joins[from]
	if r == nil {
		if len(l.joins) >= maxJoiners {
			clear(l.joins) // all addresses are counted anew, which is rare and does no harm
		}
		r = rate.NewLimiter(joinRate, joinBurst)
		l.joins[from] = r
	}
	return r
}

// makeRoomLocked takes the place of the oldest viewer that is not connected, of the address that has the most such viewers. It takes
// none, and returns false, where the new viewer's own address would then have more of them than that address.
func (l *Limit) makeRoomLocked(newcomer netip.Addr) bool {
	waiting := map[netip.Addr]int{}
	for p := range l.places {
		if !p.connected {
			waiting[p.from]++
		}
	}
	var oldest *Place
	for p := range l.places {
		switch {
		case p.connected || p.from != newcomer && waiting[p.from] <= waiting[newcomer]:
		case oldest == nil || waiting[p.from] > waiting[oldest.from] || waiting[p.from] == waiting[oldest.from] && p.since.Before(oldest.since):
			oldest = p
		}
	}
	if oldest == nil {
		return false
	}
	delete(l.places, oldest)
	oldest.giveWay()
	return true
}

// Connect tells that the viewer of a place is connected. It no longer gives way.
func (l *Limit) Connect(p *Place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p.connected = true
}

// Leave gives a place back. The place of a viewer that gave way is another's already, and Leave does nothing.
func (l *Limit) Leave(p *Place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.places, p)
}
