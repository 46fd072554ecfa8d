package live

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"boardcast/pipeline"
	"boardcast/pipeline/congestion"
)

// sharedRate follows the viewers of one encoder with its bitrate. Nothing runs here: the viewers' own goroutines bring
// their estimates, and the producer's sets the encoder, so that no viewer ever waits for it.
//
// # Concurrency
//
// All methods may be called from any goroutine.
type sharedRate struct {
	ceiling int
	live    bool // the encoder takes a new bitrate while it runs
	wanted  atomic.Int64
	changed chan struct{} // wanted is another

	bounds  congestion.Bounds
	mu      sync.Mutex
	policy  *congestion.Policy
	began   time.Time
	stepped time.Time
	fell    time.Time // when the encoder was last told to make much less
	lastKey uint64
	views   map[uint64]congestion.View
	decided congestion.Decision
}

const (
	policyEvery         = 50 * time.Millisecond // but what is new of a link that has just become slow is heeded at once
	keyShare            = 4                     // forced keyframes take at most one part in so many of the rate
	muchLess            = 0.8
	settleTime          = 200 * time.Millisecond
	longestPause        = 4 * time.Second // without one that is asked for
	keyframesOnlyPeriod = 4 * time.Second // a viewer that gets keyframes only asks for one so often
)

// newSharedRate makes the rate of an encoder that runs at ceiling; floor is what no viewer lowers it below, lower what slow
// ones are given at most of a lower rendition (0: there is none); last that this is the lower rendition.
func newSharedRate(ceiling, floor, lower int, live, last bool) *sharedRate {
	ceiling = max(ceiling, pipeline.LeastBitrate)
	if !live {
		floor = ceiling
	}
	bounds := congestion.Bounds{Floor: min(floor, ceiling), Ceiling: ceiling, LowerCeiling: lower, LowerRendition: last}
	r := &sharedRate{
		ceiling: ceiling, live: live, changed: make(chan struct{}, 1), began: time.Now(), bounds: bounds,
		policy: congestion.NewPolicy(bounds), views: map[uint64]congestion.View{},
	}
	r.wanted.Store(int64(ceiling))
	return r
}

// join makes a viewer's key and its estimator, which begins at the rate that it is sent.
func (r *sharedRate) join() (uint64, *congestion.Estimator) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lastKey++
	return r.lastKey, congestion.NewEstimator(congestion.Limits{
		Min: pipeline.LeastBitrate, Max: r.ceiling + r.ceiling/4, Start: int(r.wanted.Load()),
	})
}

func (r *sharedRate) leave(key uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.views, key)
	if len(r.views) > 0 {
		return
	}
	// Who comes next has another link.
	r.policy = congestion.NewPolicy(r.bounds)
	if r.wanted.Swap(int64(r.ceiling)) != int64(r.ceiling) {
		poke(r.changed)
	}
}

// see takes a viewer's estimate and tells whether its link is too slow for the rate, or held: full, and about to be.
func (r *sharedRate) see(key uint64, s congestion.Snapshot) (slow, held bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.views[key] = congestion.View{Key: key, Snapshot: s}
	now := time.Now()
	slow, held = r.found(key)
	if now.Sub(r.stepped) < policyEvery && (!s.LinkFell || slow || held) {
		return slow, held
	}
	r.stepped = now
	r.step(now.Sub(r.began))
	return r.found(key)
}

func (r *sharedRate) found(key uint64) (slow, held bool) {
	_, slow = slices.BinarySearch(r.decided.Slow, key)
	_, held = slices.BinarySearch(r.decided.Paused, key)
	return slow, held
}

// settled tells whether the encoder makes no more than it was told to by now. One that was told to make much less needs some
// frames for that, and those after a keyframe the most.
func (r *sharedRate) settled() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Since(r.fell) >= settleTime
}

func (r *sharedRate) step(at time.Duration) {
	views := make([]congestion.View, 0, len(r.views))
	for _, v := range r.views {
		views = append(views, v)
	}
	r.decided = r.policy.Step(at, views)
	if r.decided.Changed && r.live {
		before := r.wanted.Swap(int64(r.decided.Bitrate))
		if float64(r.decided.Bitrate) < muchLess*float64(before) {
			r.fell = r.stepped
		}
		poke(r.changed)
	}
}

// adaptRate makes the producer's bitrate follow its viewers' links, from that of the choice downwards.
func (p *producer) adaptRate(c pipeline.Choice, floor, lower int, last bool) {
	_, live := c.Encoder.LiveBitrate(c.Format.Bitrate)
	p.rate = newSharedRate(c.Format.Bitrate, floor, lower, live, last)
}

// bitrate is what the encoder is to make, 0 for a producer without one.
func (p *producer) bitrate() int64 {
	if p.rate == nil {
		return 0
	}
	return p.rate.wanted.Load()
}

// keyPause is the least time between two forced keyframes. On a slow link a keyframe takes long: lost packets ask for one,
// and if each request were met at once, the keyframes alone would fill the link and lose more.
func (p *producer) keyPause() time.Duration {
	if p.rate == nil {
		return keyInterval
	}
	takes := float64(p.fan.Count().KeyBytes) * 8 / float64(max(p.rate.wanted.Load(), 1))
	return min(max(keyInterval, time.Duration(keyShare*takes*float64(time.Second))), longestPause)
}

// rateChanged is the channel that tells the producer's goroutine of a new rate; nil, which never does, without one to follow.
func (p *producer) rateChanged() <-chan struct{} {
	if p.rate == nil {
		return nil
	}
	return p.rate.changed
}

// applyRate sets the running encoder to the rate that is wanted, where it takes one while it runs; a fresh one runs at its
// ceiling.
func (l *producer) applyRate() {
	if l.rate == nil || l.serving == nil || l.serving.bitrate == nil {
		return
	}
	wanted := int(l.rate.wanted.Load())
	if wanted == l.serving.rateSet {
		return
	}
	p, ok := l.serving.bitrate(wanted)
	if !ok {
		return
	}
	l.serving.rateSet = wanted
	if err := l.serving.stage.Set(pipeline.EncoderName, p.Name, p.Value); err != nil {
		l.log.Warn("set bitrate", "error", err, "bitrate_bps", wanted)
		return
	}
	l.log.Debug("bitrate", "bitrate_bps", wanted)
}
