package produce

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"boardcast/pipeline/media"
)

// Producer is a graph that runs while somebody uses its fan: the best of its alternatives that works. An alternative that fails is
// replaced by the next one, and is tried again later, beside the one that serves by then. One goroutine, that of Run, owns a producer.
//
// # Concurrency
//
// AdaptRate and Prepare are called before Run, Close after it. All else may be called from any goroutine, and never waits for a graph.
type Producer struct {
	demand
	stages
	nature
	fan          media.Fan
	rate         *SharedRate // nil where the bitrate does not follow the viewers' links
	log          deviceLog
	alternatives alternatives
	retry        retry
	idle         idle
	keyframes    keyframes
	published    published
}

// nature is what a producer is there for.
type nature struct {
	name  string
	coded bool // it makes coded frames
	sound bool // it makes sound, not pictures
}

// stages are those stages of a producer that run now.
type stages struct {
	engine  media.Engine
	serving *running       // nil while nothing runs
	trying  *running       // a better alternative that has made no frame yet; nil without serving
	watched time.Time      // when the stages were last looked at
	closing sync.WaitGroup // stages that are being closed
	held    held           // their sources
}

// retry is when a producer tries an alternative that failed before.
type retry struct {
	timer  *time.Timer
	alone  int    // times in a row that no alternative was left to serve; 0 while one serves
	reason string // why nothing better than a placeholder serves, where that is known
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

// deviceLog is a producer's log. It can add to a failure what is the matter with the device.
type deviceLog struct {
	*slog.Logger
	explain func(error) error
	asking  sync.WaitGroup // messages whose device is being asked
	reasons chan string    // what was found out, for people
}

// tell logs a failure together with what is the matter with the device. That is found out by asking the device, which may take long;
// so it is done in a goroutine, and nothing waits for it.
func (l *deviceLog) tell(level slog.Level, message string, err error) {
	l.asking.Go(func() {
		why := l.explain(err)
		l.Log(context.Background(), level, message, "error", why) //nolint:sloglint // all callers pass constants
		select {
		case l.reasons <- briefly(why):
		default: // the producer is busy, and an earlier reason waits
		}
	})
}

// Options of a producer; all but Coded and Sound are needed.
type Options struct {
	Name   string        // in the log and in the status
	Coded  bool          // it makes coded frames
	Sound  bool          // it makes sound, not pictures
	Grace  time.Duration // how long it runs on after its last user
	Logger *slog.Logger
	// Explain may turn a failure into an error that tells what to do; it may take long. If the error has a method Brief() string, that is
	// the reason in the status.
	Explain func(error) error
}

// New makes a producer that has no alternatives yet. Nothing runs before Run.
func New(e media.Engine, o Options) *Producer {
	p := &Producer{
		demand: newDemand(), stages: stages{engine: e, held: newHeld()}, nature: nature{o.Name, o.Coded, o.Sound}, fan: e.Fan(o.Coded),
		log:          deviceLog{Logger: o.Logger.With("producer", o.Name), explain: o.Explain, reasons: make(chan string, 1)},
		alternatives: newAlternatives(nil), idle: idle{grace: o.Grace},
	}
	p.published.shown.Store(&shown{})
	return p
}

// Prepare gives the producer its first alternatives, the best first. It is called before Run; Adopt is for later.
func (p *Producer) Prepare(list []Alternative) { p.alternatives = newAlternatives(list) }

// Fan hands on the frames of the producer. It is the same all the time.
func (p *Producer) Fan() media.Fan { return p.fan }

// Close frees the fan, once Run and all that use the fan have ended.
func (p *Producer) Close() { p.fan.Close() }

// Run starts the producer with its first user, stops it a grace period after the last one, and replaces an alternative that fails.
func (p *Producer) Run(ctx context.Context) {
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
func (p *Producer) step(ctx context.Context, clock <-chan time.Time) {
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
	case <-p.held.freed:
		p.tryBetter(ctx)
	case why := <-p.log.reasons:
		p.learnt(why)
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
func (p *Producer) usersChanged(ctx context.Context) {
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
func (p *Producer) stop() {
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
	p.log.Info("producer stopped")
}
