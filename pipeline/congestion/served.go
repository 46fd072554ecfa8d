package congestion

import (
	"math"
	"time"
)

// What makes a viewer slow.
const (
	// A share of the encoder's rate. A viewer whose estimate stays below it for patience.low is slow.
	lowShare = 0.7
	// A share of the encoder's rate. A viewer whose estimate stays below it for patience.veryLow is slow.
	veryLowShare = 0.35
	// The grace. An estimate means nothing yet for this time after the viewer came, after its upgrade began, and after it was silent.
	graceTime = 4 * time.Second
)

// patience is how long an estimate must stay low until the viewer is slow.
type patience struct{ low, veryLow time.Duration }

var (
	// Without a lower rendition a slow viewer sees keyframes only, so the policy takes its time.
	patient = patience{low: 5 * time.Second, veryLow: 1500 * time.Millisecond}
	// With a lower rendition a slow viewer still sees motion, while waiting would keep the queue of its link full.
	hasty = patience{low: 2 * time.Second, veryLow: 400 * time.Millisecond}
	// A paused viewer sees nothing at all until it is slow.
	pausedPatience = patience{low: hasty.low, veryLow: 300 * time.Millisecond}
)

// What pauses a viewer. All three must hold at once, so that neither a radio's pause nor a large frame pauses it. Where the link has
// fallen (Snapshot.LinkFell), an estimate below veryLowShare is enough.
const (
	pauseTime    = 100 * time.Millisecond // the estimate has been below veryLowShare for this time at least
	pauseWaiting = 100 * time.Millisecond // the newest packet waited on the link for longer
	pauseShare   = 0.4                    // a share of the encoder's rate; less than it arrives
)

// What ends an upgrade within the grace.
const (
	upgradeQueue = 150 * time.Millisecond // the queue on the link is longer
	upgradeLoss  = 0.1                    // a share of the packets; the loss has grown by more since before the upgrade
	upgradeTime  = 300 * time.Millisecond // one of the two holds for this time; by then the queue of a keyframe is gone
)

// What is too much for a link although the lower rendition is at its floor. After patience.low of either, the viewer gets keyframes
// only. A picture of 50 kbit/s that is so late or so broken is worse than one keyframe after another.
const (
	floorQueue = 400 * time.Millisecond // the queue on the link is longer
	floorLoss  = 0.25                   // a share of the packets; more is lost
)

// served is the state of a viewer that is sent every frame of this encoder.
type served struct {
	since   time.Duration // when the viewer came, began its upgrade, or was last silent
	wait    time.Duration // how long the viewer waited for its upgrade when it was last slow; 0 when it never was
	upgrade *upgrade      // set if the viewer was slow before
	low     spell         // the estimate is below lowShare, or the link does not even carry the floor
	veryLow *veryLow      // set while the estimate is below veryLowShare
	reach   reach
}

// upgrade is the time of a viewer that was slow and is sent every frame again.
type upgrade struct {
	lowersRate bool    // the shared rate goes down to what this viewer's link carries
	loss       float64 // the share of packets that was lost before the upgrade
	failing    spell   // the upgrade has brought a queue or more loss
}

// veryLow is the time for which an estimate has been below veryLowShare.
type veryLow struct {
	since  time.Duration
	paused bool // the viewer is sent nothing, so that its link's queue empties
}

func (v *served) paused() bool { return v.veryLow != nil && v.veryLow.paused }

// judge implements [state]: the viewer stays served, or becomes slow.
func (v *served) judge(s sighting) state {
	if !s.Measured {
		v.since = s.now
	}
	failed := v.upgradeFails(s)
	if s.now-v.since < graceTime && !failed {
		if v.veryLow != nil {
			v.veryLow.paused = false
		}
		return v
	}
	v.low.note(s.now, s.share() < lowShare || v.floorIsTooMuch(s))
	v.noteVeryLow(s)
	p := v.patience(s)
	if failed || v.low.lasted(s.now, p.low) || v.veryLow != nil && s.now-v.veryLow.since >= p.veryLow {
		return newSlow(v, s)
	}
	return v
}

// patience is how long this viewer's estimate may stay low.
func (v *served) patience(s sighting) patience {
	switch {
	case v.paused():
		return pausedPatience
	case s.floods():
		return hasty
	}
	return patient
}

// upgradeFails tells whether an upgrade has brought a queue or loss. It is false without a lower rendition: a viewer that was sent
// keyframes only has hardly reported, so what is known of its queue and its loss is old.
func (v *served) upgradeFails(s sighting) bool {
	if v.upgrade == nil || s.bounds.LowerCeiling == 0 {
		return false
	}
	worse := s.Queue > upgradeQueue || s.Loss > v.upgrade.loss+upgradeLoss
	v.upgrade.failing.note(s.now, s.now-v.since < graceTime && s.Measured && s.share() < lowShare && worse)
	return v.upgrade.failing.lasted(s.now, upgradeTime)
}

// floorIsTooMuch tells whether the viewer's link does not even carry the floor of the lower rendition. A loss that is exactly the one from
// before the upgrade does not count. It was not measured anew since then: that is seldom done while a viewer gets keyframes only.
func (v *served) floorIsTooMuch(s sighting) bool {
	lossy := s.Loss > floorLoss && (v.upgrade == nil || s.Loss != v.upgrade.loss)
	return s.bounds.LowerRendition && s.rate <= s.bounds.Floor && (s.Queue > floorQueue || lossy)
}

// noteVeryLow notes an estimate below veryLowShare, and pauses the viewer when its link suddenly carries much less. A paused viewer stays paused until
// its estimate rises or the viewer is slow.
func (v *served) noteVeryLow(s sighting) {
	if s.share() >= veryLowShare {
		v.veryLow = nil
		return
	}
	if v.veryLow == nil {
		v.veryLow = &veryLow{since: s.now}
	}
	full := s.NewestQueue > pauseWaiting && float64(s.RecentReceiveRate) < pauseShare*float64(s.rate) && s.now-v.veryLow.since >= pauseTime
	v.veryLow.paused = s.floods() && (v.veryLow.paused || full || s.LinkFell)
}

// bound is the highest rate that this viewer allows, in bit/s: its usable estimate. Within the grace a viewer bounds nothing, with one
// exception: in an upgrade that lowers the rate, the first keyframe must already be made at the lower rate. That is the chosen rate if
// the viewer's link carries it, else the usable estimate.
func (v *served) bound(now time.Duration, usable, chosen float64, suited bool) float64 {
	switch {
	case now-v.since >= graceTime:
		return usable
	case v.upgrade == nil || !v.upgrade.lowersRate:
		return math.Inf(1)
	case suited:
		return chosen
	}
	return usable
}

// reach tells whether a served viewer's link carries the chosen rate, and since when. The zero value means that it does.
type reach struct {
	kind  reachKind
	since time.Duration
}

type reachKind int

const (
	suits   reachKind = iota // the viewer's link carries the chosen rate
	leftOut                  // the chosen rate is more than the viewer's link carries
	silent                   // the viewer does not report
)

// note takes the viewer's present kind, and restarts the time if the kind has changed.
func (r *reach) note(now time.Duration, kind reachKind) {
	if kind != r.kind {
		*r = reach{kind, now}
	}
}

// within tells whether the viewer is of this kind, and has been for less than this time.
func (r reach) within(kind reachKind, now, long time.Duration) bool {
	return r.kind == kind && now-r.since < long
}

// reachOf is the kind of a viewer: whether its reports come, and whether its link carries the chosen rate.
func reachOf(measured, carries bool) reachKind {
	switch {
	case !measured:
		return silent
	case !carries:
		return leftOut
	}
	return suits
}
