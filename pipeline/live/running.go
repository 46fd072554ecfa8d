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

// running is a recipe that runs, with what is watched of it.
type running struct {
	alternative
	stage Stage
	index int // in the line's menu
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
	keyLimit     = 700 * time.Millisecond // from the wish for a keyframe to the keyframe
	keyFrames    = 10                     // pictures that came meanwhile without being one
	keyMisses    = 2                      // in a row

	replacedLimit = 3 * time.Second // for the start of an encoder that others could replace
)

// errEnded tells of a stream that ended where none should.
var errEnded = errors.New("the stream ended")

// start runs a recipe; its pictures count from the first on.
func (l *producer) start(ctx context.Context, i int) (*running, error) {
	r := &running{alternative: l.alternatives.list[i], index: i, began: time.Now()}
	var in Fan
	if r.up != nil {
		in = r.up.fan
	}
	graph := r.graph
	if r.placeholder && !l.coded {
		graph = yielding(graph, l.fan.Caps())
	}
	if r.up != nil && len(l.alternatives.list) > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, replacedLimit)
		defer cancel()
	}
	s, err := l.engine.Start(ctx, graph, in, l.fan)
	if err != nil {
		return nil, err
	}
	r.stage, r.progress = s, time.Now()
	r.rateSet = r.rate
	r.out = l.fan.Count().Frames
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
func (l *producer) retire(r *running) {
	if r == nil {
		return
	}
	if r.up != nil {
		r.up.drop()
	}
	l.closing.Go(func() {
		if err := r.stage.Close(); err != nil {
			l.log.Error("stop", "recipe", r.id, "error", err)
			l.stuck.Store(l.fan.Count().Frames + 1)
		}
	})
}

// failed notes a failure. Nobody is told of the second in a row.
func (l *producer) failed(i int, ran time.Duration, err error) {
	r := l.alternatives.list[i]
	known := l.alternatives.health[i].strikes > 0 && ran <= healed
	l.alternatives.strike(i, ran, errors.Is(err, ErrStuck), time.Now())
	switch {
	case known:
		l.log.Debug("failed again", "recipe", r.id, "error", err, "count", l.alternatives.health[i].strikes)
	case len(l.alternatives.list) == 1:
		l.tell(slog.LevelError, "failed; trying again", err)
	default:
		l.log.Debug("failed", "recipe", r.id, "error", err)
	}
}

// tell logs a failure with what is the matter with the device. Finding that out asks the device, for which nothing waits.
func (l *producer) tell(level slog.Level, message string, err error) {
	l.closing.Go(func() {
		l.log.Log(context.Background(), level, message, "error", l.explain(err)) //nolint:sloglint // its callers' are constants
	})
}

// replace puts the next recipe in the place of the one that serves.
func (l *producer) replace(ctx context.Context, err error) {
	if err == nil {
		err = errEnded
	}
	old := l.serving
	l.serving = nil
	if old.index < len(l.alternatives.list) {
		l.failed(old.index, time.Since(old.began), err)
	}
	if l.trying != nil {
		l.serving, l.trying = l.trying, nil // it may well be the answer
		l.later()
	}
	l.retire(old)
	if l.serving == nil {
		l.serve(ctx, old.id, err)
		return
	}
	l.show()
	l.tellReplaced(old.id, err)
}

// promoted tells of a recipe that took over from a lesser one.
func (l *producer) promoted(old *running) {
	seconds := time.Since(l.serving.began).Seconds()
	switch {
	case old.placeholder:
		l.log.Info("camera back", "duration_seconds", seconds)
	case l.coded && old.id != l.serving.id:
		l.log.Info("encoder back", "from", old.id, "to", l.serving.id, "duration_seconds", seconds)
	default:
		l.log.Info("changed", "recipe", l.serving.id, "duration_seconds", seconds)
	}
}

// watch finds what failed without a word.
func (l *producer) watch(ctx context.Context, now time.Time) {
	if r := l.trying; r != nil && now.Sub(r.progress) > sourceStart {
		l.giveUp(fmt.Errorf("no picture in %v", sourceStart))
	}
	late := now.Sub(l.watched) > 3*watchPeriod
	l.watched = now
	if l.serving == nil {
		return
	}
	if late { // this program itself was kept from running, or from looking
		l.serving.excuse(now)
		return
	}
	if why := l.serving.stalled(l.fan.Count().Frames, now); why != nil {
		l.replace(ctx, why)
		return
	}
	if why := l.serving.deaf(l.fan.Count(), now); why != nil {
		l.replaceDeaf(ctx, why)
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
func (l *producer) replaceDeaf(ctx context.Context, why error) {
	switch {
	case l.serving.unanswered < keyMisses:
		l.forceKey()
	case len(l.alternatives.list) > 1:
		l.replace(ctx, why)
	case l.serving.unanswered == keyMisses:
		l.log.Warn("keyframes are not made when asked for", "error", why)
	}
}

// keyframeRequested merges the wishes of all viewers to one keyframe per keyPause.
func (l *producer) keyframeRequested() {
	if l.serving == nil {
		return // a fresh encoder begins with one
	}
	if wait := l.keyPause() - time.Since(l.lastKey); wait > 0 {
		l.keyTimer.Reset(wait)
		return
	}
	l.forceKey()
}

func (l *producer) forceKey() {
	if l.serving == nil || l.serving.keyframe == 0 || l.serving.keyframe == pipeline.KeyframeNone {
		return
	}
	l.keyTimer.Stop()
	l.lastKey = time.Now()
	if l.serving.keyAsked.IsZero() {
		n := l.fan.Count()
		l.serving.keyAsked, l.serving.keysThen, l.serving.framesThen = time.Now(), n.Keyframes, n.Frames
	}
	l.applyRate() // a rate that was lowered for who moves here holds for its first keyframe
	if err := l.serving.stage.Keyframe(l.serving.keyframe); err != nil {
		l.log.Warn("force keyframe", "error", err)
	}
}
