package produce

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"boardcast/pipeline/media"
)

// replacedLimit is the time that an encoder has to start where another could serve instead. While a driver hangs viewers see nothing.
const replacedLimit = 3 * time.Second

// start runs an alternative. Its frames are watched from the first one on.
func (p *Producer) start(ctx context.Context, i int) (*running, error) {
	r := &running{Alternative: p.alternatives.list[i], index: i, began: time.Now()}
	var in media.Fan
	if r.Up != nil {
		in = r.Up.fan
	}
	graph := r.Graph
	if r.Placeholder && !p.coded && !p.sound {
		graph = yielding(graph, p.fan.Caps())
	}
	if r.Up != nil && len(p.alternatives.list) > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, replacedLimit)
		defer cancel()
	}
	s, err := p.engine.Start(ctx, graph, in, p.fan)
	if err != nil {
		return nil, err
	}
	r.stage, r.rateSet = s, r.Rate
	r.flow = newFlow(r.fed(), p.fan.Count().Frames, r.began, time.Now())
	if r.Up != nil {
		r.Up.Use()
	}
	return r, nil
}

// retire closes a stage without waiting for it, because a driver that hangs must not keep the next one from starting.
func (p *Producer) retire(r *running) {
	if r == nil {
		return
	}
	if r.Up != nil {
		r.Up.Drop()
	}
	closed := p.held.begin(r.source(), time.Now())
	p.closing.Go(func() {
		defer closed()
		if err := r.stage.Close(); err != nil {
			p.log.Error("stop", "alternative", r.ID, "error", err)
			p.published.stuck.Store(p.fan.Count().Frames + 1)
		}
	})
}

// serve starts the best alternative that may be tried. When none may be, none serves until the retry timer fires, and then all may be tried
// again. instead is the alternative that failed before, and why is its error; both are zero if none failed.
func (p *Producer) serve(ctx context.Context, instead string, why error) {
	for ctx.Err() == nil {
		i := p.alternatives.best(time.Now())
		if i < 0 {
			p.wait(why)
			return
		}
		if p.postponed(i) {
			p.show()
			return
		}
		r, err := p.start(ctx, i)
		if err == nil {
			p.serving = r
			p.later()
			p.show()
			p.applyRate()
			p.tellReplaced(instead, why)
			return
		}
		if why == nil {
			instead, why = p.alternatives.list[i].ID, err
		}
		p.failed(i, 0, err)
	}
}

// wait tries again after a time that grows. Nothing serves meanwhile.
func (p *Producer) wait(why error) {
	if p.retry.alone == 0 && len(p.alternatives.list) > 1 && why != nil {
		p.log.tell(slog.LevelError, "nothing works; trying again", why)
	}
	p.retry.alone++
	p.show()
	p.retry.timer.Reset(max(paceAlone.After(p.retry.alone), time.Until(p.alternatives.soonest())))
}

// later sets the time at which a better alternative than the serving one may be tried again.
func (p *Producer) later() {
	p.retry.alone = 0
	if at := p.alternatives.next(p.serving.index); !at.IsZero() {
		p.retry.timer.Reset(max(0, time.Until(at)))
	} else {
		p.retry.timer.Stop()
	}
}

// happened deals with an event of the serving stage.
func (p *Producer) happened(ctx context.Context, e media.StageEvent) {
	switch {
	case e.First:
		if p.serving.ready {
			p.forceKey() // the fan takes this stage's frames again: a better alternative had begun to fill the fan, and failed
		}
		p.serving.ready = true
		p.forgetReason()
		p.log.Info("producer started", "alternative", p.serving.ID, "duration_seconds", time.Since(p.serving.began).Seconds())
	case e.Warning:
		p.log.Debug("warning", "error", e.Err)
	case e.Err != nil, e.Ended:
		p.replace(ctx, e.Err)
	}
}

// replace puts the next alternative in the place of the serving one.
func (p *Producer) replace(ctx context.Context, err error) {
	if err == nil {
		err = media.ErrEnded
	}
	old := p.serving
	p.serving = nil
	if old.index < len(p.alternatives.list) {
		p.failed(old.index, time.Since(old.began), err)
	}
	if p.trying != nil {
		p.serving, p.trying = p.trying, nil // it has made no frame yet, but it is the only stage that is left
		p.later()
	}
	p.retire(old)
	if p.serving == nil {
		p.serve(ctx, old.ID, err)
		return
	}
	p.show()
	p.tellReplaced(old.ID, err)
}

// failed notes a failure of an alternative. Of failures in a row only the first is logged for the user.
func (p *Producer) failed(i int, ran time.Duration, err error) {
	id := p.alternatives.list[i].ID
	known := p.alternatives.health[i].strikes > 0 && ran <= healed
	p.alternatives.strike(i, ran, errors.Is(err, media.ErrStuck), time.Now())
	switch {
	case known:
		p.log.Debug("failed again", "alternative", id, "error", err, "count", p.alternatives.health[i].strikes)
	case len(p.alternatives.list) == 1:
		p.log.tell(slog.LevelError, "failed; trying again", err)
	default:
		p.log.Debug("failed", "alternative", id, "error", err)
	}
}

// tellReplaced logs that another alternative serves in the place of one that failed.
func (p *Producer) tellReplaced(failed string, why error) {
	switch {
	case why == nil || p.serving.ID == failed:
	case p.serving.Placeholder && p.sound:
		p.log.tell(slog.LevelWarn, "microphone gone; sending silence", why)
	case p.serving.Placeholder:
		p.log.tell(slog.LevelWarn, "camera gone; showing a placeholder", why)
	case p.coded:
		s := *p.published.shown.Load()
		s.replaced++
		p.published.shown.Store(&s)
		p.log.Warn("encoder replaced", "from", failed, "to", p.serving.ID, "error", why)
	}
}

// tryBetter starts a better alternative beside the serving one. The better one takes over with its first frame.
func (p *Producer) tryBetter(ctx context.Context) {
	switch {
	case p.users.Load() == 0 && p.serving == nil:
		p.retry.alone = 0
		p.show()
		return
	case p.serving == nil:
		p.alternatives.forgive()
		p.serve(ctx, "", nil)
		return
	case p.trying != nil:
		return
	}
	i := p.alternatives.best(time.Now())
	if i < 0 || i >= p.serving.index {
		p.later()
		return
	}
	if p.postponed(i) {
		return
	}
	r, err := p.start(ctx, i)
	if err != nil {
		p.failed(i, 0, err)
		p.later()
		return
	}
	p.trying = r
}

// tried deals with an event of the stage that is tried beside the serving one.
func (p *Producer) tried(ctx context.Context, e media.StageEvent) {
	switch {
	case e.First:
		old := p.serving
		p.serving, p.trying = p.trying, nil
		p.serving.ready = true
		p.retire(old)
		p.forgetReason()
		p.show()
		p.later()
		p.applyRate()
		p.promoted(old)
		p.tryBetter(ctx) // the alternatives may have changed meanwhile
	case e.Warning:
		p.log.Debug("warning", "error", e.Err)
	case e.Err != nil, e.Ended:
		p.giveUp(e.Err)
	}
}

// promoted logs that a better alternative took over from a lesser one.
func (p *Producer) promoted(old *running) {
	seconds := time.Since(p.serving.began).Seconds()
	switch {
	case old.Placeholder && !p.serving.Placeholder && p.sound:
		p.log.Info("microphone back", "duration_seconds", seconds)
	case old.Placeholder && !p.serving.Placeholder:
		p.log.Info("camera back", "duration_seconds", seconds)
	case p.coded && old.ID != p.serving.ID:
		p.log.Info("encoder back", "from", old.ID, "to", p.serving.ID, "duration_seconds", seconds)
	default:
		p.log.Info("producer changed", "alternative", p.serving.ID, "duration_seconds", seconds)
	}
}

// giveUp ends the stage that was tried beside the serving one, and failed.
func (p *Producer) giveUp(err error) {
	r := p.trying
	p.trying = nil
	p.failed(r.index, 0, err)
	p.retire(r)
	p.later()
}

// change takes other alternatives. The serving stage goes on until one of the new alternatives has made a frame.
func (p *Producer) change(ctx context.Context, list []Alternative) {
	p.alternatives = p.alternatives.replaced(list)
	if p.trying != nil {
		p.retire(p.trying)
		p.trying = nil
	}
	if p.serving == nil {
		p.retry.alone = 0
		p.usersChanged(ctx)
		return
	}
	p.serving.index = len(list)
	for i, a := range list {
		if a.servedBy(p.serving.Alternative) {
			p.serving.index = i
			break
		}
	}
	p.tryBetter(ctx)
}

// watch finds a stage that has failed without an event.
func (p *Producer) watch(ctx context.Context, now time.Time) {
	if r := p.trying; r != nil && now.Sub(r.flow.since) > sourceStart {
		p.giveUp(fmt.Errorf("no picture in %v", sourceStart))
	}
	late := now.Sub(p.watched) > 3*watchPeriod
	p.watched = now
	if p.serving == nil {
		return
	}
	if late { // the program itself was kept from running, or from watching
		p.serving.excuse(now)
		return
	}
	if why := p.serving.stalled(p.fan.Count().Frames, now); why != nil {
		p.replace(ctx, why)
		return
	}
	if why := p.serving.keys.deaf(p.fan.Count(), now); why != nil {
		p.replaceDeaf(ctx, why)
	}
}

// replaceDeaf asks the encoder once more for a keyframe, and then takes another encoder where there is one.
func (p *Producer) replaceDeaf(ctx context.Context, why error) {
	switch {
	case p.serving.keys.missed < keyMisses:
		p.forceKey()
	case len(p.alternatives.list) > 1:
		p.replace(ctx, why)
	case p.serving.keys.missed == keyMisses:
		p.log.Warn("keyframes are not made when asked for", "error", why)
	}
}
