package congestion

import (
	"maps"
	"math"
	"slices"
	"time"
)

// Constants of the policy.
const (
	setEvery   = 300 * time.Millisecond // the encoder is set no more often,
	fallAtOnce = 0.6                    // but to this share and below at once: meanwhile a queue grows
	riseStep   = 0.05                   // and up by no less
	fallStep   = 0.02                   // down by no less
	togetherUp = 0.08                   // per second, with several viewers
	lossy      = 0.05                   // of the packets; then this share of a rate is for what is sent again
	lossyShare = 0.1
	loyalty    = 1.1 // another set of viewers must give so much more
)

// Bounds of the shared rate, in bit/s.
type Bounds struct {
	Floor   int     // nobody's link lowers the rate below it
	Ceiling int     // what the encoder makes at most
	Margin  float64 // share of an estimate that is used; 0.95 when zero
	Lower   int     // what a slow viewer is given at most of a lower rendition; 0 when there is none
	Last    bool    // this is the lower rendition: whose link carries the floor is never left out
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
	Changed bool     // it is another than before
	Slow    []uint64 // who gets the lower rendition, or keyframes only, in order
	Held    []uint64 // who is about to: its link is full of what it could not carry, and gets nothing meanwhile
}

// Policy chooses one encoder's rate from its viewers' estimates. It is made by NewPolicy and not safe for concurrent use.
type Policy struct {
	bounds   Bounds
	watchers map[uint64]*watcher
	level    float64 // the rate as it rises, of which the encoder is told in steps
	set      int
	setAt    time.Duration
	now      time.Duration
	begun    bool
}

// NewPolicy makes a policy for an encoder that runs at its ceiling.
func NewPolicy(b Bounds) *Policy {
	b = b.withDefaults()
	return &Policy{bounds: b, watchers: map[uint64]*watcher{}, level: float64(b.Ceiling), set: b.Ceiling}
}

// Step takes the viewers as they are at the time now; it is to be called several times a second.
func (p *Policy) Step(now time.Duration, views []View) Decision {
	if p.begun {
		now = max(now, p.now)
	}
	step := now - p.now
	if !p.begun {
		step = 0
	}
	p.begun, p.now = true, now
	p.remember(views)
	hurry := false
	for _, v := range views {
		w := p.watchers[v.Key]
		slow := w.slow
		w.judge(now, v.Snapshot, max(p.set, int(p.level)), p.bounds)
		hurry = hurry || slow && !w.slow && w.bounds // its first keyframe is to be of the rate that suits it
	}
	measured := slices.DeleteFunc(slices.Clone(views), func(v View) bool { return !v.Measured || v.Target <= 0 })
	goal, rising := p.goal(measured)
	p.follow(goal, rising, step)
	d := Decision{Bitrate: p.set}
	if hurry {
		p.setAt = 0
	}
	if to, due := p.due(now, p.cap(views)); due {
		p.set, p.setAt = to, now
		d.Bitrate, d.Changed = to, true
	}
	for _, v := range views {
		switch w := p.watchers[v.Key]; {
		case w.slow:
			d.Slow = append(d.Slow, v.Key)
		case w.held:
			d.Held = append(d.Held, v.Key)
		}
	}
	slices.Sort(d.Slow)
	slices.Sort(d.Held)
	return d
}

func (p *Policy) remember(views []View) {
	here := make(map[uint64]bool, len(views))
	for _, v := range views {
		here[v.Key] = true
		if p.watchers[v.Key] == nil {
			p.watchers[v.Key] = newWatcher(p.now)
		}
	}
	maps.DeleteFunc(p.watchers, func(key uint64, _ *watcher) bool { return !here[key] })
}

// follow moves the level: down at once, up slowly. A viewer alone, or beside those whose links carry all there is, sets its own
// pace: its estimate rises as fast as its link was seen to bear. Several rise together, for each of them is to find its limit
// without a queue for the others.
func (p *Policy) follow(goal float64, rising int, step time.Duration) {
	switch {
	case goal < 0:
	case goal <= p.level || rising <= 1:
		p.level = goal
	default:
		up := p.level * math.Pow(1+togetherUp, min(step, time.Second).Seconds())
		p.level = min(goal, up)
	}
}

// cap is what the rate is held down to for the sake of those who still get everything although the rate is not for them:
// where there is a lower rendition for them, and until it is sure that they need it, their links are not flooded with what the
// others are to have; but a trial that is not worth it to the others costs them nothing. Nor does the rate rise while one is silent.
func (p *Policy) cap(views []View) float64 {
	most := math.Inf(1)
	for _, v := range views {
		w := p.watchers[v.Key]
		note(&w.silent, p.now, !v.Measured)
		note(&w.left, p.now, v.Measured && !w.carried)
		switch {
		case w.slow, w.held:
		case w.silent >= 0 && p.now-w.silent < boundTime:
			most = min(most, float64(p.set))
		case p.bounds.Lower > 0 && (!w.trial || w.bounds) && w.left >= 0 && p.now-w.left < boundTime:
			most = min(most, p.usable(v, v.Target))
		}
	}
	return max(most, float64(p.bounds.Floor))
}

// due is the encoder's next rate, which is at most the cap, if it is time for one.
func (p *Policy) due(now time.Duration, most float64) (int, bool) {
	level := min(p.level, most)
	to, set := int(level), float64(p.set)
	switch {
	case to == p.set || p.setAt > 0 && now-p.setAt < setEvery && level > fallAtOnce*set:
		return 0, false
	case level >= set*(1+riseStep), level <= set*(1-fallStep):
		return to, true
	case to == p.bounds.Ceiling || to == p.bounds.Floor: // the last step may be a small one
		return to, true
	}
	return 0, false
}
