package congestion

import (
	"math"
	"time"
)

// How loss moves the bound. The first three are the draft's.
const (
	lossHigh   = 0.10 // a share of the packets; more loss lowers the bound
	lossLow    = 0.02 // a share of the packets; with less loss the bound rises fast
	lossWeight = 0.5  // a factor; the bound falls by the share that is lost, times this
	// A share of the bound. The first cut takes so much at least. After a smaller cut nobody could tell whether less is lost when less
	// is sent.
	lossLeast = 0.15
	// A share of the bound per second: its rise while the loss is below lossLow.
	lossRise = 0.25
	// A share of the bound per second: its rise with more loss, up to lossHigh. A radio's constant few per cent must not hold the rate
	// down for good.
	lossCreep = 0.08
	// The bound rises for this time per window at most. A window may be long because few packets came.
	lossStep = 3 * time.Second
)

// The windows in which loss is counted.
const (
	lossSpan    = time.Second // the least length of a window
	lossPackets = 60          // the fewest packets of a window; among fewer, one loss by chance would look like much
	// A share of the packets. A window that loses more than the radio's loss plus this closes sooner, since a flooded link must not
	// wait for a second.
	lossHeavy = 0.25
	// The least length of such a window, and the fewest packets of it.
	lossHurry = 250 * time.Millisecond
	lossFew   = 20
	// A window as old as this is dropped. What was lost so long ago says nothing of the link now.
	lossStale = 8 * time.Second
)

// The radio's loss: what is lost however little is sent.
const (
	radioMost = 0.15 // a share of the packets; loss above it is never the radio's
	// A share of the difference. With each window of less loss the radio's loss falls by so much of the difference.
	radioFades = 0.1
)

// The comparison of the loss before a cut and after it.
const (
	// A share of what was sent before the cut. The comparison counts packets once no more than this is sent.
	compareLess = 0.9
	// The fewest packets to compare. With fewer, chance would decide.
	comparePackets = 150
	// The comparison is given up after this time: the encoder does not send less, since other viewers share it.
	compareTime = 10 * time.Second
)

// tally counts packets.
type tally struct{ sent, lost int }

func (t tally) share() float64 { return float64(t.lost) / float64(max(t.sent, 1)) }

func (t tally) plus(u tally) tally { return tally{t.sent + u.sent, t.lost + u.lost} }

// losses is the bound that loss sets to the estimate.
type losses struct {
	bound float64 // bit/s
	radio float64 // the share of packets that is lost however little is sent
	share float64 // the share of packets that was lost in the last window, the radio's included

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
	under  bool    // no more than compareLess is sent by now
	result tally   // the packets since under was set
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

// update closes the window if it is long enough, and moves the bound. rate is the estimate, sending is what we send, received is what
// arrives, all in bit/s.
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

// cut lowers the bound and begins a comparison. The bound stays near what arrives, since the link carries that.
func (l *losses) cut(now time.Duration, rate, sending, received, excess float64) {
	less := lossWeight * excess
	if l.comparison == nil {
		l.comparison = &comparison{began: now, share: l.window.plus(l.before).share(), rate: sending, bound: l.bound}
		less = max(less, lossLeast)
	} else if excess < 2*lossHigh {
		return // the comparison must end before a smaller loss cuts again
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
		l.comparison = nil // the encoder does not send less, or the loss has ended by itself
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
	// The loss to expect at the lower rate if a full queue, and not the radio, drops what is too much.
	ifQueue := max(0, 1-(1-c.share)*c.rate/max(sending, 1))
	if c.result.share() > (c.share+ifQueue)/2 {
		l.radio = min(c.result.share(), radioMost)
		l.bound = max(l.bound, c.bound)
	}
}
