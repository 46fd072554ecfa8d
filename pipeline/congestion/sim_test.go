package congestion

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// The simulator sends flows (an encoder, packets, an estimator) through one link, in steps of a millisecond. All chance comes
// from seeds.

const ms = time.Millisecond

// link is a drop-tail queue, a rate, a delay, jitter that keeps the order, and random loss.
type link struct {
	rate   func(time.Duration) float64 // bit/s
	queue  float64                     // bits that the queue holds
	delay  time.Duration
	jitter time.Duration // at most, in addition to delay
	loss   float64

	rng    *rand.Rand
	held   []transit
	bits   float64
	credit float64
}

// transit is a packet on its way.
type transit struct {
	flow    *flow
	seq     uint32
	sent    time.Duration
	arrived time.Duration
	size    int
	lost    bool
}

func (l *link) send(p transit) {
	bits := float64(p.size) * 8
	if l.bits+bits > l.queue {
		p.lost = true
		p.flow.way = append(p.flow.way, p)
		return
	}
	l.bits += bits
	l.held = append(l.held, p)
}

func (l *link) step(now time.Duration) {
	if len(l.held) == 0 {
		l.credit = 0
	}
	l.credit += l.rate(now) / 1000
	for len(l.held) > 0 && l.credit >= float64(l.held[0].size)*8 {
		p := l.held[0]
		l.held = l.held[1:]
		l.credit -= float64(p.size) * 8
		l.bits -= float64(p.size) * 8
		if l.rng.Float64() < l.loss {
			p.lost = true
			p.flow.way = append(p.flow.way, p)
			continue
		}
		p.arrived = now + l.delay
		if l.jitter > 0 {
			p.arrived += time.Duration(l.rng.Int64N(int64(l.jitter)))
		}
		p.arrived = max(p.arrived, p.flow.lastArrival)
		p.flow.lastArrival = p.arrived
		p.flow.way = append(p.flow.way, p)
	}
}

// flow is a sender at 30 frames/s and the receiver that reports to it.
type flow struct {
	est      *Estimator
	rate     func(now time.Duration) float64 // of the encoder; nil: the estimate
	active   func(now time.Duration) bool    // nil: always
	thin     func() bool                     // keyframes only; nil: never
	key      bool                            // the next frame is to be a keyframe
	held     bool                            // the viewer is paused
	most     float64                         // of the encoder
	interval time.Duration                   // of reports

	rng         *rand.Rand
	way         []transit // sent, through the queue, and not reported yet
	lastArrival time.Duration
	seq         uint32
	frames      int
	debt        float64 // bits that a keyframe took in advance
	nextReport  time.Duration
	reports     []report
	offset      time.Duration // of the receiver's clock

	log []tenth
}

type report struct {
	at time.Duration
	Feedback
}

// tenth sums up a tenth of a second.
type tenth struct {
	at        time.Duration
	target    int
	delivered float64 // bits
	sent      float64
	delay     time.Duration // longest
	thin      bool
	lower     bool
	held      bool
}

const logStep = 100 * ms

func (f *flow) bucket(at time.Duration) *tenth {
	i := int(at / logStep)
	for len(f.log) <= i {
		f.log = append(f.log, tenth{at: time.Duration(len(f.log)) * logStep})
	}
	return &f.log[i]
}

const (
	mtu      = 1200
	backWay  = 20 * ms
	keyEvery = 300 // frames
)

// frame sends what the encoder makes: sizes with noise, keyframes as large as a VBV of 120 ms lets them be.
func (f *flow) frame(now time.Duration, l *link) {
	if f.active != nil && !f.active(now) {
		return
	}
	rate := float64(f.est.Estimate(now))
	if f.rate != nil {
		rate = f.rate(now)
	}
	if f.most > 0 {
		rate = min(rate, f.most)
	}
	even := rate / 30
	bits := even * (0.8 + 0.4*f.rng.Float64())
	if f.frames%keyEvery == 0 || f.key {
		f.key = false
		bits = even * 3.5
	} else {
		bits -= min(f.debt, 0.3*even)
	}
	f.debt = max(0, f.debt+bits-even)
	f.frames++
	if f.held {
		f.bucket(now).held = true
		return
	}
	if f.thin != nil && f.thin() {
		f.bucket(now).thin = true
		if f.frames%120 != 1 {
			return
		}
		bits = even * 3.5
	}
	f.bucket(now).sent += bits
	for left := int(bits / 8); left > 0; left -= mtu {
		l.send(transit{flow: f, seq: f.seq, sent: now, size: min(left, mtu)})
		f.seq++
	}
}

// feedback reports the packets that have arrived by now, and those missing before them as lost.
func (f *flow) feedback(now time.Duration) {
	if now < f.nextReport {
		return
	}
	f.nextReport = now + f.interval
	slices.SortStableFunc(f.way, func(a, b transit) int { return int(a.seq) - int(b.seq) })
	newest := -1
	for i, p := range f.way {
		if !p.lost && p.arrived <= now {
			newest = i
		}
	}
	if newest < 0 {
		return
	}
	r := report{at: now + backWay}
	for _, p := range f.way[:newest+1] {
		r.Packets = append(r.Packets, Packet{
			Seq: p.seq & 0xffff, Sent: p.sent, Arrived: (p.arrived + f.offset) / (250 * time.Microsecond) * (250 * time.Microsecond),
			Size: p.size, Lost: p.lost,
		})
		if !p.lost {
			b := f.bucket(p.arrived)
			b.delivered += float64(p.size) * 8
			b.delay = max(b.delay, p.arrived-p.sent)
		}
	}
	f.way = slices.Clone(f.way[newest+1:])
	f.reports = append(f.reports, r)
}

func (f *flow) take(now time.Duration) {
	for len(f.reports) > 0 && f.reports[0].at <= now {
		f.reports[0].Received = f.reports[0].at
		f.est.Receive(f.reports[0].Feedback)
		f.reports = f.reports[1:]
	}
}

// run lets the flows share the link for a time; each is called at the end of every step.
func run(l *link, length time.Duration, each func(now time.Duration), flows ...*flow) {
	for now := time.Duration(0); now < length; now += ms {
		step(now, l, flows...)
		if each != nil {
			each(now)
		}
	}
}

// step is a millisecond; the flows' frames are a third of a frame apart.
func step(now time.Duration, l *link, flows ...*flow) {
	for i, f := range flows {
		f.take(now)
		if at := now + time.Duration(i)*11*ms; at*30/time.Second != (at-ms)*30/time.Second || now == 0 {
			f.frame(now, l)
		}
	}
	l.step(now)
	for _, f := range flows {
		f.feedback(now)
		if b := f.bucket(now); b.target == 0 || now%(20*ms) == 0 {
			b.target = f.est.Estimate(now)
		}
	}
}

func newFlow(seed uint64, limits Limits) *flow {
	return &flow{
		est: NewEstimator(limits), rng: rand.New(rand.NewPCG(seed, 1)), interval: 66 * ms, offset: 1000 * time.Hour,
	}
}

func steady(rate float64) func(time.Duration) float64 {
	return func(time.Duration) float64 { return rate }
}

// span is what a flow got in [from, to).
func (f *flow) span(from, to time.Duration) (delivered, target float64, worst time.Duration) {
	n := 0.0
	for _, s := range f.log {
		if s.at >= from && s.at < to {
			delivered += s.delivered
			target += float64(s.target)
			worst = max(worst, s.delay)
			n++
		}
	}
	return delivered / (to - from).Seconds(), target / max(n, 1), worst
}

// thinned is the share of [from, to) in which the flow got keyframes only.
func (f *flow) thinned(from, to time.Duration) float64 {
	thin, all := 0, 0
	for _, s := range f.log {
		if s.at >= from && s.at < to {
			all++
			if s.thin {
				thin++
			}
		}
	}
	return float64(thin) / float64(max(all, 1))
}

// first is how long after from the condition begins to hold for half a second; negative for never.
func (f *flow) first(from time.Duration, holds func(tenth) bool) time.Duration {
	in := 0
	for _, s := range f.log {
		if s.at < from {
			continue
		}
		if !holds(s) {
			in = 0
			continue
		}
		if in++; in == 5 {
			return s.at - 4*logStep - from
		}
	}
	return -1
}

func (f *flow) print(t *testing.T, every time.Duration) {
	t.Helper()
	if !testing.Verbose() {
		return
	}
	for at := time.Duration(0); at < f.log[len(f.log)-1].at; at += every {
		delivered, target, worst := f.span(at, at+every)
		t.Logf("%6.1fs target %7.0f kbit/s, arrives %7.0f, delay %v", at.Seconds(), target/1000, delivered/1000, worst)
	}
}
