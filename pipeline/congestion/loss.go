package congestion

import (
	"math"
	"time"
)

// Constants of the loss-based bound; the first three are the draft's.
const (
	lossHigh     = 0.10
	lossLow      = 0.02
	lossWeight   = 0.5
	lossLeast    = 0.15                   // share of the rate that a cut takes at least, so that it can be judged
	lossRise     = 0.25                   // per second of little loss
	lossCreep    = 0.08                   // per second of some: a radio's constant few per cent must not nail the rate
	lossSpan     = time.Second            // a window of reports
	lossHurry    = 250 * time.Millisecond // when it is over a quarter
	lossHeavy    = 0.25
	lossPackets  = 60              // in a window; at few packets a second chance would look like loss
	lossFew      = 20              // when it is over a quarter
	lossStale    = 8 * time.Second // what was lost so long ago says nothing of now, however few packets came since
	lossStep     = 3 * time.Second // a window counts for at most so much rise
	radioMost    = 0.15            // loss that is not blamed on the rate is at most this
	radioFades   = 0.1             // of what is above a window's loss, per window
	trialLess    = 0.9             // so much of the rate before is sent when loss is compared
	trialPackets = 150
	trialTime    = 10 * time.Second
)

// tally counts packets.
type tally struct{ sent, lost int }

func (t tally) share() float64 { return float64(t.lost) / float64(max(t.sent, 1)) }

func (t tally) plus(u tally) tally { return tally{t.sent + u.sent, t.lost + u.lost} }

// losses is the loss-based bound on the rate.
type losses struct {
	bound float64 // bit/s
	radio float64 // share of loss that is there at any rate
	share float64 // of the last window

	begun  bool
	since  time.Duration
	window tally
	before tally // the window before
	trial  trial
}

// trial follows a cut: does less loss come of less being sent?
type trial struct {
	on     bool
	began  time.Duration
	share  float64 // of loss before the cut
	rate   float64 // sent before the cut
	bound  float64 // to restore if the loss was not ours
	under  bool    // less is sent by now
	result tally
}

func newLosses(most float64) losses { return losses{bound: most} }

func (l *losses) count(f fate) {
	switch f {
	case arrived, late:
		l.window.sent++
	case missing:
		l.window.sent++
		l.window.lost++
	case recovered:
		l.window.lost = max(0, l.window.lost-1)
	case ignored:
	}
}

// update closes the window if it is long enough. rate is the estimate now, sending and received what is on the way, all in
// bit/s.
func (l *losses) update(now time.Duration, rate, sending, received float64) {
	if !l.begun {
		l.begun, l.since = true, now
	}
	span, share := now-l.since, l.window.share()
	full := l.window.sent >= lossPackets && span >= lossSpan
	heavy := l.window.sent >= lossFew && span >= lossHurry && share-l.radio > lossHeavy
	switch {
	case full || heavy:
	case span > lossStale:
		l.share, l.since, l.window = share, now, tally{}
		return
	default:
		return
	}
	l.share = share
	l.judge(now, sending)
	if share < l.radio {
		l.radio += radioFades * (share - l.radio)
	}
	seconds := min(span, lossStep).Seconds()
	chance := math.Sqrt(share * (1 - share) / float64(l.window.sent))
	switch excess := max(0, share-l.radio); {
	case excess-chance > lossHigh:
		l.cut(now, rate, sending, received, excess)
	case l.trial.on:
	case excess < lossLow:
		l.bound = max(l.bound*(1+lossRise*seconds), received) // what arrives, and loses nothing, is carried
	default:
		l.bound *= 1 + lossCreep*seconds
	}
	l.before, l.since, l.window = l.window, now, tally{}
}

// cut lowers the bound, but not far below what arrives: that is carried.
func (l *losses) cut(now time.Duration, rate, sending, received, excess float64) {
	less := lossWeight * excess
	if !l.trial.on {
		l.trial = trial{on: true, began: now, share: l.window.plus(l.before).share(), rate: sending, bound: l.bound}
		less = max(less, lossLeast)
	} else if excess < 2*lossHigh {
		return // the trial is to tell
	}
	floor := backOff * received
	l.bound = max(min(l.bound, rate, max(sending, floor))*(1-less), min(l.bound, floor))
}

// judge ends a trial: if less is sent and no less is lost, the loss is the radio's.
func (l *losses) judge(now time.Duration, sending float64) {
	t := &l.trial
	if !t.on {
		return
	}
	if now-t.began > trialTime || !t.under && l.share < lossLow {
		t.on = false // the encoder is not ours alone and does not follow; or the loss went of itself
		return
	}
	if !t.under {
		t.under = sending <= trialLess*t.rate
		return
	}
	t.result = t.result.plus(l.window)
	if t.result.sent < trialPackets {
		return
	}
	t.on = false
	ifOurs := max(0, 1-(1-t.share)*t.rate/max(sending, 1))
	if t.result.share() > (t.share+ifOurs)/2 {
		l.radio = min(t.result.share(), radioMost)
		l.bound = max(l.bound, t.bound)
	}
}
