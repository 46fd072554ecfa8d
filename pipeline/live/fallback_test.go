package live

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"boardcast/pipeline"
)

var errBroken = errors.New("broken")

// encoders are two rows on one capture.
func encoders(up *producer) []alternative {
	return []alternative{
		{id: "hard", graph: pipeline.Graph{pipeline.El("hard")}, up: up, keyframe: pipeline.KeyframeEvent},
		{id: "soft", graph: pipeline.Graph{pipeline.El("soft")}, up: up, keyframe: pipeline.KeyframeEvent},
	}
}

// watched is a producer of two encoders with one user, whose first serves.
func watched(t *testing.T, e *fakeEngine) *producer {
	t.Helper()
	up := startLine(t, e, nil)
	l := startAlternatives(t, e, encoders(up)...)
	l.use()
	<-time.After(time.Second)
	synctest.Wait()
	if got := l.status().Encoder; got != "hard" {
		t.Fatalf("%q serves, want hard", got)
	}
	return l
}

// of are the stages of an element.
func (e *fakeEngine) of(element string) []*fakeStage {
	var out []*fakeStage
	for _, s := range e.started() {
		if s.graph[0].Factory == element {
			out = append(out, s)
		}
	}
	return out
}

// flows asserts that pictures come out of a producer.
func flows(t *testing.T, l *producer) {
	t.Helper()
	before := l.status().Frames
	<-time.After(time.Second)
	if after := l.status().Frames; after < before+20 {
		t.Errorf("%d pictures in a second", after-before)
	}
}

// serves asserts which alternative does within a time, and how often one was replaced.
func serves(t *testing.T, l *producer, id string, replaced uint64, within time.Duration) {
	t.Helper()
	deadline := time.Now().Add(within)
	for l.status().Encoder != id && time.Now().Before(deadline) {
		<-time.After(10 * time.Millisecond)
	}
	synctest.Wait() // what ended closes in a goroutine of its own
	if s := l.status(); s.Encoder != id || s.Replaced != replaced {
		t.Fatalf("after %v %q serves, replaced %d times, want %q, %d", within, s.Encoder, s.Replaced, id, replaced)
	}
}

func TestFailingEncoderIsReplacedAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine()
		l := watched(t, e)
		first := e.of("hard")[0]
		first.events <- StageEvent{Err: errBroken}
		serves(t, l, "soft", 1, 100*time.Millisecond)
		flows(t, l)
		if !first.isClosed() {
			t.Error("the failed encoder still runs")
		}
		if n := len(e.of("hard")); n != 1 {
			t.Fatalf("%d tries at once of what failed", n)
		}
		serves(t, l, "hard", 1, paceEncoder.first+time.Second)
		if soft := e.of("soft")[0]; !soft.isClosed() {
			t.Error("the replacement still runs")
		}
		flows(t, l)
	})
}

func TestEncoderIsTriedAgainBesideItsReplacementEverLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine()
		l := watched(t, e)
		e.turn(e.still, "hard", true) // it starts and makes nothing
		serves(t, l, "soft", 1, 2*time.Second)
		<-time.After(3 * time.Hour)
		synctest.Wait()
		tries := e.of("hard")
		if n := len(tries); n < 5 || n > 12 {
			t.Errorf("%d tries in three hours", n)
		}
		for _, s := range tries {
			if !s.isClosed() {
				t.Error("a try was left running")
			}
		}
		if n := len(e.of("soft")); n != 1 {
			t.Errorf("the replacement was started %d times: the tries disturbed it", n)
		}
		flows(t, l)
	})
}

func TestStalledEncoderIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine()
		l := watched(t, e)
		e.turn(e.still, "hard", true)
		serves(t, l, "soft", 1, 2*time.Second-200*time.Millisecond)
		flows(t, l)
	})
}

func TestEncoderWithoutInputIsNotStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine()
		up := startAlternatives(t, e, alternative{id: "slow", graph: pipeline.Graph{pipeline.El("slow")}, period: time.Hour})
		l := startAlternatives(t, e, encoders(up)...)
		e.turn(e.still, "slow", true)
		e.turn(e.still, "hard", true)
		l.use()
		<-time.After(9 * time.Second)
		synctest.Wait()
		if s := l.status(); s.Encoder != "hard" || s.Replaced != 0 {
			t.Errorf("%q serves, replaced %d times, although nothing went in", s.Encoder, s.Replaced)
		}
	})
}

func TestDeafEncoderIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine()
		l := watched(t, e)
		l.requestKeyframe()
		<-time.After(2 * time.Second)
		serves(t, l, "hard", 0, 0)
		e.turn(e.deaf, "hard", true)
		l.requestKeyframe()
		serves(t, l, "soft", 1, 2*time.Second)
		if n := len(e.of("hard")[0].forced()); n < 1+keyMisses {
			t.Errorf("asked %d times before it was given up", n)
		}
	})
}

func TestLastEncoderIsKeptWhateverItDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine()
		e.turn(e.deaf, "x", true)
		l := startLine(t, e, nil)
		l.use()
		l.requestKeyframe()
		<-time.After(5 * time.Second)
		if n := len(e.of("x")); n != 1 || e.of("x")[0].isClosed() {
			t.Errorf("the only encoder was started %d times", n)
		}
	})
}

// A driver that hangs while it is closed keeps nobody from the next picture.
func TestHangingCloseDelaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine()
		l := watched(t, e)
		stuck := e.of("hard")[0]
		stuck.hang = make(chan struct{})
		defer close(stuck.hang)
		stuck.events <- StageEvent{Err: errBroken}
		serves(t, l, "soft", 1, 100*time.Millisecond)
	})
}

// What cannot be ended is told of, users or none, until there is a frame again.
func TestStuckStageIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine()
		l := startLine(t, e, nil)
		l.use()
		<-time.After(1010 * time.Millisecond) // between two pictures
		e.started()[0].stuck = errors.New("did not return in time")
		l.drop()
		<-time.After(10 * time.Second)
		synctest.Wait()
		if !l.status().Stuck {
			t.Error("nothing is told of a stage that could not be ended")
		}
		l.use()
		<-time.After(time.Second)
		if l.status().Stuck {
			t.Error("told although frames flow again")
		}
		l.drop()
		<-time.After(10 * time.Second)
		synctest.Wait()
		if l.status().Stuck {
			t.Error("told of a stage that was ended")
		}
	})
}

func camera(id string) []alternative {
	return []alternative{
		{id: "camera", graph: pipeline.Graph{pipeline.El(id)}, period: 40 * time.Millisecond},
		{id: "placeholder", graph: pipeline.Graph{pipeline.El("standin"), pipeline.Filter("was"), pipeline.El("appsink").Named(pipeline.OutName)}, placeholder: true},
	}
}

func TestCameraGoesAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine()
		l := startAlternatives(t, e, camera("cam")...)
		l.fan.(*fakeFan).caps = "as the camera's"
		l.use()
		<-time.After(time.Second)
		e.refuses("cam", errBroken)
		e.of("cam")[0].events <- StageEvent{Err: errBroken}
		synctest.Wait()
		if !l.status().Placeholder {
			t.Fatal("no placeholder")
		}
		if got := e.of("standin")[0].graph[1].Caps; got != "as the camera's" {
			t.Errorf("the placeholder's pictures are %q", got)
		}
		flows(t, l)
		<-time.After(time.Minute)
		if n := len(e.of("cam")); n < 20 || n > 40 {
			t.Errorf("%d tries in a minute", n)
		}
		e.refuses("cam", nil)
		l.again()
		<-time.After(100 * time.Millisecond)
		if l.status().Placeholder || !e.of("standin")[0].isClosed() {
			t.Error("the placeholder stays although the camera is back")
		}
		flows(t, l)
	})
}

func TestNothingIsTriedInALoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine()
		l := startAlternatives(t, e, camera("cam")...)
		e.refuses("cam", errBroken)
		e.refuses("standin", errBroken)
		l.use()
		<-time.After(time.Minute)
		synctest.Wait()
		if n := len(e.started()); n < 5 || n > 40 {
			t.Errorf("%d starts in a minute", n)
		}
	})
}

func TestSilentCameraIsReplacedByThePlaceholder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine()
		l := startAlternatives(t, e, camera("cam")...)
		l.use()
		<-time.After(time.Second)
		e.turn(e.still, "cam", true)
		<-time.After(sourceStall + time.Second)
		if !l.status().Placeholder {
			t.Error("no placeholder for a camera that gives nothing")
		}
	})
}

func TestAdoptedCameraTakesOverWithItsFirstPicture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine()
		l := startAlternatives(t, e, alternative{id: "camera", graph: pipeline.Graph{pipeline.El("test")}})
		l.use()
		<-time.After(time.Second)
		e.turn(e.still, "cam", true)
		l.adopt(camera("cam"))
		<-time.After(time.Second)
		if e.of("test")[0].isClosed() {
			t.Fatal("the old picture ended before the new one began")
		}
		flows(t, l)
		e.turn(e.still, "cam", false)
		<-time.After(100 * time.Millisecond)
		if !e.of("test")[0].isClosed() || e.of("cam")[0].isClosed() {
			t.Error("the new picture did not take over")
		}
		l.adopt(camera("cam")) // nothing new
		<-time.After(time.Second)
		if n := len(e.of("cam")); n != 1 {
			t.Errorf("the same camera was started %d times", n)
		}
	})
}

func TestBitrateFollowsTheEncoder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine()
		up := startLine(t, e, nil)
		rows := encoders(up)
		rows[0].rate, rows[1].rate = 1_000_000, 1_000_000
		rows[0].bitrate = func(b int) (pipeline.Prop, bool) { return pipeline.Prop{Name: "bps", Value: strconv.Itoa(b)}, true }
		rows[1].bitrate = func(b int) (pipeline.Prop, bool) {
			return pipeline.Prop{Name: "kbps", Value: strconv.Itoa(b / 1000)}, true
		}
		l := startFollowing(t, e, newSharedRate(1_000_000, 100_000, 0, true, false), rows...)
		l.use()
		<-time.After(time.Second)
		l.rate.wanted.Store(700_000)
		poke(l.rate.changed)
		synctest.Wait()
		e.of("hard")[0].events <- StageEvent{Err: errBroken}
		synctest.Wait()
		for element, want := range map[string]string{"hard": "encoder bps=700000", "soft": "encoder kbps=700"} {
			if sets := e.of(element)[0].told(); len(sets) != 1 || sets[0] != want {
				t.Errorf("%s was told %q, want %q", element, sets, want)
			}
		}
	})
}

// An encoder that makes the same goes on when another camera is adopted, if it can take that one's pictures.
func TestAdoptedPlanKeepsTheEncoder(t *testing.T) {
	full := pipeline.Product{Makes: "x", Of: "I420 640x480", Scales: true}
	for _, c := range []struct {
		name     string
		old, new pipeline.Product
		want     bool
	}{
		{"other pictures, scaled", full, pipeline.Product{Makes: "x", Of: "NV12 320x240"}, true},
		{"other pictures, taken as they are", pipeline.Product{Makes: "x", Of: "NV12 640x480"}, full, false},
		{"the same pictures, taken as they are", pipeline.Product{Makes: "x", Of: "NV12 640x480"}, pipeline.Product{Makes: "x", Of: "NV12 640x480"}, true},
		{"another size out", full, pipeline.Product{Makes: "y", Of: "I420 640x480"}, false},
		{"more pictures than are wanted", full, pipeline.Product{Makes: "x", Of: "I420 640x480", Paced: true}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newFakeEngine()
				up := startLine(t, e, nil)
				of := func(element string, p pipeline.Product) alternative {
					return alternative{id: "hard", graph: pipeline.Graph{pipeline.El(element)}, up: up, keyframe: pipeline.KeyframeEvent, product: &p}
				}
				l := startAlternatives(t, e, of("old", c.old))
				l.use()
				<-time.After(time.Second)
				l.adopt([]alternative{of("new", c.new)})
				<-time.After(time.Second)
				if kept := !e.of("old")[0].isClosed() && len(e.of("new")) == 0; kept != c.want {
					t.Errorf("kept %v, want %v", kept, c.want)
				}
				flows(t, l)
			})
		})
	}
}

// A failure just before the last grace ends keeps nobody from being served afterwards.
func TestFailureInTheGraceIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine()
		l := startLine(t, e, nil)
		l.use()
		<-time.After(time.Second)
		l.drop()
		<-time.After(4800 * time.Millisecond)
		e.refuses("x", errBroken)
		e.of("x")[0].events <- StageEvent{Err: errBroken}
		<-time.After(400 * time.Millisecond)
		e.refuses("x", nil)
		l.use()
		<-time.After(time.Second)
		flows(t, l)
	})
}

// An encoder is given the time of three of its own pictures.
func TestSlowPicturesAreNoStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine()
		up := startLine(t, e, nil)
		rows := encoders(up)
		rows[0].period = time.Second
		l := startAlternatives(t, e, rows...)
		l.use()
		<-time.After(time.Second)
		for range 10 { // a picture a second
			e.turn(e.still, "hard", true)
			<-time.After(1900 * time.Millisecond)
			e.turn(e.still, "hard", false)
			<-time.After(100 * time.Millisecond)
		}
		serves(t, l, "hard", 0, 0)
	})
}

// What hangs is not tried again as soon as what errs: it may be left behind each time.
func TestStuckCameraIsTriedSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, list := range [][]alternative{camera("cam"), {{id: "cam", graph: pipeline.Graph{pipeline.El("cam")}}}} {
			e := newFakeEngine()
			l := startAlternatives(t, e, list...)
			e.refuses("cam", fmt.Errorf("start: %w", ErrStuck))
			l.use()
			<-time.After(10 * time.Minute)
			synctest.Wait()
			if n := len(e.of("cam")); n < 2 || n > 6 {
				t.Errorf("%d tries in ten minutes, with %d alternatives", n, len(list))
			}
		}
	})
}

// A pause of the whole program is no stall of what it watches.
func TestPauseOfTheProgramIsExcused(t *testing.T) {
	now := time.Now()
	r := &running{alternative: alternative{id: "hard", up: &producer{fan: &fakeFan{n: FanCount{Frames: 9}}}}, ready: true, progress: now, keyAsked: now}
	l := &producer{fan: &fakeFan{}, serving: r, watched: now}
	later := now.Add(5 * time.Second)
	l.watch(t.Context(), later) // would replace it, which this producer can't
	if l.serving != r || !r.progress.Equal(later) || !r.keyAsked.Equal(later) {
		t.Errorf("%+v", r)
	}
}
