package produce

import (
	"testing"
	"testing/synctest"
	"time"

	"boardcast/pipeline/congestion"
	"boardcast/pipeline/media"
	"boardcast/pipeline/media/fake"
)

// A link that has just become slow is noticed at once, even where another viewer's feedback has just been taken.
func TestACutIsHeededAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newSharedRate(2_000_000, 150_000, 500_000, true, false)
		a, _ := r.Join()
		b, _ := r.Join()
		good := congestion.Snapshot{Measured: true, Estimate: 2_000_000, Potential: 2_500_000}
		for range 60 {
			r.See(a, good)
			r.See(b, good)
			<-time.After(100 * time.Millisecond)
		}
		cut := congestion.Snapshot{Measured: true, Estimate: 400_000, Potential: 500_000, NewestQueue: 80 * time.Millisecond, LinkFell: true}
		r.See(a, good)
		if slow, paused := r.See(b, cut); slow || !paused {
			t.Errorf("slow %t, paused %t, want the viewer paused before it is slow", slow, paused)
		}
	})
}

// An encoder that is told to make much less gets the time of some frames before a viewer moves to it.
func TestEncoderSettles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newSharedRate(2_000_000, 150_000, 0, true, false)
		a, _ := r.Join()
		at := func(target int) {
			for range 60 {
				r.See(a, congestion.Snapshot{Measured: true, Estimate: target, Potential: target})
				<-time.After(100 * time.Millisecond)
			}
		}
		at(2_000_000)
		if !r.Settled() {
			t.Error("an encoder that was told nothing has not settled")
		}
		r.See(a, congestion.Snapshot{Measured: true, Estimate: 800_000, Potential: 800_000})
		if r.Settled() {
			t.Error("an encoder has settled that was just told to make less")
		}
		at(800_000)
		if !r.Settled() {
			t.Error("an encoder never settles")
		}
	})
}

// The less a link carries, the rarer keyframes are forced.
func TestKeyPause(t *testing.T) {
	cases := []struct {
		name     string
		keyBytes uint64
		wanted   int64
		want     time.Duration
	}{
		{"full rate", 20_000, 1_500_000, keyInterval},
		{"low rate", 20_000, 400_000, 1600 * time.Millisecond},
		{"lowest", 20_000, 60_000, longestPause},
		{"no keyframe yet", 0, 60_000, keyInterval},
	}
	for _, c := range cases {
		p := &Producer{fan: &fake.Fan{Made: media.FanCount{KeyBytes: c.keyBytes}}, rate: newSharedRate(1_500_000, 50_000, 0, true, false)}
		p.rate.wanted.Store(c.wanted)
		if got := p.keyPause(); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if got := (&Producer{}).keyPause(); got != keyInterval {
		t.Errorf("a producer without a rate: %v", got)
	}
}

// An encoder that takes no new rate while it runs is left alone.
func TestDeafEncoderKeepsItsRate(t *testing.T) {
	r := newSharedRate(1_500_000, 150_000, 0, false, false)
	key, _ := r.Join()
	for range 20 {
		r.See(key, congestion.Snapshot{Measured: true, Estimate: 300_000, Potential: 300_000})
		r.stepped = time.Time{}
	}
	if got := r.wanted.Load(); got != 1_500_000 {
		t.Errorf("wanted %d", got)
	}
}
