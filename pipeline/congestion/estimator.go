package congestion

import (
	"math"
	"time"
)

// What becomes of an estimate without reports.
const (
	HoldTime = 2 * time.Second // it stays for so long
	HalfLife = 5 * time.Second // then it halves in each
)

const (
	receivedSpan = 500 * time.Millisecond
	recentSpan   = 250 * time.Millisecond
	mostBytes    = 1 << 16 // of a packet
	// A sudden drop shows in the frame that is on its way, before the next one begins to arrive.
	stuckQueue = 200 * time.Millisecond
	stuckShare = 0.75
	mostRTT    = 10 * time.Second
)

// Limits bound an estimate, in bit/s. Zero values are sensible.
type Limits struct {
	Min   int // 50 kbit/s when zero
	Max   int // 50 Mbit/s when zero
	Start int // before anything is known; 1 Mbit/s when zero
}

func (l Limits) withDefaults() Limits {
	if l.Min <= 0 {
		l.Min = 50_000
	}
	if l.Max <= 0 {
		l.Max = 50_000_000
	}
	l.Max = max(l.Max, l.Min)
	if l.Start <= 0 {
		l.Start = 1_000_000
	}
	l.Start = min(max(l.Start, l.Min), l.Max)
	return l
}

// Estimator follows one viewer's link. It is made by NewEstimator and not safe for concurrent use.
type Estimator struct {
	limits  Limits
	begun   bool
	now     time.Duration // of the newest report
	intake  intake
	arrived window // by the other side's clock
	sent    window
	trend   trend
	delay   aimd
	loss    losses
	fell    bool
	rtt     time.Duration
}

// NewEstimator makes an estimator that knows nothing yet.
func NewEstimator(l Limits) *Estimator {
	l = l.withDefaults()
	return &Estimator{limits: l, delay: newAIMD(float64(l.Start)), loss: newLosses(float64(l.Max)), trend: newTrend()}
}

// Snapshot is what an estimator knows.
type Snapshot struct {
	Measured  bool // there was a report within HoldTime
	Target    int  // bit/s
	Potential int  // bit/s that the link may carry: more than Target while nothing says that it does not
	Received  int  // bit/s, of half a second
	Recent    int  // of a quarter
	Usage     Usage
	Gradient  float64       // how the delay grows, ms per s
	Queue     time.Duration // delay above the least seen
	Waiting   time.Duration // the same of the newest packet, its own frame's time on the link included
	Fell      bool          // the link carries much less than what is sent, since just now
	Loss      float64       // share
	RTT       time.Duration // with the time that the other side takes to report
}

// Receive takes a report.
func (e *Estimator) Receive(f Feedback) {
	if e.begun {
		f.At = max(f.At, e.now)
		e.delay.rate = e.decayed(f.At, e.delay.rate)
	} else {
		e.delay.updated = f.At
	}
	e.begun, e.now = true, f.At
	packets := f.Packets
	if len(packets) > history {
		packets = packets[len(packets)-history:]
	}
	// Over-use anywhere in a report counts, though the last group be normal again.
	usage, over := e.trend.detector.usage, false
	for _, p := range packets {
		p.Size = min(max(p.Size, 0), mostBytes)
		e.packet(p)
		over = over || e.trend.detector.usage == Overuse && usage != Overuse
	}
	e.update(over)
}

func (e *Estimator) packet(p Packet) {
	what := e.intake.take(p)
	e.loss.count(what)
	switch what {
	case ignored:
	case missing:
		e.sent.add(p.Sent, p.Size)
	case recovered:
		e.arrived.add(min(p.Arrived, e.arrived.newest), p.Size)
	case late: // a wrong time among these must not move the window on
		e.sent.add(min(p.Sent, e.sent.newest), p.Size)
		e.arrived.add(min(p.Arrived, e.arrived.newest), p.Size)
	case arrived:
		if e.trend.add(p) {
			e.arrived.reset()
		}
		e.sent.add(p.Sent, p.Size)
		e.arrived.add(p.Arrived, p.Size)
		e.measureRTT(e.now - p.Sent)
	}
}

// measureRTT keeps the least of late: what is above it is waiting for the report.
func (e *Estimator) measureRTT(took time.Duration) {
	if took <= 0 || took > mostRTT {
		return
	}
	if e.rtt == 0 || took < e.rtt {
		e.rtt = took
	}
	e.rtt += (took - e.rtt) / 256
}

func (e *Estimator) update(over bool) {
	received, known := e.arrived.rate(receivedSpan)
	recent, _ := e.arrived.rate(recentSpan)
	sending, _ := e.sent.rate(windowSpan)
	usage := e.trend.detector.usage
	if over {
		usage = Overuse
	}
	if usage == Overuse && e.trend.arrivals.busy() < busyBurst {
		usage = Normal
	}
	carries, fell := e.trend.arrivals.fell(sending)
	e.fell = fell
	if fell || e.trend.queue.waiting() > stuckQueue && recent < stuckShare*sending {
		usage = Overuse
	}
	full := received
	switch long := e.trend.arrivals.busy(); {
	case fell:
		full = carries
	case long >= busyLeast && long <= busyMost:
		full = e.trend.arrivals.bits / long.Seconds()
	}
	rate := e.target()
	e.loss.update(e.now, rate, sending, received)
	e.loss.bound = e.bounded(e.loss.bound)
	m, _ := e.trend.arrivals.moment(momentLeast)
	e.delay.update(reading{
		now: e.now, usage: usage, received: received, recent: recent, known: known, full: full, fell: fell, moment: m.rate,
		queue: e.trend.queue.smoothed, rtt: e.rtt, lossy: e.loss.share-e.loss.radio > lossHigh,
	})
	// Where loss holds the rate down, the other half does not run away from it.
	e.delay.rate = e.bounded(min(e.delay.rate, headroom*e.loss.bound))
}

// target is the estimate at the newest report.
func (e *Estimator) target() float64 {
	queue := max(e.trend.queue.smoothed, milliseconds(e.trend.queue.waiting())) // which knows sooner, if not so well
	return e.bounded(min(e.delay.target(queue), e.loss.bound))
}

func (e *Estimator) bounded(rate float64) float64 {
	if math.IsNaN(rate) {
		return float64(e.limits.Min)
	}
	return min(max(rate, float64(e.limits.Min)), float64(e.limits.Max))
}

// decayed is a rate after the silence until now.
func (e *Estimator) decayed(now time.Duration, rate float64) float64 {
	silent := now - e.now - HoldTime
	if !e.begun || silent <= 0 {
		return rate
	}
	return e.bounded(rate * math.Exp2(-silent.Seconds()/HalfLife.Seconds()))
}

// Target is the rate in bit/s that may be sent at the time now, by the clock of the reports.
func (e *Estimator) Target(now time.Duration) int { return int(e.decayed(now, e.target())) }

// Snapshot tells what is known at the time now.
func (e *Estimator) Snapshot(now time.Duration) Snapshot {
	received, _ := e.arrived.rate(receivedSpan)
	recent, _ := e.arrived.rate(recentSpan)
	s := Snapshot{
		Measured: e.begun && now-e.now <= HoldTime, Target: e.Target(now), Received: int(min(received, 1e12)), Recent: int(min(recent, 1e12)),
		Usage: e.trend.detector.usage, Gradient: e.trend.line.slope * 1000, Fell: e.fell, Loss: e.loss.share, RTT: e.rtt,
		Queue: time.Duration(e.trend.queue.smoothed * float64(time.Millisecond)), Waiting: e.trend.queue.waiting(),
	}
	s.Potential = e.limits.Max
	full := e.delay.capacity.known(now)
	switch {
	case e.loss.bound <= e.delay.rate:
		s.Potential = max(s.Target, int(e.loss.bound))
	case full > 0:
		s.Potential = max(s.Target, int(e.bounded(full)))
	}
	return s
}
