package produce

import (
	"testing"
	"testing/synctest"
	"time"

	"boardcast/pipeline"
	"boardcast/pipeline/media"
	"boardcast/pipeline/media/fake"
)

func TestStalledEncoderIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		p := watched(t, e)
		e.Turn(e.Still, "hard", true)
		serves(t, p, "soft", 1, 2*time.Second-200*time.Millisecond)
		flows(t, p)
	})
}

func TestEncoderWithoutInputIsNotStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		up := startAlternatives(t, e, Alternative{ID: "slow", Graph: pipeline.Graph{pipeline.El("slow")}, Period: time.Hour})
		p := startAlternatives(t, e, encoders(up)...)
		e.Turn(e.Still, "slow", true)
		e.Turn(e.Still, "hard", true)
		p.Use()
		<-time.After(9 * time.Second)
		synctest.Wait()
		if s := p.Status(); s.Encoder != "hard" || s.Replaced != 0 {
			t.Errorf("%q serves, replaced %d times, although nothing went in", s.Encoder, s.Replaced)
		}
	})
}

func TestDeafEncoderIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		p := watched(t, e)
		p.RequestKeyframe()
		<-time.After(2 * time.Second)
		serves(t, p, "hard", 0, 0)
		e.Turn(e.Deaf, "hard", true)
		p.RequestKeyframe()
		serves(t, p, "soft", 1, 2*time.Second)
		if n := len(e.Of("hard")[0].Forced()); n < 1+keyMisses {
			t.Errorf("asked %d times before it was given up", n)
		}
	})
}

func TestLastEncoderIsKeptWhateverItDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		e.Turn(e.Deaf, "x", true)
		p := startProducer(t, e, nil)
		p.Use()
		p.RequestKeyframe()
		<-time.After(5 * time.Second)
		if n := len(e.Of("x")); n != 1 || e.Of("x")[0].IsClosed() {
			t.Errorf("the only encoder was started %d times", n)
		}
	})
}

// An encoder may take the time of three of its own frames.
func TestSlowPicturesAreNoStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		up := startProducer(t, e, nil)
		rows := encoders(up)
		rows[0].Period = time.Second
		p := startAlternatives(t, e, rows...)
		p.Use()
		<-time.After(time.Second)
		for range 10 { // a frame a second
			e.Turn(e.Still, "hard", true)
			<-time.After(1900 * time.Millisecond)
			e.Turn(e.Still, "hard", false)
			<-time.After(100 * time.Millisecond)
		}
		serves(t, p, "hard", 0, 0)
	})
}

// After a pause of the whole program no stage counts as stalled.
func TestPauseOfTheProgramIsExcused(t *testing.T) {
	now := time.Now()
	r := &running{
		Alternative: Alternative{ID: "hard", Up: &Producer{fan: &fake.Fan{Made: media.FanCount{Frames: 9}}}}, ready: true,
		flow: flow{since: now}, keys: keyWatch{awaited: &keyAwaited{since: now}},
	}
	p := &Producer{fan: &fake.Fan{}, stages: stages{serving: r, watched: now}}
	later := now.Add(5 * time.Second)
	p.watch(t.Context(), later) // would replace the stage, for which this producer lacks an engine
	if p.serving != r || !r.flow.since.Equal(later) || !r.keys.awaited.since.Equal(later) {
		t.Errorf("%+v", r)
	}
}

// An encoder is deaf when it makes frames but no keyframe within the limit. A keyframe that comes ends the count of misses.
func TestKeyWatch(t *testing.T) {
	const limit, frames = keyLimit + time.Millisecond, keyFrames
	for _, c := range []struct {
		name   string
		after  time.Duration
		made   media.FanCount
		deaf   bool
		missed int // of 1 before
	}{
		{"in time", keyLimit, media.FanCount{Frames: frames}, false, 1},
		{"too few frames", limit, media.FanCount{Frames: frames - 1}, false, 1},
		{"no keyframe", limit, media.FanCount{Frames: frames}, true, 2},
		{"a keyframe", limit, media.FanCount{Frames: frames, Keyframes: 1}, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := keyWatch{missed: 1}
				k.ask(media.FanCount{})
				if err := k.deaf(c.made, time.Now().Add(c.after)); (err != nil) != c.deaf || k.missed != c.missed {
					t.Errorf("%v, %d missed; want deaf %t, %d missed", err, k.missed, c.deaf, c.missed)
				}
			})
		})
	}
}
