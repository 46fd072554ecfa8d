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
	current atomic.Pointer[sources]
}

func newPlug(p prepared, log *slog.Logger) *plug {
	out := &plug{planner: p.planner, log: log}
	out.current.Store(&p.sources)
	return out
}

// sources are the devices in use.
func (p *plug) sources() sources { return *p.current.Load() }

// run looks again after each change, until ctx ends.
func (p *plug) run(ctx context.Context, b *pipeline.Broadcast) error {
	watched := machine
	watched.Log = p.log
	return device.Watch(ctx, watched, func(news []device.Change) {
		b.Again() // at once: where it is on the node that it had, there is no need to look
		for _, n := range news {
			p.log.Debug("plugged", "action", n.Action, "subsystem", n.Subsystem, "path", n.Path)
		}
		p.look(ctx, b)
	})
}

// look goes over to what is there now.
func (p *plug) look(ctx context.Context, b *pipeline.Broadcast) {
	next, changed := p.sources().again(ctx, p.planner.cfg)
	if !changed {
		p.current.Store(&next)
		return
	}
	plan, err := p.planner.quick().plan(ctx, next)
	if err != nil {
		p.log.Warn("cannot go over to what was plugged in", "error", err)
		return
	}
	p.current.Store(&next)
	for _, why := range plan.Why {
		p.log.Info("chosen", "why", why)
	}
	b.Adopt(plan)
}
