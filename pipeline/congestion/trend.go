package congestion

import (
	"math"
	"time"
)

// Constants of the delay filter. Those of the threshold are the draft's.
const (
	burst         = 5 * time.Millisecond   // packets sent within it are one group
	trendSpan     = 500 * time.Millisecond // of the line's points
	trendPoints   = 64
	smoothing     = 50 * time.Millisecond // time constant of the smoothed delay
	gain          = 4.0
	mostGroups    = 60 // a line of few groups counts less
	firstLimit    = 12.5
	smallestLimit = 6.0
	largestLimit  = 600.0
	limitUp       = 0.01 // per ms
	limitDown     = 0.0006
	standing      = 80.0 // ms of queue, above which any growth is over-use and the rate does not rise
	standingLimit = 3.0
	limitSkip     = 15.0                   // a trend that far above is a sudden drop, to which the threshold does not adapt
	idleQueue     = 25 * time.Millisecond  // what waited less found the link idle
	busyBurst     = 80 * time.Millisecond  // one large frame may keep it busy for so long
	busyLeast     = 150 * time.Millisecond // what arrived while it was busy for so long is what it carries
	busyMost      = time.Second            // but it may have changed meanwhile
	momentLeast   = 100 * time.Millisecond
	fellShare     = 0.6 // of what is sent: less arrives in a moment where the link has become much slower,
	fellDeep      = 0.4 // or this in half of one,
	fellLonger    = 3   // and where the wait has grown by this part of that time
	latelyStep    = 2 * time.Millisecond
	latelySlots   = 80
	overTime      = 10 * time.Millisecond
	jump          = 3 * time.Second  // of one clock against the other
	silence       = 2 * time.Second  // nothing sent for so long: the line begins anew
	baseSpan      = 15 * time.Second // the least delay of this and the span before is that of an empty queue
)

// Usage is what the delay says of the link.
type Usage int

// The usages.
const (
	Normal Usage = iota
	Overuse
	Underuse
)

var usageNames = [...]string{"normal", "overuse", "underuse"}

func (u Usage) String() string { return usageNames[u] }

// group is a burst of packets, or what is known of it yet.
type group struct {
	set       bool
	first     time.Duration // sent
	last      time.Duration // sent
	arrived   time.Duration // of the packet that was delayed least
	transit   time.Duration
	concluded time.Duration // when the newest arrived
}

type point struct{ at, delay float64 } // ms

// arrivals are the packets of a moment.
type arrivals struct {
	at, transit time.Duration // of the first
	bits        float64
}

// trend is the delay's filter and the over-use detector.
type trend struct {
	group    group
	points   []point
	origin   group
	before   time.Duration // transit of the group before
	smoothed float64
	count    int

	base, nextBase time.Duration // least transit of the span before and of this one
	baseUntil      time.Duration
	newest         time.Duration // transit of the newest packet
	idle           time.Duration // when the newest frame arrived that had not waited
	carried        float64       // bits that did since
	arrived        time.Duration // when the newest packet did
	lately         [latelySlots]arrivals
	moments        int     // so many there were; the newest are in lately
	queue          float64 // ms above the base, smoothed

	limit    float64
	slope    float64 // ms of delay per ms
	last     float64 // the trend before
	overFor  time.Duration
	overSeen int
	usage    Usage
}

// add takes a packet that arrived in order; true when the clocks jumped and all is forgotten.
func (t *trend) add(p Packet) (jumped bool) {
	transit := p.Arrived - p.Sent
	g := &t.group
	if !g.set {
		*g = group{true, p.Sent, p.Sent, p.Arrived, transit, p.Arrived}
		return false
	}
	if transit-g.transit > jump || transit-g.transit < -jump {
		*t = trend{}
		return true
	}
	t.newest, t.arrived = transit, max(t.arrived, p.Arrived)
	t.carried += float64(p.Size) * 8
	t.remember(p)
	if p.Sent-g.first <= burst {
		g.last, g.concluded = p.Sent, max(g.concluded, p.Arrived)
		if transit < g.transit {
			g.transit, g.arrived = transit, p.Arrived
		}
		return false
	}
	t.conclude(*g)
	if p.Sent-g.last > silence {
		t.restart()
	}
	if t.waiting() < idleQueue {
		t.idle, t.carried = p.Arrived, 0
	}
	*g = group{true, p.Sent, p.Sent, p.Arrived, transit, p.Arrived}
	return false
}

// restart forgets the line, not what an empty queue looks like.
func (t *trend) restart() {
	t.points, t.count, t.origin = t.points[:0], 0, group{}
	t.overSeen, t.overFor, t.usage, t.slope, t.queue = 0, 0, Normal, 0, 0
}

func (t *trend) conclude(g group) {
	rising := g.transit >= t.before // else it is a large frame's queue that drains
	t.before = g.transit
	t.measureQueue(g)
	if !t.origin.set {
		t.origin, t.smoothed = g, 0
	}
	if t.limit == 0 {
		t.limit = firstLimit
	}
	t.count++
	at, delay := milliseconds(g.arrived-t.origin.arrived), milliseconds(g.transit-t.origin.transit)
	if n := len(t.points); n > 0 {
		step := at - t.points[n-1].at
		if step <= 0 {
			return // arrived together with the one before: it tells nothing new
		}
		t.smoothed += (1 - math.Exp(-step/milliseconds(smoothing))) * (delay - t.smoothed)
	}
	t.points = append(t.points, point{at, t.smoothed})
	old := 0
	for old < len(t.points) && (t.points[old].at < at-milliseconds(trendSpan) || len(t.points)-old > trendPoints) {
		old++
	}
	t.points = t.points[:copy(t.points, t.points[old:])]
	if n := len(t.points); n >= 3 {
		t.slope = slope(t.points)
		t.detect(t.points[n-1].at-t.points[n-2].at, rising)
	}
}

// waiting is by how much the newest packet was delayed, its own frame's time on the link included.
func (t *trend) waiting() time.Duration {
	if t.baseUntil == 0 {
		return 0
	}
	return t.newest - t.base
}

// waits is for how long packets have been waiting by now.
func (t *trend) waits() time.Duration { return t.arrived - t.idle }

// remember notes when the packet arrived; those of one moment are noted as one.
func (t *trend) remember(p Packet) {
	if t.moments > 0 {
		if newest := &t.lately[(t.moments-1)%latelySlots]; p.Arrived-newest.at < latelyStep {
			newest.bits += float64(p.Size) * 8
			return
		}
	}
	t.lately[t.moments%latelySlots] = arrivals{p.Arrived, p.Arrived - p.Sent, float64(p.Size) * 8}
	t.moments++
}

// moment is what arrived in the newest moments.
type moment struct {
	long   time.Duration
	rate   float64       // bit/s
	gap    time.Duration // the longest time without a packet
	longer time.Duration // packets took by now
}

// moment tells of the newest moments, which are at least so long, and half as much again at most; false where nothing came then.
func (t *trend) moment(least time.Duration) (m moment, ok bool) {
	bits, next := 0.0, t.arrived
	for i := t.moments - 1; i >= max(0, t.moments-latelySlots); i-- {
		a := t.lately[i%latelySlots]
		m.gap, next = max(m.gap, next-a.at), a.at
		if m.long = t.arrived - a.at; m.long > least+least/2 {
			break
		}
		if m.long >= least {
			m.rate, m.longer = bits/m.long.Seconds(), t.newest-a.transit
			return m, true
		}
		bits += a.bits
	}
	return moment{}, false
}

// fell tells that the link has become much slower than what is sent, and what it carries, in bit/s: packets wait ever longer, and
// so few come, one by one, before the trend of whole frames shows it. A pause is none: after it they come together. Where
// very few come, less time is enough. The wait need not grow by all that the rate lacks: the first packet of a frame, which is sent
// later than the last of the frame before, waits less by that time.
func (t *trend) fell(sending float64) (carries float64, is bool) {
	for _, c := range [...]struct {
		least time.Duration
		share float64
	}{{momentLeast, fellShare}, {momentLeast / 2, fellDeep}} {
		m, ok := t.moment(c.least)
		if ok && t.waits() >= m.long && m.rate < c.share*sending && m.gap < m.long/2 && m.longer > m.long/fellLonger {
			return m.rate, true
		}
	}
	return 0, false
}

func (t *trend) measureQueue(g group) {
	switch {
	case t.baseUntil == 0:
		t.base, t.nextBase, t.baseUntil = g.transit, g.transit, g.last+baseSpan
	case g.last > t.baseUntil:
		t.base, t.nextBase, t.baseUntil = t.nextBase, g.transit, g.last+baseSpan
	}
	t.base, t.nextBase = min(t.base, g.transit), min(t.nextBase, g.transit)
	t.queue += 0.4 * (milliseconds(g.transit-t.base) - t.queue)
}

// detect compares the trend with its threshold, which then follows the trend: slowly down, fast up, so that a flow beside
// ours that keeps a queue does not starve us.
func (t *trend) detect(step float64, rising bool) {
	m := float64(min(t.count, mostGroups)) * t.slope * gain
	limit := t.limit
	if t.queue > standing {
		limit = min(limit, standingLimit)
	}
	switch {
	case m > limit:
		t.overFor += time.Duration(step * float64(time.Millisecond))
		t.overSeen++
		if t.overFor >= overTime && t.overSeen > 1 && m >= t.last && rising {
			t.usage = Overuse
		}
	case m < -t.limit:
		t.overFor, t.overSeen, t.usage = 0, 0, Underuse
	default:
		t.overFor, t.overSeen, t.usage = 0, 0, Normal
	}
	t.last = m
	size := math.Abs(m)
	if size > t.limit+limitSkip || m < -t.limit {
		return
	}
	k := limitDown
	if size > t.limit {
		k = limitUp
	}
	t.limit += k * (size - t.limit) * min(step, 100)
	t.limit = min(max(t.limit, smallestLimit), largestLimit)
}

// slope is that of the line of least squares.
func slope(points []point) float64 {
	var x, y float64
	for _, p := range points {
		x += p.at
		y += p.delay
	}
	n := float64(len(points))
	x, y = x/n, y/n
	var over, under float64
	for _, p := range points {
		over += (p.at - x) * (p.delay - y)
		under += (p.at - x) * (p.at - x)
	}
	if under == 0 {
		return 0
	}
	return over / under
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
