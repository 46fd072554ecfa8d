package congestion

import "time"

// What makes a slow viewer served again.
const (
	// A share of the encoder's rate. A viewer with a higher estimate for recoverTime is served.
	recoverShare = 0.85
	// A share of the lower rendition's ceiling. An estimate above it tells that the lower rendition leaves room on the link, so
	// that an upgrade may succeed.
	roomShare = 1.2
	// The least time that a condition must hold to end slowness: an estimate swings for a second or two after a change.
	recoverTime = 2 * time.Second
	// After this time as served the next wait of a viewer is the first one again: its link has changed for the better.
	forgetTime = time.Minute
)

// waits is how long a slow viewer waits for an upgrade: first at the first time, then twice as long each time, most at most.
type waits struct{ first, most time.Duration }

var (
	// An upgrade floods the viewer's link for a second or more, so that it must be rare where it fails.
	upgradeWaits = waits{first: 10 * time.Second, most: 120 * time.Second}
	// An upgrade at the floor of the lower rendition floods hardly any link.
	floorUpgradeWaits = waits{first: 3 * time.Second, most: 12 * time.Second}
)

// slow is the state of a viewer that is sent the lower rendition or, where there is none, keyframes only.
type slow struct {
	since        time.Duration // when the viewer became slow
	wait         time.Duration // until the next upgrade
	afterUpgrade bool          // an upgrade ended in this state, so the estimate tells what the link carries

	recovered spell // the estimate is above recoverShare
	room      spell // the lower rendition leaves room on the link
	agreed    spell // room, after an upgrade, and the chosen rate suits the link

	// What the choice of the rate says of this viewer.
	suited         bool // the chosen rate is below the encoder's, and the viewer's link carries the chosen one
	gainsBySharing bool // all together gain if the others go down to this viewer's estimate
}

// newSlow is the state that follows when a served viewer is found to be slow.
func newSlow(v *served, s sighting) *slow {
	w := upgradeWaits
	if s.bounds.LowerRendition {
		w = floorUpgradeWaits
	}
	wait := 2 * v.wait
	if v.wait == 0 || s.now-v.since > forgetTime {
		wait = w.first
	}
	return &slow{since: s.now, wait: min(wait, w.most), afterUpgrade: v.upgrade != nil}
}

// judge begins an upgrade in three cases: the estimate is high enough; the wait is over and the lower rendition leaves room; or the
// upgrade before told a rate that suits the link, and the policy would choose that rate for all.
func (v *slow) judge(s sighting) state {
	v.recovered.note(s.now, s.Measured && s.share() >= recoverShare)
	room := s.Measured && float64(s.Estimate) >= roomShare*float64(s.bounds.LowerCeiling)
	v.room.note(s.now, room)
	v.agreed.note(s.now, room && v.suited && v.afterUpgrade)
	agreed := v.agreed.lasted(s.now, recoverTime)
	due := s.now-v.since >= v.waitNow(s) && (s.bounds.LowerCeiling == 0 || v.room.lasted(s.now, recoverTime))
	if !due && !agreed && !v.recovered.lasted(s.now, recoverTime) {
		return v
	}
	return &served{since: s.now, wait: v.wait, upgrade: &upgrade{lowersRate: v.gainsBySharing || agreed, loss: s.Loss}}
}

// waitNow is how long this viewer waits for its next upgrade. Where keyframes of the lower rendition arrive at once, the link
// carries more than them, and the first wait is enough.
func (v *slow) waitNow(s sighting) time.Duration {
	if s.bounds.LowerRendition && s.Measured && s.NewestQueue < floorQueue && s.Loss < floorLoss {
		return min(v.wait, floorUpgradeWaits.first)
	}
	return v.wait
}
