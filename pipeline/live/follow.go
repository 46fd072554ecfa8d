package live

import (
	"slices"
	"time"

	"boardcast/pipeline/congestion"
)

// follower is a viewer's part in following the network: the estimate of its own link, and what it is sent because of it.
type follower struct {
	line      *line // of the first rendition; nil until the codec is known, and where nothing follows
	lower     *line // nil without a lower rendition
	key       uint64
	lowerKey  uint64
	estimator *congestion.Estimator
	at        time.Duration // of the newest report, by the media clock
	heard     time.Time     // when it was taken
	slow      bool          // for the first rendition
	from      *line         // what feeds the viewer
	to        *line         // what is going to: the same, unless a keyframe is awaited
	spared    bool          // it gets keyframes only
	asked     time.Time     // for a keyframe, while spared
	soon      <-chan time.Time
}

// followSoon is how soon a viewer on its way is looked at again: who is sent nothing reports nothing.
const followSoon = 50 * time.Millisecond

// follow begins when the viewer's codec, and so its encoder, is known.
func (v *Viewer) follow(l, lower *line) {
	n := &v.net
	if l.rate == nil || n.line != nil {
		return
	}
	n.line, n.lower, n.from, n.to = l, lower, l, l
	n.key, n.estimator = l.rate.join()
}

func (v *Viewer) unfollow() {
	if v.net.line == nil {
		return
	}
	v.net.line.rate.leave(v.net.key)
	if v.net.slow && v.net.lower != nil {
		v.net.lower.rate.leave(v.net.lowerKey)
	}
}

// reported takes a report on what was sent.
func (v *Viewer) reported(f congestion.Feedback) {
	n := &v.net
	if n.line == nil {
		return
	}
	n.estimator.Receive(f)
	n.at, n.heard = f.At, time.Now()
	v.followNetwork()
}

// followNetwork tells the shared rates what is known by now, and sends what they let the viewer have. It is called with each
// report and, since silence counts too, once a tick.
func (v *Viewer) followNetwork() {
	n := &v.net
	if n.line == nil || n.heard.IsZero() {
		return
	}
	s := n.estimator.Snapshot(n.at + time.Since(n.heard))
	v.stat.EstimateBPS, v.stat.Loss, v.stat.RTTMS = s.Target, s.Loss, s.RTT.Milliseconds()
	slow, held := n.line.rate.see(n.key, s)
	if slow != n.slow {
		n.slow = slow
		v.log.Info("viewer's link", "slow", slow, "estimate_bps", s.Target, "loss", s.Loss)
		v.useLower(slow)
	}
	spare := slow
	if slow && n.lower != nil {
		spare, _ = n.lower.rate.see(n.lowerKey, s)
	}
	v.move()
	leaving := held || n.to != n.from
	v.spare(spare || held || slow && n.from == n.line, leaving)
	n.soon = nil
	if leaving {
		n.soon = time.After(followSoon)
	}
}

// useLower counts the viewer among the users of the lower rendition, which runs while there is one, or no longer.
func (v *Viewer) useLower(slow bool) {
	n := &v.net
	switch {
	case n.lower == nil:
	case slow:
		n.lowerKey, _ = n.lower.rate.join()
		v.use(n.lower)
	default:
		n.lower.rate.leave(n.lowerKey)
	}
}

// move takes the viewer's video from the rendition that suits its link: the lower one while it is slow, unless that does not
// run; it goes up again once the first encoder has settled. The new one takes over with its next keyframe, and only then is the
// old one no longer used.
func (v *Viewer) move() {
	n := &v.net
	to := n.line
	stays := n.to == n.lower && !n.line.rate.settled()
	if (n.slow || stays) && n.lower != nil && !n.lower.starved() {
		to = n.lower
	}
	if to != n.to {
		n.to = to
		v.use(to)
		v.peer.Feed(to.fan)
		to.ask()
	}
	if n.from != n.to {
		if !v.peer.Fed() {
			return
		}
		n.from, n.spared = n.to, false
		v.stat.Rendition = ""
		if n.from == n.lower {
			v.stat.Rendition = renditionLower
		}
	}
	for _, l := range []*line{n.line, n.lower} {
		if l != nil && l != n.from && (l != n.lower || !n.slow) {
			v.leave(l)
		}
	}
}

// renditionLower is what the status says of a viewer that gets the lower rendition.
const renditionLower = "lower"

// spare sends keyframes only, and asks for one at once and now and then, or everything again. Who is on the way to the lower
// rendition, or about to be, needs none of the first, which would only keep its link full.
func (v *Viewer) spare(keyframesOnly, leaving bool) {
	n := &v.net
	if keyframesOnly != n.spared {
		n.spared, n.asked = keyframesOnly, time.Time{}
		v.peer.Spare(keyframesOnly)
		if !keyframesOnly {
			n.from.ask()
		}
	}
	v.stat.KeyframesOnly = keyframesOnly
	if keyframesOnly && !leaving && time.Since(n.asked) >= sparedKey {
		n.asked = time.Now()
		n.from.ask()
	}
}

// use counts the viewer among the users of a line, once; leave takes it back.
func (v *Viewer) use(l *line) {
	if !slices.Contains(v.using, l) {
		l.use()
		v.using = append(v.using, l)
	}
}

func (v *Viewer) leave(l *line) {
	if i := slices.Index(v.using, l); i >= 0 {
		v.using = slices.Delete(v.using, i, i+1)
		l.drop()
	}
}
