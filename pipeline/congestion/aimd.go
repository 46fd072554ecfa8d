package congestion

import (
	"math"
	"time"
)

// How far over-use lowers the rate.
const (
	// A share of what arrives. The draft's 0.85 has to drain the queue too; here lowered does that.
	backOff = 0.9
	// A share of what the link carries. If less than this share arrived in recentSpan, the link fell within that time, and carries
	// only what arrived in it.
	suddenDrop = 0.75
	// The least time between two cuts is the RTT, but no less than cutLeast and no more than cutMost. Only after an RTT a report tells
	// what the cut before has changed.
	cutLeast = 100 * time.Millisecond
	cutMost  = 300 * time.Millisecond
)

// How fast the rate rises.
const (
	rise = 0.08 // a share of the rate per second, far from a full link; the draft's
	// A factor on what arrives. The rate does not rise above it: an encoder that sends less than it may does not show that the link
	// carries more.
	headroom = 1.5
	// After calmTime without a cut the rate rises faster: each further second adds calmRise to rise, up to fastest. libwebrtc sends
	// probes instead, which need a pacer.
	calmTime = 2 * time.Second
	calmRise = 0.03 // a share of the rate per second
	fastest  = 0.20 // a share of the rate per second
	// Near a full link the rate rises by half a packet in each response time, which is the RTT plus responseBase. The draft's.
	responseBase = 100 * time.Millisecond
	// The least rise near a full link, in bit/s per second. It is the same for a small flow as for a large one: two flows on one link
	// would otherwise never become equal.
	riseLeast = 80_000.0
	// The most rise near a full link, a share of the rate per second: for a small flow riseLeast would be a multiple of its rate.
	riseMost = 0.12
	// The size of the flow's packets is estimated from these two: how many frames a second has, and how many bits a packet holds at most.
	framesPerSecond = 30
	packetBits      = 1200 * 8
	// A link that was found full counts as full for this time. Later it may have become faster.
	capacityLife = 60 * time.Second
)

// What arrives counts as carried by the link when all of these hold.
const (
	proofTime  = time.Second             // the least time that the delay has been normal
	proofAfter = 1500 * time.Millisecond // the least time since the last cut: until then the queue of before still arrives
	proofQueue = 50.0                    // ms; the queue is shorter. One frame may be as much.
)

// How much less is sent until a queue has drained.
const (
	drainQueue = 60.0            // ms; a shorter queue needs no draining, since one frame may be as much
	drainTime  = 5 * time.Second // draining ends after this time: another flow keeps the queue
	drainLeast = 0.4             // a share of the rate; no less is sent, or there would be no picture
	// ms. With a queue of q the rate is multiplied by 1-(q-drainQueue)/drainWithin, so that a longer queue drains faster.
	drainWithin = 700.0
)

// How the capacity of a link is averaged. The draft's.
const (
	capacityWeight  = 0.05 // the weight of the newest rate in the mean
	capacityLeast   = 0.4  // kbit/s; the first and the least value of the variance divided by the mean
	capacityMost    = 2.5  // kbit/s; the most of the same
	capacityOutside = 3    // standard deviations; a rate that is farther from the mean tells that the link has changed
)

// reading is what one report tells, for the update of the rate.
type reading struct {
	now      time.Duration
	usage    Usage
	received float64 // bit/s that arrived in receivedSpan
	recent   float64 // bit/s that arrived in recentSpan
	full     float64 // bit/s that the link carried while packets waited for it
	known    bool    // received, recent and full are measured, not unknown
	moment   float64 // bit/s that arrived in the newest moment; 0 if unknown
	fell     bool    // the link carries much less than before
	queue    float64 // ms
	rtt      time.Duration
	lossy    bool // more than lossHigh is lost, and not by the radio
}

// aimd is the delay-based rate: additive or multiplicative increase, multiplicative decrease.
type aimd struct {
	rate     float64 // bit/s
	updated  time.Duration
	everCut  bool
	cutAt    time.Duration // the newest cut; 0 before the first
	normal   spell         // the usage is normal
	drain    *drain        // set while the queue of a cut drains
	capacity capacity
}

// drain is the time after a cut, until the queue is gone.
type drain struct {
	before  float64 // bit/s, the rate before the cut
	carried float64 // bit/s, the most that arrived since: what the link carries
}

func newAIMD(start float64) aimd { return aimd{rate: start} }

// lowered is the rate to send at: while the queue of a cut drains, it is less than the rate. queue is in ms.
func (a *aimd) lowered(queue float64) float64 {
	if a.drain == nil {
		return a.rate
	}
	return a.rate * min(1, max(drainLeast, 1-(queue-drainQueue)/drainWithin))
}

func (a *aimd) update(r reading) {
	step := min(r.now-a.updated, time.Second)
	a.updated = r.now
	a.drained(r)
	a.normal.note(r.now, r.usage == Normal)
	switch {
	case r.usage == Overuse:
		a.cut(r)
	case r.usage == Normal && a.drain == nil && r.queue < standing:
		a.increase(r, step.Seconds())
	}
}

// drained notes what arrives while the queue drains, and ends the draining when the queue is gone. What arrived meanwhile measures
// the link better than what arrived at the cut. After a mere pause, of a radio or of a busy receiver, packets come fast, so the
// cut is taken back.
func (a *aimd) drained(r reading) {
	since := r.now - a.cutAt
	if a.drain != nil && since >= momentLeast+momentLeast/2 {
		a.drain.carried = max(a.drain.carried, r.moment)
	}
	if a.drain == nil || since < recentSpan {
		return
	}
	if r.known {
		a.drain.carried = max(a.drain.carried, r.recent)
	}
	if r.queue < drainQueue || since > drainTime {
		a.rate = max(a.rate, min(backOff*a.drain.carried, a.drain.before))
		a.drain = nil
	}
}

// cut lowers the rate below what the link carries.
func (a *aimd) cut(r reading) {
	waited := r.now-a.cutAt >= min(max(r.rtt, cutLeast), cutMost)
	if a.everCut && !waited && !(r.fell && r.full < backOff*a.rate) {
		return
	}
	to := backOff * a.rate
	if r.known {
		full := r.full
		if r.recent < suddenDrop*full {
			full = r.recent
		}
		to = backOff * full
		a.capacity.add(full, r.now)
	}
	if a.drain == nil {
		a.drain = &drain{before: a.rate}
	}
	a.rate = min(a.rate, to)
	a.cutAt, a.everCut = r.now, true
}

// increase raises the rate by what a number of seconds allows.
func (a *aimd) increase(r reading, seconds float64) {
	if !r.known {
		a.rate *= 1 + rise*seconds
		return
	}
	a.prove(r)
	if a.rate >= headroom*r.received {
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

// prove raises the rate to what arrives without a queue, since the link carries that.
func (a *aimd) prove(r reading) {
	calm := a.normal.lasted(r.now, proofTime) && (!a.everCut || r.now-a.cutAt >= proofAfter)
	if calm && !r.lossy && r.queue < proofQueue {
		a.rate = max(a.rate, min(r.received, r.recent))
	}
}

// pace is the increase far from a full link, a share of the rate per second.
func (a *aimd) pace(now time.Duration) float64 {
	calm := now - a.cutAt - calmTime
	return min(fastest, rise+calmRise*max(0, calm.Seconds()))
}

// additive is the increase near a full link, in bit/s per second.
func additive(rate float64, rtt time.Duration) float64 {
	frame := rate / framesPerSecond
	packet := frame / math.Ceil(frame/packetBits)
	perSecond := 0.5 * packet / (responseBase + rtt).Seconds()
	return min(max(perSecond, riseLeast), riseMost*rate)
}

// capacity is the rate at which the link was found full: a mean and its spread. The zero value is a link that was never full.
type capacity struct {
	mean   float64 // bit/s
	spread float64 // variance by mean, in kbit/s
	at     time.Duration
}

// forget is for a link that carries more than it was found to.
func (c *capacity) forget() { *c = capacity{} }

// add takes a rate at which the link was full.
func (c *capacity) add(rate float64, now time.Duration) {
	c.at = now
	off := capacityOutside * c.deviation()
	if c.mean == 0 || rate < c.mean-off || rate > c.mean+off {
		c.mean, c.spread = rate, capacityLeast
		return
	}
	c.mean += capacityWeight * (rate - c.mean)
	kbits := (c.mean - rate) / 1000
	c.spread = (1-capacityWeight)*c.spread + capacityWeight*kbits*kbits/max(1, c.mean/1000)
	c.spread = min(max(c.spread, capacityLeast), capacityMost)
}

// deviation is the standard deviation, in bit/s.
func (c *capacity) deviation() float64 { return math.Sqrt(c.spread*c.mean/1000) * 1000 }

// surpassed tells whether a rate is more than the link was found to carry.
func (c *capacity) surpassed(rate float64) bool { return rate > c.mean+capacityOutside*c.deviation() }

// known is the capacity if the link was full lately, else 0.
func (c *capacity) known(now time.Duration) float64 {
	if c.mean == 0 || now-c.at > capacityLife {
		return 0
	}
	return c.mean
}
