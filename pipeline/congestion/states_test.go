package congestion

import (
	"math"
	"testing"
	"time"
)

// name tells which state a viewer is in.
func name(s state) string {
	switch s := s.(type) {
	case *served:
		if s.paused() {
			return "paused"
		}
		return "served"
	case *slow:
		return "slow"
	}
	return "none"
}

// scene is what the estimator tells until a time, and the state of the viewer at that time.
type scene struct {
	until time.Duration
	see   Snapshot
	want  string
}

func TestStates(t *testing.T) {
	const s = time.Second
	whole := Bounds{Floor: 150_000, Ceiling: 1_000_000}
	lower := whole
	lower.LowerCeiling = 250_000
	see := func(target int, changes ...func(*Snapshot)) Snapshot {
		out := Snapshot{Measured: true, Estimate: target, Potential: target, RecentReceiveRate: target}
		for _, c := range changes {
			c(&out)
		}
		return out
	}
	fell := func(s *Snapshot) { s.LinkFell = true }
	silent := func(s *Snapshot) { s.Measured = false }
	queue := func(d time.Duration) func(*Snapshot) { return func(s *Snapshot) { s.Queue = d } }
	waiting := func(d time.Duration) func(*Snapshot) { return func(s *Snapshot) { s.NewestQueue = d } }
	loss := func(share float64) func(*Snapshot) { return func(s *Snapshot) { s.Loss = share } }
	inUpgrade := func() state { return &served{wait: 10 * s, upgrade: &upgrade{loss: 0.1}} }
	good := see(1_000_000)
	for _, c := range []struct {
		name   string
		bounds Bounds
		begin  state
		scenes []scene
	}{
		{"a link that falls pauses the viewer at once, until it is slow", lower, &served{}, []scene{
			{5 * s, good, "served"},
			{5*s + 50*ms, see(200_000, fell), "paused"},
			{5*s + 300*ms, see(200_000), "paused"},
			{5*s + 350*ms, see(200_000), "slow"},
		}},
		{"a pause ends when the estimate rises", lower, &served{}, []scene{
			{5 * s, good, "served"},
			{5*s + 100*ms, see(200_000, fell), "paused"},
			{6 * s, see(800_000), "served"},
		}},
		{"packets that do not wait pause nobody", lower, &served{}, []scene{
			{5 * s, good, "served"}, {5*s + 350*ms, see(200_000, waiting(50*ms)), "served"},
		}},
		{"packets that wait on a link that carries little pause the viewer", lower, &served{}, []scene{
			{5 * s, good, "served"},
			{5*s + 100*ms, see(200_000, waiting(150*ms)), "served"},
			{5*s + 150*ms, see(200_000, waiting(150*ms)), "paused"},
		}},
		{"without a lower rendition nobody is paused", whole, &served{}, []scene{
			{5 * s, good, "served"}, {6 * s, see(200_000, fell, waiting(s)), "served"}, {6*s + 550*ms, see(200_000), "slow"},
		}},
		{"a viewer that was silent is given time", lower, &served{}, []scene{
			{5 * s, good, "served"}, {20 * s, see(1_000_000, silent), "served"}, {23 * s, see(200_000), "served"}, {25 * s, see(200_000), "slow"},
		}},
		{"a queue ends an upgrade", lower, inUpgrade(), []scene{{300 * ms, see(600_000, queue(160*ms)), "served"}, {400 * ms, see(600_000, queue(160*ms)), "slow"}}},
		{"more loss ends an upgrade", lower, inUpgrade(), []scene{{300 * ms, see(600_000, loss(0.25)), "served"}, {400 * ms, see(600_000, loss(0.25)), "slow"}}},
		{"the loss of before ends no upgrade", lower, inUpgrade(), []scene{{s, see(600_000, loss(0.15)), "served"}}},
		{"a queue with a high estimate ends no upgrade", lower, inUpgrade(), []scene{{s, see(800_000, queue(160*ms)), "served"}}},
		{"a queue for a moment ends no upgrade", lower, inUpgrade(), []scene{{250 * ms, see(600_000, queue(160*ms)), "served"}, {s, see(600_000), "served"}}},
		{"a high estimate ends slowness before the wait", lower, &slow{wait: time.Hour}, []scene{{2 * s, see(900_000), "slow"}, {2*s + 100*ms, see(900_000), "served"}}},
		{"a middling estimate does not", lower, &slow{wait: time.Hour}, []scene{{4 * s, see(800_000), "slow"}}},
		{"an agreed upgrade begins before the wait", lower, &slow{wait: time.Hour, afterUpgrade: true, suited: true}, []scene{
			{2 * s, see(400_000), "slow"}, {2*s + 100*ms, see(400_000), "served"},
		}},
		{"without an upgrade before nothing is agreed", lower, &slow{wait: time.Hour, suited: true}, []scene{{4 * s, see(400_000), "slow"}}},
		{"without room on the link nothing is agreed", lower, &slow{wait: time.Hour, afterUpgrade: true, suited: true}, []scene{{4 * s, see(290_000), "slow"}}},
		{"without room on the link there is no upgrade after the wait", lower, &slow{wait: 10 * s}, []scene{{13 * s, see(290_000), "slow"}}},
		{"with room on the link there is one", lower, &slow{wait: 10 * s}, []scene{{10 * s, see(310_000), "slow"}, {10*s + 100*ms, see(310_000), "served"}}},
	} {
		now, st := time.Duration(0), c.begin
		for _, scene := range c.scenes {
			for ; now < scene.until; now += 50 * ms {
				st = st.judge(sighting{Snapshot: scene.see, now: now, rate: 1_000_000, bounds: c.bounds})
			}
			if got := name(st); got != scene.want {
				t.Errorf("%s: %s at %v, want %s", c.name, got, scene.until, scene.want)
			}
		}
	}
}

// An agreed upgrade lowers the rate for all, and a viewer in a new state counts as one whose link carried the rate.
func TestAgreedUpgrade(t *testing.T) {
	v := &viewer{state: &slow{wait: time.Hour, afterUpgrade: true, suited: true}}
	b := Bounds{Floor: 150_000, Ceiling: 1_000_000, LowerCeiling: 250_000}
	for now := time.Duration(0); now <= recoverTime; now += 100 * ms {
		if v.carries || v.lowersRate() {
			t.Fatalf("at %v the upgrade has begun", now)
		}
		v.judge(sighting{Snapshot: Snapshot{Measured: true, Estimate: 400_000}, now: now, rate: 1_000_000, bounds: b})
	}
	if !v.carries || !v.lowersRate() {
		t.Errorf("viewer %+v in state %+v, want an upgrade that lowers the rate", v, v.state)
	}
}

// A viewer that was served for a minute waits for its upgrade as at the first time.
func TestWaitIsForgotten(t *testing.T) {
	for _, c := range []struct{ now, want time.Duration }{
		{59 * time.Second, 80 * time.Second}, {61 * time.Second, 10 * time.Second},
	} {
		if got := newSlow(&served{wait: 40 * time.Second}, sighting{now: c.now}).wait; got != c.want {
			t.Errorf("a wait of %v after %v, want %v", got, c.now, c.want)
		}
	}
}

func TestBound(t *testing.T) {
	const usable, chosen = 300_000, 400_000
	none, sharing := math.Inf(1), &upgrade{lowersRate: true}
	for _, c := range []struct {
		name    string
		upgrade *upgrade
		now     time.Duration
		suited  bool
		want    float64
	}{
		{"a newcomer", nil, time.Second, true, none},
		{"an upgrade that costs the others nothing", &upgrade{}, time.Second, true, none},
		{"an upgrade at the chosen rate", sharing, time.Second, true, chosen},
		{"an upgrade at the viewer's estimate", sharing, time.Second, false, usable},
		{"after the grace", sharing, graceTime, true, usable},
	} {
		if got := (&served{upgrade: c.upgrade}).bound(c.now, usable, chosen, c.suited); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
