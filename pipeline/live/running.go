package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"boardcast/pipeline"
)

// running is an alternative that runs, with what is watched of it.
type running struct {
	alternative
	stage Stage
	index int // in the producer's list of alternatives
	began time.Time
	ready bool // it has made a picture

	in, out  uint64 // pictures that came and went when the last one went
	progress time.Time

	keyAsked   time.Time // zero when no keyframe is awaited
	keysThen   uint64
	framesThen uint64
	unanswered int

	rateSet int // bit/s
}

// events is nil, which never delivers, where nothing runs.
func (r *running) events() <-chan StageEvent {
	if r == nil {
		return nil
	}
	return r.stage.Events()
}

// What is watched, and how long it may take.
const (
	watchPeriod  = 100 * time.Millisecond
	encoderStall = 800 * time.Millisecond // pictures go in and none comes out, or three pictures
	encoderStart = 3 * time.Second        // the same before the first came out
	sourceStall  = 2 * time.Second        // or five pictures, whichever is longer
	sourceStart  = 10 * time.Second       // cameras wake up slowly
	stallInputs  = 3                      // pictures that must have gone in meanwhile
	keyLimit     = 700 * time.Millisecond // from the keyframe request to the keyframe
	keyFrames    = 10                     // pictures that came meanwhile without being one
	keyMisses    = 2                      // in a row

	replacedLimit = 3 * time.Second // for the start of an encoder that others could replace
)

// errEnded tells of a stream that ended where none should.
var errEnded = errors.New("the stream ended")

// start runs an alternative; its pictures count from the first on.
func (p *producer) start(ctx context.Context, i int) (*running, error) {
	r := &running{alternative: p.alternatives.list[i], index: i, began: time.Now()}
	var in Fan
	if r.up != nil {
		in = r.up.fan
	}
	graph := r.graph
	if r.placeholder && !p.coded {
		graph = yielding(graph, p.fan.Caps())
	}
	if r.up != nil && len(p.alternatives.list) > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, replacedLimit)
		defer cancel()
	}
	s, err := p.engine.Start(ctx, graph, in, p.fan)
	if err != nil {
		return nil, err
	}
	r.stage, r.progress = s, time.Now()
	r.rateSet = r.rate
	r.out = p.fan.Count().Frames
	if r.up != nil {
		r.in = r.up.fan.Count().Frames
		r.up.use()
	}
	return r, nil
}

// yielding is the graph with its last caps filter replaced: what comes after it sees no change. Empty caps change nothing.
func yielding(g pipeline.Graph, caps string) pipeline.Graph {
	out := slices.Clone(g)
	for i := len(out) - 1; i >= 0 && caps != ""; i-- {
		if out[i].Factory == "" {
			out[i].Caps = strings.ReplaceAll(caps, ", ", ",") // a launch line takes no quotes around caps
			break
		}
	}
	return out
}

// retire ends a stage without waiting for it: a driver that hangs must not keep the next one from starting.
func (p *producer) retire(r *running) {
	if r == nil {
		return
	}
	if r.up != nil {
		r.up.drop()
	}
	p.closing.Go(func() {
		if err := r.stage.Close(); err != nil {
			p.log.Error("stop", "alternative", r.id, "error", err)
			p.stuck.Store(p.fan.Count().Frames + 1)
		}
	})
}

// failed notes a failure. Nobody is told of the second in a row.
func (p *producer) failed(i int, ran time.Duration, err error) {
	r := p.alternatives.list[i]
	known := p.alternatives.health[i].strikes > 0 && ran <= healed
	p.alternatives.strike(i, ran, errors.Is(err, ErrStuck), time.Now())
	switch {
	case known:
		p.log.Debug("failed again", "alternative", r.id, "error", err, "count", p.alternatives.health[i].strikes)
	case len(p.alternatives.list) == 1:
		p.tell(slog.LevelError, "failed; trying again", err)
	default:
		p.log.Debug("failed", "alternative", r.id, "error", err)
	}
}

// tell logs a failure with what is the matter with the device. Finding that out asks the device, for which nothing waits.
func (p *producer) tell(level slog.Level, message string, err error) {
	p.closing.Go(func() {
		p.log.Log(context.Background(), level, message, "error", p.explain(err)) //nolint:sloglint // its callers' are constants
	})
}

// replace puts the next alternative in the place of the one that serves.
func (p *producer) replace(ctx context.Context, err error) {
	if err == nil {
		err = errEnded
	}
	old := p.serving
	p.serving = nil
	if old.index < len(p.alternatives.list) {
		p.failed(old.index, time.Since(old.began), err)
	}
	if p.trying != nil {
		p.serving, p.trying = p.trying, nil // it may well be the answer
		p.later()
	}
	p.retire(old)
	if p.serving == nil {
		p.serve(ctx, old.id, err)
		return
	}
	p.show()
	p.tellReplaced(old.id, err)
}

// promoted tells of an alternative that took over from a lesser one.
func (p *producer) promoted(old *running) {
	seconds := time.Since(p.serving.began).Seconds()
	switch {
	case old.placeholder:
		p.log.Info("camera back", "duration_seconds", seconds)
	case p.coded && old.id != p.serving.id:
		p.log.Info("encoder back", "from", old.id, "to", p.serving.id, "duration_seconds", seconds)
	default:
		p.log.Info("changed", "alternative", p.serving.id, "duration_seconds", seconds)
	}
}

// watch finds what failed without a word.
func (p *producer) watch(ctx context.Context, now time.Time) {
	if r := p.trying; r != nil && now.Sub(r.progress) > sourceStart {
		p.giveUp(fmt.Errorf("no picture in %v", sourceStart))
	}
	late := now.Sub(p.watched) > 3*watchPeriod
	p.watched = now
	if p.serving == nil {
		return
	}
	if late { // this program itself was kept from running, or from looking
		p.serving.excuse(now)
		return
	}
	if why := p.serving.stalled(p.fan.Count().Frames, now); why != nil {
		p.replace(ctx, why)
		return
	}
	if why := p.serving.deaf(p.fan.Count(), now); why != nil {
		p.replaceDeaf(ctx, why)
	}
}

// excuse lets the time begin anew in which something is to happen.
func (r *running) excuse(now time.Time) {
	r.progress = now
	if !r.keyAsked.IsZero() {
		r.keyAsked = now
	}
}

// stalled says so of what makes nothing although it could.
func (r *running) stalled(out uint64, now time.Time) error {
	in := uint64(0)
	if r.up != nil {
		in = r.up.fan.Count().Frames
	}
	limit := max(sourceStall, 5*r.period)
	switch {
	case r.up != nil && r.ready:
		limit = max(encoderStall, 3*r.period)
	case r.up != nil:
		limit = max(encoderStart, 5*r.period)
	case !r.ready:
		limit = sourceStart
	}
	switch {
	case out != r.out:
		r.in, r.out, r.progress = in, out, now
	case r.up != nil && in-r.in < stallInputs:
		r.progress = now // it has nothing to do
	case now.Sub(r.progress) > limit:
		return fmt.Errorf("no picture in %.1f s", now.Sub(r.progress).Seconds())
	}
	return nil
}

// deaf says so of an encoder that makes pictures but no keyframe when asked for one.
func (r *running) deaf(n FanCount, now time.Time) error {
	switch {
	case r.keyAsked.IsZero():
	case n.Keyframes > r.keysThen:
		r.keyAsked, r.unanswered = time.Time{}, 0
	case now.Sub(r.keyAsked) > keyLimit && n.Frames-r.framesThen >= keyFrames:
		r.keyAsked = time.Time{}
		r.unanswered++
		return fmt.Errorf("no keyframe %.1f s after it was asked for, %d times", keyLimit.Seconds(), r.unanswered)
	}
	return nil
}

// replaceDeaf asks once more, then takes another encoder where there is one.
func (p *producer) replaceDeaf(ctx context.Context, why error) {
	switch {
	case p.serving.unanswered < keyMisses:
		p.forceKey()
	case len(p.alternatives.list) > 1:
		p.replace(ctx, why)
	case p.serving.unanswered == keyMisses:
		p.log.Warn("keyframes are not made when asked for", "error", why)
	}
}

// keyframeRequested merges the keyframe requests of all viewers to one keyframe per keyPause.
func (p *producer) keyframeRequested() {
	if p.serving == nil {
		return // a fresh encoder begins with one
	}
	if wait := p.keyPause() - time.Since(p.lastKey); wait > 0 {
		p.keyTimer.Reset(wait)
		return
	}
	p.forceKey()
}

func (p *producer) forceKey() {
	if p.serving == nil || p.serving.keyframe == 0 || p.serving.keyframe == pipeline.KeyframeNone {
		return
	}
	p.keyTimer.Stop()
	p.lastKey = time.Now()
	if p.serving.keyAsked.IsZero() {
		n := p.fan.Count()
		p.serving.keyAsked, p.serving.keysThen, p.serving.framesThen = time.Now(), n.Keyframes, n.Frames
	}
	p.applyRate() // a rate that was lowered for who moves here holds for its first keyframe
	if err := p.serving.stage.Keyframe(p.serving.keyframe); err != nil {
		p.log.Warn("force keyframe", "error", err)
	}
}
