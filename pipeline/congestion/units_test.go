package congestion

import (
	"testing"
	"time"
)

// A calm second of the delay-based rate: more arrives than the rate.
func calmReading() reading {
	return reading{now: 10 * time.Second, received: 2e6, recent: 2e6, full: 2e6, known: true, queue: 20}
}

func TestRateControl(t *testing.T) {
	const s = time.Second
	normal := spell{true, 0}
	start := func(change func(*aimd)) aimd {
		a := aimd{rate: 1e6, updated: 9 * s, everCut: true, cutAt: 5 * s, normal: normal}
		if change != nil {
			change(&a)
		}
		return a
	}
	risen := 1e6 * (1 + rise + calmRise*3) // three seconds of calm beyond calmTime
	proved := 2e6 * (1 + rise + calmRise*3)
	for _, c := range []struct {
		name  string
		begin aimd
		see   func(*reading)
		want  float64
	}{
		{"what arrives is carried", start(nil), func(*reading) {}, proved},
		{"not with a queue", start(nil), func(r *reading) { r.queue = 51 }, risen},
		{"nor with much loss", start(nil), func(r *reading) { r.lossy = true }, risen},
		{"nor soon after over-use", start(func(a *aimd) { a.normal.since = 9*s + 500*ms }), func(*reading) {}, risen},
		{"nor soon after a cut", start(func(a *aimd) { a.cutAt = 9 * s }), func(*reading) {}, 1e6 * (1 + rise)},
		{"no rise with a long queue", start(nil), func(r *reading) { r.queue = standing }, 1e6},
		{"no rise above 1.5 times what arrives", start(nil), func(r *reading) { r.received, r.recent = 0.6e6, 0.6e6 }, 1e6},
		{
			"a small rate near a full link rises by riseMost",
			start(func(a *aimd) { a.rate, a.capacity = 0.1e6, capacity{mean: 0.1e6, spread: 2.5} }),
			func(r *reading) { r.received, r.recent, r.full = 0.1e6, 0.1e6, 0.1e6 }, 0.1e6 * (1 + riseMost),
		},
		{"over-use cuts to what the link carries", start(nil), func(r *reading) { r.usage = Overuse; r.full = 0.8e6; r.recent = 0.7e6 }, 0.9 * 0.8e6},
		{"or to what arrived just now", start(nil), func(r *reading) { r.usage = Overuse; r.full = 0.8e6; r.recent = 0.5e6 }, 0.9 * 0.5e6},
		{
			"draining ends in time",
			start(func(a *aimd) { a.drain = &drain{before: 2e6, carried: 1.5e6}; a.cutAt = 4 * s }),
			func(r *reading) { r.queue = 300; r.recent = 1e6 }, 0.9 * 1.5e6,
		},
		{"but not before", start(func(a *aimd) { a.drain = &drain{before: 2e6, carried: 1.5e6}; a.cutAt = 6 * s }), func(r *reading) { r.queue = 300 }, 1e6},
	} {
		a, r := c.begin, calmReading()
		c.see(&r)
		a.update(r)
		if d := a.rate - c.want; d < -1 || d > 1 {
			t.Errorf("%s: %.0f, want %.0f", c.name, a.rate, c.want)
		}
	}
}

func TestCapacityIsForgotten(t *testing.T) {
	c := capacity{mean: 1e6, at: time.Second}
	for _, now := range []time.Duration{61 * time.Second, 62 * time.Second} {
		if got, want := c.known(now), c.mean; (got == want) != (now <= c.at+capacityLife) {
			t.Errorf("%v at %v", got, now)
		}
	}
}

func TestLossBound(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name         string
		begin        losses
		span         time.Duration
		received     float64
		bound, radio float64
		compares     bool
	}{
		{"little loss", losses{window: tally{100, 1}}, s, 0, 1e6 * 1.25, 0, false},
		{"little loss of more", losses{window: tally{100, 1}}, s, 2e6, 2e6, 0, false},
		{"little loss for long", losses{window: tally{100, 1}}, 7 * s, 0, 1e6 * (1 + 3*lossRise), 0, false},
		{"some loss", losses{window: tally{100, 5}}, s, 0, 1e6 * 1.08, 0, false},
		{"less loss than the radio's", losses{window: tally{100, 0}, radio: 0.1}, s, 0, 1e6 * (1 + lossRise), 0.09, false},
		{"much loss, compared", losses{window: tally{100, 15}, comparison: &comparison{rate: 1e6, began: -5 * s}}, s, 0, 1e6, 0, true},
		{"much loss, compared for long", losses{window: tally{100, 5}, comparison: &comparison{rate: 1e6, began: -10 * s}}, s, 0, 1e6 * 1.08, 0, false},
	} {
		l := c.begin
		l.begun, l.bound = true, 1e6
		l.update(c.span, 1e6, 1e6, c.received)
		if d := l.bound - c.bound; d < -1 || d > 1 || l.radio-c.radio > 1e-9 || c.radio-l.radio > 1e-9 || (l.comparison != nil) != c.compares {
			t.Errorf("%s: %.0f with the radio's %v, want %.0f with %v; comparison %+v", c.name, l.bound, l.radio, c.bound, c.radio, l.comparison)
		}
	}
}

func TestDetector(t *testing.T) {
	above := over{overTime, 5}
	for _, c := range []struct {
		name  string
		begin detector
		rise  float64
		queue float64
		usage Usage
		limit float64
	}{
		{"above the threshold", detector{limit: 10, over: above}, 11, 0, Overuse, 10 + limitUp*10},
		{"a rise that shrinks", detector{limit: 10, over: above, last: 12}, 11, 0, Normal, 10 + limitUp*10},
		{"below it", detector{limit: 10, over: above}, 9, 0, Normal, 10 - limitDown*10},
		{"below it with a long queue", detector{limit: 10, over: above}, 9, standing + 1, Overuse, 10 - limitDown*10},
		{"far above it", detector{limit: 10, over: above}, 26, 0, Overuse, 10},
		{"far below it", detector{limit: 10, over: above}, -11, 0, Underuse, 10},
	} {
		d := c.begin
		d.detect(c.rise, 10, c.queue, true)
		if off := d.limit - c.limit; d.usage != c.usage || off < -1e-9 || off > 1e-9 {
			t.Errorf("%s: %v, threshold %v, want %v, %v", c.name, d.usage, d.limit, c.usage, c.limit)
		}
	}
}

// A way through the network that has become longer for good is no queue after two spans.
func TestQueueForgetsItsBase(t *testing.T) {
	var q queue
	for at := time.Duration(0); at < 40*time.Second; at += 100 * ms {
		transit := time.Hour
		if at >= 5*time.Second {
			transit += 200 * ms
		}
		q.newest = transit
		q.add(newGroup(Packet{Sent: at, Arrived: at + transit}))
		switch waits := q.waiting(); {
		case at > 5*time.Second && at < 15*time.Second && waits != 200*ms, at > 5*time.Second+2*baseSpan && waits != 0:
			t.Fatalf("%v of waiting at %v", waits, at)
		}
	}
}

// After a time without packets the line begins anew.
func TestSilenceRestartsTheLine(t *testing.T) {
	for _, c := range []struct {
		pause  time.Duration
		groups int
	}{{silence - 100*ms, 30}, {silence + 100*ms, 0}} {
		tr, at := newTrend(), time.Duration(0)
		for range 30 {
			at += 33 * ms
			tr.add(Packet{Sent: at, Arrived: at, Size: 1000})
		}
		at += c.pause
		tr.add(Packet{Sent: at, Arrived: at, Size: 1000})
		if tr.line.count != c.groups {
			t.Errorf("after %v the line goes through %d groups, want %d", c.pause, tr.line.count, c.groups)
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
