package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"boardcast/device"
	"boardcast/pipeline"
)

// plug follows what is plugged in and out while the program streams.
//
// # Concurrency
//
// run is called once; sources and away may be called from any goroutine.
type plug struct {
	planner planner
	log     *slog.Logger
	all     []stream
	current atomic.Pointer[[]sources]
	news    chan struct{} // something was plugged in or out

	mu    sync.Mutex // held while the devices are looked at, and what was found is adopted
	plans []pipeline.Plan
}

func newPlug(p prepared, all []stream, log *slog.Logger) *plug {
	out := &plug{planner: p.planner, all: all, log: log, news: make(chan struct{}, 1), plans: slices.Clone(p.plans)}
	for i := range p.sources {
		p.sources[i].connector.found = p.plans[i].Source.Element != ""
	}
	out.current.Store(&p.sources)
	return out
}

// sources are the devices in use, in the order of the cameras.
func (p *plug) sources() []sources { return *p.current.Load() }

// tellAway logs which cameras are away when the program begins.
func (p *plug) tellAway() {
	for i, s := range p.sources() {
		if s.camera.Away {
			p.log.Warn("camera is away; showing a placeholder until it comes", p.all[i].about("error", s.camera.Reason, "hint", s.camera.Hint)...)
		}
		if s.microphone.Away {
			p.log.Warn("microphone is away; sending silence until it comes", p.all[i].about("error", s.microphone.Reason, "hint", s.microphone.Hint)...)
		}
	}
}

// run looks again after each change, until ctx ends.
func (p *plug) run(ctx context.Context) error {
	watched := machine
	watched.Log = p.log
	var waiting sync.WaitGroup
	defer waiting.Wait()
	waiting.Go(func() { p.await(ctx) })
	return device.Watch(ctx, watched, func(news []device.Change) {
		select {
		case p.news <- struct{}{}:
		default:
		}
		for _, s := range p.all {
			s.broadcast.Again() // a camera that is back on its node can be tried at once, before the devices are listed
		}
		for _, n := range news {
			p.log.Debug("plugged", "action", n.Action, "subsystem", n.Subsystem, "path", n.Path)
		}
		p.look(ctx)
	})
}

// lookPause is the time until a camera that is away is looked for again although nothing was plugged in: another program may have
// let it go, its driver may answer by now, or its node may have got another group. The time doubles up to a longest one.
const lookPause = 5 * time.Second

// lookPauseLongest is the longest such time. A listing opens each camera for a moment, which may wake it.
const lookPauseLongest = time.Minute

// lookPauseStuck is the longest such time while a driver does not answer: each listing may leave a thread in the driver.
const lookPauseStuck = time.Hour

// seekPauseLongest is the longest time until a camera on the board's connector is looked for again. Such a camera cannot be plugged in
// while the board runs: it may have been busy, or its driver late. Each look is a trial, a second of work.
const seekPauseLongest = 10 * time.Minute

// await looks again, from time to time, for cameras of which no message tells that they can be used now.
func (p *plug) await(ctx context.Context) {
	pause, seekPause, sought := lookPause, lookPause, time.Now()
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.news:
			pause = lookPause
		case <-timer.C:
			longest := longestPause(p.sources())
			if longest > 0 {
				p.look(ctx)
			}
			if time.Since(sought) >= seekPause {
				p.seek(ctx)
				seekPause, sought = min(2*seekPause, seekPauseLongest), time.Now()
			}
			pause = min(2*pause, max(longest, lookPauseLongest))
		}
		timer.Reset(pause)
	}
}

// longestPause is the longest time between two looks for the cameras that are away; 0 where only a message can tell of one.
func longestPause(all []sources) time.Duration {
	longest := time.Duration(0)
	for _, s := range all {
		switch {
		case errors.Is(s.camera.Cause, device.ErrSilent):
			return lookPauseStuck
		case s.camera.Away, s.camera.Source == device.SourceTest && s.camera.Hint != "":
			longest = lookPauseLongest
		}
	}
	return longest
}

// look lists the devices, and lets each broadcast whose devices have changed adopt a new plan.
func (p *plug) look(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.sources()
	next := lookAgain(device.List(ctx, machine), before)
	plans := make([]*pipeline.Plan, len(next))
	for i, s := range next {
		if len(s.why) == 0 {
			continue
		}
		plan, err := p.planner.quick().plan(ctx, s)
		if err != nil {
			p.log.Warn("cannot go over to what was plugged in", "error", err)
			next[i] = before[i]
			continue
		}
		plans[i] = &plan
	}
	p.current.Store(&next)
	for i, plan := range plans {
		if plan != nil {
			p.adopt(i, *plan)
		}
	}
}

// adopt has the broadcast of a camera go over to a plan, and says why. The caller holds mu.
func (p *plug) adopt(i int, plan pipeline.Plan) {
	for _, why := range plan.Why {
		p.log.Info("chosen", p.all[i].about("why", why)...)
	}
	p.plans[i] = plan
	p.all[i].broadcast.Adopt(plan)
}

// seek looks again for a camera on the board's own connector, where none was found. Only a trial tells, and no trial is made while
// another camera is in its place.
func (p *plug) seek(ctx context.Context) {
	for i, s := range p.sources() {
		if !s.seeksConnector() || p.planner.given.Board.CSI == "" {
			continue
		}
		s.why = []string{"camera: one on the board's connector"}
		plan, err := p.planner.plan(ctx, s)
		if err != nil || plan.Source.Element == "" || ctx.Err() != nil {
			continue
		}
		p.mu.Lock()
		next := slices.Clone(p.sources())
		if taken := next[i]; taken.seeksConnector() {
			next[i].connector.found = true
			p.current.Store(&next)
			p.adopt(i, plan)
		}
		p.mu.Unlock()
	}
}
