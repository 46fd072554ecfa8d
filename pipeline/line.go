package pipeline

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// line is one production line: a graph that runs while somebody uses its fan. One goroutine owns it.
//
// # Concurrency
//
// use and drop may be called from any goroutine while run is running; they never wait for the graph.
type line struct {
	name     string
	graph    Graph
	up       *line // whose fan feeds it, nil for a source
	fan      Fan
	keyframe KeyframeMethod // zero for a line without keyframes
	engine   Engine
	log      *slog.Logger
	grace    time.Duration
	explain  func(error) error

	users   atomic.Int64
	changed chan struct{} // users may have passed zero, either way
	asked   chan struct{} // a viewer that just joined wants a keyframe

	stage    Stage
	began    time.Time
	lastKey  time.Time
	keyTimer *time.Timer
	failures int
}

const (
	keyInterval  = 500 * time.Millisecond // at most one forced keyframe in this time
	firstRetry   = 500 * time.Millisecond
	longestRetry = 30 * time.Second
)

func newLine(e Engine, name string, g Graph, up *line, key KeyframeMethod, o Options) *line {
	return &line{
		name: name, graph: g, up: up, fan: e.Fan(key != 0), keyframe: key, engine: e, grace: o.Grace,
		explain: func(err error) error { return o.Explain(name, err) },
		log:     o.Logger.With("line", name), changed: make(chan struct{}, 1), asked: make(chan struct{}, 1),
	}
}

// use says that one more wants the line's output.
func (l *line) use() { l.count(1) }

// drop takes a use back.
func (l *line) drop() { l.count(-1) }

func (l *line) count(by int64) {
	l.users.Add(by)
	poke(l.changed)
}

// ask wants a keyframe.
func (l *line) ask() { poke(l.asked) }

func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run starts the graph with the first user, stops it a grace period after the last, and starts it again when it fails.
func (l *line) run(ctx context.Context) {
	l.keyTimer = stopped()
	again, idle := stopped(), stopped()
	defer l.stop()
	for {
		var events <-chan StageEvent
		if l.stage != nil {
			events = l.stage.Events()
		}
		select {
		case <-ctx.Done():
			return
		case <-l.changed:
			switch {
			case l.users.Load() > 0:
				idle.Stop()
				if l.stage == nil && l.failures == 0 {
					l.start(ctx, again)
				}
			case l.stage != nil:
				idle.Reset(l.grace)
			}
		case <-idle.C:
			if l.users.Load() == 0 {
				l.stop()
				l.failures = 0
			}
		case <-again.C:
			if l.users.Load() > 0 {
				l.start(ctx, again)
			} else {
				l.failures = 0
			}
		case e := <-events:
			l.happened(e, again)
		case <-l.fan.KeyWanted():
			l.wantKey()
		case <-l.asked:
			l.wantKey()
		case <-l.keyTimer.C:
			l.forceKey()
		}
	}
}

func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

func (l *line) start(ctx context.Context, again *time.Timer) {
	if l.stage != nil {
		return
	}
	l.began = time.Now()
	var in Fan
	if l.up != nil {
		in = l.up.fan
	}
	s, err := l.engine.Start(ctx, l.graph, in, l.fan)
	if err != nil {
		l.failed(err, again)
		return
	}
	l.stage = s
	if l.up != nil {
		l.up.use()
	}
	l.log.Info("started", "duration_seconds", time.Since(l.began).Seconds())
}

func (l *line) stop() {
	if l.stage == nil {
		return
	}
	if err := l.stage.Close(); err != nil {
		l.log.Error("stop", "error", err)
	}
	l.stage = nil
	if l.up != nil {
		l.up.drop()
	}
	l.log.Info("stopped")
}

func (l *line) happened(e StageEvent, again *time.Timer) {
	switch {
	case e.Warning:
		l.log.Debug("warning", "error", e.Err)
	case e.Err != nil:
		l.stop()
		l.failed(e.Err, again)
	case e.Ended:
		l.stop()
		again.Reset(firstRetry)
	}
}

// failed logs the first failure of a row and tries again, ever more slowly.
func (l *line) failed(err error, again *time.Timer) {
	if time.Since(l.began) > longestRetry {
		l.failures = 0
	}
	if l.failures == 0 {
		l.log.Error("failed; trying again", "error", l.explain(err))
	} else {
		l.log.Debug("failed again", "error", err, "count", l.failures)
	}
	wait := min(firstRetry<<min(l.failures, 10), longestRetry)
	l.failures++
	again.Reset(wait)
}

// wantKey merges the wishes of all viewers to one keyframe per keyInterval.
func (l *line) wantKey() {
	if l.stage == nil {
		return // a fresh encoder begins with one
	}
	if wait := keyInterval - time.Since(l.lastKey); wait > 0 {
		l.keyTimer.Reset(wait)
		return
	}
	l.forceKey()
}

func (l *line) forceKey() {
	if l.stage == nil {
		return
	}
	l.keyTimer.Stop()
	l.lastKey = time.Now()
	if err := l.stage.Keyframe(l.keyframe); err != nil {
		l.log.Warn("force keyframe", "error", err)
	}
}
