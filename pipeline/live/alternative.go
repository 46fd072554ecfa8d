package live

import (
	"time"

	"boardcast/pipeline"
)

// alternative is one way to run a producer: a graph, what feeds it and how it is steered.
type alternative struct {
	id          string // an encoder's ID, or what the graph is
	graph       pipeline.Graph
	keyframe    pipeline.KeyframeMethod
	up          *producer         // whose fan feeds it, nil for a source
	period      time.Duration     // from one picture to the next, as it should be
	placeholder bool              // a placeholder: it serves while nothing else does
	product     *pipeline.Product // of an encoder that pictures come to from elsewhere; nil where the graph is all there is to know
	bitrate     func(bitsPerSecond int) (pipeline.Prop, bool)
	rate        int // bit/s that the graph says
}

// servedBy reports whether what runs, o, does in the place of r. An encoder that makes the same goes on when another camera
// feeds it, if it can take that one's pictures.
func (r alternative) servedBy(o alternative) bool {
	switch {
	case r.id != o.id || r.up != o.up:
		return false
	case r.product == nil || o.product == nil:
		return r.graph.String() == o.graph.String()
	}
	return r.product.ServedBy(*o.product)
}

// health is what a producer remembers of an alternative that failed.
type health struct {
	strikes int       // failures, one after the other
	until   time.Time // not to be tried before
	stuck   bool      // it did not come back, and may have to be left behind each time
}

// pace is how soon what failed is tried again: after first, then ever more slowly up to longest.
type pace struct{ first, longest time.Duration }

func (p pace) after(strikes int) time.Duration {
	const most = 20 // doublings
	return min(p.first<<min(max(strikes, 1)-1, most), p.longest)
}

// Paces. What has a stand-in or a replacement is tried beside it, so the viewers see nothing of a try that fails; a camera
// may come back at any time, an encoder that broke hardly by itself.
var (
	paceAlone   = pace{500 * time.Millisecond, 30 * time.Second}
	paceCamera  = pace{500 * time.Millisecond, 2 * time.Second}
	paceEncoder = pace{time.Minute, time.Hour}
)

// healed is how long an alternative must have run for its failures to be forgotten.
const healed = 10 * time.Minute

// alternatives is the alternatives of a producer, the best first, and what is known of each.
type alternatives struct {
	list   []alternative
	health []health
	pace   pace
}

func newAlternatives(list []alternative) alternatives {
	m := alternatives{list: list, health: make([]health, len(list)), pace: paceAlone}
	switch {
	case len(list) > 1 && list[len(list)-1].placeholder:
		m.pace = paceCamera
	case len(list) > 1:
		m.pace = paceEncoder
	}
	return m
}

// replaced is the list of alternatives with another list; what is known of an alternative that stays is kept.
func (m alternatives) replaced(list []alternative) alternatives {
	out := newAlternatives(list)
	for i, r := range list {
		for j, old := range m.list {
			if r.servedBy(old) {
				out.health[i] = m.health[j]
			}
		}
	}
	return out
}

// best is the first alternative that may be tried now, -1 for none.
func (m alternatives) best(now time.Time) int {
	for i := range m.list {
		if !now.Before(m.health[i].until) {
			return i
		}
	}
	return -1
}

// next is when an alternative before index i may be tried again, zero for none.
func (m alternatives) next(i int) time.Time {
	var soonest time.Time
	for _, h := range m.health[:min(max(i, 0), len(m.health))] {
		if soonest.IsZero() || h.until.Before(soonest) {
			soonest = h.until
		}
	}
	return soonest
}

// strike notes a failure after an alternative ran for a time.
func (m alternatives) strike(i int, ran time.Duration, stuck bool, now time.Time) {
	h := &m.health[i]
	if ran > healed {
		h.strikes = 0
	}
	h.strikes++
	h.stuck = stuck
	p := m.pace
	if stuck {
		p = paceEncoder
	}
	h.until = now.Add(p.after(h.strikes))
}

// soonest is the earliest time at which one of the alternatives that are stuck, all of them, may be tried again; zero when another may.
func (m alternatives) soonest() time.Time {
	var at time.Time
	for _, h := range m.health {
		if !h.stuck {
			return time.Time{}
		}
		if at.IsZero() || h.until.Before(at) {
			at = h.until
		}
	}
	return at
}

// forgive lets everything be tried at once.
func (m alternatives) forgive() {
	for i := range m.health {
		m.health[i].until = time.Time{}
	}
}
