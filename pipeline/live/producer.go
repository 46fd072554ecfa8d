package live

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// producer is one producer: a graph that runs while somebody uses its fan, the best of its alternatives that works. What fails
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
	rate         *sharedRate // what its viewers' links bear, nil for a producer that does not follow them

	users          atomic.Int64
	changed        chan struct{}      // users may have passed zero, either way
	keyframeWanted chan struct{}      // a viewer that just joined wants a keyframe
	adopted        chan []alternative // other alternatives
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

// shown is what others may know of a producer.
type shown struct {
	alternative string
	placeholder bool
	waiting     bool      // nothing is left that works: it is going to be tried again
	up          *producer // what feeds it
	replaced    uint64
}

const keyInterval = 500 * time.Millisecond // at most one forced keyframe in this time

func newProducer(e Engine, name string, coded bool, list []alternative, o Options) *producer {
	l := &producer{
		name: name, coded: coded, alternatives: newAlternatives(list), fan: e.Fan(coded), engine: e, grace: o.Grace,
		explain: func(err error) error { return o.Explain(name, err) },
		log:     o.Logger.With("producer", name),
		changed: make(chan struct{}, 1), keyframeWanted: make(chan struct{}, 1), adopted: make(chan []alternative, 1),
		eager: make(chan struct{}, 1),
	}
	l.shown.Store(&shown{})
	return l
}

// use says that one more wants the producer's output.
func (p *producer) use() { p.count(1) }

// drop takes a use back.
func (p *producer) drop() { p.count(-1) }

func (p *producer) count(by int64) {
	p.users.Add(by)
	poke(p.changed)
}

// requestKeyframe wants a keyframe.
func (p *producer) requestKeyframe() { poke(p.keyframeWanted) }

// again lets what failed be tried at once: something was plugged in.
func (p *producer) again() { poke(p.eager) }

// adopt gives the producer other alternatives.
func (p *producer) adopt(list []alternative) { put(p.adopted, list) }

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

// run starts the producer with its first user, stops it a grace period after the last, and replaces what fails.
func (p *producer) run(ctx context.Context) {
	p.keyTimer, p.retry, p.idle = stopped(), stopped(), stopped()
	clock := time.NewTicker(watchPeriod)
	defer clock.Stop()
	defer p.closing.Wait()
	defer p.stop()
	p.show()
	for {
		var tick <-chan time.Time // where nothing runs there is nothing to watch, and nobody to wake
		if p.serving != nil {
			tick = clock.C
		}
		select {
		case <-ctx.Done():
			return
		case <-p.changed:
			p.usersChanged(ctx)
		case <-p.idle.C:
			if p.users.Load() == 0 {
				p.stop()
			}
		case <-p.retry.C:
			p.tryBetter(ctx)
		case e := <-p.serving.events():
			p.happened(ctx, e)
		case e := <-p.trying.events():
			p.tried(ctx, e)
		case list := <-p.adopted:
			p.change(ctx, list)
		case <-p.eager:
			p.alternatives.forgive()
			p.tryBetter(ctx)
		case <-p.fan.KeyWanted():
			p.keyframeRequested()
		case <-p.keyframeWanted:
			p.keyframeRequested()
		case <-p.keyTimer.C:
			p.forceKey()
		case <-p.rateChanged():
			p.applyRate()
		case now := <-tick:
			p.watch(ctx, now)
		}
	}
}

func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

func (p *producer) usersChanged(ctx context.Context) {
	switch {
	case p.users.Load() > 0:
		p.idle.Stop()
		if p.serving == nil && p.alone == 0 {
			p.serve(ctx, "", nil)
		}
	case p.serving != nil:
		p.idle.Reset(p.grace)
	default:
		p.alone = 0
		p.show()
	}
}

// serve starts the best alternative that may be tried; when none is left, one is tried again later, whatever is known of it.
// instead and why tell what failed before, if anything did.
func (p *producer) serve(ctx context.Context, instead string, why error) {
	for ctx.Err() == nil {
		i := p.alternatives.best(time.Now())
		if i < 0 {
			p.wait(why)
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
			instead, why = p.alternatives.list[i].id, err
		}
		p.failed(i, 0, err)
	}
}

// tellReplaced tells that another serves in the place of one that failed.
func (p *producer) tellReplaced(failed string, why error) {
	switch {
	case why == nil || p.serving.id == failed:
	case p.serving.placeholder:
		p.tell(slog.LevelWarn, "camera gone; showing a placeholder", why)
	case p.coded:
		p.replaced++
		p.show()
		p.log.Warn("encoder replaced", "from", failed, "to", p.serving.id, "error", why)
	}
}

// wait tries again after a time that grows, with nothing to serve meanwhile.
func (p *producer) wait(why error) {
	if p.alone == 0 && len(p.alternatives.list) > 1 && why != nil {
		p.tell(slog.LevelError, "nothing works; trying again", why)
	}
	p.alone++
	p.show()
	p.retry.Reset(max(paceAlone.after(p.alone), time.Until(p.alternatives.soonest())))
}

// later sets the time at which a better alternative than the one that serves may be tried again.
func (p *producer) later() {
	p.alone = 0
	if at := p.alternatives.next(p.serving.index); !at.IsZero() {
		p.retry.Reset(max(0, time.Until(at)))
	} else {
		p.retry.Stop()
	}
}

// tryBetter starts a better alternative beside the one that serves: it takes over with its first picture.
func (p *producer) tryBetter(ctx context.Context) {
	switch {
	case p.users.Load() == 0 && p.serving == nil:
		p.alone = 0
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
	r, err := p.start(ctx, i)
	if err != nil {
		p.failed(i, 0, err)
		p.later()
		return
	}
	p.trying = r
}

// tried follows what is tried beside the one that serves.
func (p *producer) tried(ctx context.Context, e StageEvent) {
	switch {
	case e.First:
		old := p.serving
		p.serving, p.trying = p.trying, nil
		p.serving.ready = true
		p.retire(old)
		p.show()
		p.later()
		p.applyRate()
		p.promoted(old)
		p.tryBetter(ctx) // alternatives may have changed meanwhile
	case e.Warning:
		p.log.Debug("warning", "error", e.Err)
	case e.Err != nil, e.Ended:
		p.giveUp(e.Err)
	}
}

// giveUp ends a try that did not work out.
func (p *producer) giveUp(err error) {
	r := p.trying
	p.trying = nil
	p.failed(r.index, 0, err)
	p.retire(r)
	p.later()
}

// happened follows what serves.
func (p *producer) happened(ctx context.Context, e StageEvent) {
	switch {
	case e.First:
		if p.serving.ready {
			p.forceKey() // it takes over again from one that was tried
		}
		p.serving.ready = true
		p.log.Info("started", "alternative", p.serving.id, "duration_seconds", time.Since(p.serving.began).Seconds())
	case e.Warning:
		p.log.Debug("warning", "error", e.Err)
	case e.Err != nil, e.Ended:
		p.replace(ctx, e.Err)
	}
}

// change takes other alternatives: what serves goes on until one of the new ones has made a picture.
func (p *producer) change(ctx context.Context, list []alternative) {
	p.alternatives = p.alternatives.replaced(list)
	if p.trying != nil {
		p.retire(p.trying)
		p.trying = nil
	}
	if p.serving == nil {
		p.alone = 0
		p.usersChanged(ctx)
		return
	}
	p.serving.index = len(list)
	for i, r := range list {
		if r.servedBy(p.serving.alternative) {
			p.serving.index = i
			break
		}
	}
	p.tryBetter(ctx)
}

// stop ends everything until there is a user again.
func (p *producer) stop() {
	p.retry.Stop()
	p.keyTimer.Stop()
	p.alone = 0 // the next user is served, whatever failed last
	if p.serving == nil {
		p.show()
		return
	}
	p.retire(p.trying)
	p.retire(p.serving)
	p.serving, p.trying = nil, nil
	p.show()
	p.log.Info("stopped")
}

func (p *producer) show() {
	s := &shown{replaced: p.replaced, waiting: p.alone > 0}
	switch {
	case p.serving != nil:
		s.alternative, s.placeholder, s.up = p.serving.id, p.serving.placeholder, p.serving.up
	case len(p.alternatives.list) > 0:
		s.up = p.alternatives.list[0].up
	}
	p.shown.Store(s)
}

// starved says that the producer, or what feeds it, waits to be tried again: no frame is to be expected.
func (p *producer) starved() bool {
	s := p.shown.Load()
	return s.waiting || s.up != nil && s.up.starved()
}

func (p *producer) status() ProducerStatus {
	n, s := p.fan.Count(), p.shown.Load()
	out := ProducerStatus{
		Name: p.name, Users: p.users.Load(), Frames: n.Frames, Bytes: n.Bytes, Keyframes: n.Keyframes,
		Placeholder: s.placeholder, Replaced: s.replaced, Bitrate: p.bitrate(), Waiting: p.starved(),
		Stuck: p.stuck.Load() == n.Frames+1,
	}
	if p.coded {
		out.Encoder = s.alternative
	}
	return out
}
