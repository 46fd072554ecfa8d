package congestion

import "time"

const (
	// The length of one span. The least transit time of the present span and the one before counts as that of an empty queue: a stream
	// that fits its link has had an empty queue by then. If the clocks drift or the route becomes longer, the old value is forgotten
	// within two spans.
	baseSpan = 15 * time.Second
	// The weight of the newest group's delay in the smoothed queue: one group may be jitter.
	queueWeight = 0.4
)

// queue is how long packets wait on the link: their transit time, less that of the fastest packet. The clocks of the two sides need not
// agree, since only differences count.
type queue struct {
	known    bool
	base     time.Duration // the transit time of an empty queue
	nextBase time.Duration // the least transit time of this span
	until    time.Duration // the end of this span, by the time sent
	newest   time.Duration // the transit time of the newest packet
	smoothed float64       // ms
}

// add takes a group to which no packet can be added any more.
func (q *queue) add(g group) {
	switch {
	case !q.known:
		q.known, q.base, q.nextBase, q.until = true, g.transit, g.transit, g.last+baseSpan
	case g.last > q.until:
		q.base, q.nextBase, q.until = q.nextBase, g.transit, g.last+baseSpan
	}
	q.base, q.nextBase = min(q.base, g.transit), min(q.nextBase, g.transit)
	q.smoothed += queueWeight * (milliseconds(g.transit-q.base) - q.smoothed)
}

// waiting is how long the newest packet waited on the link. The time in which earlier packets of its own frame were sent is included.
func (q *queue) waiting() time.Duration {
	if !q.known {
		return 0
	}
	return q.newest - q.base
}
