package congestion

import (
	"math"
	"time"
)

// What becomes of an estimate without reports.
const (
	HoldTime = 2 * time.Second // the estimate stays for this time, since a bad link loses some reports
	HalfLife = 5 * time.Second // after HoldTime the estimate halves in each such time, since the link may be gone
)

// What an estimate is made from.
const (
	// The receive rate is measured over this time, which is some fifteen frames.
	receivedSpan = 500 * time.Millisecond
	// The receive rate is also measured over this time, which forgets sooner what was before a drop.
	recentSpan = 250 * time.Millisecond
	// Bytes. No packet is larger: a report that tells of one is wrong.
	mostBytes = 1 << 16
	// A link has suddenly become slower if the newest packet waits for longer than stuckQueue, and less than stuckShare (a share of
	// what is sent) arrives. This shows in the frame that is on its way, before the next frame begins to arrive.
	stuckQueue = 200 * time.Millisecond
	stuckShare = 0.75
	// A longer RTT comes of a wrong time in a report.
	mostRTT = 10 * time.Second
	// bit/s. A receive rate above it comes of a wrong time in a report; the bound keeps the rate within an int of 32 bits.
	mostRate = 1e9
	// With each packet whose RTT is longer, the RTT grows by the difference divided by this. An RTT that became longer for good is
	// believed after some hundreds of packets.
	rttDivisor = 256
)

// Limits bound an estimate, in bit/s. A zero field has the default that stands beside it.
type Limits struct {
	Min   int // 50 kbit/s when zero
	Max   int // 50 Mbit/s when zero
	Start int // the estimate before the first report; 1 Mbit/s when zero
}

// withDefaults are the limits with their defaults, in an order that holds: Min, Start, Max.
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
	reports reports
	arrived window // what arrived, by the other side's clock
	sent    window // what was sent, by ours
	trend   trend
	delay   aimd
	loss    losses
	fell    bool          // by the newest report the link carries much less than what is sent
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
	Estimate          int  // bit/s that may be sent
	Potential         int  // bit/s that the link may carry: more than Estimate while nothing says that the link is full
	ReceiveRate       int  // bit/s that arrived in the last half second
	RecentReceiveRate int  // bit/s that arrived in the last quarter of a second
	Usage             Usage
	Gradient          float64       // how the delay grows, ms per s
	Queue             time.Duration // the smoothed queueing delay
	NewestQueue       time.Duration // the queueing delay of the newest packet, its own frame's time on the link included
	LinkFell          bool          // by the newest report the link carries much less than what is sent
	Loss              float64       // the share of packets that was lost in the last window
	RTT               time.Duration // the time that the viewer takes to report included
}

// Receive takes a report of the viewer.
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
	// Over-use in the middle of a report counts, although the usage may be normal again at the last group.
	usage, over := e.trend.detector.usage, false
	for _, p := range packets {
		p.Size = min(max(p.Size, 0), mostBytes)
		e.packet(p)
		over = over || e.trend.detector.usage == Overuse && usage != Overuse
	}
	e.update(over)
}

// packet takes what a report tells of one packet.
func (e *Estimator) packet(p Packet) {
	what := e.reports.take(p)
	e.loss.count(what)
	switch what {
	case ignored:
	case missing:
		e.sent.add(p.Sent, p.Size)
	case recovered:
		e.arrived.add(min(p.Arrived, e.arrived.newest), p.Size)
	case late: // the packet's times may be wrong, so they must not move the windows on
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

// measureRTT keeps the least RTT of late. A longer RTT includes the time that the packet waited for its report.
func (e *Estimator) measureRTT(took time.Duration) {
	if took <= 0 || took > mostRTT {
		return
	}
	if e.rtt == 0 || took < e.rtt {
		e.rtt = took
	}
	e.rtt += (took - e.rtt) / rttDivisor
}

// update makes the estimate anew after a report. over tells that there was over-use at a group of the report.
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

// usage is what the delays say of the link. There is no over-use by them where the link was busy for a short time only. After a sudden drop
// of the link there is over-use in any case.
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

// full is what the link carries while packets wait for it, in bit/s. After a fall that is what arrives in a moment, else what arrived
// while the link was busy, else the receive rate.
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
	// The newest packet shows a queue sooner than the smoothed queue does, though with more chance in it.
	queue := max(e.trend.queue.smoothed, milliseconds(e.trend.queue.waiting()))
	return e.bounded(min(e.delay.lowered(queue), e.loss.bound))
}

// bounded is a rate within the limits.
func (e *Estimator) bounded(rate float64) float64 {
	if math.IsNaN(rate) {
		return float64(e.limits.Min)
	}
	return min(max(rate, float64(e.limits.Min)), float64(e.limits.Max))
}

// decayed is a rate at the time now. It is less than the rate if the newest report is long ago.
func (e *Estimator) decayed(now time.Duration, rate float64) float64 {
	silent := now - e.now - HoldTime
	if !e.begun || silent <= 0 {
		return rate
	}
	return e.bounded(rate * math.Exp2(-silent.Seconds()/HalfLife.Seconds()))
}

// Estimate is the rate in bit/s that may be sent at the time now, by the clock of [Feedback.Received].
func (e *Estimator) Estimate(now time.Duration) int { return int(e.decayed(now, e.estimate())) }

// Snapshot tells what is known of the link at the time now.
func (e *Estimator) Snapshot(now time.Duration) Snapshot {
	received, _ := e.arrived.rate(receivedSpan)
	recent, _ := e.arrived.rate(recentSpan)
	s := Snapshot{
		Measured: e.begun && now-e.now <= HoldTime, Estimate: e.Estimate(now),
		ReceiveRate: int(min(received, mostRate)), RecentReceiveRate: int(min(recent, mostRate)),
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
