package live

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// producer is one production producer: a graph that runs while somebody uses its fan, the best of its recipes that works. What fails
// is replaced by the next, and is tried again beside it later. One goroutine owns it.
//
// # Concurrency
//
// use, drop, ask, adopt, again and status may be called from any goroutine while run is running; they never wait for a graph.
type producer struct {
	name         string
	coded        bool
	alternatives alternatives
	fan          Fan
	engine       Engine
	log          *slog.Logger
	grace        time.Duration
	explain      func(error) error
	rate         *sharedRate // what its viewers' links bear, nil for a line that does not follow them

	users          atomic.Int64
	changed        chan struct{}      // users may have passed zero, either way
	keyframeWanted chan struct{}      // a viewer that just joined wants a keyframe
	adopted        chan []alternative // other recipes
	eager          chan struct{}      // what failed may be tried at once
	shown          atomic.Pointer[shown]
	stuck          atomic.Uint64 // one more than the frames there were when a stage could not be ended; 0: all could

	serving  *running // what serves
	trying   *running // what is tried beside it
	retry    *time.Timer
	idle     *time.Timer
	lastKey  time.Time
	keyTimer *time.Timer
	alone    int // failures in a row with nothing left to serve
	watched  time.Time
	replaced uint64
	closing  sync.WaitGroup
}

// shown is what others may know of a line.
type shown struct {
	alternative string
	placeholder bool
	waiting     bool      // nothing is left that works: it is going to be tried again
	up          *producer // what feeds it
	replaced    uint64
}

const keyInterval = 500 * time.Millisecond // at most one forced keyframe in this time

func newProducer(e Engine, name string, coded bool, recipes []alternative, o Options) *producer {
	l := &producer{
		name: name, coded: coded, alternatives: newAlternatives(recipes), fan: e.Fan(coded), engine: e, grace: o.Grace,
		explain: func(err error) error { return o.Explain(name, err) },
		log:     o.Logger.With("line", name),
		changed: make(chan struct{}, 1), keyframeWanted: make(chan struct{}, 1), adopted: make(chan []alternative, 1),
		eager: make(chan struct{}, 1),
	}
	l.shown.Store(&shown{})
	return l
}

// use says that one more wants the line's output.
func (l *producer) use() { l.count(1) }

// drop takes a use back.
func (l *producer) drop() { l.count(-1) }

func (l *producer) count(by int64) {
	l.users.Add(by)
	poke(l.changed)
}

// requestKeyframe wants a keyframe.
func (l *producer) requestKeyframe() { poke(l.keyframeWanted) }

// again lets what failed be tried at once: something was plugged in.
func (l *producer) again() { poke(l.eager) }

// adopt gives the line other recipes.
func (l *producer) adopt(recipes []alternative) { put(l.adopted, recipes) }

func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// put leaves the newest value in a channel of one; there is one sender.
func put[T any](c chan T, v T) {
	for {
		select {
		case c <- v:
			return
		default:
		}
		select {
		case <-c:
		default:
		}
	}
}

// run starts the line with its first user, stops it a grace period after the last, and replaces what fails.
func (l *producer) run(ctx context.Context) {
	l.keyTimer, l.retry, l.idle = stopped(), stopped(), stopped()
	clock := time.NewTicker(watchPeriod)
	defer clock.Stop()
	defer l.closing.Wait()
	defer l.stop()
	l.show()
	for {
		var tick <-chan time.Time // where nothing runs there is nothing to watch, and nobody to wake
		if l.serving != nil {
			tick = clock.C
		}
		select {
		case <-ctx.Done():
			return
		case <-l.changed:
			l.usersChanged(ctx)
		case <-l.idle.C:
			if l.users.Load() == 0 {
				l.stop()
			}
		case <-l.retry.C:
			l.tryBetter(ctx)
		case e := <-l.serving.events():
			l.happened(ctx, e)
		case e := <-l.trying.events():
			l.tried(ctx, e)
		case recipes := <-l.adopted:
			l.change(ctx, recipes)
		case <-l.eager:
			l.alternatives.forgive()
			l.tryBetter(ctx)
		case <-l.fan.KeyWanted():
			l.keyframeRequested()
		case <-l.keyframeWanted:
			l.keyframeRequested()
		case <-l.keyTimer.C:
			l.forceKey()
		case <-l.rateChanged():
			l.applyRate()
		case now := <-tick:
			l.watch(ctx, now)
		}
	}
}

func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

func (l *producer) usersChanged(ctx context.Context) {
	switch {
	case l.users.Load() > 0:
		l.idle.Stop()
		if l.serving == nil && l.alone == 0 {
			l.serve(ctx, "", nil)
		}
	case l.serving != nil:
		l.idle.Reset(l.grace)
	default:
		l.alone = 0
		l.show()
	}
}

// serve starts the best recipe that may be tried; when none is left, one is tried again later, whatever is known of it.
// instead and why tell what failed before, if anything did.
func (l *producer) serve(ctx context.Context, instead string, why error) {
	for ctx.Err() == nil {
		i := l.alternatives.best(time.Now())
		if i < 0 {
			l.wait(why)
			return
		}
		r, err := l.start(ctx, i)
		if err == nil {
			l.serving = r
			l.later()
			l.show()
			l.applyRate()
			l.tellReplaced(instead, why)
			return
		}
		if why == nil {
			instead, why = l.alternatives.list[i].id, err
		}
		l.failed(i, 0, err)
	}
}

// tellReplaced tells that another serves in the place of one that failed.
func (l *producer) tellReplaced(failed string, why error) {
	switch {
	case why == nil || l.serving.id == failed:
	case l.serving.placeholder:
		l.tell(slog.LevelWarn, "camera gone; showing a placeholder", why)
	case l.coded:
		l.replaced++
		l.show()
		l.log.Warn("encoder replaced", "from", failed, "to", l.serving.id, "error", why)
	}
}

// wait tries again after a time that grows, with nothing to serve meanwhile.
func (l *producer) wait(why error) {
	if l.alone == 0 && len(l.alternatives.list) > 1 && why != nil {
		l.tell(slog.LevelError, "nothing works; trying again", why)
	}
	l.alone++
	l.show()
	l.retry.Reset(max(paceAlone.after(l.alone), time.Until(l.alternatives.soonest())))
}

// later sets the time at which a better recipe than the one that serves may be tried again.
func (l *producer) later() {
	l.alone = 0
	if at := l.alternatives.next(l.serving.index); !at.IsZero() {
		l.retry.Reset(max(0, time.Until(at)))
	} else {
		l.retry.Stop()
	}
}

// tryBetter starts a better recipe beside the one that serves: it takes over with its first picture.
func (l *producer) tryBetter(ctx context.Context) {
	switch {
	case l.users.Load() == 0 && l.serving == nil:
		l.alone = 0
		l.show()
		return
	case l.serving == nil:
		l.alternatives.forgive()
		l.serve(ctx, "", nil)
		return
	case l.trying != nil:
		return
	}
	i := l.alternatives.best(time.Now())
	if i < 0 || i >= l.serving.index {
		l.later()
		return
	}
	r, err := l.start(ctx, i)
	if err != nil {
		l.failed(i, 0, err)
		l.later()
		return
	}
	l.trying = r
}

// tried follows what is tried beside the one that serves.
func (l *producer) tried(ctx context.Context, e StageEvent) {
	switch {
	case e.First:
		old := l.serving
		l.serving, l.trying = l.trying, nil
		l.serving.ready = true
		l.retire(old)
		l.show()
		l.later()
		l.applyRate()
		l.promoted(old)
		l.tryBetter(ctx) // recipes may have changed meanwhile
	case e.Warning:
		l.log.Debug("warning", "error", e.Err)
	case e.Err != nil, e.Ended:
		l.giveUp(e.Err)
	}
}

// giveUp ends a try that did not work out.
func (l *producer) giveUp(err error) {
	r := l.trying
	l.trying = nil
	l.failed(r.index, 0, err)
	l.retire(r)
	l.later()
}

// happened follows what serves.
func (l *producer) happened(ctx context.Context, e StageEvent) {
	switch {
	case e.First:
		if l.serving.ready {
			l.forceKey() // it takes over again from one that was tried
		}
		l.serving.ready = true
		l.log.Info("started", "recipe", l.serving.id, "duration_seconds", time.Since(l.serving.began).Seconds())
	case e.Warning:
		l.log.Debug("warning", "error", e.Err)
	case e.Err != nil, e.Ended:
		l.replace(ctx, e.Err)
	}
}

// change takes other recipes: what serves goes on until one of the new ones has made a picture.
func (l *producer) change(ctx context.Context, recipes []alternative) {
	l.alternatives = l.alternatives.replaced(recipes)
	if l.trying != nil {
		l.retire(l.trying)
		l.trying = nil
	}
	if l.serving == nil {
		l.alone = 0
		l.usersChanged(ctx)
		return
	}
	l.serving.index = len(recipes)
	for i, r := range recipes {
		if r.servedBy(l.serving.alternative) {
			l.serving.index = i
			break
		}
	}
	l.tryBetter(ctx)
}

// stop ends everything until there is a user again.
func (l *producer) stop() {
	l.retry.Stop()
	l.keyTimer.Stop()
	l.alone = 0 // the next user is served, whatever failed last
	if l.serving == nil {
		l.show()
		return
	}
	l.retire(l.trying)
	l.retire(l.serving)
	l.serving, l.trying = nil, nil
	l.show()
	l.log.Info("stopped")
}

func (l *producer) show() {
	s := &shown{replaced: l.replaced, waiting: l.alone > 0}
	switch {
	case l.serving != nil:
		s.alternative, s.placeholder, s.up = l.serving.id, l.serving.placeholder, l.serving.up
	case len(l.alternatives.list) > 0:
		s.up = l.alternatives.list[0].up
	}
	l.shown.Store(s)
}

// starved says that the line, or what feeds it, waits to be tried again: no frame is to be expected.
func (l *producer) starved() bool {
	s := l.shown.Load()
	return s.waiting || s.up != nil && s.up.starved()
}

func (l *producer) status() ProducerStatus {
	n, s := l.fan.Count(), l.shown.Load()
	out := ProducerStatus{
		Name: l.name, Users: l.users.Load(), Frames: n.Frames, Bytes: n.Bytes, Keyframes: n.Keyframes,
		Placeholder: s.placeholder, Replaced: s.replaced, Bitrate: l.bitrate(), Waiting: l.starved(),
		Stuck: l.stuck.Load() == n.Frames+1,
	}
	if l.coded {
		out.Encoder = s.alternative
	}
	return out
}
