package produce

import (
	"testing"
	"testing/synctest"
	"time"

	"boardcast/pipeline/media/fake"
)

// frames has a source give so many frames, each a time after the one before.
func frames(e *fake.Engine, element string, every time.Duration, n int) {
	const one = 60 * time.Millisecond // in which a stage gives a frame, or two that count as one
	for range n {
		e.Turn(e.Still, element, true)
		<-time.After(every - one)
		e.Turn(e.Still, element, false)
		<-time.After(one)
	}
	e.Turn(e.Still, element, true)
}

// A camera whose exposures get longer and longer is not taken for gone, down to a frame every five seconds. Once it gives none at all,
// its placeholder serves.
func TestCameraThatGetsSlower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		p := startAlternatives(t, e, camera("cam")...)
		p.Use()
		<-time.After(time.Second)
		for _, every := range []time.Duration{200, 400, 800, 1600, 3200, 5000, 5000} {
			frames(e, "cam", every*time.Millisecond, 3)
			if len(e.Of("standin")) > 0 {
				t.Fatalf("taken for gone at a frame each %v ms", int(every))
			}
		}
		<-time.After(slowerBy*slowestFrame + time.Second)
		if !p.Status().Placeholder {
			t.Error("no placeholder for a camera that gives nothing any more")
		}
	})
}

// A camera that gives its first frame after seconds may be slow in general. One that then gives frames as usual is watched as before.
func TestCameraThatStartsSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, quick := range []bool{false, true} {
			e := fake.NewEngine()
			p := startAlternatives(t, e, camera("cam")...)
			e.Turn(e.Still, "cam", true)
			p.Use()
			frames(e, "cam", 5*time.Second, 4)
			if len(e.Of("standin")) > 0 {
				t.Fatal("a frame every five seconds from the start is taken for gone")
			}
			if quick {
				e.Turn(e.Still, "cam", false)
				<-time.After(2 * time.Second)
				e.Turn(e.Still, "cam", true)
			}
			<-time.After(sourceStall + time.Second)
			if got := p.Status().Placeholder; got != quick {
				t.Errorf("quick again %v: a placeholder after %v %v", quick, sourceStall+time.Second, got)
			}
		}
	})
}

// A camera that is given up, because it became slow at once, is watched by what it did when it is opened again.
func TestCameraThatIsSlowAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		p := startAlternatives(t, e, camera("cam")...)
		p.Use()
		<-time.After(time.Second)
		e.Turn(e.Still, "cam", true)
		<-time.After(sourceStall + time.Second) // it is given up, and opened again half a second later
		if !p.Status().Placeholder {
			t.Fatal("no placeholder")
		}
		frames(e, "cam", 5*time.Second, 6)
		if n := len(e.Of("cam")); p.Status().Placeholder || n != 2 {
			t.Errorf("a placeholder: %v; the camera was opened %d times, want 2", p.Status().Placeholder, n)
		}
	})
}

func TestPatience(t *testing.T) {
	up := &Producer{}
	for _, c := range []struct {
		name string
		r    running
		want time.Duration
	}{
		{"a source that has not begun", running{}, sourceStart},
		{"at a usual rate", running{ready: true, flow: flow{slowest: 40 * time.Millisecond}}, sourceStall},
		{"by the rate that it lists", running{ready: true, Alternative: Alternative{Period: time.Second}}, 5 * time.Second},
		{"by the rate that is seen", running{ready: true, flow: flow{slowest: 2 * time.Second}}, 6 * time.Second},
		{"at the slowest", running{ready: true, flow: flow{slowest: time.Minute}}, 15 * time.Second},
		{"an encoder, whatever is seen", running{ready: true, flow: flow{slowest: time.Minute}, Alternative: Alternative{Up: up}}, encoderStall},
	} {
		if got := c.r.patience(); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// A program that is kept from running now and then sees the rate of a camera all the same.
func TestRateIsSeenThroughPauses(t *testing.T) {
	now := time.Now()
	if got := newFlow(0, 0, now.Add(-4*time.Second), now).next(0, 1, now.Add(time.Second)).slowest; got != 5*time.Second {
		t.Errorf("a first frame five seconds after the start: %v", got)
	}
	r := running{ready: true, flow: newFlow(0, 0, now, now)}
	for out := range uint64(20) {
		for range 5 {
			now = now.Add(time.Second)
			r.excuse(now) // each second
		}
		if err := r.stalled(out+1, now); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := r.patience(), slowerBy*slowestFrame; got != want {
		t.Errorf("a frame every five seconds is waited for for %v, want %v", got, want)
	}
}
