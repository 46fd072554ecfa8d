package congestion

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTwoFlowsShareALink(t *testing.T) {
	for _, late := range []time.Duration{0, 20 * time.Second} {
		for _, seed := range []uint64{1, 2, 3, 4, 5} {
			l := &link{rate: steady(3e6), queue: 1.5e6, delay: 20 * ms, rng: rand.New(rand.NewPCG(seed, 0))}
			a, b := newFlow(seed, Limits{Start: 500_000, Max: 6_000_000}), newFlow(seed+100, Limits{Start: 500_000, Max: 6_000_000})
			b.active = func(now time.Duration) bool { return now >= late }
			run(l, late+60*time.Second, nil, a, b)
			gotA, _, worst := a.span(late+30*time.Second, late+60*time.Second)
			gotB, _, _ := b.span(late+30*time.Second, late+60*time.Second)
			t.Logf("second flow after %v, seed %d: %.0f and %.0f kbit/s, delay up to %v", late, seed, gotA/1000, gotB/1000, worst)
			if ratio := gotA / gotB; ratio < 0.5 || ratio > 2 {
				t.Errorf("shares of %.0f and %.0f bit/s, want within a factor of 2", gotA, gotB)
			}
			if gotA+gotB < 0.75*3e6 {
				t.Errorf("together %.0f bit/s of 3 Mbit/s", gotA+gotB)
			}
		}
	}
}

// A policer drops what is too much and queues nothing, so that only loss tells of it.
func TestPolicer(t *testing.T) {
	for _, seed := range []uint64{1, 2, 3} {
		l := &link{rate: steady(1e6), queue: 60e3, delay: 20 * ms, rng: rand.New(rand.NewPCG(seed, 0))}
		f := newFlow(seed, Limits{Start: 2_000_000, Max: 6_000_000})
		run(l, 60*time.Second, nil, f)
		got, target, worst := f.span(20*time.Second, 60*time.Second)
		t.Logf("seed %d: %.0f kbit/s arrive of a target of %.0f, delay up to %v", seed, got/1000, target/1000, worst)
		if got < 0.75e6 || target > 1.15e6 {
			t.Errorf("%.0f bit/s arrive, target %.0f, want both near 1 Mbit/s", got, target)
		}
	}
}

func TestApplicationLimited(t *testing.T) {
	l := &link{rate: steady(10e6), queue: 1.5e6, delay: 20 * ms, rng: rand.New(rand.NewPCG(1, 0))}
	f := newFlow(1, Limits{Start: 300_000, Max: 50_000_000})
	f.most = 600_000
	run(l, 40*time.Second, nil, f)
	_, target, _ := f.span(20*time.Second, 40*time.Second)
	t.Logf("target %.0f kbit/s", target/1000)
	if target < 600_000 || target > 1_200_000 {
		t.Errorf("target %.0f of 600 kbit/s sent, want between it and about 1.5 times it", target)
	}
	if s := f.est.Snapshot(40 * time.Second); s.Potential != 50_000_000 {
		t.Errorf("potential %d: nothing says that the link is full", s.Potential)
	}
}

// An encoder with several viewers sends more than one viewer's estimate. The link carries what arrives without a queue.
func TestWhatArrivesIsCarried(t *testing.T) {
	l := &link{rate: steady(10e6), queue: 1.5e6, delay: 20 * ms, rng: rand.New(rand.NewPCG(1, 0))}
	f := newFlow(1, Limits{Start: 300_000, Max: 50_000_000})
	f.rate = steady(2e6)
	run(l, 4*time.Second, nil, f)
	if got := f.est.Estimate(4 * time.Second); got < 1_700_000 {
		t.Errorf("target %d after four seconds of 2 Mbit/s", got)
	}
}

// A link that has become much slower shows in the frame that is on its way. The line through the delays of whole frames is steep
// only long after that.
func TestDropIsSeenSoon(t *testing.T) {
	const before, after, most = 3e6, 700e3, 220 * ms
	for _, loss := range []float64{0.02, 0.1} {
		at, worst, sum := 10*time.Second, time.Duration(0), time.Duration(0)
		const seeds = 60
		for seed := range uint64(seeds) {
			cut, fell := at+time.Duration(seed)*3*ms, time.Duration(-1)
			l := &link{delay: 20 * ms, queue: 2e6, rng: rand.New(rand.NewPCG(seed, 1)), loss: loss, rate: func(now time.Duration) float64 {
				if now < cut {
					return before
				}
				return after
			}}
			f := newFlow(seed, Limits{Start: 2_500_000})
			f.interval = 62 * ms // as Chromium, and no multiple of a frame
			run(l, at+time.Second, func(now time.Duration) {
				if fell < 0 && now > cut && f.est.Snapshot(now).LinkFell && float64(f.est.Estimate(now)) < after {
					fell = now - cut
				}
			}, f)
			if fell < 0 || fell > most {
				t.Errorf("loss %.2f, seed %d: below what the link carries after %v, want %v", loss, seed, fell, most)
			}
			worst, sum = max(worst, fell), sum+fell
		}
		t.Logf("loss %.2f: below what the link carries after %v, at most %v", loss, sum/seeds, worst)
	}
}

// A receiver that is busy for a moment takes all packets at once afterwards, and the cut is taken back.
func TestAPauseIsNoDrop(t *testing.T) {
	const s = time.Second
	l := &link{queue: 3e6, delay: 20 * ms, rng: rand.New(rand.NewPCG(1, 0)), rate: func(now time.Duration) float64 {
		switch {
		case now >= 20*s && now < 20*s+500*ms:
			return 300e3
		case now >= 20*s+500*ms && now < 20*s+550*ms:
			return 100e6
		}
		return 3e6
	}}
	f := newFlow(1, Limits{Start: 2_000_000, Max: 6_000_000})
	run(l, 30*s, nil, f)
	_, before, _ := f.span(19*s, 20*s)
	_, after, _ := f.span(21*s+500*ms, 23*s)
	t.Logf("%.0f kbit/s before, %.0f after; cut %v", before/1000, after/1000, f.est.delay.cutAt)
	if after < 0.85*before {
		t.Errorf("target %.0f after a pause of 500 ms, %.0f before", after, before)
	}
}

// A keyframe fills the queue of a link that is far from full. This is no over-use.
func TestKeyframesAreNoOveruse(t *testing.T) {
	for _, rate := range []float64{500e3, 1.5e6, 2.1e6} {
		l := &link{rate: steady(3e6), queue: 1.5e6, delay: 20 * ms, rng: rand.New(rand.NewPCG(1, 0))}
		f := newFlow(1, Limits{Start: 2_000_000})
		f.rate = steady(rate)
		run(l, time.Minute, nil, f)
		if f.est.delay.everCut {
			t.Errorf("%.0f bit/s on a link of 3 Mbit/s were over-use, at last at %v", rate, f.est.delay.cutAt)
		}
	}
}

// A stream that is far too much for a link leaves an estimate of the link, not nothing.
func TestDrowned(t *testing.T) {
	for name, queue := range map[string]float64{"short queue": 100e3, "long queue": 1e6} {
		t.Run(name, func(t *testing.T) {
			l := &link{rate: steady(400e3), queue: queue, delay: 20 * ms, rng: rand.New(rand.NewPCG(1, 0))}
			f := newFlow(1, Limits{Start: 2_000_000})
			f.rate = steady(2e6)
			run(l, 20*time.Second, nil, f)
			_, target, _ := f.span(5*time.Second, 20*time.Second)
			s := f.est.Snapshot(20 * time.Second)
			t.Logf("target %.0f kbit/s, loss %.2f, queue %v, potential %d", target/1000, s.Loss, s.Queue, s.Potential)
			// Less than the link, since the estimate asks for the queue to be drained; the potential tells of the link.
			if target < 100e3 || target > 450e3 || s.Potential < 300e3 || s.Potential > 700e3 {
				t.Errorf("target %.0f, potential %d on a link of 400 kbit/s", target, s.Potential)
			}
		})
	}
}

// stream is the reports on a calm stream. Tests change some of them.
func stream(from time.Duration, n int, rate float64) []Feedback {
	var out []Feedback
	size := int(rate / 30 / 8 / 4)
	for i := range n {
		f := Feedback{Received: from + time.Duration(i+1)*100*ms}
		for j := range 12 { // three frames of four packets
			sent := f.Received - 100*ms + time.Duration(j/4)*33*ms
			f.Packets = append(f.Packets, Packet{
				Seq: uint32(i*12 + j + int(from/(100*ms))*12), Sent: sent, Arrived: sent + 30*ms + time.Duration(j%4)*ms, Size: size,
			})
		}
		out = append(out, f)
	}
	return out
}

func receive(e *Estimator, list []Feedback) {
	for _, f := range list {
		e.Receive(f)
	}
}

func TestSilence(t *testing.T) {
	e := NewEstimator(Limits{Min: 50_000, Start: 1_000_000})
	if s := e.Snapshot(time.Hour); s.Measured || s.Estimate != 1_000_000 {
		t.Errorf("before any report: %+v", s)
	}
	receive(e, stream(0, 50, 1e6))
	last := 5 * time.Second
	before := e.Estimate(last)
	cases := []struct {
		after    time.Duration
		measured bool
		share    float64
	}{
		{0, true, 1},
		{HoldTime, true, 1},
		{HoldTime + ms, false, 1},
		{HoldTime + HalfLife, false, 0.5},
		{HoldTime + 2*HalfLife, false, 0.25},
		{time.Hour, false, 50_000 / float64(before)},
	}
	for _, c := range cases {
		s := e.Snapshot(last + c.after)
		if s.Measured != c.measured || math.Abs(float64(s.Estimate)/float64(before)-c.share) > 0.01 {
			t.Errorf("%v after the last report: %+v, want %.2f of %d", c.after, s, c.share, before)
		}
	}
	receive(e, stream(last+HoldTime+HalfLife, 1, 1e6))
	if got := e.Estimate(last + HoldTime + HalfLife + 100*ms); float64(got) > 0.6*float64(before) {
		t.Errorf("target %d with the first report after the silence, %d before it", got, before)
	}
	receive(e, stream(last+HoldTime+HalfLife+100*ms, 40, 1e6))
	if got := e.Estimate(20 * time.Second); got < 1_000_000 {
		t.Errorf("target %d four seconds after the silence, want at least what arrives", got)
	}
}

// Reports may be odd in many ways. None of these may look like congestion.
func TestOddReports(t *testing.T) {
	const from, to = 60, 80 // of the hundred
	cases := []struct {
		name   string
		change func([]Feedback) []Feedback
	}{
		{"as they are", func(f []Feedback) []Feedback { return f }},
		{"twice", func(f []Feedback) []Feedback { return slices.Concat(f[:to], f[from:to], f[to:]) }},
		{"swapped", func(f []Feedback) []Feedback {
			for i := from; i < to; i += 2 {
				f[i], f[i+1] = f[i+1], f[i]
			}
			return f
		}},
		{"some lost", func(f []Feedback) []Feedback { return append(f[:from:from], f[from+5:]...) }},
		{"very old ones again", func(f []Feedback) []Feedback { return slices.Concat(f[:to], f[:5], f[to:]) }},
		{"told lost and then arrived", func(f []Feedback) []Feedback {
			first := Feedback{Received: f[from].Received, Packets: slices.Clone(f[from].Packets)}
			for i := range first.Packets {
				first.Packets[i].Lost = true
			}
			return slices.Concat(f[:from], []Feedback{first}, f[from:])
		}},
		{"empty", func(f []Feedback) []Feedback {
			return slices.Concat(f[:from], []Feedback{{Received: f[from].Received}}, f[from:])
		}},
		{"their clock wraps", func(f []Feedback) []Feedback { return later(f[from:], f, -(1<<24)*64*ms) }},
		{"their clock jumps ahead", func(f []Feedback) []Feedback { return later(f[from:], f, time.Hour) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e := NewEstimator(Limits{Start: 1_000_000})
			worst := math.MaxInt
			for _, f := range c.change(stream(0, 100, 1e6)) {
				e.Receive(f)
				worst = min(worst, e.Estimate(f.Received))
			}
			if s := e.Snapshot(10 * time.Second); worst < 900_000 || s.Estimate < 1_200_000 || s.Loss > 0 {
				t.Errorf("lowest target %d, at last %+v", worst, s)
			}
		})
	}
}

func later(part, all []Feedback, by time.Duration) []Feedback {
	for i := range part {
		for j := range part[i].Packets {
			part[i].Packets[j].Arrived += by
		}
	}
	return all
}

func TestReports(t *testing.T) {
	packet := func(seq uint32) Packet { return Packet{Seq: seq, Sent: time.Duration(seq) * ms} }
	lost := func(seq uint32) Packet { return Packet{Seq: seq, Sent: time.Duration(seq) * ms, Lost: true} }
	in := &reports{}
	var got []fate
	for _, p := range []Packet{
		packet(65533), lost(65534), packet(65535), packet(65536), packet(65536), packet(65534), packet(65534), lost(65535),
		packet(65540), packet(65538), packet(65540 + history), packet(65541),
	} {
		got = append(got, in.take(p))
	}
	want := []fate{
		arrived, missing, arrived, arrived, ignored, recovered, ignored, ignored,
		arrived, late, arrived, late,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fates (-want +got):\n%s", diff)
	}
	if f := in.take(packet(65540)); f != ignored {
		t.Errorf("a number as old as the history: %v", f)
	}
}

func TestRoundTrip(t *testing.T) {
	e := NewEstimator(Limits{})
	receive(e, stream(0, 50, 1e6)) // the newest packet of each report was sent 34 ms before it
	if got := e.Snapshot(5 * time.Second).RTT; got < 30*ms || got > 45*ms {
		t.Errorf("round trip %v, want some 35 ms", got)
	}
}

// FuzzEstimator makes reports of any bytes: the target stays within its bounds, and the time that a report takes does not
// grow with what came before.
func FuzzEstimator(f *testing.F) {
	seed := func(list []Feedback) {
		var b []byte
		for _, r := range list {
			for _, p := range r.Packets {
				b = binary.LittleEndian.AppendUint16(b, uint16(p.Seq))
				b = binary.LittleEndian.AppendUint64(b, uint64(p.Sent))
				b = binary.LittleEndian.AppendUint64(b, uint64(p.Arrived))
				b = binary.LittleEndian.AppendUint16(b, uint16(p.Size))
				b = append(b, 0)
			}
		}
		f.Add(b)
	}
	seed(stream(0, 3, 1e6)) // short: a seed is minimised for as long as a minute
	jumped := stream(0, 2, 1e6)
	seed(later(jumped[1:], jumped, math.MinInt64/2))
	f.Add([]byte("nonsense that is longer than one packet of twenty-one bytes"))
	f.Fuzz(func(t *testing.T, data []byte) {
		limits := Limits{Min: 60_000, Max: 3_000_000, Start: 500_000}
		e := NewEstimator(limits)
		at := time.Duration(0)
		for len(data) >= 21 {
			var r Feedback
			n := 1 + int(data[0])%40
			for ; n > 0 && len(data) >= 21; n-- {
				r.Packets = append(r.Packets, Packet{
					Seq:  uint32(binary.LittleEndian.Uint16(data)),
					Sent: time.Duration(binary.LittleEndian.Uint64(data[2:])), Arrived: time.Duration(binary.LittleEndian.Uint64(data[10:])),
					Size: int(int16(binary.LittleEndian.Uint16(data[18:]))), Lost: data[20]&1 != 0,
				})
				at += time.Duration(int8(data[20])) * ms
				data = data[21:]
			}
			r.Received = at
			e.Receive(r)
			s := e.Snapshot(at)
			for _, v := range []int{s.Estimate, s.Potential, e.Estimate(at + time.Hour)} {
				if v < limits.Min || v > limits.Max {
					t.Fatalf("%d is out of bounds: %+v", v, s)
				}
			}
			if math.IsNaN(s.Gradient) || math.IsNaN(s.Loss) || s.Loss < 0 || s.Loss > 1 || s.ReceiveRate < 0 {
				t.Fatalf("not numbers: %+v", s)
			}
			if len(e.trend.line.points) > trendPoints+1 || len(e.arrived.items) > windowItems || len(e.sent.items) > windowItems {
				t.Fatal("unbounded memory")
			}
		}
	})
}

// A viewer that got keyframes only is judged by what is lost now, not by what was lost before.
func TestLossIsForgotten(t *testing.T) {
	for _, c := range []struct {
		name  string
		pause time.Duration
		cut   bool
	}{
		{"at once", 0, true},
		{"ten seconds later", 10 * time.Second, false},
	} {
		l := newLosses(1e6)
		l.update(0, 1e6, 1e6, 1e6)
		for i := range 50 {
			l.count([]fate{arrived, arrived, arrived, missing}[i%4])
		}
		now := time.Second
		l.update(now, 1e6, 1e6, 1e6)
		for range 5 { // a keyframe
			l.count(arrived)
		}
		now += c.pause
		l.update(now, 1e6, 1e6, 1e6)
		for range 8 {
			l.count(arrived)
		}
		now += 2 * time.Second
		l.update(now, 1e6, 1e6, 1e6)
		if cut := l.bound < 1e6; cut != c.cut {
			t.Errorf("%s: cut %v, want %v: %+v", c.name, cut, c.cut, l)
		}
	}
}

// A packet that came late, and so out of order, hides no packet that came in time.
func TestWindowOutOfOrder(t *testing.T) {
	const packet, bits = 1000, 8000
	var w window
	for at := 9 * time.Second; at <= 10*time.Second; at += 10 * time.Millisecond {
		w.add(at, packet)
	}
	w.add(9*time.Second+100*time.Millisecond, packet)
	w.add(10*time.Second, packet)
	if got, known := w.rate(500 * time.Millisecond); !known || got != 51*bits/0.5 {
		t.Errorf("a rate of %v, %v", got, known)
	}
}
