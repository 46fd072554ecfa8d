package congestion

import (
	"math"
	"time"
)

// What becomes of an estimate without reports.
const (
	HoldTime = 2 * time.Second // the estimate does not change in this time: some reports are lost on a bad link
	HalfLife = 5 * time.Second // then it halves in each such time, since the link may be gone
)

// What an estimate is made from.
const (
	receivedSpan = 500 * time.Millisecond // the receive rate is measured over this time: some fifteen frames
	recentSpan   = 250 * time.Millisecond // and over this one, which forgets sooner
	// Bytes. A report that tells of a larger packet is wrong.
	mostBytes = 1 << 16
	// A link has suddenly become slower where the newest packet waits for more than stuckQueue while less than stuckShare, a
	// share of what is sent, arrives. This shows in the frame that is on its way, before the next one begins to arrive.
	stuckQueue = 200 * time.Millisecond
	stuckShare = 0.75
	// A longer RTT is a wrong time in a report.
	mostRTT = 10 * time.Second
	// One part in so many of the difference to a longer RTT goes into the RTT with each packet. An RTT that became longer for good
	// is believed after some hundreds of packets.
	rttDivisor = 256
)

// Limits bound an estimate, in bit/s. Zero values are sensible.
type Limits struct {
	Min   int // 50 kbit/s when zero
	Max   int // 50 Mbit/s when zero
	Start int // the estimate before the first report; 1 Mbit/s when zero
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
	intake  reports
	arrived window // what arrived, by the other side's clock
	sent    window // what was sent, by ours
	trend   trend
	delay   aimd
	loss    losses
	fell    bool          // the link carries much less than what is sent, by the newest report
	rtt     time.Duration // 0 before the first report
}

// NewEstimator makes an estimator for a link of which nothing is known.
func NewEstimator(l Limits) *Estimator {
	l = l.withDefaults()
	return &Estimator{limits: l, delay: newAIMD(float64(l.Start)), loss: newLosses(float64(l.Max)), trend: newTrend()}
}

// Snapshot is what an estimator knows of a link.
type Snapshot struct {
	Measured          bool // there was a report within HoldTime
	Estimate          int  // the estimate, bit/s
	Potential         int  // what the link may carry, bit/s: more than Target while nothing says that the link is full
	ReceiveRate       int  // the receive rate of half a second, bit/s
	RecentReceiveRate int  // the receive rate of a quarter of a second, bit/s
	Usage             Usage
	Gradient          float64       // how the delay grows, ms per s
	Queue             time.Duration // the smoothed queueing delay
	NewestQueue       time.Duration // the queueing delay of the newest packet, its own frame's time on the link included
	LinkFell          bool          // the link carries much less than what is sent, by the newest report
	Loss              float64       // the share of packets that was lost lately
	RTT               time.Duration // with the time that the other side takes to report
}

// Receive takes a report of the other side.
func (e *Estimator) Receive(f Feedback) {
	if e.begun {
		f.Received = max(f.Received, e.now)
		e.delay.rate = e.decayed(f.Received, e.delay.rate)
	} else {
		e.delay.updated = f.Received
	}
	e.begun, e.now = true, f.Received
	packets := f.Packets
	if len(packets) > history {
		packets = packets[len(packets)-history:]
	}
	// Over-use in the middle of a report counts, although the last group is normal again.
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
	case late: // its times may be wrong, and must not move the windows on
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

// measureRTT keeps the least RTT of late. A longer one contains waiting for the report.
func (e *Estimator) measureRTT(took time.Duration) {
	if took <= 0 || took > mostRTT {
		return
	}
	if e.rtt == 0 || took < e.rtt {
		e.rtt = took
	}
	e.rtt += (took - e.rtt) / rttDivisor
}

// update makes the estimate anew after a report. over tells that the report had over-use in it.
func (e *Estimator) update(over bool) {
	received, known := e.arrived.rate(receivedSpan)
	recent, _ := e.arrived.rate(recentSpan)
	sending, _ := e.sent.rate(windowSpan)
	a := &e.trend.arrivals
	carries, fell := a.fell(sending)
	e.fell = fell
	rate := e.estimate()
	e.loss.update(e.now, rate, sending, received)
	e.loss.bound = e.bounded(e.loss.bound)
	m, _ := a.moment(momentLeast)
	e.delay.update(reading{
		now: e.now, usage: e.usage(over, recent, sending), received: received, recent: recent, known: known,
		full: full(a, carries, fell, received), fell: fell, moment: m.rate, queue: e.trend.queue.smoothed, rtt: e.rtt,
		lossy: e.loss.share-e.loss.radio > lossHigh,
	})
	// Where loss holds the estimate down, the delay-based rate does not rise far above it.
	e.delay.rate = e.bounded(min(e.delay.rate, headroom*e.loss.bound))
}

// usage is what the delays and a sudden drop say of the link.
func (e *Estimator) usage(over bool, recent, sending float64) Usage {
	usage := e.trend.detector.usage
	if over {
		usage = Overuse
	}
	if usage == Overuse && e.trend.arrivals.busy() < busyBurst {
		usage = Normal
	}
	if e.fell || e.trend.queue.waiting() > stuckQueue && recent < stuckShare*sending {
		usage = Overuse
	}
	return usage
}

// full is what the link carries while it is full, in bit/s: what arrives in a moment after a fall, else what arrived while the link
// was busy, else the receive rate.
func full(a *arrivals, carries float64, fell bool, received float64) float64 {
	switch busy := a.busy(); {
	case fell:
		return carries
	case busy >= busyLeast && busy <= busyMost:
		return a.bits / busy.Seconds()
	}
	return received
}

// estimate is the estimate at the newest report.
func (e *Estimator) estimate() float64 {
	// The newest packet tells of a queue sooner than the smoothed queue, though not as well.
	queue := max(e.trend.queue.smoothed, milliseconds(e.trend.queue.waiting()))
	return e.bounded(min(e.delay.target(queue), e.loss.bound))
}

func (e *Estimator) bounded(rate float64) float64 {
	if math.IsNaN(rate) {
		return float64(e.limits.Min)
	}
	return min(max(rate, float64(e.limits.Min)), float64(e.limits.Max))
}

// decayed is what is left of a rate at the time now, if the newest report is long ago.
func (e *Estimator) decayed(now time.Duration, rate float64) float64 {
	silent := now - e.now - HoldTime
	if !e.begun || silent <= 0 {
		return rate
	}
	return e.bounded(rate * math.Exp2(-silent.Seconds()/HalfLife.Seconds()))
}

// Estimate is the rate in bit/s that may be sent at the time now, by the clock of [Feedback.At].
func (e *Estimator) Estimate(now time.Duration) int { return int(e.decayed(now, e.estimate())) }

// Snapshot tells what is known of the link at the time now.
func (e *Estimator) Snapshot(now time.Duration) Snapshot {
	received, _ := e.arrived.rate(receivedSpan)
	recent, _ := e.arrived.rate(recentSpan)
	s := Snapshot{
		Measured: e.begun && now-e.now <= HoldTime, Estimate: e.Estimate(now), ReceiveRate: int(min(received, 1e12)), RecentReceiveRate: int(min(recent, 1e12)),
		Usage: e.trend.detector.usage, Gradient: e.trend.line.slope * 1000, LinkFell: e.fell, Loss: e.loss.share, RTT: e.rtt,
		Queue: time.Duration(e.trend.queue.smoothed * float64(time.Millisecond)), NewestQueue: e.trend.queue.waiting(),
	}
	s.Potential = e.limits.Max
	full := e.delay.capacity.known(now)
	switch {
	case e.loss.bound <= e.delay.rate:
		s.Potential = max(s.Estimate, int(e.loss.bound))
	case full > 0:
		s.Potential = max(s.Estimate, int(e.bounded(full)))
	}
	return s
}
