package main

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	lineBurst = 20          // lines of one kind at once: more than an ordinary start or a dozen viewers make
	lineEvery = time.Second // between two lines of one kind in the long run
	maxKinds  = 512         // kinds remembered: some 60 kB; the program itself has about 200
)

// flood is a log handler that keeps strangers from filling the log. Of each kind of line, which is its level and its message,
// it hands on lineBurst at once and one each lineEvery; what is left out is counted. The last line left out follows as soon as
// it may, with that count as "repeated": while a flood lasts, and when it has ended.
//
// # Concurrency
//
// Safe for concurrent use, as handlers are. A timer's goroutine writes what follows later.
type flood struct {
	next  slog.Handler
	kinds *kinds // shared by all handlers that With makes of one
}

type kinds struct {
	mu  sync.Mutex
	all map[kind]*lines
}

type kind struct {
	level   slog.Level
	message string
}

// lines counts the lines of one kind. record is the last one that was left out.
type lines struct {
	tokens float64
	last   time.Time // when tokens were counted
	left   int       // how many were left out since the last one was written
	record slog.Record
	next   slog.Handler // where the last one that was left out would have gone
}

func newFlood(next slog.Handler) flood { return flood{next, &kinds{all: map[kind]*lines{}}} }

// Enabled implements [slog.Handler].
func (f flood) Enabled(ctx context.Context, level slog.Level) bool { return f.next.Enabled(ctx, level) }

// WithAttrs implements [slog.Handler].
func (f flood) WithAttrs(attrs []slog.Attr) slog.Handler {
	return flood{f.next.WithAttrs(attrs), f.kinds}
}

// WithGroup implements [slog.Handler].
func (f flood) WithGroup(name string) slog.Handler { return flood{f.next.WithGroup(name), f.kinds} }

// Handle implements [slog.Handler].
func (f flood) Handle(ctx context.Context, r slog.Record) error {
	if !f.kinds.take(kind{r.Level, r.Message}, r, f.next) {
		return nil
	}
	return f.next.Handle(ctx, r)
}

// take says whether a line may be written now. One that may not is kept, in place of the one before.
func (k *kinds) take(of kind, r slog.Record, next slog.Handler) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.all[of]
	if l == nil {
		if k.makeRoomLocked(); len(k.all) >= maxKinds {
			of.message = "" // there are too many kinds: those that are new count as one
			l = k.all[of]
		}
	}
	if l == nil {
		l = &lines{tokens: lineBurst, last: time.Now()}
		k.all[of] = l
	}
	if l.left == 0 && l.take() {
		return true
	}
	if l.left++; l.left == 1 {
		time.AfterFunc(l.wait(), func() { k.tell(of) })
	}
	l.record, l.next = r.Clone(), next
	return false
}

// tell writes the last line that was left out.
func (k *kinds) tell(of kind) {
	k.mu.Lock()
	l := k.all[of]
	l.refill()
	l.tokens = max(0, l.tokens-1) // rounding may have left it just short of one
	r, next, left := l.record, l.next, l.left
	l.record, l.next, l.left = slog.Record{}, nil, 0
	k.mu.Unlock()
	r.AddAttrs(slog.Int("repeated", left))
	_ = next.Handle(context.Background(), r) // where the log cannot be written, nobody can be told
}

// makeRoomLocked forgets the kinds that have been silent for so long that all their tokens are back.
func (k *kinds) makeRoomLocked() {
	if len(k.all) < maxKinds {
		return
	}
	for of, l := range k.all {
		if l.left == 0 && time.Since(l.last) >= lineBurst*lineEvery {
			delete(k.all, of)
		}
	}
}

func (l *lines) refill() {
	now := time.Now()
	l.tokens = min(lineBurst, l.tokens+now.Sub(l.last).Seconds()/lineEvery.Seconds())
	l.last = now
}

func (l *lines) take() bool {
	l.refill()
	if l.tokens < 1 {
		return false
	}
	l.tokens--
	return true
}

// wait is the time until a line may be written.
func (l *lines) wait() time.Duration {
	return max(0, time.Duration((1-l.tokens)*float64(lineEvery)))
}
