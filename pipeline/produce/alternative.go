package produce

import (
	"time"

	"boardcast/pipeline"
)

// Alternative is one way to run a producer: a graph, what feeds it and how it is steered.
type Alternative struct {
	ID          string // an encoder's ID, or what the graph is
	Graph       pipeline.Graph
	Keyframe    pipeline.KeyframeMethod                       // how the encoder is asked for one
	Up          *Producer                                     // whose fan feeds it, nil for a source
	Period      time.Duration                                 // from one frame to the next, as it should be
	Placeholder bool                                          // it serves while nothing else does
	Says        func(reason string) string                    // the text of a placeholder's picture; nil where it has none
	Product     *pipeline.Product                             // by it a running encoder is kept (servedBy); nil where only the same graph is kept
	Bitrate     func(bitsPerSecond int) (pipeline.Prop, bool) // the property that sets it while the encoder runs; nil or false for none
	Rate        int                                           // bit/s that the graph says
}

// servedBy reports whether the alternative o, which runs, can go on in the place of a. It can if both have the same graph. A running
// encoder also can if it makes what a would make, and can take the frames that a would take: then another camera feeds it.
func (a Alternative) servedBy(o Alternative) bool {
	switch {
	case a.ID != o.ID || a.Up != o.Up:
		return false
	case a.Product == nil || o.Product == nil:
		return a.Graph.String() == o.Graph.String()
	}
	return a.Product.ServedBy(*o.Product)
}

// health is what a producer remembers of an alternative that failed.
type health struct {
	strikes int       // failures in a row
	until   time.Time // before this time the alternative is not tried
	stuck   bool      // a call did not come back, and each further try may leave another one behind
}

// Pace is how soon an alternative that failed is tried again: after First, then after twice the time before, up to Longest.
type Pace struct{ First, Longest time.Duration }

// After is how long to wait after so many failures in a row.
func (p Pace) After(strikes int) time.Duration {
	const most = 20 // doublings: with more a duration would overflow, and all paces are at their longest long before
	return min(p.First<<min(max(strikes, 1)-1, most), p.Longest)
}

// paceAlone is the pace of a producer without another alternative: its viewers wait for each try.
var paceAlone = Pace{500 * time.Millisecond, 30 * time.Second}

// paceCamera is the pace of a camera while its placeholder serves. The camera may come back at any time, and viewers see nothing of
// a try that fails.
var paceCamera = Pace{500 * time.Millisecond, 2 * time.Second}

// paceEncoder is the pace of an encoder while another serves: an encoder that broke hardly mends itself. It is also the pace of
// whatever is stuck, since each try may leave memory behind.
var paceEncoder = Pace{time.Minute, time.Hour}

// healed is how long an alternative must have run for its failures to be forgotten: far longer than any failure at the start takes.
const healed = 10 * time.Minute

// alternatives are those of a producer, the best first, and what is known of each.
type alternatives struct {
	list   []Alternative
	health []health // of each in list
	pace   Pace
}

func newAlternatives(list []Alternative) alternatives {
	as := alternatives{list: list, health: make([]health, len(list)), pace: paceAlone}
	switch {
	case len(list) > 1 && list[len(list)-1].Placeholder:
		as.pace = paceCamera
	case len(list) > 1:
		as.pace = paceEncoder
	}
	return as
}

// replaced is alternatives with another list. What is known of an alternative that stays is kept.
func (as alternatives) replaced(list []Alternative) alternatives {
	out := newAlternatives(list)
	for i, a := range list {
		for j, old := range as.list {
			if a.servedBy(old) {
				out.health[i] = as.health[j]
			}
		}
	}
	return out
}

// best is the first alternative that may be tried now, -1 for none.
func (as alternatives) best(now time.Time) int {
	for i := range as.list {
		if !now.Before(as.health[i].until) {
			return i
		}
	}
	return -1
}

// next is when an alternative before index i may be tried again, zero for none.
func (as alternatives) next(i int) time.Time {
	var soonest time.Time
	for _, h := range as.health[:min(max(i, 0), len(as.health))] {
		if soonest.IsZero() || h.until.Before(soonest) {
			soonest = h.until
		}
	}
	return soonest
}

// strike notes that the alternative at index i failed after it ran for a time.
func (as alternatives) strike(i int, ran time.Duration, stuck bool, now time.Time) {
	h := &as.health[i]
	if ran > healed {
		h.strikes = 0
	}
	h.strikes++
	h.stuck = stuck
	p := as.pace
	if stuck {
		p = paceEncoder
	}
	h.until = now.Add(p.After(h.strikes))
}

// soonest is the earliest time at which one of the alternatives may be tried again, if all are stuck; zero if one is not stuck.
func (as alternatives) soonest() time.Time {
	var at time.Time
	for _, h := range as.health {
		if !h.stuck {
			return time.Time{}
		}
		if at.IsZero() || h.until.Before(at) {
			at = h.until
		}
	}
	return at
}

// forgive lets all alternatives be tried at once.
func (as alternatives) forgive() {
	for i := range as.health {
		as.health[i].until = time.Time{}
	}
}
