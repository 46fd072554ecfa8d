package congestion

import (
	"math"
	"time"
)

// How much loss moves the bound. The first three are the draft's.
const (
	lossHigh   = 0.10 // a share of the packets; more loss lowers the bound
	lossLow    = 0.02 // a share of the packets; with less loss the bound rises fast
	lossWeight = 0.5  // a factor; so much of the share lost is taken off the bound
	// A share of the bound. The first cut takes as much at least: a smaller one would not tell whether less is lost when less
	// is sent.
	lossLeast = 0.15
	// Shares of the bound per second. The first is for loss below lossLow; the second is for more, up to lossHigh, so that a
	// radio's constant few per cent do not hold the rate down for good.
	lossRise  = 0.25
	lossCreep = 0.08
	// The most time that one window counts for when the bound rises: a window may be long because few packets came.
	lossStep = 3 * time.Second
)

// The windows in which loss is counted.
const (
	lossSpan    = time.Second // the least length of a window
	lossPackets = 60          // the fewest packets of a window; of fewer, one loss by chance would look like much
	// A share of the packets. A window with more loss than this, above the radio's, closes after lossHurry with lossFew packets:
	// a flooded link must not wait for a second.
	lossHeavy = 0.25
	lossHurry = 250 * time.Millisecond
	lossFew   = 20
	// A window this old is dropped, however few packets it has: what was lost so long ago says nothing of the link now.
	lossStale = 8 * time.Second
)

// The loss that is the radio's.
const (
	radioMost  = 0.15 // a share of the packets; more loss is always blamed on the rate
	radioFades = 0.1  // a share; with each window of less loss the radio's goes down by so much of the difference
)

// The comparison of the loss before a cut and after it.
const (
	compareLess    = 0.9              // a share of the rate sent before the cut; from then on less is sent
	comparePackets = 150              // packets; of fewer, chance would decide
	compareTime    = 10 * time.Second // by then the encoder has followed, or never will: other viewers share it
)

// tally counts packets.
type tally struct{ sent, lost int }

func (t tally) share() float64 { return float64(t.lost) / float64(max(t.sent, 1)) }

func (t tally) plus(u tally) tally { return tally{t.sent + u.sent, t.lost + u.lost} }

// losses is the bound that loss sets to the estimate.
type losses struct {
	bound float64 // bit/s
	radio float64 // the share of packets that is lost however little is sent
	share float64 // the share of packets that was lost in the last window

	begun      bool
	since      time.Duration // when the window began
	window     tally
	before     tally       // the window before
	comparison *comparison // set after a cut, until it is judged
}

// comparison follows a cut of the bound and tells whether less is lost when less is sent.
type comparison struct {
	began  time.Duration
	share  float64 // the share of packets lost before the cut
	rate   float64 // bit/s sent before the cut
	bound  float64 // bit/s before the cut, restored if the loss is the radio's
	under  bool    // less is sent by now
	result tally   // the packets since then
}

func newLosses(most float64) losses { return losses{bound: most} }

// count adds a reported packet to the window.
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

// update closes the window if it is long enough, and moves the bound. rate is the estimate, sending what leaves us, received
// what arrives, all in bit/s.
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
	l.compare(now, sending)
	if share < l.radio {
		l.radio += radioFades * (share - l.radio)
	}
	seconds := min(span, lossStep).Seconds()
	chance := math.Sqrt(share * (1 - share) / float64(l.window.sent)) // one standard deviation of the share
	switch excess := max(0, share-l.radio); {
	case excess-chance > lossHigh:
		l.cut(now, rate, sending, received, excess)
	case l.comparison != nil:
	case excess < lossLow:
		l.bound = max(l.bound*(1+lossRise*seconds), received) // the link carries what arrives, since nothing is lost
	default:
		l.bound *= 1 + lossCreep*seconds
	}
	l.before, l.since, l.window = l.window, now, tally{}
}

// cut lowers the bound, and begins a comparison. The bound stays near what arrives, which the link carries.
func (l *losses) cut(now time.Duration, rate, sending, received, excess float64) {
	less := lossWeight * excess
	if l.comparison == nil {
		l.comparison = &comparison{began: now, share: l.window.plus(l.before).share(), rate: sending, bound: l.bound}
		less = max(less, lossLeast)
	} else if excess < 2*lossHigh {
		return // first the comparison is to end
	}
	floor := backOff * received
	l.bound = max(min(l.bound, rate, max(sending, floor))*(1-less), min(l.bound, floor))
}

// compare ends a comparison when it can tell: if less is sent and no less is lost, the loss is the radio's.
func (l *losses) compare(now time.Duration, sending float64) {
	c := l.comparison
	if c == nil {
		return
	}
	if now-c.began > compareTime || !c.under && l.share < lossLow {
		l.comparison = nil // the encoder does not follow, or the loss went by itself
		return
	}
	if !c.under {
		c.under = sending <= compareLess*c.rate
		return
	}
	c.result = c.result.plus(l.window)
	if c.result.sent < comparePackets {
		return
	}
	l.comparison = nil
	// If a full queue drops what is too much, so much is still lost at the lower rate.
	ifQueue := max(0, 1-(1-c.share)*c.rate/max(sending, 1))
	if c.result.share() > (c.share+ifQueue)/2 {
		l.radio = min(c.result.share(), radioMost)
		l.bound = max(l.bound, c.bound)
	}
}
