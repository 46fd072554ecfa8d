package congestion

import (
	"cmp"
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

	slowShare    = 0.7 // of the rate: an estimate below it for slowTime makes a viewer slow
	slowTime     = 5 * time.Second
	drownShare   = 0.35 // and below this for drownTime
	drownTime    = 1500 * time.Millisecond
	fastShare    = 0.85 // an estimate above it makes the viewer whole again
	fastTime     = 2 * time.Second
	firstPenalty = 10 * time.Second // until a slow viewer is tried again; it doubles with each failure
	mostPenalty  = 12               // of the first
	graceTime    = 4 * time.Second  // after coming, a trial or silence: an estimate needs so long to mean something
	pardonTime   = time.Minute      // whole for so long, and the first penalty counts again
	boundTime    = 4 * time.Second  // for so long the rate heeds whom it will not be for, or of whom nothing is heard

	// With a lower rendition.
	lowerWorth     = 0.7 // of a picture at its rate, by one of the same rate that is not smaller
	lowerSlowTime  = 2 * time.Second
	lowerDrownTime = 400 * time.Millisecond
	holdTime       = 100 * time.Millisecond // who drowns for so long, and
	holdWaiting    = 100 * time.Millisecond // whose newest packet waited for so long, while
	holdShare      = 0.4                    // no more than so much of the rate arrives, is sent nothing until it is sure,
	heldDrownTime  = 300 * time.Millisecond // which is sooner then
	easyShare      = 1.2                    // of its ceiling: an estimate above it for fastTime is worth a trial

	// What ends a trial at once: a queue, or so much more loss, that came with it.
	sinkQueue = 150 * time.Millisecond
	sinkLoss  = 0.1
	sinkTime  = 300 * time.Millisecond

	// Of the lower rendition itself: what is too much even at its floor, for slowTime, and how soon it is tried again, for a trial
	// floods nobody there.
	floorQueue       = 400 * time.Millisecond
	floorLoss        = 0.25
	lastFirstPenalty = 3 * time.Second
	lastMostPenalty  = 4
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

// watcher is what the policy remembers of a viewer.
type watcher struct {
	carried  bool          // its link carries the rate that was chosen
	left     time.Duration // since when it does not; negative while it does
	silent   time.Duration // since when nothing is heard of it; negative while something is
	slow     bool
	since    time.Duration // when it became slow; else when it came, was tried again or was last silent
	below    time.Duration // since when the estimate is too low; negative: it is not
	drowning time.Duration
	held     bool          // while it drowns: what is on its way is to arrive
	above    time.Duration // since when it is enough
	easy     time.Duration // since when the lower rendition leaves room
	fits     bool          // a rate that is known to suit its link would be chosen, were it not slow
	worth    time.Duration // since when both hold
	modest   bool          // were it not slow, the rate that it has now would be worth it to all
	taught   bool          // a trial failed, and so told what the link carries
	bounds   bool          // this trial is at a rate that suits its link
	trial    bool          // it was slow, and is tried with everything until the grace is over
	loss     float64       // before the trial
	sinking  time.Duration // since when that goes wrong
	penalty  time.Duration
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

// goal is the rate that the viewers' links allow, negative when nothing is known, and how many viewers may bound it. It marks
// whose links carry what was chosen.
func (p *Policy) goal(views []View) (rate float64, rising int) {
	if len(views) == 0 {
		return -1, 0
	}
	level := p.choose(views)
	settled, fresh := math.Inf(1), math.Inf(1)
	for _, v := range views {
		w := p.watchers[v.Key]
		w.carried = p.potential(v) >= level
		w.fits = w.carried && p.potential(v) < float64(p.set)
		w.modest = w.slow && p.modest(v, views, level)
		if !w.carried || w.slow {
			continue
		}
		target := p.usable(v, v.Target)
		if target < float64(p.bounds.Ceiling) {
			rising++
		}
		switch {
		case !w.bounds || p.now-w.since >= graceTime:
		case w.fits:
			settled = min(settled, level)
		default:
			settled = min(settled, target)
		}
		fresh = min(fresh, target)
		if p.now-w.since >= graceTime {
			settled = min(settled, target)
		}
	}
	switch {
	case !math.IsInf(settled, 1):
		rate = settled
	case !math.IsInf(fresh, 1):
		rate = fresh
	default:
		rate = level // nobody gets everything: what the best is thought to carry
	}
	return min(max(rate, float64(p.bounds.Floor)), float64(p.bounds.Ceiling)), rising
}

// choose finds the rate that gives the most picture in sum; of the lower rendition, the one that all carry.
func (p *Policy) choose(views []View) float64 {
	best, most := float64(p.bounds.Floor), 0.0
	if p.bounds.Last {
		least := math.Inf(1)
		for _, v := range views {
			if !p.watchers[v.Key].slow {
				least = min(least, p.potential(v))
			}
		}
		if math.IsInf(least, 1) {
			return best
		}
		return max(best, least)
	}
	sorted := slices.SortedFunc(slices.Values(views), func(a, b View) int { return cmp.Compare(p.potential(b), p.potential(a)) })
	for i, v := range sorted {
		level := p.potential(v)
		if level < float64(p.bounds.Floor) {
			break
		}
		if i+1 < len(sorted) && p.potential(sorted[i+1]) == level {
			continue
		}
		worth := float64(i+1)*p.worth(level) + p.rest(sorted[i+1:])
		if p.same(sorted, i) {
			worth *= loyalty
		}
		if worth > most {
			best, most = level, worth
		}
	}
	return best
}

// modest tells whether it is worth the others' while to begin a slow viewer's trial at the rate that it has by now.
func (p *Policy) modest(v View, views []View, level float64) bool {
	target := p.usable(v, v.Target)
	gain := p.worth(target) - max(0, lowerWorth*p.worth(min(target, float64(p.bounds.Lower))))
	for _, o := range views {
		if !p.watchers[o.Key].slow {
			gain -= max(0, p.worth(min(level, p.potential(o)))-p.worth(target))
		}
	}
	return p.bounds.Lower > 0 && gain > 0
}

func (p *Policy) worth(rate float64) float64 { return math.Log(2 * rate / float64(p.bounds.Floor)) }

// rest is the worth of the lower rendition to those who are left out.
func (p *Policy) rest(views []View) float64 {
	sum := 0.0
	for _, v := range views {
		sum += max(0, lowerWorth*p.worth(min(p.potential(v), float64(p.bounds.Lower))))
	}
	return sum
}

// same tells whether the first of the sorted, up to the index, are those that were carried before.
func (p *Policy) same(sorted []View, last int) bool {
	for i, v := range sorted {
		if p.watchers[v.Key].carried != (i <= last) {
			return false
		}
	}
	return true
}

// usable is what an encoder may make of a viewer's rate. Where many packets are lost, some of it is for those that are sent again.
func (p *Policy) usable(v View, rate int) float64 {
	share := p.bounds.Margin
	if v.Loss > lossy {
		share -= lossyShare
	}
	return share * float64(rate)
}

// potential is what a viewer's link may carry, as far as it matters.
func (p *Policy) potential(v View) float64 {
	return min(p.usable(v, max(v.Potential, v.Target)), float64(p.bounds.Ceiling))
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

func newWatcher(now time.Duration) *watcher {
	return &watcher{carried: true, since: now, below: -1, drowning: -1, above: -1, easy: -1, worth: -1, sinking: -1, left: -1, silent: -1}
}

// judge decides whether a viewer is slow, with the encoder at a rate.
func (w *watcher) judge(now time.Duration, s Snapshot, rate int, b Bounds) {
	share := float64(s.Target) / float64(rate)
	if w.slow {
		w.again(now, s, share, b)
		return
	}
	if !s.Measured {
		w.since = now
	}
	failed := b.Lower > 0 && w.fails(now, s, share)
	if now-w.since < graceTime && !failed {
		w.held = false
		return
	}
	slow, drown := slowTime, drownTime
	flood := b.Lower > 0 && rate > b.Floor // at the floor there is none, and time to be sure
	if flood {
		slow, drown = lowerSlowTime, lowerDrownTime
	}
	lossy := s.Loss > floorLoss && (!w.trial || s.Loss != w.loss) // and not only before the trial: keyframes alone renew it rarely
	drowned := b.Last && rate <= b.Floor && (s.Queue > floorQueue || lossy)
	note(&w.below, now, share < slowShare || drowned)
	note(&w.drowning, now, share < drownShare)
	full := s.Waiting > holdWaiting && float64(s.Recent) < holdShare*float64(rate) && held(w.drowning, now, holdTime)
	w.held = flood && w.drowning >= 0 && (w.held || full || s.Fell)
	if w.held {
		drown = heldDrownTime
	}
	if !failed && !held(w.below, now, slow) && !held(w.drowning, now, drown) {
		return
	}
	first, most := firstPenalty, mostPenalty*firstPenalty
	if b.Last {
		first, most = lastFirstPenalty, lastMostPenalty*lastFirstPenalty
	}
	next := 2 * w.penalty
	if w.penalty == 0 || now-w.since > pardonTime {
		next = first
	}
	taught := w.trial
	*w = *newWatcher(now)
	w.slow, w.taught, w.penalty = true, taught, min(next, most)
}

// again makes a slow viewer whole: when its estimate is enough, or for a trial, after its penalty, if what it is given now
// leaves room; sooner where the trial before has told a rate that would suit it and be worth it, which all then go down to, and
// where the keyframes that are all it gets of the lower rendition come through at once.
func (w *watcher) again(now time.Duration, s Snapshot, share float64, b Bounds) {
	penalty := w.penalty
	if b.Last && s.Measured && s.Waiting < floorQueue && s.Loss < floorLoss {
		penalty = min(penalty, lastFirstPenalty)
	}
	note(&w.above, now, s.Measured && share >= fastShare)
	easy := s.Measured && float64(s.Target) >= easyShare*float64(b.Lower)
	note(&w.easy, now, easy)
	note(&w.worth, now, easy && w.fits && w.taught)
	due := now-w.since >= penalty && (b.Lower == 0 || held(w.easy, now, fastTime))
	if !due && !held(w.above, now, fastTime) && !held(w.worth, now, fastTime) {
		return
	}
	before, bounds := w.penalty, w.modest || held(w.worth, now, fastTime)
	*w = *newWatcher(now)
	w.trial, w.loss, w.bounds, w.penalty = true, s.Loss, bounds, before
}

// fails tells that a trial goes wrong. With the lower rendition what is known of the queue and of loss is as of now; who got
// keyframes only has hardly reported.
func (w *watcher) fails(now time.Duration, s Snapshot, share float64) bool {
	worse := s.Queue > sinkQueue || s.Loss > w.loss+sinkLoss
	note(&w.sinking, now, w.trial && now-w.since < graceTime && s.Measured && share < slowShare && worse)
	return held(w.sinking, now, sinkTime)
}

// note keeps since when a condition holds; negative while it does not.
func note(since *time.Duration, now time.Duration, holds bool) {
	switch {
	case !holds:
		*since = -1
	case *since < 0:
		*since = now
	}
}

func held(since, now, long time.Duration) bool { return since >= 0 && now-since >= long }
