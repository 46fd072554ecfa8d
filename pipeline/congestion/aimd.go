package congestion

import (
	"math"
	"time"
)

// Constants of the rate control.
const (
	backOff      = 0.9 // of what arrives; the draft's 0.85 has to drain the queue too
	suddenDrop   = 0.75
	rise         = 0.08 // per second
	headroom     = 1.5  // the rate does not rise above so much of what arrives
	responseBase = 100 * time.Millisecond
	riseLeast    = 80_000.0        // bit/s per second where the link's limit is known: as much for a small flow as for a
	riseMost     = 0.12            // large one, or two on one link never become equal; but not above so much of the rate
	calmTime     = 2 * time.Second // after which each second of calm adds calmRise
	calmRise     = 0.03
	fastest      = 0.20
	proofTime    = time.Second // of normal use, until what arrives counts as carried
	proofAfter   = 1500 * time.Millisecond
	proofQueue   = 50.0 // ms
	drainQueue   = 60.0 // ms, that need no draining
	drainTime    = 5 * time.Second
	drainLeast   = 0.4
	drainWithin  = 700.0            // ms
	capacityLife = 60 * time.Second // a link found full is believed to be so for this time
)

// reading is what an update of the rate goes by.
type reading struct {
	now      time.Duration
	usage    Usage
	received float64 // bit/s, of half a second
	recent   float64 // bit/s, of less
	full     float64 // bit/s, what the link carried while packets waited for it
	known    bool    // all three
	moment   float64 // bit/s, of the newest moment; 0 if unknown
	fell     bool    // it carries much less than before
	queue    float64 // ms
	rtt      time.Duration
	lossy    bool
}

// aimd is the delay-based rate: additive or multiplicative increase, multiplicative decrease.
type aimd struct {
	rate     float64
	updated  time.Duration
	cutAt    time.Duration
	everCut  bool
	normal   time.Duration // since when the usage is normal; negative when it is not
	draining bool
	carried  float64 // what arrived while the queue drained: the link's rate
	before   float64 // the rate before the cut
	capacity capacity
	limited  bool // by what arrives, not by the link
}

func newAIMD(start float64) aimd { return aimd{rate: start, normal: -1} }

// target is the rate, less what drains the queue that over-use has left.
func (a *aimd) target(queue float64) float64 {
	if !a.draining {
		return a.rate
	}
	return a.rate * min(1, max(drainLeast, 1-(queue-drainQueue)/drainWithin))
}

func (a *aimd) update(r reading) {
	step := min(r.now-a.updated, time.Second)
	a.updated = r.now
	a.drain(r)
	switch {
	case r.usage != Normal:
		a.normal = -1
	case a.normal < 0:
		a.normal = r.now
	}
	switch {
	case r.usage == Overuse:
		a.cut(r)
	case r.usage == Normal && !a.draining && r.queue < standing:
		a.increase(r, step.Seconds())
	}
}

// drain ends when the queue is gone. What arrived meanwhile is what the link carries, a better measure than that at the cut:
// after a mere pause, of a radio or of a busy receiver, it comes fast, and the cut is taken back.
func (a *aimd) drain(r reading) {
	if a.draining && r.now-a.cutAt >= momentLeast+momentLeast/2 {
		a.carried = max(a.carried, r.moment)
	}
	if !a.draining || r.now-a.cutAt < recentSpan {
		return
	}
	if r.known {
		a.carried = max(a.carried, r.recent)
	}
	if r.queue < drainQueue || r.now-a.cutAt > drainTime {
		a.draining = false
		a.rate = max(a.rate, min(backOff*a.carried, a.before))
	}
}

func (a *aimd) cut(r reading) {
	since := r.now - a.cutAt
	again := !a.everCut || since >= min(max(r.rtt, 100*time.Millisecond), 300*time.Millisecond) || r.fell && r.full < backOff*a.rate
	if !again {
		return
	}
	to := backOff * a.rate
	if r.known {
		full := r.full
		if r.recent < suddenDrop*full { // half a second reaches back to before it
			full = r.recent
		}
		to = backOff * full
		a.capacity.add(full, r.now)
	}
	if !a.draining {
		a.before, a.carried = a.rate, 0
	}
	a.rate = min(a.rate, to)
	a.cutAt, a.everCut, a.draining = r.now, true, true
}

func (a *aimd) increase(r reading, seconds float64) {
	if !r.known {
		a.rate *= 1 + rise*seconds
		return
	}
	a.proof(r)
	a.limited = a.rate >= headroom*r.received
	if a.limited {
		return
	}
	if a.capacity.surpassed(r.received) {
		a.capacity.forget()
	}
	if a.capacity.mean > 0 {
		a.rate += additive(a.rate, r.rtt) * seconds
	} else {
		a.rate += a.rate * a.pace(r.now) * seconds
	}
}

// proof takes what arrives without a queue as carried.
func (a *aimd) proof(r reading) {
	calm := a.normal >= 0 && r.now-a.normal >= proofTime && (!a.everCut || r.now-a.cutAt >= proofAfter)
	if calm && !r.lossy && r.queue < proofQueue {
		a.rate = max(a.rate, min(r.received, r.recent))
	}
}

// pace is the increase per second far from a full link.
func (a *aimd) pace(now time.Duration) float64 {
	calm := now - a.cutAt - calmTime
	return min(fastest, rise+calmRise*max(0, calm.Seconds()))
}

// additive is half an average packet per response time, or riseLeast, in bit/s per second.
func additive(rate float64, rtt time.Duration) float64 {
	frame := rate / 30
	packet := frame / math.Ceil(frame/(1200*8))
	perSecond := 0.5 * packet / (responseBase + rtt).Seconds()
	return min(max(perSecond, riseLeast), riseMost*rate)
}

// capacity is the rate at which the link was found full: a mean and its spread.
type capacity struct {
	mean, spread float64 // bit/s; spread is relative: variance by mean, in kbit/s
	at           time.Duration
}

func (c *capacity) forget() { *c = capacity{} }

func (c *capacity) add(rate float64, now time.Duration) {
	c.at = now
	if c.mean == 0 || rate < c.mean-3*c.deviation() || rate > c.mean+3*c.deviation() {
		c.mean, c.spread = rate, 0.4
		return
	}
	const alpha = 0.05
	c.mean += alpha * (rate - c.mean)
	off := (c.mean - rate) / 1000
	c.spread = min(max((1-alpha)*c.spread+alpha*off*off/max(1, c.mean/1000), 0.4), 2.5)
}

func (c *capacity) deviation() float64 { return math.Sqrt(c.spread*c.mean/1000) * 1000 }

func (c *capacity) surpassed(rate float64) bool { return rate > c.mean+3*c.deviation() }

// known is the capacity if it was met lately, else 0.
func (c *capacity) known(now time.Duration) float64 {
	if c.mean == 0 || now-c.at > capacityLife {
		return 0
	}
	return c.mean
}
