package congestion

import (
	"testing"
	"time"
)

// until steps a policy every 50 ms until a time.
func (p *Policy) until(end time.Duration, views ...View) (d Decision) {
	for p.now+50*ms <= end {
		d = p.Step(p.now+50*ms, views)
	}
	return d
}

// While a viewer is silent the rate does not rise for the others; but not for long.
func TestSilentViewerHoldsTheRate(t *testing.T) {
	const s = time.Second
	p := NewPolicy(Bounds{Floor: 150_000, Ceiling: 1_000_000, Margin: 1})
	p.until(10*s, sees(1, 500_000, 500_000), sees(2, 500_000, 500_000))
	silent := sees(2, 500_000, 500_000)
	silent.Measured = false
	for _, c := range []struct {
		until time.Duration
		want  int
	}{{10 * s, 500_000}, {13 * s, 500_000}, {15 * s, 1_000_000}} {
		p.until(c.until, sees(1, 1_000_000, 1_000_000), silent)
		if p.set != c.want {
			t.Errorf("rate %d at %v, want %d", p.set, c.until, c.want)
		}
	}
}

// Where there is a lower rendition the rate heeds a link that was just cut until its viewer is slow or paused, and longer than
// capTime in no case.
func TestCapOfALeftOutViewer(t *testing.T) {
	const s = time.Second
	p := NewPolicy(Bounds{Floor: 150_000, Ceiling: 1_000_000, LowerCeiling: 250_000, Margin: 1})
	v := &viewer{state: &served{}}
	p.viewers[1] = v
	views := []View{sees(1, 400_000, 400_000)}
	for _, c := range []struct {
		now  time.Duration
		want float64
	}{{10 * s, 400_000}, {10*s + capTime - ms, 400_000}, {10*s + capTime, 1e12}} {
		p.now = c.now
		if got := p.cap(views); min(got, 1e12) != c.want {
			t.Errorf("a cap of %v at %v, want %v", got, c.now, c.want)
		}
	}
}

// The encoder is set seldom and in steps, but for a deep fall.
func TestSettings(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name   string
		after  time.Duration // since the setting before, to 800 kbit/s
		target int
		want   int
	}{
		{"soon", 200 * ms, 700_000, 800_000},
		{"later", 300 * ms, 700_000, 700_000},
		{"a deep fall soon", 50 * ms, 470_000, 470_000},
		{"a small step up", s, 830_000, 800_000},
		{"a step up", s, 840_000, 840_000},
		{"a small step down", s, 790_000, 800_000},
		{"a step down", s, 784_000, 784_000},
		{"a small step to the floor", s, 100_000, 400_000},
	} {
		p := NewPolicy(Bounds{Floor: 400_000, Ceiling: 1_000_000, Margin: 1})
		p.until(5*s, sees(1, 1_000_000, 1_000_000))
		if p.Step(5*s+50*ms, []View{sees(1, 800_000, 800_000)}); p.set != 800_000 {
			t.Fatalf("%s: begins at %d", c.name, p.set)
		}
		if p.Step(p.now+c.after, []View{sees(1, c.target, c.target)}); p.set != c.want {
			t.Errorf("%s: %d, want %d", c.name, p.set, c.want)
		}
	}
}

// Where packets are lost, a part of the estimate is left for those that are sent again.
func TestRoomForPacketsSentAgain(t *testing.T) {
	p := NewPolicy(Bounds{Floor: 150_000, Ceiling: 1_000_000})
	for _, c := range []struct{ loss, want float64 }{{0.04, 950}, {0.06, 850}} {
		v := sees(1, 1000, 1000)
		v.Loss = c.loss
		if got := p.usable(v, 1000); got < c.want-0.01 || got > c.want+0.01 {
			t.Errorf("%v of 1000 are usable with a loss of %v, want %v", got, c.loss, c.want)
		}
	}
}

// The rate for an upgrade is set at once, since its first keyframe is made at that rate.
func TestUpgradeSetsTheRateAtOnce(t *testing.T) {
	const now = 20 * time.Second
	for _, lowers := range []bool{true, false} {
		p := NewPolicy(Bounds{Floor: 150_000, Ceiling: 1_000_000, LowerCeiling: 100_000, Margin: 1})
		p.begun, p.now, p.nextSet = true, now-50*ms, now+200*ms
		p.viewers[1] = &viewer{carries: true, state: &served{}}
		p.viewers[2] = &viewer{carries: true, state: &slow{wait: time.Hour, gainsBySharing: lowers, recovered: spell{true, 0}}}
		if d := p.Step(now, []View{sees(1, 1_000_000, 1_000_000), sees(2, 900_000, 900_000)}); d.Changed != lowers || lowers && d.Bitrate != 900_000 {
			t.Errorf("an upgrade that lowers the rate (%v): %+v", lowers, d)
		}
	}
}
