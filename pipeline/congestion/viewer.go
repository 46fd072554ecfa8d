package congestion

import "time"

// Constants that make a viewer slow, and whole again.
const (
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
