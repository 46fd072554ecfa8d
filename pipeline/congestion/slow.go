package congestion

import "time"

// What makes a slow viewer served again.
const (
	// A share of the encoder's rate. A viewer whose estimate stays above it for recoverTime is served.
	recoverShare = 0.85
	// A share of the lower rendition's ceiling. An estimate above it tells that the lower rendition leaves room on the link, so an
	// upgrade may succeed.
	roomShare = 1.2
	// A condition that ends slowness must hold for this time: after a change an estimate swings for a second or two.
	recoverTime = 2 * time.Second
	// A viewer that was served for longer than this waits for its next upgrade only as long as for the first: its link has become better.
	forgetTime = time.Minute
)

// waits is how long a slow viewer waits for an upgrade: for first at the first time, then twice as long each time, up to most.
type waits struct{ first, most time.Duration }

var (
	// An upgrade that fails floods the viewer's link for a second or more, so it must be rare.
	upgradeWaits = waits{first: 10 * time.Second, most: 120 * time.Second}
	// An upgrade at the floor of the lower rendition floods hardly any link.
	floorUpgradeWaits = waits{first: 3 * time.Second, most: 12 * time.Second}
)

// slow is the state of a viewer that is sent the lower rendition or, where there is none, keyframes only.
type slow struct {
	since        time.Duration // when the viewer became slow
	wait         time.Duration // until the next upgrade
	afterUpgrade bool          // an upgrade failed just before, so the estimate tells what the link carries

	recovered spell // the estimate is above recoverShare
	room      spell // the lower rendition leaves room on the link
	agreed    spell // there is room, an upgrade failed just before, and the chosen rate suits the link

	// What Policy.goal notes of this viewer.
	suited         bool // the viewer's link carries the chosen rate, but not the encoder's present rate
	gainsBySharing bool // the utility in sum grows if the others go down to this viewer's estimate
}

// newSlow is the state of a served viewer that was found to be slow.
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

// judge implements [state]: the viewer stays slow, or its upgrade begins. There are three reasons for an upgrade. The estimate is high
// enough. Or the wait is over, and the lower rendition leaves room on the link. Or the upgrade before has shown what the link carries,
// and the policy would choose such a rate for all.
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

// waitNow is how long this viewer waits for its next upgrade. A viewer that is sent only the keyframes of the lower rendition, and gets
// them in time, has a link that carries more. It waits no longer than for its first upgrade.
func (v *slow) waitNow(s sighting) time.Duration {
	if s.bounds.LowerRendition && s.Measured && s.NewestQueue < floorQueue && s.Loss < floorLoss {
		return min(v.wait, floorUpgradeWaits.first)
	}
	return v.wait
}
