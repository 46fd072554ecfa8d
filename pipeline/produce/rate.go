package produce

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"boardcast/internal/latest"
	"boardcast/pipeline"
	"boardcast/pipeline/congestion"
)

// SharedRate makes the bitrate of one encoder follow its viewers' links. Nothing runs here: each viewer's goroutine brings the
// estimate of its link, and the producer's goroutine sets the encoder, so that no viewer waits for the encoder.
//
// # Concurrency
//
// All methods may be called from any goroutine.
type SharedRate struct {
	target
	bounds congestion.Bounds
	live   bool // the encoder takes a new bitrate while it runs

	mu      sync.Mutex
	policy  *congestion.Policy
	decided congestion.Decision // by the policy's last step
	views   map[uint64]congestion.View
	lastKey uint64 // in views
	began   time.Time
	stepped time.Time
	fell    time.Time // when the encoder was last told to make much less
}

// target is the bitrate that an encoder is to make.
type target struct {
	wanted  atomic.Int64  // bit/s
	changed chan struct{} // wanted is another
}

// set changes the target and returns what it was before, in bit/s.
func (t *target) set(bitsPerSecond int) int {
	before := int(t.wanted.Swap(int64(bitsPerSecond)))
	if before != bitsPerSecond {
		latest.Poke(t.changed)
	}
	return before
}

// policyEvery is the least time between two steps of the policy, far less than the 0.2 s after which the queue of a link that suddenly
// became slower is full. The estimate of a link that has just become slower does not wait for it.
const policyEvery = 50 * time.Millisecond

// keyInterval is the least time between two forced keyframes. A viewer that just joined waits no longer than that for its picture.
const keyInterval = 500 * time.Millisecond

// keyShare bounds the part of the bitrate that forced keyframes take: 1 in 4. Keyframes that loss asks for must not make more loss.
const keyShare = 4

// longestPause bounds the time that a viewer waits for a keyframe that it asked for, however slow its link.
const longestPause = 4 * time.Second

// muchLess is a share of the old bitrate. An encoder that is set below it needs settleTime to get there. Until then its frames are too
// large for the new bitrate, so a viewer's link looks full.
const muchLess = 0.8

// settleTime is how long an encoder that was told to make much less is thought to make more than that: it needs some frames.
const settleTime = 200 * time.Millisecond

// newSharedRate makes the rate of an encoder that runs at ceiling, in bit/s. No viewer lowers it below floor. lower is the ceiling of the
// lower rendition that slow viewers are sent, 0 where there is none. last tells that the encoder makes the lower rendition. live tells
// that the encoder takes a new bitrate while it runs.
func newSharedRate(ceiling, floor, lower int, live, last bool) *SharedRate {
	ceiling = max(ceiling, pipeline.LeastBitrate)
	if !live {
		floor = ceiling
	}
	bounds := congestion.Bounds{Floor: min(floor, ceiling), Ceiling: ceiling, LowerCeiling: lower, LowerRendition: last}
	r := &SharedRate{
		target: target{changed: make(chan struct{}, 1)}, bounds: bounds, live: live,
		policy: congestion.NewPolicy(bounds), views: map[uint64]congestion.View{}, began: time.Now(),
	}
	r.wanted.Store(int64(ceiling))
	return r
}

// Join makes the key by which a viewer is known here, and its estimator, which begins at the bitrate that the viewer is sent.
func (r *SharedRate) Join() (uint64, *congestion.Estimator) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lastKey++
	return r.lastKey, congestion.NewEstimator(congestion.Limits{
		Min: pipeline.LeastBitrate, Max: r.bounds.Ceiling + r.bounds.Ceiling/4, Start: int(r.wanted.Load()),
	})
}

// Leave forgets a viewer. After the last one the bitrate is at its ceiling again.
func (r *SharedRate) Leave(key uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.views, key)
	if len(r.views) > 0 {
		return
	}
	r.policy = congestion.NewPolicy(r.bounds) // the next viewer has another link
	r.set(r.bounds.Ceiling)
}

// Viewers is how many viewers the rate is made for.
func (r *SharedRate) Viewers() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.views)
}

// See takes the estimate of a viewer's link, and tells what the policy decided for this viewer: whether its link is too slow for the
// bitrate, and whether the viewer is to be paused because its link is full.
func (r *SharedRate) See(key uint64, s congestion.Snapshot) (slow, paused bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.views[key] = congestion.View{Key: key, Snapshot: s}
	now := time.Now()
	slow, paused = r.foundLocked(key)
	if now.Sub(r.stepped) < policyEvery && (!s.LinkFell || slow || paused) {
		return slow, paused
	}
	r.stepped = now
	r.stepLocked(now.Sub(r.began))
	return r.foundLocked(key)
}

func (r *SharedRate) foundLocked(key uint64) (slow, paused bool) {
	_, slow = slices.BinarySearch(r.decided.Slow, key)
	_, paused = slices.BinarySearch(r.decided.Paused, key)
	return slow, paused
}

// Settled tells whether the encoder by now makes no more than it was told to. An encoder that was told to make much less needs some
// frames to get there, and needs the most after a keyframe.
func (r *SharedRate) Settled() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Since(r.fell) >= settleTime
}

// stepLocked has the policy decide anew.
func (r *SharedRate) stepLocked(at time.Duration) {
	views := make([]congestion.View, 0, len(r.views))
	for _, v := range r.views {
		views = append(views, v)
	}
	r.decided = r.policy.Step(at, views)
	if r.decided.Changed && r.live {
		before := r.set(r.decided.Bitrate)
		if float64(r.decided.Bitrate) < muchLess*float64(before) {
			r.fell = r.stepped
		}
	}
}

// AdaptRate makes the producer's bitrate follow its viewers' links, from the bitrate of the choice downwards: not below floor, in bit/s.
// lower is the ceiling of the lower rendition that slow viewers are sent, 0 where there is none; last tells that the encoder makes the
// lower rendition. It is called before Run.
func (p *Producer) AdaptRate(c pipeline.Choice, floor, lower int, last bool) {
	_, live := c.Encoder.LiveBitrate(c.Format.Bitrate)
	p.rate = newSharedRate(c.Format.Bitrate, floor, lower, live, last)
}

// Rate is the bitrate as the viewers' links make it; nil where it does not follow them.
func (p *Producer) Rate() *SharedRate { return p.rate }

// Bitrate is what the encoder is to make in bit/s, 0 for a producer without a rate.
func (p *Producer) Bitrate() int64 {
	if p.rate == nil {
		return 0
	}
	return p.rate.wanted.Load()
}

// keyPause is the least time between two forced keyframes. On a slow link a keyframe takes long. A viewer that lost packets asks for
// one, and if each request were met at once, the keyframes alone would fill the link and more packets would be lost.
func (p *Producer) keyPause() time.Duration {
	if p.rate == nil {
		return keyInterval
	}
	takes := float64(p.fan.Count().KeyBytes) * 8 / float64(max(p.rate.wanted.Load(), 1))
	return min(max(keyInterval, time.Duration(keyShare*takes*float64(time.Second))), longestPause)
}

// rateChanged delivers when the rate is another; nil, a channel that never delivers, for a producer without a rate.
func (p *Producer) rateChanged() <-chan struct{} {
	if p.rate == nil {
		return nil
	}
	return p.rate.changed
}

// applyRate sets the running encoder to the wanted rate, where the encoder takes a new bitrate while it runs. A fresh encoder runs at
// the bitrate of its graph.
func (p *Producer) applyRate() {
	if p.rate == nil || p.serving == nil || p.serving.Bitrate == nil {
		return
	}
	wanted := int(p.rate.wanted.Load())
	if wanted == p.serving.rateSet {
		return
	}
	set, ok := p.serving.Bitrate(wanted)
	if !ok {
		return
	}
	p.serving.rateSet = wanted
	if err := p.serving.stage.Set(pipeline.EncoderName, set.Name, set.Value); err != nil {
		p.log.Warn("set bitrate", "error", err, "bitrate_bps", wanted)
		return
	}
	p.log.Debug("bitrate", "bitrate_bps", wanted)
}
