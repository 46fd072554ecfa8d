package congestion

import (
	"math/rand/v2"
	"testing"
	"time"
)

// drop is the link of the scenarios: full, low for 20 s, full again.
func drop(full, low float64) func(time.Duration) float64 {
	return func(now time.Duration) float64 {
		if now >= 30*time.Second && now < 50*time.Second {
			return low
		}
		return full
	}
}

func TestDropAndRecovery(t *testing.T) {
	const full, low = 3e6, 700e3
	cases := []struct {
		name   string
		delay  time.Duration
		jitter time.Duration
		loss   float64
		queue  float64 // bits
	}{
		{name: "clean", delay: 20 * ms, queue: 1.5e6},
		{name: "40 ms with jitter", delay: 40 * ms, jitter: 20 * ms, queue: 1.5e6},
		{name: "2 % loss", delay: 20 * ms, loss: 0.02, queue: 1.5e6},
		{name: "10 % loss", delay: 20 * ms, loss: 0.10, queue: 1.5e6},
		{name: "2 % loss, delay and jitter", delay: 40 * ms, jitter: 20 * ms, loss: 0.02, queue: 1.5e6},
		{name: "short queue", delay: 20 * ms, queue: 150e3},
		{name: "very long queue", delay: 20 * ms, queue: 10e6},
	}
	for _, c := range cases {
		for _, seed := range []uint64{1, 2, 3} {
			t.Run(c.name, func(t *testing.T) {
				l := &link{rate: drop(full, low), queue: c.queue, delay: c.delay, jitter: c.jitter, loss: c.loss, rng: rand.New(rand.NewPCG(seed, 0))}
				f := newFlow(seed, Limits{Start: 1_500_000, Max: 6_000_000})
				run(l, 90*time.Second, nil, f)
				f.print(t, 2*time.Second)
				carries := 1 - c.loss
				under := f.first(30*time.Second, func(s tenth) bool { return s.sent/logStep.Seconds() < low*1.15 && s.estimate < low })
				settled := f.first(31*time.Second, func(s tenth) bool { return s.delay < 150*ms }) + time.Second
				recovered := f.first(50*time.Second, func(s tenth) bool { return float64(s.estimate) >= 0.8*full })
				use := [3]float64{}
				for i, span := range [][2]time.Duration{{15, 30}, {37, 50}, {70, 90}} {
					got, _, _ := f.span(span[0]*time.Second, span[1]*time.Second)
					use[i] = got / ([3]float64{full, low, full}[i] * carries)
				}
				_, _, worst := f.span(37*time.Second, 50*time.Second)
				t.Logf("seed %d: under the link's rate after %v, delay under 150 ms after %v (worst then %v), recovered after %v, used %.0f/%.0f/%.0f %%",
					seed, under, settled, worst, recovered, use[0]*100, use[1]*100, use[2]*100)
				if under < 0 || under > 2*time.Second {
					t.Errorf("under the link's rate after %v, want 2 s", under)
				}
				if settled < time.Second || settled > 3*time.Second {
					t.Errorf("delay under 150 ms after %v, want 3 s", settled)
				}
				if recovered < 0 || recovered > 15*time.Second {
					t.Errorf("recovered after %v, want 15 s", recovered)
				}
				if worst > 250*ms {
					t.Errorf("delay up to %v in the low part", worst)
				}
				for i, u := range use {
					if u < 0.8 {
						t.Errorf("steady part %d: %.0f %% of the link used, want 80 %%", i, u*100)
					}
				}
			})
		}
	}
}
