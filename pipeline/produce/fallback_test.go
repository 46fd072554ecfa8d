package produce

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"boardcast/internal/latest"
	"boardcast/pipeline"
	"boardcast/pipeline/media"
	"boardcast/pipeline/media/fake"
)

var errBroken = errors.New("broken")

// encoders are two alternatives that one capture feeds.
func encoders(up *Producer) []Alternative {
	return []Alternative{
		{ID: "hard", Graph: pipeline.Graph{pipeline.El("hard")}, Up: up, Keyframe: pipeline.KeyframeEvent},
		{ID: "soft", Graph: pipeline.Graph{pipeline.El("soft")}, Up: up, Keyframe: pipeline.KeyframeEvent},
	}
}

// watched is a producer of two encoders with one user. The first encoder serves.
func watched(t *testing.T, e *fake.Engine) *Producer {
	t.Helper()
	up := startProducer(t, e, nil)
	p := startAlternatives(t, e, encoders(up)...)
	p.Use()
	<-time.After(time.Second)
	synctest.Wait()
	if got := p.Status().Encoder; got != "hard" {
		t.Fatalf("%q serves, want hard", got)
	}
	return p
}

// flows asserts that frames come out of a producer.
func flows(t *testing.T, p *Producer) {
	t.Helper()
	before := p.Status().Frames
	<-time.After(time.Second)
	if after := p.Status().Frames; after < before+20 {
		t.Errorf("%d pictures in a second", after-before)
	}
}

// serves asserts which alternative serves within a time, and how often one was replaced.
func serves(t *testing.T, p *Producer, id string, replaced uint64, within time.Duration) {
	t.Helper()
	deadline := time.Now().Add(within)
	for p.Status().Encoder != id && time.Now().Before(deadline) {
		<-time.After(10 * time.Millisecond)
	}
	synctest.Wait() // a stage is closed in a goroutine of its own
	if s := p.Status(); s.Encoder != id || s.Replaced != replaced {
		t.Fatalf("after %v %q serves, replaced %d times, want %q, %d", within, s.Encoder, s.Replaced, id, replaced)
	}
}

func TestFailingEncoderIsReplacedAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		p := watched(t, e)
		first := e.Of("hard")[0]
		first.Post <- media.StageEvent{Err: errBroken}
		serves(t, p, "soft", 1, 100*time.Millisecond)
		flows(t, p)
		if !first.IsClosed() {
			t.Error("the failed encoder still runs")
		}
		if n := len(e.Of("hard")); n != 1 {
			t.Fatalf("%d tries at once of what failed", n)
		}
		serves(t, p, "hard", 1, paceEncoder.First+time.Second)
		if soft := e.Of("soft")[0]; !soft.IsClosed() {
			t.Error("the replacement still runs")
		}
		flows(t, p)
	})
}

func TestEncoderIsTriedAgainBesideItsReplacementEverLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		p := watched(t, e)
		e.Turn(e.Still, "hard", true) // it starts and makes nothing
		serves(t, p, "soft", 1, 2*time.Second)
		<-time.After(3 * time.Hour)
		synctest.Wait()
		tries := e.Of("hard")
		if n := len(tries); n < 5 || n > 12 {
			t.Errorf("%d tries in three hours", n)
		}
		for _, s := range tries {
			if !s.IsClosed() {
				t.Error("a try was left running")
			}
		}
		if n := len(e.Of("soft")); n != 1 {
			t.Errorf("the replacement was started %d times: the tries disturbed it", n)
		}
		flows(t, p)
	})
}

// A driver that hangs while it is closed does not delay the next alternative.
func TestHangingCloseDelaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		p := watched(t, e)
		stuck := e.Of("hard")[0]
		stuck.Hang = make(chan struct{})
		defer close(stuck.Hang)
		stuck.Post <- media.StageEvent{Err: errBroken}
		serves(t, p, "soft", 1, 100*time.Millisecond)
	})
}

// The status tells of a stage that could not be closed until there is a frame again, with users or without.
func TestStuckStageIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		p := startProducer(t, e, nil)
		p.Use()
		<-time.After(1010 * time.Millisecond) // between two frames
		e.Started()[0].Stuck = errors.New("did not return in time")
		p.Drop()
		<-time.After(10 * time.Second)
		synctest.Wait()
		if !p.Status().Stuck {
			t.Error("nothing is told of a stage that could not be ended")
		}
		p.Use()
		<-time.After(time.Second)
		if p.Status().Stuck {
			t.Error("told although frames flow again")
		}
		p.Drop()
		<-time.After(10 * time.Second)
		synctest.Wait()
		if p.Status().Stuck {
			t.Error("told of a stage that was ended")
		}
	})
}

func camera(id string) []Alternative {
	return []Alternative{
		{ID: "camera", Graph: pipeline.Graph{pipeline.El(id)}, Period: 40 * time.Millisecond},
		{ID: "placeholder", Graph: pipeline.Graph{pipeline.El("standin"), pipeline.Filter("was"), pipeline.El("appsink").Named(pipeline.OutName)}, Placeholder: true},
	}
}

func TestCameraGoesAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		p := startAlternatives(t, e, camera("cam")...)
		p.fan.(*fake.Fan).HasCaps = "as the camera's"
		p.Use()
		<-time.After(time.Second)
		e.Refuses("cam", errBroken)
		e.Of("cam")[0].Post <- media.StageEvent{Err: errBroken}
		synctest.Wait()
		if !p.Status().Placeholder {
			t.Fatal("no placeholder")
		}
		if got := e.Of("standin")[0].Graph[1].Caps; got != "as the camera's" {
			t.Errorf("the placeholder's pictures are %q", got)
		}
		flows(t, p)
		<-time.After(time.Minute)
		if n := len(e.Of("cam")); n < 20 || n > 40 {
			t.Errorf("%d tries in a minute", n)
		}
		e.Refuses("cam", nil)
		p.Again()
		<-time.After(100 * time.Millisecond)
		if p.Status().Placeholder || !e.Of("standin")[0].IsClosed() {
			t.Error("the placeholder stays although the camera is back")
		}
		flows(t, p)
	})
}

func TestNothingIsTriedInALoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		p := startAlternatives(t, e, camera("cam")...)
		e.Refuses("cam", errBroken)
		e.Refuses("standin", errBroken)
		p.Use()
		<-time.After(time.Minute)
		synctest.Wait()
		if n := len(e.Started()); n < 5 || n > 40 {
			t.Errorf("%d starts in a minute", n)
		}
	})
}

func TestSilentCameraIsReplacedByThePlaceholder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		p := startAlternatives(t, e, camera("cam")...)
		p.Use()
		<-time.After(time.Second)
		e.Turn(e.Still, "cam", true)
		<-time.After(sourceStall + time.Second)
		if !p.Status().Placeholder {
			t.Error("no placeholder for a camera that gives nothing")
		}
	})
}

func TestBitrateFollowsTheEncoder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		up := startProducer(t, e, nil)
		rows := encoders(up)
		rows[0].Rate, rows[1].Rate = 1_000_000, 1_000_000
		rows[0].Bitrate = func(b int) (pipeline.Prop, bool) { return pipeline.Prop{Name: "bps", Value: strconv.Itoa(b)}, true }
		rows[1].Bitrate = func(b int) (pipeline.Prop, bool) {
			return pipeline.Prop{Name: "kbps", Value: strconv.Itoa(b / 1000)}, true
		}
		p := startFollowing(t, e, newSharedRate(1_000_000, 100_000, 0, true, false), rows...)
		p.Use()
		<-time.After(time.Second)
		p.rate.wanted.Store(700_000)
		latest.Poke(p.rate.changed)
		synctest.Wait()
		e.Of("hard")[0].Post <- media.StageEvent{Err: errBroken}
		synctest.Wait()
		for element, want := range map[string]string{"hard": "encoder bps=700000", "soft": "encoder kbps=700"} {
			if sets := e.Of(element)[0].Told(); len(sets) != 1 || sets[0] != want {
				t.Errorf("%s was told %q, want %q", element, sets, want)
			}
		}
	})
}

// After a failure just before the grace period ends, the next user is served at once.
func TestFailureInTheGraceIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		p := startProducer(t, e, nil)
		p.Use()
		<-time.After(time.Second)
		p.Drop()
		<-time.After(4800 * time.Millisecond)
		e.Refuses("x", errBroken)
		e.Of("x")[0].Post <- media.StageEvent{Err: errBroken}
		<-time.After(400 * time.Millisecond)
		e.Refuses("x", nil)
		p.Use()
		<-time.After(time.Second)
		flows(t, p)
	})
}

// A camera whose driver hangs is tried less often than one that fails: each try may leave a thread behind.
func TestStuckCameraIsTriedSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, list := range [][]Alternative{camera("cam"), {{ID: "cam", Graph: pipeline.Graph{pipeline.El("cam")}}}} {
			e := fake.NewEngine()
			p := startAlternatives(t, e, list...)
			e.Refuses("cam", fmt.Errorf("start: %w", media.ErrStuck))
			p.Use()
			<-time.After(10 * time.Minute)
			synctest.Wait()
			if n := len(e.Of("cam")); n < 2 || n > 6 {
				t.Errorf("%d tries in ten minutes, with %d alternatives", n, len(list))
			}
		}
	})
}
