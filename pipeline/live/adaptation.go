package live

import (
	"slices"
	"time"

	"boardcast/pipeline/congestion"
)

// adaptation is a viewer's part in following the network: the estimate of its own link, and what it is sent because of it.
type adaptation struct {
	first         *producer // of the first rendition; nil until the codec is known, and where nothing follows
	lower         *producer // nil without a lower rendition
	key           uint64
	lowerKey      uint64
	estimator     *congestion.Estimator
	at            time.Duration // of the newest report, by the media clock
	heard         time.Time     // when it was taken
	slow          bool          // for the first rendition
	from          *producer     // what feeds the viewer
	to            *producer     // what is going to: the same, unless a keyframe is awaited
	keyframesOnly bool          // it gets keyframes only
	asked         time.Time     // for a keyframe, while spared
	soon          <-chan time.Time
}

// lookAgain is how soon a viewer on its way is looked at again: who is sent nothing reports nothing.
const lookAgain = 50 * time.Millisecond

// adapt begins when the viewer's codec, and so its encoder, is known.
func (v *Viewer) adapt(l, lower *producer) {
	n := &v.net
	if l.rate == nil || n.first != nil {
		return
	}
	n.first, n.lower, n.from, n.to = l, lower, l, l
	n.key, n.estimator = l.rate.join()
}

func (v *Viewer) endAdaptation() {
	if v.net.first == nil {
		return
	}
	v.net.first.rate.leave(v.net.key)
	if v.net.slow && v.net.lower != nil {
		v.net.lower.rate.leave(v.net.lowerKey)
	}
}

// reported takes a report on what was sent.
func (v *Viewer) reported(f congestion.Feedback) {
	n := &v.net
	if n.first == nil {
		return
	}
	n.estimator.Receive(f)
	n.at, n.heard = f.Received, time.Now()
	v.adaptToNetwork()
}

// adaptToNetwork tells the shared rates what is known by now, and sends what they let the viewer have. It is called with each
// report and, since silence counts too, once a tick.
func (v *Viewer) adaptToNetwork() {
	n := &v.net
	if n.first == nil || n.heard.IsZero() {
		return
	}
	s := n.estimator.Snapshot(n.at + time.Since(n.heard))
	v.stat.EstimateBPS, v.stat.Loss, v.stat.RTTMS = s.Estimate, s.Loss, s.RTT.Milliseconds()
	slow, held := n.first.rate.see(n.key, s)
	if slow != n.slow {
		n.slow = slow
		v.log.Info("viewer's link", "slow", slow, "estimate_bps", s.Estimate, "loss", s.Loss)
		v.useLower(slow)
	}
	spare := slow
	if slow && n.lower != nil {
		spare, _ = n.lower.rate.see(n.lowerKey, s)
	}
	v.move()
	leaving := held || n.to != n.from
	v.sendKeyframesOnly(spare || held || slow && n.from == n.first, leaving)
	n.soon = nil
	if leaving {
		n.soon = time.After(lookAgain)
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
	to := n.first
	stays := n.to == n.lower && !n.first.rate.settled()
	if (n.slow || stays) && n.lower != nil && !n.lower.starved() {
		to = n.lower
	}
	if to != n.to {
		n.to = to
		v.use(to)
		v.peer.Feed(to.fan)
		to.requestKeyframe()
	}
	if n.from != n.to {
		if !v.peer.Fed() {
			return
		}
		n.from, n.keyframesOnly = n.to, false
		v.stat.Rendition = ""
		if n.from == n.lower {
			v.stat.Rendition = renditionLower
		}
	}
	for _, l := range []*producer{n.first, n.lower} {
		if l != nil && l != n.from && (l != n.lower || !n.slow) {
			v.leave(l)
		}
	}
}

// renditionLower is what the status says of a viewer that gets the lower rendition.
const renditionLower = "lower"

// sendKeyframesOnly sends keyframes only, and asks for one at once and now and then, or everything again. Who is on the way to the lower
// rendition, or about to be, needs none of the first, which would only keep its link full.
func (v *Viewer) sendKeyframesOnly(keyframesOnly, leaving bool) {
	n := &v.net
	if keyframesOnly != n.keyframesOnly {
		n.keyframesOnly, n.asked = keyframesOnly, time.Time{}
		v.peer.KeyframesOnly(keyframesOnly)
		if !keyframesOnly {
			n.from.requestKeyframe()
		}
	}
	v.stat.KeyframesOnly = keyframesOnly
	if keyframesOnly && !leaving && time.Since(n.asked) >= keyframesOnlyPeriod {
		n.asked = time.Now()
		n.from.requestKeyframe()
	}
}

// use counts the viewer among the users of a producer, once; leave takes it back.
func (v *Viewer) use(l *producer) {
	if !slices.Contains(v.using, l) {
		l.use()
		v.using = append(v.using, l)
	}
}

func (v *Viewer) leave(l *producer) {
	if i := slices.Index(v.using, l); i >= 0 {
		v.using = slices.Delete(v.using, i, i+1)
		l.drop()
	}
}
