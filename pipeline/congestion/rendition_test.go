package congestion

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// lowered is the share of [from, to) in which the flow got the lower rendition, and how often the rendition changed.
func (f *flow) lowered(from, to time.Duration) (share float64, changes int) {
	in, all, before := 0, 0, false
	for _, s := range f.log {
		if s.at < from || s.at >= to {
			before = s.lower
			continue
		}
		if all > 0 && s.lower != before {
			changes++
		}
		before = s.lower
		all++
		if s.lower {
			in++
		}
	}
	return float64(in) / float64(max(all, 1)), changes
}

// delayed is for how long in [from, to) frames came later than a limit.
func (f *flow) delayed(from, to, limit time.Duration) time.Duration {
	sum := time.Duration(0)
	for _, s := range f.log {
		if s.at >= from && s.at < to && s.delay > limit {
			sum += logStep
		}
	}
	return sum
}

// A viewer gets the lower rendition when its link is cut, and every frame again when its link is fast. Another viewer, whose link
// is not cut, notices nothing.
func TestRenditionOnACut(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name           string
		full, low      float64
		ceiling, lower int
		changes        int     // of rendition, at most; an upgrade that fails is two
		rate           float64 // of both viewers when the link is fast
	}{
		{"limited by the link", 5e6, 700e3, 4.8e6, 1.2e6, 2, 4.56e6},
		{"limited by the rendition", 5e6, 700e3, 2.5e6, 600e3, 4, 2.5e6},
		{"never carries the ceiling", 3e6, 700e3, 5e6, 1.25e6, 4, 2.6e6},
	} {
		t.Run(c.name, func(t *testing.T) {
			cut := &link{rate: drop(c.full, c.low), queue: 420e3, delay: 20 * ms}
			v := newViewers(Bounds{Floor: 150e3, Ceiling: c.ceiling, LowerCeiling: c.lower}, cut, plain(20e6))
			v.run(90*s, always)
			f := v.flows[0]
			f.print(t, s)
			down := f.first(30*s, func(s tenth) bool { return s.lower })
			held := slices.IndexFunc(f.log, func(a tenth) bool { return a.at >= 30*s && a.held })
			settled := f.first(31*s, func(s tenth) bool { return s.delay < 150*ms }) + s
			up := f.first(50*s, func(s tenth) bool { return !s.lower && s.delivered/logStep.Seconds() > 0.8*c.rate })
			share, _ := f.lowered(33*s, 50*s)
			_, changes := f.lowered(0, 90*s)
			got, _, _ := f.span(37*s, 50*s)
			again, _ := f.lowered(65*s, 90*s)
			full, _, _ := f.span(65*s, 90*s)
			late := f.delayed(30*s, 50*s, 150*ms)
			t.Logf("lower after %v, delay under 150 ms after %v, late for %v, whole again after %v, lower for %.0f %%, %d changes, got %.0f kbit/s; other's rate %.0f",
				down, settled, late, up, share*100, changes, got/1000, v.mean(c.ceiling, 20*s, 90*s))
			if down < 0 || down > 2*s {
				t.Errorf("moved down after %v, want 2 s", down)
			}
			if held < 0 || f.log[held].at-30*s > 300*ms {
				t.Errorf("at first in step %d the full link is given nothing, want 300 ms", held)
			}
			if settled < s || settled > 3*s {
				t.Errorf("delay under 150 ms after %v, want 3 s", settled)
			}
			if up < 0 || up > 15*s {
				t.Errorf("whole again after %v, want 15 s", up)
			}
			if again > 0 || full < 0.8*c.rate {
				t.Errorf("from 15 s on it has the lower rendition for %.0f %% of the time, and %.0f bit/s", again*100, full)
			}
			if changes > c.changes {
				t.Errorf("%d changes, want %d", changes, c.changes)
			}
			if want := 0.8 * min(c.low, float64(c.lower)); got < want {
				t.Errorf("%.0f bit/s arrive in the low part, want %.0f", got, want)
			}
			if mean := v.mean(c.ceiling, 35*s, 50*s); mean < 0.99*float64(c.ceiling) {
				t.Errorf("the other's rate is %.0f in the low part", mean)
			}
			if mean := v.mean(c.ceiling, 70*s, 90*s); mean < 0.9*c.rate {
				t.Errorf("the other's rate is %.0f in the mean", mean)
			}
		})
	}
}

// After a cut a viewer soon gets every frame again, with any seed. The keyframe at the beginning of an upgrade does not look like a
// full link. On a lossy link the loss of before does not end the upgrade.
func TestRenditionAgainWhateverChanceDoes(t *testing.T) {
	const s, low = time.Second, 700e3
	for _, c := range []struct {
		name          string
		full          float64
		loss          float64
		delay, jitter time.Duration
	}{
		{name: "clean", full: 3e6},
		{name: "2 % loss", full: 3e6, loss: 0.02},
		{name: "10 % loss", full: 3e6, loss: 0.1},
		{name: "10 % loss of more", full: 5e6, loss: 0.1},
		{name: "jitter", full: 3e6, delay: 40 * ms, jitter: 20 * ms},
	} {
		t.Run(c.name, func(t *testing.T) {
			worst := time.Duration(0)
			for seed := range uint64(12) {
				cut := &link{rate: drop(c.full, low), queue: 0.6 * c.full, delay: 20*ms + c.delay, jitter: c.jitter, loss: c.loss}
				v := newViewers(Bounds{Floor: 150e3, Ceiling: 5e6, LowerCeiling: 1.25e6}, cut, plain(20e6))
				cut.rng, v.flows[0].rng = rand.New(rand.NewPCG(seed, 9)), rand.New(rand.NewPCG(seed, 10))
				v.run(70*s, always)
				again := v.flows[0].first(50*s, func(a tenth) bool { return !a.lower && float64(v.set(a.at)) > 0.8*c.full*0.92 })
				if again < 0 || again > 15*s {
					t.Errorf("seed %d: again after %v, want 15 s", seed, again)
				}
				worst = max(worst, again)
			}
			t.Logf("again after at most %v", worst)
		})
	}
}

// A viewer whose link never carries the shared rate has ever fewer upgrades, and each upgrade is short.
func TestRenditionDoesNotFlap(t *testing.T) {
	const s = time.Second
	slow := &link{rate: steady(700e3), queue: 420e3, delay: 20 * ms}
	v := newViewers(Bounds{Floor: 150e3, Ceiling: 3e6, LowerCeiling: 500e3}, slow, plain(20e6))
	v.run(300*s, always)
	f := v.flows[0]
	share, changes := f.lowered(10*s, 300*s)
	late := f.delayed(10*s, 300*s, 250*ms)
	got, _, _ := f.span(10*s, 300*s)
	t.Logf("lower for %.1f %% of 290 s, %d changes, late for %v, got %.0f kbit/s", share*100, changes, late, got/1000)
	if share < 0.95 || changes > 10 || changes == 0 {
		t.Errorf("lower for %.1f %% of the time with %d changes", share*100, changes)
	}
	if late > 12*s {
		t.Errorf("late for %v of 290 s", late)
	}
}

// Where there is a lower rendition the rate may leave out a slow link, but not for every difference between links.
func TestRenditionChoice(t *testing.T) {
	for _, c := range []struct {
		name           string
		ceiling, lower int
		links          []int
		rate           int
	}{
		{"far apart", 3e6, 750e3, []int{3e6, 700e3}, 3e6},
		{"far apart, without a rendition", 3e6, 0, []int{3e6, 700e3}, 700e3},
		{"near", 2.5e6, 625e3, []int{2e6, 900e3}, 900e3},
		{"many slow", 5e6, 1.25e6, []int{5e6, 1e6, 1e6, 1e6}, 1e6},
		{"all slow", 5e6, 1.25e6, []int{700e3, 700e3}, 700e3},
		{"hardly a link", 3e6, 750e3, []int{3e6, 60e3}, 3e6},
	} {
		p := NewPolicy(Bounds{Floor: 150_000, Ceiling: c.ceiling, LowerCeiling: c.lower, Margin: 1})
		var views []View
		for i, rate := range c.links {
			views = append(views, sees(uint64(i), rate, rate))
		}
		for at := time.Duration(0); at < 30*time.Second; at += 100 * ms {
			p.Step(at, views)
		}
		if p.set != c.rate {
			t.Errorf("%s: %d bit/s, want %d", c.name, p.set, c.rate)
		}
	}
}

// At the floor the rate floods no link, so that a short fall of an estimate changes no viewer's picture. Above the floor it does.
func TestRenditionTakesItsTimeAtTheFloor(t *testing.T) {
	for _, c := range []struct {
		name  string
		views []View
		slow  int
	}{
		{"alone, at the floor", []View{sees(1, 50_000, 50_000)}, 0},
		{"beside another, above it", []View{sees(1, 50_000, 50_000), sees(2, 2_000_000, 2_000_000)}, 1},
	} {
		p := NewPolicy(Bounds{Floor: 150_000, Ceiling: 2_000_000, LowerCeiling: 500_000})
		at := time.Duration(0)
		for ; at < 10*time.Second; at += 100 * ms {
			well := make([]View, len(c.views))
			for i, v := range c.views {
				well[i] = sees(v.Key, 2_000_000, 2_000_000)
			}
			p.Step(at, well)
		}
		slow := 0
		for end := at + patient.veryLow - 100*ms; at < end; at += 100 * ms {
			slow = len(p.Step(at, c.views).Slow)
		}
		if slow != c.slow {
			t.Errorf("%s: %d are slow, want %d", c.name, slow, c.slow)
		}
	}
}

// The lower rendition leaves out no viewer whose link carries its floor, whatever other links carry. A viewer whose link does not
// carry the floor gets keyframes only.
func TestLowerRenditionIsForAll(t *testing.T) {
	const s = time.Second
	drowned := sees(1, 50_000, 60_000)
	drowned.Queue = floorQueue + ms
	for _, c := range []struct {
		name  string
		last  bool
		views []View
		slow  int
		rate  int
	}{
		{"one on a slow link", true, []View{sees(1, 50_000, 60_000), sees(2, 125_000, 125_000), sees(3, 125_000, 125_000)}, 0, 50_000},
		{"the same of the first rendition", false, []View{sees(1, 50_000, 60_000), sees(2, 125_000, 125_000), sees(3, 125_000, 125_000)}, 1, 125_000},
		{"all on good links", true, []View{sees(1, 125_000, 125_000), sees(2, 125_000, 125_000)}, 0, 125_000},
		{"drowned at the floor", true, []View{drowned}, 1, 50_000},
	} {
		p := NewPolicy(Bounds{Floor: 50_000, Ceiling: 125_000, Margin: 1, LowerRendition: c.last})
		var d Decision
		most := 0
		for at := time.Duration(0); at < 11*s; at += 100 * ms {
			d = p.Step(at, c.views)
			most = max(most, len(d.Slow))
		}
		if most != c.slow || d.Bitrate != c.rate {
			t.Errorf("%s: %d are left out, the rate is %d; want %d, %d", c.name, most, d.Bitrate, c.slow, c.rate)
		}
	}
}

// A viewer is paused only while the rate floods its link. When the others leave, the rate goes down to what the link carries.
func TestHeldNoLongerThanFlooded(t *testing.T) {
	p := NewPolicy(Bounds{Floor: 150_000, Ceiling: 2_000_000, LowerCeiling: 500_000})
	good, cut := sees(1, 2_000_000, 2_000_000), sees(2, 2_000_000, 2_000_000)
	at := time.Duration(0)
	var d Decision
	for ; at < 10*time.Second; at += 100 * ms {
		d = p.Step(at, []View{good, cut})
	}
	cut = sees(2, 60_000, 60_000)
	cut.NewestQueue = time.Second
	for end := at + time.Second; len(d.Paused) == 0 && at < end; at += 100 * ms {
		d = p.Step(at, []View{good, cut})
	}
	if len(d.Paused) != 1 {
		t.Fatalf("decision %+v, want the viewer of the cut link paused", d)
	}
	for range 2 {
		d = p.Step(at, []View{cut})
		at += 100 * ms
	}
	if len(d.Paused) > 0 || d.Bitrate > 150_000 {
		t.Errorf("decision %+v with nobody else there", d)
	}
}

// Loss of before an upgrade, of which nothing new is known, does not end the upgrade. More loss does.
func TestOldLossEndsNoUpgrade(t *testing.T) {
	const s = time.Second
	p := NewPolicy(Bounds{Floor: 50_000, Ceiling: 125_000, Margin: 1, LowerRendition: true})
	slow, times := false, 0
	run := func(from, to time.Duration, loss float64) {
		for at := from; at < to; at += 100 * ms {
			view := sees(1, 50_000, 50_000)
			view.Loss = loss
			is := len(p.Step(at, []View{view}).Slow) > 0
			if is && !slow {
				times++
			}
			slow = is
		}
	}
	run(0, 30*s, 0.4)
	if times != 1 {
		t.Errorf("the viewer was slow %d times by the same loss", times)
	}
	run(30*s, 40*s, 0.5)
	if times != 2 {
		t.Errorf("the viewer was slow %d times when more was lost", times)
	}
}

// A link that pauses, as that of a radio that scans other channels, is not a slow link.
func TestRenditionOutlastsAPause(t *testing.T) {
	const s = time.Second
	for _, pause := range []time.Duration{200 * ms, 250 * ms, 300 * ms, 350 * ms, 400 * ms, 450 * ms, 500 * ms} {
		stops := func(now time.Duration) float64 {
			if now >= 30*s && now < 30*s+pause {
				return 1000
			}
			return 5e6
		}
		v := newViewers(Bounds{Floor: 150e3, Ceiling: 3e6, LowerCeiling: 750e3}, &link{rate: stops, queue: 3e6, delay: 20 * ms}, plain(20e6))
		v.run(40*s, always)
		if share, _ := v.flows[0].lowered(29*s, 40*s); share > 0 {
			t.Errorf("after a pause of %v the viewer has the lower rendition for %.0f %% of the time", pause, share*100)
		}
		if slices.ContainsFunc(v.flows[0].log, func(a tenth) bool { return a.held }) {
			t.Errorf("after a pause of %v the viewer is sent nothing", pause)
		}
	}
}
