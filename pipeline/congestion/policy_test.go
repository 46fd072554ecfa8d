package congestion

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// viewers is a broadcast in the simulator. Each viewer has a link of its own; all get what one encoder makes.
type viewers struct {
	policy *Policy
	lower  *Policy // of the lower rendition; nil without one
	flows  []*flow
	links  []*link
	slow   []uint64
	sparse []uint64 // the viewers that get keyframes only
	sets   []setting
	rate   float64
	low    float64
}

type setting struct {
	at   time.Duration
	rate int
}

func newViewers(b Bounds, links ...*link) *viewers {
	v := &viewers{policy: NewPolicy(b), links: links, rate: float64(b.Ceiling)}
	if b.LowerCeiling > 0 {
		v.lower, v.low = NewPolicy(Bounds{Floor: 50e3, Ceiling: b.LowerCeiling, LowerRendition: true}), float64(b.LowerCeiling)
	}
	for i, l := range links {
		l.rng = rand.New(rand.NewPCG(uint64(i), 7))
		f := newFlow(uint64(i+1), Limits{Start: b.Ceiling, Max: b.Ceiling * 5 / 4})
		f.rate = func(time.Duration) float64 {
			if v.lower != nil && slices.Contains(v.slow, uint64(i)) {
				return v.low
			}
			return v.rate
		}
		f.thin = func() bool { return slices.Contains(v.sparse, uint64(i)) }
		v.flows = append(v.flows, f)
	}
	return v
}

// run steps the policy ten times a second; only the flows whose time has come count.
func (v *viewers) run(length time.Duration, joined func(viewer int, now time.Duration) bool) {
	for now := time.Duration(0); now < length; now += ms {
		var views []View
		for i, f := range v.flows {
			if !joined(i, now) {
				continue
			}
			step(now, v.links[i], f)
			if now%(100*ms) == 0 {
				views = append(views, View{uint64(i), f.est.Snapshot(now)})
			}
		}
		if now%(100*ms) != 0 {
			continue
		}
		d := v.policy.Step(now, views)
		for i, f := range v.flows {
			held := slices.Contains(d.Paused, uint64(i))
			f.key = f.key || v.lower != nil && slices.Contains(v.slow, uint64(i)) != slices.Contains(d.Slow, uint64(i)) || f.held && !held
			f.held = held
		}
		v.slow, v.sparse, v.rate = d.Slow, d.Slow, float64(d.Bitrate)
		if v.lower != nil {
			low := v.lower.Step(now, slices.DeleteFunc(views, func(w View) bool { return !slices.Contains(v.slow, w.Key) }))
			v.sparse, v.low = low.Slow, float64(low.Bitrate)
		}
		v.mark(now)
		if d.Changed {
			v.sets = append(v.sets, setting{now, d.Bitrate})
		}
	}
}

// mark notes which viewers get the lower rendition.
func (v *viewers) mark(now time.Duration) {
	for i, f := range v.flows {
		f.bucket(now).lower = v.lower != nil && slices.Contains(v.slow, uint64(i))
	}
}

// mean is the encoder's mean rate in [from, to).
func (v *viewers) mean(start int, from, to time.Duration) float64 {
	sum, rate, at := 0.0, float64(start), from
	for _, s := range v.sets {
		if s.at >= to {
			break
		}
		if s.at > from {
			sum += rate * (s.at - at).Seconds()
			at = s.at
		}
		rate = float64(s.rate)
	}
	return (sum + rate*(to-at).Seconds()) / (to - from).Seconds()
}

// set is the rate that the encoder was told last, at a time.
func (v *viewers) set(at time.Duration) (rate int) {
	for _, s := range v.sets {
		if s.at <= at {
			rate = s.rate
		}
	}
	return rate
}

func plain(rate float64) *link { return &link{rate: steady(rate), queue: 1.5e6, delay: 20 * ms} }

func always(int, time.Duration) bool { return true }

func TestPolicyOnLinks(t *testing.T) {
	const s = time.Second
	cases := []struct {
		name          string
		links         []float64
		floor         int
		low, high     float64 // of the encoder's mean rate from 30 to 90 s
		slow          []uint64
		whole         []uint64
		ceilingOfTest int
	}{
		{"one fast", []float64{5e6}, 150e3, 2.3e6, 2.5e6, nil, []uint64{0}, 2.5e6},
		{"one slow", []float64{400e3}, 150e3, 0.75 * 400e3, 400e3, nil, []uint64{0}, 2.5e6},
		{"one below the floor", []float64{100e3}, 150e3, 150e3, 160e3, []uint64{0}, nil, 2.5e6},
		{"one of 200 kbit/s beside one of 5 Mbit/s", []float64{200e3, 5e6}, 150e3, 2.2e6, 2.5e6, []uint64{0}, []uint64{1}, 2.5e6},
		{"one of 900 kbit/s beside one of 5 Mbit/s: both get it", []float64{900e3, 5e6}, 150e3, 0.7 * 900e3, 900e3, nil, []uint64{0, 1}, 2.5e6},
		{"one of 600 kbit/s beside four of 5 Mbit/s", []float64{5e6, 5e6, 600e3, 5e6, 5e6}, 150e3, 2.0e6, 2.5e6, []uint64{2}, []uint64{0, 1, 3, 4}, 2.5e6},
		{"three of 1 Mbit/s", []float64{1e6, 1e6, 1e6}, 150e3, 0.7e6, 1e6, nil, []uint64{0, 1, 2}, 2.5e6},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var links []*link
			for _, r := range c.links {
				links = append(links, plain(r))
			}
			v := newViewers(Bounds{Floor: c.floor, Ceiling: c.ceilingOfTest}, links...)
			v.run(90*s, always)
			mean := v.mean(c.ceilingOfTest, 30*s, 90*s)
			t.Logf("%.0f kbit/s in the mean, set %d times", mean/1000, len(v.sets))
			if mean < c.low || mean > c.high {
				t.Errorf("mean rate %.0f, want %.0f to %.0f", mean, c.low, c.high)
			}
			for _, k := range c.slow {
				if share := v.flows[k].thinned(30*s, 90*s); share < 0.7 {
					t.Errorf("viewer %d got keyframes only for %.0f %% of the time, want most of it", k, share*100)
				}
			}
			for _, k := range c.whole {
				_, _, worst := v.flows[k].span(30*s, 90*s)
				if share := v.flows[k].thinned(30*s, 90*s); share > 0 || worst > 400*ms {
					t.Errorf("viewer %d lost frames for %.0f %% of the time, delay up to %v", k, share*100, worst)
				}
			}
			checkSettings(t, v.sets, c.ceilingOfTest, c.floor)
		})
	}
}

// checkSettings checks what is true of every sequence of settings.
func checkSettings(t *testing.T, sets []setting, ceiling, floor int) {
	t.Helper()
	before := setting{-time.Second, ceiling}
	for _, s := range sets {
		up := float64(s.rate)/float64(before.rate) - 1
		switch {
		case s.at-before.at < setEvery:
			t.Errorf("set at %v and at %v", before.at, s.at)
		case up > 0 && up < riseStep-0.001 && s.rate != ceiling:
			t.Errorf("%v: set up by %.1f %%", s.at, up*100)
		case s.rate < floor || s.rate > ceiling:
			t.Errorf("%v: set to %d", s.at, s.rate)
		}
		before = s
	}
}

// A newcomer on a bad link costs the others nothing. A viewer whose link becomes fast gets every frame again.
func TestPolicyOverTime(t *testing.T) {
	const s = time.Second
	sick := &link{queue: 1.5e6, delay: 20 * ms, rate: func(now time.Duration) float64 {
		if now < 60*s {
			return 250e3
		}
		return 5e6
	}}
	v := newViewers(Bounds{Floor: 150e3, Ceiling: 2e6}, plain(5e6), sick)
	v.run(150*s, func(i int, now time.Duration) bool { return i == 0 || now >= 20*s })
	if mean := v.mean(2e6, 20*s, 60*s); mean < 1.8e6 {
		t.Errorf("mean rate %.0f beside a newcomer on 250 kbit/s", mean)
	}
	if share := v.flows[1].thinned(30*s, 60*s); share < 0.5 {
		t.Errorf("the slow viewer got keyframes only for %.0f %% of the time", share*100)
	}
	if share := v.flows[1].thinned(120*s, 150*s); share > 0 {
		t.Errorf("with a fast link the viewer still lacks frames for %.0f %% of the time", share*100)
	}
}

func TestPolicyRisesSlowlyTogether(t *testing.T) {
	p := NewPolicy(Bounds{Floor: 100_000, Ceiling: 4_000_000, Margin: 1})
	view := func(key uint64, target int) View {
		return View{key, Snapshot{Measured: true, Estimate: target, Potential: target}}
	}
	const s = time.Second
	at := time.Duration(0)
	for ; at < 10*s; at += 100 * ms {
		p.Step(at, []View{view(1, 500_000), view(2, 500_000)})
	}
	if p.set != 500_000 {
		t.Fatalf("rate %d, want the estimates'", p.set)
	}
	for ; at < 20*s; at += 100 * ms {
		p.Step(at, []View{view(1, 3_900_000), view(2, 3_900_000)})
	}
	if p.set < 1_000_000 || p.set > 1_080_000 {
		t.Errorf("rate %d after ten seconds of 8 %%, want 1.08 Mbit/s or a step less", p.set)
	}
	if d := p.Step(at, []View{view(1, 4_000_000), view(2, 700_000)}); d.Bitrate != 700_000 || !d.Changed {
		t.Errorf("decision %+v, want to fall at once", d)
	}
	at += 10 * s
	if d := p.Step(at, []View{view(1, 4_000_000)}); d.Bitrate != 4_000_000 {
		t.Errorf("decision %+v, want the pace of a viewer alone", d)
	}
	if d := p.Step(at+s, nil); d.Changed || len(d.Slow) > 0 {
		t.Errorf("decision %+v without viewers", d)
	}
}

// Each upgrade that fails makes the wait for the next one twice as long, from the first wait to the longest.
func TestPolicyPenalty(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		last    bool
		waiting time.Duration // of the keyframes that the viewer gets meanwhile
		want    []time.Duration
	}{
		{false, s, []time.Duration{10 * s, 20 * s, 40 * s, 80 * s, 120 * s, 120 * s}},
		{false, 0, []time.Duration{10 * s, 20 * s, 40 * s, 80 * s, 120 * s, 120 * s}},
		{true, s, []time.Duration{3 * s, 6 * s, 12 * s, 12 * s}},
		{true, 0, []time.Duration{3 * s, 3 * s, 3 * s}},
	} {
		p := NewPolicy(Bounds{Floor: 50_000, Ceiling: 125_000, LowerRendition: c.last})
		var waits []time.Duration
		since, slow := time.Duration(0), false
		for at := time.Duration(0); at < 10*time.Minute && len(waits) < len(c.want); at += 100 * ms {
			view := sees(1, 20_000, 20_000)
			view.NewestQueue = c.waiting
			is := len(p.Step(at, []View{view}).Slow) > 0
			if slow && !is {
				waits = append(waits, at-since)
			}
			if is != slow {
				since, slow = at, is
			}
		}
		if !slices.Equal(waits, c.want) {
			t.Errorf("the viewer waited %v, want %v", waits, c.want)
		}
	}
}

func sees(key uint64, target, potential int) View {
	return View{key, Snapshot{Measured: true, Estimate: target, Potential: potential}}
}

// The policy does not go back and forth between two sets of viewers that are worth about the same.
func TestPolicyKeepsItsChoice(t *testing.T) {
	p := NewPolicy(Bounds{Floor: 150_000, Ceiling: 2_000_000, Margin: 1})
	levels := map[bool]int{}
	for i := range 100 {
		second := 375_000 + 25_000*(i%2) // with 387 000 both choices are worth the same
		p.Step(time.Duration(i)*100*ms, []View{sees(1, 2_000_000, 2_000_000), sees(2, second, second)})
		levels[p.viewers[2].carries]++
	}
	if levels[false] > 0 {
		t.Errorf("the second viewer was left out %d times of 100", levels[false])
	}
}

// The first estimates of a newcomer mean nothing yet, nor do those of a viewer that was silent.
func TestPolicyGivesNewcomersTime(t *testing.T) {
	p := NewPolicy(Bounds{Floor: 150_000, Ceiling: 2_000_000, Margin: 1})
	at := time.Duration(0)
	step := func(long time.Duration, views ...View) (lowest int) {
		lowest = math.MaxInt
		for end := at + long; at < end; at += 100 * ms {
			lowest = min(lowest, p.Step(at, views).Bitrate)
		}
		return lowest
	}
	old, fresh := sees(1, 2_000_000, 2_000_000), sees(2, 400_000, 2_000_000)
	silent := fresh
	silent.Measured = false
	step(5*time.Second, old)
	if low := step(graceTime-100*ms, old, fresh); low < 2_000_000 {
		t.Errorf("rate %d with a newcomer", low)
	}
	if low := step(time.Second, old, fresh); low != 400_000 {
		t.Errorf("rate %d when the newcomer has settled", low)
	}
	step(time.Minute, old, silent)
	if low := step(graceTime-100*ms, old, fresh); low < 2_000_000 {
		t.Errorf("rate %d with a viewer that was silent", low)
	}
}

// An encoder whose bitrate cannot be changed has its floor at its ceiling. A viewer that cannot keep up gets keyframes only.
func TestPolicyOfAFixedRate(t *testing.T) {
	v := newViewers(Bounds{Floor: 1.5e6, Ceiling: 1.5e6}, plain(3e6), plain(600e3))
	v.run(60*time.Second, always)
	if len(v.sets) != 0 {
		t.Errorf("set %v", v.sets)
	}
	if v.flows[0].thinned(0, time.Minute) > 0 || v.flows[1].thinned(20*time.Second, time.Minute) < 0.6 {
		t.Error("the wrong viewer got keyframes only")
	}
}
