package congestion

import "time"

// viewer is what the policy remembers of one viewer.
type viewer struct {
	carries bool // the viewer's link carries the chosen rate; true until the first choice with the viewer in this state
	state   state
}

func newViewer(now time.Duration) *viewer { return &viewer{carries: true, state: &served{since: now}} }

// state is what a viewer is sent: a [served] or a [slow].
type state interface {
	// judge takes the viewer's newest estimate and returns the state that follows: often the same.
	judge(sighting) state
}

// sighting is a viewer's estimate at one step of the policy, beside the rate of the encoder.
type sighting struct {
	Snapshot
	now    time.Duration
	rate   int // bit/s of the encoder
	bounds Bounds
}

// share is the viewer's estimate as a share of the encoder's rate.
func (s sighting) share() float64 { return float64(s.Estimate) / float64(s.rate) }

// floods tells whether the encoder's rate can fill this viewer's link although another stream would not: there is a lower
// rendition, and the rate is above the floor.
func (s sighting) floods() bool { return s.bounds.LowerCeiling > 0 && s.rate > s.bounds.Floor }

// judge moves the viewer to its next state.
func (v *viewer) judge(s sighting) {
	if next := v.state.judge(s); next != v.state {
		v.state, v.carries = next, true
	}
}

// slow is the state of the viewer, if the viewer is slow.
func (v *viewer) slow() (*slow, bool) {
	s, is := v.state.(*slow)
	return s, is
}

// lowersRate tells whether the viewer is in an upgrade for which the shared rate goes down.
func (v *viewer) lowersRate() bool {
	s, is := v.state.(*served)
	return is && s.upgrade != nil && s.upgrade.lowersRate
}
