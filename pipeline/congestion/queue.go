package congestion

import "time"

const (
	// The least transit time of this span and of the span before is that of an empty queue. The queue of a stream that follows its
	// link empties more often; clocks that drift apart, and a new way through the network, are forgotten within two spans.
	baseSpan = 15 * time.Second
	// A factor: so much of the newest group's delay goes into the smoothed queue.
	queueWeight = 0.4
)

// queue is how long packets wait on the link: how much longer than the fastest packet they take. Only differences of the two
// sides' clocks count.
type queue struct {
	known    bool
	base     time.Duration // the transit time of an empty queue
	nextBase time.Duration // the least transit time of this span
	until    time.Duration // the end of this span, by the time sent
	newest   time.Duration // the transit time of the newest packet
	smoothed float64       // ms
}

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

// waiting is how long the newest packet waited, its own frame's time on the link included.
func (q *queue) waiting() time.Duration {
	if !q.known {
		return 0
	}
	return q.newest - q.base
}
