package congestion

import (
	"maps"
	"math"
	"slices"
	"time"
)

// How the rate of the encoder moves.
const (
	// The least time between two settings of the encoder: an encoder needs some frames to follow one.
	setEvery = 300 * time.Millisecond
	// A share of the encoder's rate. A fall to this share or below does not wait for setEvery: the link's queue grows meanwhile.
	fallAtOnce = 0.6
	// Shares of the encoder's rate. Smaller steps are not worth a setting, but for the last one to the ceiling or the floor.
	riseStep = 0.05
	fallStep = 0.02
	// A share per second. With several viewers the rate rises no faster: each of them has to find the limit of its own link
	// without a queue for the others.
	togetherRise = 0.08
	// How long the rate is capped for a viewer that the chosen rate leaves out, or that is silent. By then the viewer is slow.
	capTime = 4 * time.Second
)

// Bounds of the shared rate, in bit/s.
type Bounds struct {
	Floor          int     // the encoder's rate never falls below it
	Ceiling        int     // the encoder's rate never rises above it
	Margin         float64 // the share of an estimate that the encoder may use; 0.95 when zero
	LowerCeiling   int     // the ceiling of the lower rendition, which slow viewers get; 0 when there is none
	LowerRendition bool    // this encoder makes the lower rendition: no viewer whose link carries the floor is left out
}

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
	Key uint64 // names the viewer
	Snapshot
}

// Decision is what the policy wants.
type Decision struct {
	Bitrate int      // of the encoder, bit/s
	Changed bool     // Bitrate differs from the decision before
	Slow    []uint64 // keys, in order, of the viewers that get the lower rendition or, without one, keyframes only
	Paused  []uint64 // keys, in order, of the paused viewers: their link was cut, and they get nothing until its queue is empty
}

// Policy chooses one encoder's rate from its viewers' estimates. It is made by NewPolicy and not safe for concurrent use.
type Policy struct {
	bounds  Bounds
	viewers map[uint64]*viewer
	level   float64       // the rate that the viewers' links allow, bit/s; it moves smoothly, and the encoder follows in steps
	set     int           // the encoder's rate, bit/s
	nextSet time.Duration // until then the encoder is set only for a deep fall
	begun   bool
	now     time.Duration // of the newest step
}

// NewPolicy makes a policy for an encoder that runs at its ceiling.
func NewPolicy(b Bounds) *Policy {
	b = b.withDefaults()
	return &Policy{bounds: b, viewers: map[uint64]*viewer{}, level: float64(b.Ceiling), set: b.Ceiling}
}

// Step takes the viewers as they are at the time now; it is to be called several times a second.
func (p *Policy) Step(now time.Duration, views []View) Decision {
	step := p.moveTo(now)
	p.remember(views)
	if p.judge(views) { // the upgrade's first keyframe is to be of the rate that suits the viewer's link
		p.nextSet = p.now
	}
	measured := slices.DeleteFunc(slices.Clone(views), func(v View) bool { return !v.Measured || v.Estimate <= 0 })
	if len(measured) > 0 {
		goal, rising := p.goal(measured)
		p.follow(goal, rising, step)
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

// remember begins to watch the viewers that came and forgets those that left.
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

// judge moves each viewer to its next state. It tells whether an upgrade began for which the rate goes down.
func (p *Policy) judge(views []View) (lowersRate bool) {
	rate := max(p.set, int(p.level))
	for _, v := range views {
		w := p.viewers[v.Key]
		before := w.state
		w.judge(sighting{Snapshot: v.Snapshot, now: p.now, rate: rate, bounds: p.bounds})
		lowersRate = lowersRate || w.state != before && w.lowersRate()
	}
	return lowersRate
}

// follow moves the level towards the goal: down at once, up slowly. Where one viewer at most can still rise, its own estimate
// sets the pace.
func (p *Policy) follow(goal float64, rising int, step time.Duration) {
	if goal > p.level && rising > 1 {
		goal = min(goal, p.level*math.Pow(1+togetherRise, min(step, time.Second).Seconds()))
	}
	p.level = goal
}

// cap is the highest rate that does not flood the link of a served viewer that the chosen rate leaves out. The cap holds for
// capTime, until the viewer is slow, and only where there is a lower rendition. An upgrade that does not lower the rate costs the other viewers nothing.
// While a viewer is silent the rate does not rise.
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

// due is the encoder's next rate, which is at most the cap, if it is time for one.
func (p *Policy) due(most float64) (int, bool) {
	level := min(p.level, most)
	to, set := int(level), float64(p.set)
	switch {
	case to == p.set || p.now < p.nextSet && level > fallAtOnce*set:
		return 0, false
	case level >= set*(1+riseStep), level <= set*(1-fallStep):
		return to, true
	case to == p.bounds.Ceiling || to == p.bounds.Floor:
		return to, true
	}
	return 0, false
}
