package live

import (
	"time"

	"boardcast/pipeline/congestion"
	"boardcast/pipeline/produce"
)

// adaptation fits one viewer's video to its link. It holds what is known of the link, the viewer's part in the shared bitrates, and the
// rendition that feeds the viewer.
type adaptation struct {
	first member
	lower *member // nil without a lower rendition; it takes part in the lower rendition's rate while the viewer is slow
	link  link
	slow  bool // the link does not carry the first rendition's bitrate
	feed  feed
	soon  <-chan time.Time // when to look at the viewer again without feedback; nil where its feedback is enough
}

// member is a viewer's part in the shared rate of one rendition.
type member struct {
	*produce.Producer
	key uint64 // of the viewer in the shared rate
}

// link is what the viewer's feedback tells of its link.
type link struct {
	estimator *congestion.Estimator
	at        time.Duration // of the newest feedback, by the media clock
	heard     time.Time     // when that came; zero before the first
}

// feed is what the viewer's video is made of.
type feed struct {
	from   *produce.Producer
	next   *produce.Producer // takes over from the producer from, with next's next keyframe; nil where no change is due
	sparse *sparseFeed       // the viewer gets only keyframes of from; nil: everything
}

// sparseFeed is the state of a viewer that gets keyframes only.
type sparseFeed struct {
	asked time.Time // for a keyframe, the last time; zero before
}

// to is the producer that feeds the viewer, or is going to.
func (f *feed) to() *produce.Producer {
	if f.next != nil {
		return f.next
	}
	return f.from
}

// lead notes that p is to feed the viewer. Where p feeds it already, a change that was due is given up.
func (f *feed) lead(p *produce.Producer) {
	f.next = p
	if p == f.from {
		f.next = nil
	}
}

// snapshot is what is known of the link now: silence since the last feedback counts too.
func (l *link) snapshot() congestion.Snapshot {
	return l.estimator.Snapshot(l.at + time.Since(l.heard))
}

// lookAgain is how soon a viewer is checked again that is paused or on its way to another rendition. Such a viewer may send no feedback,
// and the queue of a link that suddenly became slower is full after 0.2 s.
const lookAgain = 50 * time.Millisecond

// keyframesOnlyPeriod is the time after which a viewer that gets keyframes only asks for the next one. On the slowest links a
// producer lets the same time pass between two keyframes.
const keyframesOnlyPeriod = 4 * time.Second

// renditionLower is what the status says of a viewer that gets the lower rendition.
const renditionLower = "lower"

// adapt begins to follow the viewer's link: its codec, and so its producers, are known. lower is nil without a lower rendition.
func (v *Viewer) adapt(first, lower *produce.Producer) {
	if first.Rate() == nil || v.adaptation != nil {
		return
	}
	key, estimator := first.Rate().Join()
	v.adaptation = &adaptation{first: member{first, key}, link: link{estimator: estimator}, feed: feed{from: first}}
	if lower != nil {
		v.adaptation.lower = &member{Producer: lower}
	}
}

// end takes the viewer out of the shared rates.
func (a *adaptation) end() {
	if a == nil {
		return
	}
	a.first.Rate().Leave(a.first.key)
	if a.slow && a.lower != nil {
		a.lower.Rate().Leave(a.lower.key)
	}
}

// again delivers when the viewer is to be looked at again; nil, a channel that never delivers, where it is not.
func (a *adaptation) again() <-chan time.Time {
	if a == nil {
		return nil
	}
	return a.soon
}

// isLower tells whether p makes the viewer's lower rendition.
func (a *adaptation) isLower(p *produce.Producer) bool {
	return a.lower != nil && a.lower.Producer == p
}

// reported takes feedback of the viewer.
func (v *Viewer) reported(f congestion.Feedback) {
	if v.adaptation == nil {
		return
	}
	l := &v.adaptation.link
	l.estimator.Receive(f)
	l.at, l.heard = f.Received, time.Now()
	v.adaptToNetwork()
}

// adaptToNetwork tells the shared rates what is known of the viewer's link by now, and sends the viewer what they decided. It is called
// with all feedback and, since silence counts too, once a tick.
func (v *Viewer) adaptToNetwork() {
	a := v.adaptation
	if a == nil || a.link.heard.IsZero() {
		return
	}
	s, now := a.link.snapshot(), &v.stat.now
	now.EstimateBPS, now.Loss, now.RTTMS = s.Estimate, s.Loss, s.RTT.Milliseconds()
	slow, paused := a.first.Rate().See(a.first.key, s)
	if slow != a.slow {
		v.log.Info("viewer's link", "slow", slow, "estimate_bps", s.Estimate, "loss", s.Loss)
		a.turn(slow, v)
	}
	tooSlow := slow // the link carries no rendition: neither the first nor the lower one, if there is one
	if slow && a.lower != nil {
		tooSlow, _ = a.lower.Rate().See(a.lower.key, s)
	}
	v.move()
	leaving := paused || a.feed.next != nil
	v.sendKeyframesOnly(tooSlow || paused || slow && a.feed.from == a.first.Producer, leaving)
	a.soon = nil
	if leaving {
		a.soon = time.After(lookAgain)
	}
}

// turn makes the viewer slow, or no longer. A slow viewer is a user of the lower rendition, which runs only while it has one.
func (a *adaptation) turn(slow bool, v *Viewer) {
	a.slow = slow
	switch {
	case a.lower == nil:
	case slow:
		a.lower.key, _ = a.lower.Rate().Join()
		v.use(a.lower.Producer)
	default:
		a.lower.Rate().Leave(a.lower.key)
	}
}

// suitable is the producer of the rendition that suits the viewer's link. A slow viewer gets the lower rendition, unless that does not
// run. A viewer that is no longer slow keeps it until the first rendition's encoder has settled.
func (a *adaptation) suitable() *produce.Producer {
	if a.lower == nil || a.lower.Starved() {
		return a.first.Producer
	}
	if a.slow || a.isLower(a.feed.to()) && !a.first.Rate().Settled() {
		return a.lower.Producer
	}
	return a.first.Producer
}

// move has the viewer's video made of the rendition that suits its link. The new rendition takes over with its next keyframe. Only then
// does the viewer stop using the old one.
func (v *Viewer) move() {
	a := v.adaptation
	if to := a.suitable(); to != a.feed.to() {
		a.feed.lead(to)
		v.use(to)
		v.peer.Feed(to.Fan())
		to.RequestKeyframe()
	}
	if a.feed.next != nil {
		if !v.peer.Fed() {
			return
		}
		a.feed = feed{from: a.feed.next}
		v.stat.now.Rendition = ""
		if a.isLower(a.feed.from) {
			v.stat.now.Rendition = renditionLower
		}
	}
	if a.first.Producer != a.feed.from {
		v.leave(a.first.Producer)
	}
	if a.lower != nil && a.lower.Producer != a.feed.from && !a.slow {
		v.leave(a.lower.Producer)
	}
}

// sendKeyframesOnly sends the viewer only keyframes, and asks for one at once and then once a keyframesOnlyPeriod; or sends everything
// again. No keyframe is asked for while the viewer is leaving the rendition or paused: it would only keep its link full.
func (v *Viewer) sendKeyframesOnly(only, leaving bool) {
	f := &v.adaptation.feed
	switch {
	case only && f.sparse == nil:
		f.sparse = &sparseFeed{}
		v.peer.KeyframesOnly(true)
	case !only && f.sparse != nil:
		f.sparse = nil
		v.peer.KeyframesOnly(false)
		f.from.RequestKeyframe()
	}
	v.stat.now.KeyframesOnly = only
	if only && !leaving && time.Since(f.sparse.asked) >= keyframesOnlyPeriod {
		f.sparse.asked = time.Now()
		f.from.RequestKeyframe()
	}
}
