package congestion

import (
	"math"
	"time"
)

// What makes a viewer slow.
const (
	// A share of the encoder's rate. A viewer with a lower estimate is slow after patience.low.
	lowShare = 0.7
	// A share of the encoder's rate. A viewer with a lower estimate is slow after patience.veryLow.
	veryLowShare = 0.35
	// The time that an estimate needs until it means something: after a viewer came, after an upgrade began, after silence.
	graceTime = 4 * time.Second
)

// patience is how long an estimate must stay low until the viewer is slow.
type patience struct{ low, veryLow time.Duration }

var (
	// Without a lower rendition a slow viewer sees keyframes only, so the policy takes its time.
	patient = patience{low: 5 * time.Second, veryLow: 1500 * time.Millisecond}
	// With one a slow viewer still sees motion, and each second of waiting keeps the queue of its link full.
	hasty = patience{low: 2 * time.Second, veryLow: 400 * time.Millisecond}
	// A paused viewer sees nothing at all.
	pausedPatience = patience{low: hasty.low, veryLow: 300 * time.Millisecond}
)

// What pauses a viewer. All three must hold at once, so that neither a radio's pause nor a large frame does it. Where the link has
// fallen (Snapshot.Fell) an estimate below veryLowShare is enough.
const (
	pauseTime    = 100 * time.Millisecond // the least time of an estimate below veryLowShare
	pauseWaiting = 100 * time.Millisecond // the newest packet waited for more on the link
	pauseShare   = 0.4                    // a share of the encoder's rate; less arrives
)

// What ends an upgrade before the grace is over.
const (
	upgradeQueue = 150 * time.Millisecond // a longer queue on the link
	upgradeLoss  = 0.1                    // a share of the packets: so much more is lost than before the upgrade
	upgradeTime  = 300 * time.Millisecond // the least time of either; the queue of a keyframe is gone by then
)

// What is too much for a viewer of the lower rendition when its rate is at the floor. After patience.low of either the viewer gets
// keyframes only.
const (
	floorQueue = 400 * time.Millisecond
	floorLoss  = 0.25 // a share of the packets
)

// served is the state of a viewer that is sent every frame of this encoder.
type served struct {
	since   time.Duration // when the viewer came, began its upgrade, or was last silent
	wait    time.Duration // the last time that the viewer was slow, it waited so long for its upgrade; 0 when it never was
	upgrade *upgrade      // set when the viewer was slow before
	low     spell         // the estimate is below lowShare, or the floor is too much
	veryLow *veryLow      // set while the estimate is below veryLowShare
	reach   reach
}

// upgrade is the time of a viewer that was slow and is sent every frame again.
type upgrade struct {
	lowersRate bool    // the shared rate goes down to what this viewer's link carries
	loss       float64 // the share of packets that was lost before the upgrade
	failing    spell   // the upgrade brings a queue or more loss
}

// veryLow is the time for which an estimate has been below veryLowShare.
type veryLow struct {
	since  time.Duration
	paused bool // the viewer is sent nothing, so that the queue of its link empties
}

func (v *served) paused() bool { return v.veryLow != nil && v.veryLow.paused }

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

func (v *served) patience(s sighting) patience {
	switch {
	case v.paused():
		return pausedPatience
	case s.floods():
		return hasty
	}
	return patient
}

// upgradeFails tells whether an upgrade brings a queue or loss. It needs a lower rendition: a viewer that was sent keyframes only
// has hardly reported, so what is known of its queue and its loss is old.
func (v *served) upgradeFails(s sighting) bool {
	if v.upgrade == nil || s.bounds.LowerCeiling == 0 {
		return false
	}
	worse := s.Queue > upgradeQueue || s.Loss > v.upgrade.loss+upgradeLoss
	v.upgrade.failing.note(s.now, s.now-v.since < graceTime && s.Measured && s.share() < lowShare && worse)
	return v.upgrade.failing.lasted(s.now, upgradeTime)
}

// floorIsTooMuch tells whether the viewer's link does not even carry the floor of the lower rendition. The loss of before a
// upgrade does not count: keyframes alone seldom renew it.
func (v *served) floorIsTooMuch(s sighting) bool {
	lossy := s.Loss > floorLoss && (v.upgrade == nil || s.Loss != v.upgrade.loss)
	return s.bounds.LowerRendition && s.rate <= s.bounds.Floor && (s.Queue > floorQueue || lossy)
}

// noteVeryLow notes an estimate below veryLowShare, and pauses the viewer when its link was cut. A paused viewer stays so
// until its estimate rises or it is slow.
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

// bound is the highest rate, in bit/s, that this viewer allows, with its usable estimate and the chosen rate. An estimate within
// the grace bounds nothing, but for an upgrade that lowers the rate; its first keyframe is made at that rate.
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

// reach is how the choice of the rate reaches a served viewer, and since when. The zero value is a viewer that it suits.
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

func (r *reach) note(now time.Duration, kind reachKind) {
	if kind != r.kind {
		*r = reach{kind, now}
	}
}

// within tells whether the reach is of this kind, and has been for less than that long.
func (r reach) within(kind reachKind, now, long time.Duration) bool {
	return r.kind == kind && now-r.since < long
}

func reachOf(measured, carries bool) reachKind {
	switch {
	case !measured:
		return silent
	case !carries:
		return leftOut
	}
	return suits
}
