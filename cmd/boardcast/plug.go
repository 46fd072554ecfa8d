package main

import (
	"context"
	"log/slog"
	"sync/atomic"

	"boardcast/device"
	"boardcast/pipeline"
)

// plug follows what is plugged in and out while the program streams.
type plug struct {
	planner planner
	log     *slog.Logger
	current atomic.Pointer[[]sources]
}

func newPlug(p prepared, log *slog.Logger) *plug {
	out := &plug{planner: p.planner, log: log}
	out.current.Store(&p.sources)
	return out
}

// sources are the devices in use, in the order of the cameras.
func (p *plug) sources() []sources { return *p.current.Load() }

// run looks again after each change, until ctx ends.
func (p *plug) run(ctx context.Context, all []stream) error {
	watched := machine
	watched.Log = p.log
	return device.Watch(ctx, watched, func(news []device.Change) {
		for _, s := range all {
			s.broadcast.Again() // a camera that is back on its node can be tried at once, before the devices are listed
		}
		for _, n := range news {
			p.log.Debug("plugged", "action", n.Action, "subsystem", n.Subsystem, "path", n.Path)
		}
		p.look(ctx, all)
	})
}

// look lists the devices, and lets each broadcast whose devices have changed adopt a new plan.
func (p *plug) look(ctx context.Context, all []stream) {
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
		if plan == nil {
			continue
		}
		for _, why := range plan.Why {
			p.log.Info("chosen", all[i].about("why", why)...)
		}
		all[i].broadcast.Adopt(*plan)
	}
}
