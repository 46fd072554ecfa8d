package produce

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"boardcast/pipeline"
	"boardcast/pipeline/media"
	"boardcast/pipeline/media/fake"
)

func startProducer(t *testing.T, e *fake.Engine, up *Producer) *Producer {
	t.Helper()
	return startAlternatives(t, e, Alternative{ID: "x", Graph: pipeline.Graph{pipeline.El("x")}, Up: up, Keyframe: pipeline.KeyframeEvent})
}

// startAlternatives starts a producer of encoders, or of cameras where the last one is a placeholder.
func startAlternatives(t *testing.T, e *fake.Engine, list ...Alternative) *Producer {
	t.Helper()
	return startFollowing(t, e, nil, list...)
}

// startFollowing starts a producer whose bitrate follows a rate.
func startFollowing(t *testing.T, e *fake.Engine, rate *SharedRate, list ...Alternative) *Producer {
	t.Helper()
	p := New(e, Options{
		Name: "test", Coded: !list[len(list)-1].Placeholder, Grace: 5 * time.Second,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Explain: func(err error) error { return err },
	})
	p.Prepare(list)
	p.rate = rate
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); p.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return p
}

func TestProducerRunsWhileUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		up := startProducer(t, e, nil)
		p := startProducer(t, e, up)
		synctest.Wait()
		if n := len(e.Started()); n != 0 {
			t.Fatalf("%d stages run without a user", n)
		}
		p.Use()
		p.Use()
		synctest.Wait()
		if n := len(e.Started()); n != 2 {
			t.Fatalf("%d stages run for two users of one producer, want it and what feeds it", n)
		}
		p.Drop()
		p.Drop()
		<-time.After(4 * time.Second)
		p.Use() // somebody comes back within the grace period
		<-time.After(10 * time.Second)
		if s := e.Started()[0]; s.IsClosed() {
			t.Fatal("closed although used again")
		}
		p.Drop()
		<-time.After(6 * time.Second)
		synctest.Wait()
		if !e.Started()[0].IsClosed() {
			t.Fatal("still runs after the grace period")
		}
		<-time.After(6 * time.Second)
		if !e.Started()[1].IsClosed() {
			t.Fatal("what fed it still runs")
		}
		p.Use()
		synctest.Wait()
		if n := len(e.Started()); n != 4 {
			t.Fatalf("%d stages in all after a restart, want 4", n)
		}
	})
}

func TestProducerMergesKeyframeRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		p := startProducer(t, e, nil)
		p.Use()
		synctest.Wait()
		for range 40 {
			p.fan.(*fake.Fan).WantKeyframe()
			synctest.Wait()
			<-time.After(50 * time.Millisecond)
		}
		<-time.After(time.Second)
		got := e.Started()[0].Forced()
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

func TestProducerTriesAgainEverMoreSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		e.Refuses("x", errors.New("busy"))
		p := startProducer(t, e, nil)
		p.Use()
		<-time.After(2 * time.Minute)
		synctest.Wait()
		n := len(e.Started())
		if n < 6 || n > 12 {
			t.Fatalf("%d tries in two minutes, want some and ever fewer", n)
		}
		e.Refuses("x", nil)
		<-time.After(paceAlone.Longest + time.Second)
		synctest.Wait()
		s := e.Started()[len(e.Started())-1]
		s.Post <- media.StageEvent{Err: errors.New("gone")}
		synctest.Wait()
		if !s.IsClosed() {
			t.Fatal("a failed stage was not closed")
		}
		<-time.After(paceAlone.Longest + time.Second)
		synctest.Wait()
		if len(e.Started()) < n+2 {
			t.Fatal("a failed stage was not started again")
		}
	})
}

func TestProducerIgnoresWarnings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		p := startProducer(t, e, nil)
		p.Use()
		synctest.Wait()
		e.Started()[0].Post <- media.StageEvent{Err: errors.New("late"), Warning: true}
		synctest.Wait()
		if e.Started()[0].IsClosed() {
			t.Fatal("a warning ended the stage")
		}
	})
}

func TestProducerSaysThatItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		up := startAlternatives(t, e, Alternative{ID: "source", Graph: pipeline.Graph{pipeline.El("source")}})
		p := startProducer(t, e, up)
		check := func(when string, own, fed bool) {
			t.Helper()
			synctest.Wait()
			if up.Starved() != own || p.Starved() != fed {
				t.Fatalf("%s: starved() = %t, of what it feeds %t; want %t, %t", when, up.Starved(), p.Starved(), own, fed)
			}
		}
		third := startProducer(t, e, p)
		check("unused", false, false)
		p.Use()
		check("running", false, false)
		e.Refuses("source", errors.New("busy"))
		e.Of("source")[0].Post <- media.StageEvent{Err: errors.New("gone")}
		check("the source has gone", true, true)
		<-time.After(time.Minute)
		check("and stays away", true, true)
		if !third.Starved() {
			t.Error("what is fed at third hand is not starved")
		}
		e.Refuses("source", nil)
		<-time.After(paceAlone.Longest + time.Second)
		check("it is back", false, false)
		e.Refuses("x", errors.New("broken"))
		e.Of("x")[0].Post <- media.StageEvent{Err: errors.New("broken")}
		check("what it feeds fails itself", false, true)
	})
}
