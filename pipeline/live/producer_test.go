package live

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"boardcast/pipeline"
)

func startLine(t *testing.T, e *fakeEngine, up *producer) *producer {
	t.Helper()
	return startAlternatives(t, e, alternative{id: "x", graph: pipeline.Graph{pipeline.El("x")}, up: up, keyframe: pipeline.KeyframeEvent})
}

// startAlternatives starts a producer of encoders, or of cameras where the last one is a placeholder.
func startAlternatives(t *testing.T, e *fakeEngine, list ...alternative) *producer {
	t.Helper()
	return startFollowing(t, e, nil, list...)
}

// startFollowing starts a producer whose bitrate follows a rate.
func startFollowing(t *testing.T, e *fakeEngine, rate *sharedRate, list ...alternative) *producer {
	t.Helper()
	o := Options{Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}.withDefaults()
	l := newProducer(e, "test", !list[len(list)-1].placeholder, list, o)
	l.rate = rate
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); l.run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return l
}

func TestLineRunsWhileUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine()
		up := startLine(t, e, nil)
		l := startLine(t, e, up)
		synctest.Wait()
		if n := len(e.started()); n != 0 {
			t.Fatalf("%d stages run without a user", n)
		}
		l.use()
		l.use()
		synctest.Wait()
		if n := len(e.started()); n != 2 {
			t.Fatalf("%d stages run for two users of one producer, want it and what feeds it", n)
		}
		l.drop()
		l.drop()
		<-time.After(4 * time.Second)
		l.use() // somebody comes back within the grace period
		<-time.After(10 * time.Second)
		if s := e.started()[0]; s.isClosed() {
			t.Fatal("closed although used again")
		}
		l.drop()
		<-time.After(6 * time.Second)
		synctest.Wait()
		if !e.started()[0].isClosed() {
			t.Fatal("still runs after the grace period")
		}
		<-time.After(6 * time.Second)
		if !e.started()[1].isClosed() {
			t.Fatal("what fed it still runs")
		}
		l.use()
		synctest.Wait()
		if n := len(e.started()); n != 4 {
			t.Fatalf("%d stages in all after a restart, want 4", n)
		}
	})
}

func TestProducerMergesKeyframeRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine()
		l := startLine(t, e, nil)
		l.use()
		synctest.Wait()
		for range 40 {
			poke(l.fan.(*fakeFan).key)
			synctest.Wait()
			<-time.After(50 * time.Millisecond)
		}
		<-time.After(time.Second)
		got := e.started()[0].forced()
		if len(got) < 4 || len(got) > 5 {
			t.Fatalf("%d keyframes for 40 requests in 2 s, want one each 500 ms", len(got))
		}
		for i := 1; i < len(got); i++ {
			if d := got[i].Sub(got[i-1]); d < keyInterval {
				t.Errorf("keyframes %v apart, want at least %v", d, keyInterval)
			}
		}
	})
}

func TestLineTriesAgainEverMoreSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine()
		e.refuses("x", errors.New("busy"))
		l := startLine(t, e, nil)
		l.use()
		<-time.After(2 * time.Minute)
		synctest.Wait()
		n := len(e.started())
		if n < 6 || n > 12 {
			t.Fatalf("%d tries in two minutes, want some and ever fewer", n)
		}
		e.refuses("x", nil)
		<-time.After(paceAlone.longest + time.Second)
		synctest.Wait()
		s := e.started()[len(e.started())-1]
		s.events <- StageEvent{Err: errors.New("gone")}
		synctest.Wait()
		if !s.isClosed() {
			t.Fatal("a failed stage was not closed")
		}
		<-time.After(paceAlone.longest + time.Second)
		synctest.Wait()
		if len(e.started()) < n+2 {
			t.Fatal("a failed stage was not started again")
		}
	})
}

func TestLineIgnoresWarnings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine()
		l := startLine(t, e, nil)
		l.use()
		synctest.Wait()
		e.started()[0].events <- StageEvent{Err: errors.New("late"), Warning: true}
		synctest.Wait()
		if e.started()[0].isClosed() {
			t.Fatal("a warning ended the stage")
		}
	})
}

func TestLineSaysThatItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine()
		up := startAlternatives(t, e, alternative{id: "source", graph: pipeline.Graph{pipeline.El("source")}})
		l := startLine(t, e, up)
		check := func(when string, own, fed bool) {
			t.Helper()
			synctest.Wait()
			if up.starved() != own || l.starved() != fed {
				t.Fatalf("%s: starved() = %t, of what it feeds %t; want %t, %t", when, up.starved(), l.starved(), own, fed)
			}
		}
		third := startLine(t, e, l)
		check("unused", false, false)
		l.use()
		check("running", false, false)
		e.refuses("source", errors.New("busy"))
		e.of("source")[0].events <- StageEvent{Err: errors.New("gone")}
		check("the source has gone", true, true)
		<-time.After(time.Minute)
		check("and stays away", true, true)
		if !third.starved() {
			t.Error("what is fed at third hand is not starved")
		}
		e.refuses("source", nil)
		<-time.After(paceAlone.longest + time.Second)
		check("it is back", false, false)
		e.refuses("x", errors.New("broken"))
		e.of("x")[0].events <- StageEvent{Err: errors.New("broken")}
		check("what it feeds fails itself", false, true)
	})
}
