package live

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// producer is a graph that runs while somebody uses its fan: the best of its alternatives that works. An alternative that fails is
// replaced by the next one, and is tried again later, beside the one that serves by then. One goroutine, run, owns a producer.
//
// # Concurrency
//
// The methods of demand, and starved and status, may be called from any goroutine while run is running; they never wait for a graph.
type producer struct {
	demand
	stages
	name         string
	coded        bool // it makes coded frames
	fan          Fan
	rate         *sharedRate // nil where the bitrate does not follow the viewers' links
	log          deviceLog
	alternatives alternatives
	retry        retry
	idle         idle
	keyframes    keyframes
	published    published
}

// stages are those stages of a producer that run now.
type stages struct {
	engine  Engine
	serving *running       // nil while nothing runs
	trying  *running       // a better alternative that has made no frame yet; nil without serving
	watched time.Time      // when the stages were last looked at
	closing sync.WaitGroup // stages that are being closed
}

// retry is when a producer tries an alternative that failed before.
type retry struct {
	timer *time.Timer
	alone int // times in a row that no alternative was left to serve; 0 while one serves
}

// idle is how long a producer runs on without a user.
type idle struct {
	timer *time.Timer
	grace time.Duration
}

// keyframes spaces out the keyframes that a producer forces.
type keyframes struct {
	timer *time.Timer // fires when the next one may be forced
	last  time.Time
}

// published is what other goroutines may read of a producer.
type published struct {
	shown atomic.Pointer[shown]
	// stuck is the fan's frame count plus 1, when a stage could last not be closed; 0 for never. The producer counts as stuck until
	// the fan gets another frame.
	stuck atomic.Uint64
}

// shown is a copy of the state of a producer. It is not changed after it was published.
type shown struct {
	alternative string
	placeholder bool
	waiting     bool      // no alternative works; one is going to be tried again
	up          *producer // whose frames it is fed
	replaced    uint64    // times that an encoder failed and another took its place
}

// deviceLog is a producer's log. It can add to a failure what is the matter with the device.
type deviceLog struct {
	*slog.Logger
	explain func(error) error
	asking  sync.WaitGroup // messages whose device is being asked
}

// tell logs a failure together with what is the matter with the device. That is found out by asking the device, which may take long;
// so it is done in a goroutine, and nothing waits for it.
func (l *deviceLog) tell(level slog.Level, message string, err error) {
	l.asking.Go(func() {
		l.Log(context.Background(), level, message, "error", l.explain(err)) //nolint:sloglint // all callers pass constants
	})
}

func newProducer(e Engine, name string, coded bool, list []alternative, o Options) *producer {
	p := &producer{
		demand: newDemand(), stages: stages{engine: e}, name: name, coded: coded, fan: e.Fan(coded),
		log: deviceLog{
			Logger:  o.Logger.With("producer", name),
			explain: func(err error) error { return o.Explain(name, err) },
		},
		alternatives: newAlternatives(list), idle: idle{grace: o.Grace},
	}
	p.published.shown.Store(&shown{})
	return p
}

// run starts the producer with its first user, stops it a grace period after the last one, and replaces an alternative that fails.
func (p *producer) run(ctx context.Context) {
	p.keyframes.timer, p.retry.timer, p.idle.timer = stopped(), stopped(), stopped()
	clock := time.NewTicker(watchPeriod)
	defer clock.Stop()
	defer p.log.asking.Wait()
	defer p.closing.Wait()
	defer p.stop()
	p.show()
	for ctx.Err() == nil {
		p.step(ctx, clock.C)
	}
}

// step waits for one event and deals with it.
func (p *producer) step(ctx context.Context, clock <-chan time.Time) {
	if p.serving == nil {
		clock = nil // nothing runs, so there is nothing to watch
	}
	select {
	case <-ctx.Done():
	case <-p.changed:
		p.usersChanged(ctx)
	case <-p.idle.timer.C:
		if p.users.Load() == 0 {
			p.stop()
		}
	case <-p.retry.timer.C:
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
	case <-p.keyframes.timer.C:
		p.forceKey()
	case <-p.rateChanged():
		p.applyRate()
	case now := <-clock:
		p.watch(ctx, now)
	}
}

// stopped is a timer that does not run.
func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

// usersChanged starts the producer for its first user, or begins the grace period after the last one.
func (p *producer) usersChanged(ctx context.Context) {
	switch {
	case p.users.Load() > 0:
		p.idle.timer.Stop()
		if p.serving == nil && p.retry.alone == 0 {
			p.serve(ctx, "", nil)
		}
	case p.serving != nil:
		p.idle.timer.Reset(p.idle.grace)
	default:
		p.retry.alone = 0
		p.show()
	}
}

// stop ends all stages until there is a user again.
func (p *producer) stop() {
	p.retry.timer.Stop()
	p.keyframes.timer.Stop()
	p.retry.alone = 0 // the next user is served at once, whatever failed last
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

// show publishes the state of the producer.
func (p *producer) show() {
	s := &shown{replaced: p.published.shown.Load().replaced, waiting: p.retry.alone > 0}
	switch {
	case p.serving != nil:
		s.alternative, s.placeholder, s.up = p.serving.id, p.serving.placeholder, p.serving.up
	case len(p.alternatives.list) > 0:
		s.up = p.alternatives.list[0].up
	}
	p.published.shown.Store(s)
}

// starved tells that no frame is to be expected: the producer, or the one that feeds it, waits to be tried again.
func (p *producer) starved() bool {
	s := p.published.shown.Load()
	return s.waiting || s.up != nil && s.up.starved()
}

func (p *producer) status() ProducerStatus {
	n, s := p.fan.Count(), p.published.shown.Load()
	out := ProducerStatus{
		Name: p.name, Users: p.users.Load(), Frames: n.Frames, Bytes: n.Bytes, Keyframes: n.Keyframes,
		Placeholder: s.placeholder, Replaced: s.replaced, Bitrate: p.bitrate(), Waiting: p.starved(),
		Stuck: p.published.stuck.Load() == n.Frames+1,
	}
	if p.coded {
		out.Encoder = s.alternative
	}
	return out
}
