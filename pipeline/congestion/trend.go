package congestion

import (
	"math"
	"time"
)

// The line through the delays of the newest groups.
const (
	// Packets sent within this time are one group: no pacer spreads the packets of a frame.
	burst = 5 * time.Millisecond
	// The line goes through the groups that arrived in this time, which are some fifteen frames.
	trendSpan = 500 * time.Millisecond
	// The line goes through so many groups at most, which bounds the memory.
	trendPoints = 64
	// The time constant by which the delay is smoothed. The jitter of one group must not turn the line.
	smoothing = 50 * time.Millisecond
)

// The clocks.
const (
	// If the transit time changes by more than this from one group to the next, the viewer's clock has jumped: no queue is so long.
	jump = 3 * time.Second
	// After this time without a packet sent, the line begins anew: what was before says nothing of the link now.
	silence = 2 * time.Second
)

// group is a burst of packets, usually a frame. Its delay is that of its least delayed packet, since the others waited for packets of
// their own frame.
type group struct {
	first, last time.Duration // when the first and the last packet were sent
	transit     time.Duration // of the least delayed packet
	arrived     time.Duration // when the least delayed packet arrived
}

func newGroup(p Packet) group { return group{p.Sent, p.Sent, p.Arrived - p.Sent, p.Arrived} }

// trend makes the usage of a viewer's link of the viewer's packets.
type trend struct {
	begun    bool
	group    group         // the newest group, to which packets may still be added
	before   time.Duration // the transit time of the group before
	line     line
	detector detector
	queue    queue
	arrivals arrivals
}

func newTrend() trend { return trend{detector: detector{limit: firstLimit}} }

// add takes a packet that arrived in order. It tells whether the viewer's clock jumped, in which case everything is forgotten.
func (t *trend) add(p Packet) (jumped bool) {
	if !t.begun {
		t.begun, t.group = true, newGroup(p)
		return false
	}
	g, transit := &t.group, p.Arrived-p.Sent
	if transit-g.transit > jump || transit-g.transit < -jump {
		*t = newTrend()
		return true
	}
	t.queue.newest = transit
	t.arrivals.add(p)
	if p.Sent-g.first <= burst {
		g.last = p.Sent
		if transit < g.transit {
			g.transit, g.arrived = transit, p.Arrived
		}
		return false
	}
	t.conclude(*g)
	if p.Sent-g.last > silence {
		t.restart()
	}
	if t.queue.waiting() < idleQueue {
		t.arrivals.foundIdle(p.Arrived)
	}
	t.group = newGroup(p)
	return false
}

// restart forgets the line and the usage. The transit time of an empty queue is kept.
func (t *trend) restart() {
	t.line.restart()
	t.detector.restart()
	t.queue.smoothed = 0
}

// conclude takes a group to which no packet can be added any more.
func (t *trend) conclude(g group) {
	rising := g.transit >= t.before // if not, the queue of a large frame drains
	t.before = g.transit
	t.queue.add(g)
	if step, ok := t.line.add(g); ok {
		t.detector.detect(t.line.rise(), step, t.queue.smoothed, rising)
	}
}

type point struct{ at, delay float64 } // ms

// line is the straight line through the smoothed delays of the newest groups.
type line struct {
	origin   group // the first group, from which times and delays count
	count    int   // the number of groups since the origin
	points   []point
	smoothed float64 // ms of delay
	slope    float64 // ms of delay per ms
}

// restart forgets the groups, and keeps the memory for new ones.
func (l *line) restart() { *l = line{points: l.points[:0]} }

// add takes a group, and returns the time since the group before in ms. ok is false while there are too few groups for a line, and for
// a group that arrived together with the one before.
func (l *line) add(g group) (step float64, ok bool) {
	if l.count == 0 {
		l.origin = g
	}
	l.count++
	at, delay := milliseconds(g.arrived-l.origin.arrived), milliseconds(g.transit-l.origin.transit)
	if n := len(l.points); n > 0 {
		step = at - l.points[n-1].at
		if step <= 0 { // both groups arrived at once
			return 0, false
		}
		l.smoothed += (1 - math.Exp(-step/milliseconds(smoothing))) * (delay - l.smoothed)
	}
	l.points = append(l.points, point{at, l.smoothed})
	old := 0
	for old < len(l.points) && (l.points[old].at < at-milliseconds(trendSpan) || len(l.points)-old > trendPoints) {
		old++
	}
	l.points = l.points[:copy(l.points, l.points[old:])]
	n := len(l.points)
	if n < 3 {
		return 0, false
	}
	l.slope = slope(l.points)
	return l.points[n-1].at - l.points[n-2].at, true
}

// rise is what the detector compares with its threshold: the slope times the number of groups, so that a line through few groups
// counts less. It has no unit.
func (l *line) rise() float64 { return float64(min(l.count, mostGroups)) * l.slope * gain }

// slope is the slope of the line of least squares.
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
