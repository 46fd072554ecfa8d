package produce

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"boardcast/pipeline"
	"boardcast/pipeline/media"
)

// running is an alternative that runs, with what is watched of it.
type running struct {
	Alternative
	stage   media.Stage
	index   int // in the producer's list of alternatives
	began   time.Time
	ready   bool // it has made a frame
	flow    flow
	keys    keyWatch
	rateSet int // bit/s that the encoder was told to make last
}

// flow is when a stage made a frame last, and how many frames it had been given by then.
type flow struct {
	in, out uint64        // frames that had gone in and come out
	since   time.Time     // when that was, or when the stage last had nothing to do, or the program was kept from running
	last    time.Time     // when that was, whatever happened since; or when the stage began
	slowest time.Duration // the longest time from one frame to the next lately; it begins with the time to the first frame
}

// newFlow is that of a stage that was begun at a time and runs now. Its producer has made so many frames by other stages.
func newFlow(in, out uint64, began, now time.Time) flow {
	return flow{in: in, out: out, since: now, last: began}
}

// keyWatch follows whether an encoder makes a keyframe when it is asked for one.
type keyWatch struct {
	awaited *keyAwaited // nil while no keyframe is awaited
	missed  int         // requests in a row that got no keyframe
}

// keyAwaited is a request that an encoder has not met yet.
type keyAwaited struct {
	since time.Time
	had   media.FanCount // what the encoder had made when it was asked
}

// events is nil, a channel that never delivers, where nothing runs.
func (r *running) events() <-chan media.StageEvent {
	if r == nil {
		return nil
	}
	return r.stage.Events()
}

// watchPeriod is the time between two looks at the stages of a producer: a small part of the shortest limit below.
const watchPeriod = 100 * time.Millisecond

// encoderStall is how long an encoder that is given frames may make none, where three frames do not take longer. Viewers should see
// the picture stand still for less than a second.
const encoderStall = 800 * time.Millisecond

// encoderStart is the same before the encoder's first frame, when its hardware is still being set up; or five frames, if longer.
const encoderStart = 3 * time.Second

// sourceStall is how long a source may make no frame, where five frames do not take longer. A camera may skip a few.
const sourceStall = 2 * time.Second

// slowerBy is how much longer than the slowest frame lately a source may take for the next one: a camera doubles its exposure when it gets
// dark, and may skip a frame then.
const slowerBy = 3

// slowestFrame is the longest exposure that is reckoned with. The watch waits for a frame slowerBy times as long, and no longer.
const slowestFrame = 5 * time.Second

// forgets is a factor: by it the time of the slowest frame shrinks with each quicker one. At usual rates a frame of five seconds is
// forgotten within a second.
const forgets = 0.8

// sourceStart is the same before the source's first frame: cameras wake up slowly.
const sourceStart = 10 * time.Second

// stallInputs is how many frames must have gone in since the last one came out. With fewer the encoder may have nothing to do.
const stallInputs = 3

// keyLimit is the time that an encoder has from a keyframe request to the keyframe. A viewer that waits for it sees nothing, so a deaf
// encoder should be replaced after keyMisses such times.
const keyLimit = 700 * time.Millisecond

// keyFrames is how many frames that are no keyframe must have come within keyLimit too, so that a slow camera is not taken for a
// deaf encoder.
const keyFrames = 10

// keyMisses is how many requests in a row an encoder must leave unmet to be replaced. One alone may be bad luck.
const keyMisses = 2

// yielding is the graph with caps in the place of its last caps filter, so that what reads its frames sees no change. Empty caps
// change nothing.
func yielding(g pipeline.Graph, caps string) pipeline.Graph {
	out := slices.Clone(g)
	for i := len(out) - 1; i >= 0 && caps != ""; i-- {
		if out[i].Factory == "" {
			out[i].Caps = strings.ReplaceAll(caps, ", ", ",") // gst-launch takes no quotes around caps
			break
		}
	}
	return out
}

// fed is how many frames the producer that feeds this stage has made; 0 for a source.
func (r *running) fed() uint64 {
	if r.Up == nil {
		return 0
	}
	return r.Up.fan.Count().Frames
}

// patience is how long the stage may make no frame.
func (r *running) patience() time.Duration {
	switch {
	case r.Up != nil && r.ready:
		return max(encoderStall, 3*r.Period)
	case r.Up != nil:
		return max(encoderStart, 5*r.Period)
	case r.ready:
		return max(sourceStall, 5*r.Period, slowerBy*min(r.flow.slowest, slowestFrame))
	}
	return sourceStart
}

// stalled is an error where the stage makes no frames although it could. out is how many frames its producer has made.
func (r *running) stalled(out uint64, now time.Time) error {
	in := r.fed()
	switch waited := now.Sub(r.flow.since); {
	case out != r.flow.out:
		r.flow = r.flow.next(in, out, now)
	case r.Up != nil && in-r.flow.in < stallInputs:
		r.flow.since = now // the encoder has nothing to do
	case waited > r.patience():
		return fmt.Errorf("no picture in %.1f s", waited.Seconds())
	}
	return nil
}

// next is the flow after more frames have come out.
func (f flow) next(in, out uint64, now time.Time) flow {
	return flow{in: in, out: out, since: now, last: now, slowest: max(now.Sub(f.last), time.Duration(forgets*float64(f.slowest)))}
}

// excuse begins anew the times within which something has to happen.
func (r *running) excuse(now time.Time) {
	r.flow.since = now
	if r.keys.awaited != nil {
		r.keys.awaited.since = now
	}
}

// ask notes a keyframe request, unless an earlier one is not met yet. n is what the encoder has made.
func (k *keyWatch) ask(n media.FanCount) {
	if k.awaited == nil {
		k.awaited = &keyAwaited{since: time.Now(), had: n}
	}
}

// deaf is an error where the encoder makes frames but not the keyframe that it was asked for. n is what the encoder has made.
func (k *keyWatch) deaf(n media.FanCount, now time.Time) error {
	switch a := k.awaited; {
	case a == nil:
	case n.Keyframes > a.had.Keyframes:
		*k = keyWatch{}
	case now.Sub(a.since) > keyLimit && n.Frames-a.had.Frames >= keyFrames:
		k.awaited = nil
		k.missed++
		return fmt.Errorf("no keyframe %.1f s after it was asked for, %d times", keyLimit.Seconds(), k.missed)
	}
	return nil
}

// keyframeRequested merges the keyframe requests of all viewers to one forced keyframe in each keyPause.
func (p *Producer) keyframeRequested() {
	if p.serving == nil {
		return // an encoder begins with a keyframe
	}
	if wait := p.keyPause() - time.Since(p.keyframes.last); wait > 0 {
		p.keyframes.timer.Reset(wait)
		return
	}
	p.forceKey()
}

func (p *Producer) forceKey() {
	if p.serving == nil || p.serving.Keyframe == 0 || p.serving.Keyframe == pipeline.KeyframeNone {
		return
	}
	p.keyframes.timer.Stop()
	p.keyframes.last = time.Now()
	p.serving.keys.ask(p.fan.Count())
	p.applyRate() // first, since the keyframe must have the new rate: the rate may have been lowered for a viewer that waits for it
	if err := p.serving.stage.Keyframe(p.serving.Keyframe); err != nil {
		p.log.Warn("force keyframe", "error", err)
	}
}
