package congestion

import (
	"maps"
	"math"
	"slices"
	"time"
)

// How the rate of the encoder moves.
const (
	// The least time between two settings of the encoder, which needs some frames to follow one.
	setEvery = 300 * time.Millisecond
	// A share of the encoder's rate. A fall to this share or below does not wait for setEvery, since a link's queue grows meanwhile.
	fallAtOnce = 0.6
	// Shares of the encoder's rate. Each is the least step in its direction: smaller ones would change nothing that a viewer could see.
	// Only the last step, to the ceiling or the floor, may be smaller.
	riseStep = 0.05
	fallStep = 0.02
	// A share of the rate per second. With several viewers the rate rises no faster: each viewer has to find the limit of its own link
	// without a queue for the others.
	togetherRise = 0.08
	// How long a served viewer may hold the rate down, because its link does not carry the chosen rate or because it sends no reports. A
	// viewer of the first kind has usually become slow by then.
	capTime = 4 * time.Second
)

// Bounds of the shared rate, in bit/s.
type Bounds struct {
	Floor          int     // the encoder's rate never falls below it
	Ceiling        int     // the encoder's rate never rises above it
	Margin         float64 // the share of an estimate that the encoder may use; 0.95 when zero
	LowerCeiling   int     // the ceiling of the lower rendition, which slow viewers are sent; 0 when there is none
	LowerRendition bool    // this encoder makes the lower rendition: its rate suits the slowest served viewer
}

// withDefaults are the bounds with the margin set, the ceiling above the floor, and the floor above zero.
func (b Bounds) withDefaults() Bounds {
	b.Floor = max(b.Floor, 1)
	b.Ceiling = max(b.Ceiling, b.Floor)
	if b.Margin <= 0 || b.Margin > 1 {
		b.Margin = 0.95
	}
	return b
}

// View is one viewer as its estimator sees it.
type View struct {
	Key uint64 // tells this viewer from the others
	Snapshot
}

// Decision is what the policy wants.
type Decision struct {
	Bitrate int      // of the encoder, bit/s
	Changed bool     // Bitrate differs from the decision before
	Slow    []uint64 // keys, sorted, of the viewers to be sent the lower rendition or, without one, keyframes only
	Paused  []uint64 // keys, sorted, of the viewers for which no keyframe is to be made until the queue of their link is empty
}

// Policy chooses one encoder's rate from its viewers' estimates. It is made by NewPolicy and not safe for concurrent use.
type Policy struct {
	bounds  Bounds
	viewers map[uint64]*viewer
	fitting float64       // the rate that fits the viewers' links, bit/s; it moves smoothly, and the encoder is set to it in steps
	set     int           // the encoder's rate, bit/s
	nextSet time.Duration // before this time only a deep fall is set
	begun   bool
	now     time.Duration // of the newest step
}

// NewPolicy makes a policy for an encoder that runs at its ceiling.
func NewPolicy(b Bounds) *Policy {
	b = b.withDefaults()
	return &Policy{bounds: b, viewers: map[uint64]*viewer{}, fitting: float64(b.Ceiling), set: b.Ceiling}
}

// Step decides for the viewers as they are at the time now. Call it several times a second.
func (p *Policy) Step(now time.Duration, views []View) Decision {
	step := p.moveTo(now)
	p.remember(views)
	if p.judge(views) { // set the lower rate without waiting, so that the upgrade's first keyframe is made at it
		p.nextSet = p.now
	}
	measured := slices.DeleteFunc(slices.Clone(views), func(v View) bool { return !v.Measured || v.Estimate <= 0 })
	if len(measured) > 0 {
		goal, rising := p.goal(measured)
		p.approach(goal, rising, step)
	}
	d := Decision{Bitrate: p.set}
	if to, due := p.due(p.cap(views)); due {
		p.set, p.nextSet = to, p.now+setEvery
		d.Bitrate, d.Changed = to, true
	}
	for _, v := range views {
		switch st := p.viewers[v.Key].state.(type) {
		case *slow:
			d.Slow = append(d.Slow, v.Key)
		case *served:
			if st.paused() {
				d.Paused = append(d.Paused, v.Key)
			}
		}
	}
	slices.Sort(d.Slow)
	slices.Sort(d.Paused)
	return d
}

// moveTo sets the time, which never goes back, and returns the time since the step before.
func (p *Policy) moveTo(now time.Duration) (step time.Duration) {
	if p.begun {
		now = max(now, p.now)
		step = now - p.now
	}
	p.begun, p.now = true, now
	return step
}

// remember makes the state of each viewer that came, and forgets the viewers that left.
func (p *Policy) remember(views []View) {
	here := make(map[uint64]bool, len(views))
	for _, v := range views {
		here[v.Key] = true
		if p.viewers[v.Key] == nil {
			p.viewers[v.Key] = newViewer(p.now)
		}
	}
	maps.DeleteFunc(p.viewers, func(key uint64, _ *viewer) bool { return !here[key] })
}

// judge moves each viewer to its next state. It tells whether an upgrade began that lowers the rate.
func (p *Policy) judge(views []View) (lowersRate bool) {
	rate := max(p.set, int(p.fitting))
	for _, v := range views {
		w := p.viewers[v.Key]
		before := w.state
		w.judge(sighting{Snapshot: v.Snapshot, now: p.now, rate: rate, bounds: p.bounds})
		lowersRate = lowersRate || w.state != before && w.lowersRate()
	}
	return lowersRate
}

// approach moves the fitting rate towards the goal: down at once, and up slowly where the estimates of several viewers may still rise.
// With one such viewer, its own estimate sets the pace.
func (p *Policy) approach(goal float64, rising int, step time.Duration) {
	if goal > p.fitting && rising > 1 {
		goal = min(goal, p.fitting*math.Pow(1+togetherRise, min(step, time.Second).Seconds()))
	}
	p.fitting = goal
}

// cap is the highest rate that floods no link of a served viewer.
//
// Where there is a lower rendition, a viewer whose link does not carry the chosen rate caps the rate at its usable estimate, for capTime.
// It has usually become slow by then. A viewer in an upgrade that is not to lower the rate caps nothing: such an upgrade must cost the
// other viewers nothing. A viewer that sends no reports keeps the rate from rising, for capTime.
func (p *Policy) cap(views []View) float64 {
	most := math.Inf(1)
	for _, v := range views {
		w := p.viewers[v.Key]
		st, is := w.state.(*served)
		if !is {
			continue
		}
		st.reach.note(p.now, reachOf(v.Measured, w.carries))
		switch {
		case st.paused():
		case st.reach.within(silent, p.now, capTime):
			most = min(most, float64(p.set))
		case p.bounds.LowerCeiling > 0 && (st.upgrade == nil || st.upgrade.lowersRate) && st.reach.within(leftOut, p.now, capTime):
			most = min(most, p.usable(v, v.Estimate))
		}
	}
	return max(most, float64(p.bounds.Floor))
}

// due is the encoder's next rate, at most the cap; false where the encoder's rate stays.
func (p *Policy) due(most float64) (int, bool) {
	fits := min(p.fitting, most)
	to, set := int(fits), float64(p.set)
	switch {
	case to == p.set || p.now < p.nextSet && fits > fallAtOnce*set:
		return 0, false
	case fits >= set*(1+riseStep), fits <= set*(1-fallStep):
		return to, true
	case to == p.bounds.Ceiling || to == p.bounds.Floor:
		return to, true
	}
	return 0, false
}
