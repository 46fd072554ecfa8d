package congestion

import (
	"math"
	"time"
)

// The threshold of the over-use detector.
const (
	gain       = 4.0 // a factor on the slope. libwebrtc's.
	mostGroups = 60  // groups; a line through fewer counts less. libwebrtc's.
	// The threshold at the beginning, and its bounds, in the unit of line.rise. The draft's.
	firstLimit    = 12.5
	smallestLimit = 6.0
	largestLimit  = 600.0
	// How fast the threshold follows the rise: a share of the difference per ms. It goes up fast, so that a flow beside ours that keeps
	// a queue does not starve ours, and down slowly. The draft has 0.01 and 0.00018.
	limitUp   = 0.01
	limitDown = 0.0006
	// In the unit of line.rise. The threshold does not follow a rise that is farther above it: that is a sudden drop of the link. The
	// draft's.
	limitSkip = 15.0
	// ms. One group moves the threshold for this time at most. The draft's.
	limitStep = 100.0
	// The rise must be above the threshold for this time to be over-use. The draft's.
	overTime = 10 * time.Millisecond
	// ms. With a longer queue the threshold is standingLimit at most, and the rate does not rise. A slow growth of a long queue would
	// otherwise be found too late.
	standing      = 80.0
	standingLimit = 3.0 // in the unit of line.rise
)

// Usage is what the delay says of the link.
type Usage int

// The usages.
const (
	Normal Usage = iota
	Overuse
	Underuse
)

var usageNames = [...]string{"normal", "overuse", "underuse"}

// String is the usage in a word, for the log.
func (u Usage) String() string { return usageNames[u] }

// detector compares the rise of the delay with a threshold, and moves the threshold.
type detector struct {
	limit float64 // the threshold
	last  float64 // the rise at the group before
	over  over
	usage Usage
}

// over is how long the rise has been above the threshold.
type over struct {
	time   time.Duration
	groups int
}

// restart forgets the usage. The threshold stays.
func (d *detector) restart() { d.over, d.usage = over{}, Normal }

// detect takes the rise at a group, the time since the group before in ms, the queue in ms, and whether the group was delayed at least
// as much as the group before.
func (d *detector) detect(rise, step, queue float64, rising bool) {
	limit := d.limit
	if queue > standing {
		limit = min(limit, standingLimit)
	}
	switch {
	case rise > limit:
		d.over.time += time.Duration(step * float64(time.Millisecond))
		d.over.groups++
		if d.over.time >= overTime && d.over.groups > 1 && rise >= d.last && rising {
			d.usage = Overuse
		}
	case rise < -d.limit:
		d.over, d.usage = over{}, Underuse
	default:
		d.over, d.usage = over{}, Normal
	}
	d.last = rise
	d.adapt(rise, step)
}

// adapt lets the threshold follow the rise.
func (d *detector) adapt(rise, step float64) {
	size := math.Abs(rise)
	if size > d.limit+limitSkip || rise < -d.limit {
		return
	}
	speed := limitDown
	if size > d.limit {
		speed = limitUp
	}
	d.limit += speed * (size - d.limit) * min(step, limitStep)
	d.limit = min(max(d.limit, smallestLimit), largestLimit)
}
