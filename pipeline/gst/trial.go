//go:build !nogst

package gst

/*
#include "trial.h"
#include <stdlib.h>
*/
import "C"

import (
	"strings"
	"syscall"
	"time"
	"unsafe"

	"github.com/go-gst/go-gst/gst"

	"boardcast/pipeline"
	"boardcast/pipeline/trial"
)

// Begin initialises GStreamer and nothing else.
func Begin() error {
	initOnce()
	return nil
}

// BeginTrial initialises GStreamer and loads the plugins of a trial's elements: V4L2's asks every device what it is, which on
// a slow machine takes longer than a trial may.
func BeginTrial(spec trial.Spec) error {
	initOnce()
	for part := range strings.SplitSeq(spec.Graph, " ! ") {
		factory, _, _ := strings.Cut(strings.TrimSpace(part), " ")
		_ = elementHas(factory, "name", "")
	}
	return nil
}

// pullWait is how long a turn of a trial waits for a coded frame before it looks at the bus and the clock.
const pullWait = 20 * time.Millisecond

// Try runs a trial in this process. The process must be a child that was started for the trial, since a driver may hang or
// crash. The function that Try returns takes the pipeline down.
func Try(spec trial.Spec) (trial.Observation, func()) {
	p, err := gst.NewPipelineFromString(spec.Graph)
	if err != nil {
		return trial.Observation{Error: "build graph: " + err.Error()}, func() {}
	}
	var problem *C.char
	c := C.trial_new((*C.GstElement)(p.Unsafe()), &problem)
	if c == nil {
		return trial.Observation{Error: C.GoString(problem)}, func() {}
	}
	t := &attempt{spec: spec, c: c}
	t.run(func() error { return p.SetState(gst.StatePlaying) })
	return t.seen, func() { C.trial_free(c) }
}

// attempt is one run with what was seen so far.
type attempt struct {
	spec  trial.Spec
	c     *C.Trial
	seen  trial.Observation
	sizes []int // of the frames that are no keyframes, since the bitrate was last set
	pts   int64
	since int // frames since the last keyframe, -1 before the first

	warm    time.Time // when the measurement begins
	warmCPU time.Duration
	warmAt  int // and at which frame
}

func (t *attempt) run(play func() error) {
	if t.spec.Source != "" {
		s, free := cString(t.spec.Source)
		defer free()
		if t.complained(C.trial_frames(t.c, s)) {
			return
		}
	}
	t.pts, t.since, t.warm, t.warmCPU = -1, -1, time.Now(), cpu()
	began := t.warm
	if err := play(); err != nil && !t.complained(C.trial_error(t.c)) {
		t.seen.Error = err.Error()
	}
	for t.seen.Error == "" && t.seen.Frames < t.spec.Frames && time.Since(began) < t.spec.Budget {
		ended := t.turn()
		if t.complained(C.trial_error(t.c)) || ended { // an error ends the stream too
			break
		}
	}
	t.figures()
}

// complained takes an element's error, if text is one, as the trial's end.
func (t *attempt) complained(text *C.gchar) bool {
	if text == nil {
		return false
	}
	defer C.g_free(C.gpointer(text))
	t.seen.Error = problem(C.GoString(text)).Error()
	return true
}

// turn feeds, pulls and looks at one frame; true at the stream's end.
func (t *attempt) turn() bool {
	if t.spec.Source != "" {
		C.trial_feed(t.c)
	}
	var p C.Frame
	got := C.trial_pull(t.c, C.guint64(pullWait), &p)
	if got == 1 {
		t.look(unsafe.Slice((*byte)(unsafe.Pointer(p.info.data)), int(p.info.size)), int64(p.pts))
		C.trial_release(&p)
		t.phase()
	}
	return got == -1
}

// look notes what a frame is.
func (t *attempt) look(data []byte, pts int64) {
	t.seen.Frames++
	if t.spec.Codec == "" {
		return
	}
	u, err := trial.Inspect(t.spec.Codec, data)
	if err != nil && t.seen.NotCodec == "" {
		t.seen.NotCodec = err.Error()
	}
	if u.SPS != nil && t.seen.SPS == nil {
		t.seen.SPS = u.SPS
	}
	if u.Width > 0 {
		t.seen.Width, t.seen.Height = u.Width, u.Height
	}
	t.seen.Reordered = t.seen.Reordered || pts >= 0 && pts < t.pts
	t.pts = pts
	if !u.Key || t.since == 0 { // a keyframe's size counts only where the frame before is a keyframe, too
		t.sizes = append(t.sizes, len(data))
	}
	t.key(u.Key)
}

// key counts keyframes and the distance between them.
func (t *attempt) key(isKey bool) {
	switch {
	case !isKey && t.since >= 0:
		t.since++
	case isKey:
		t.seen.FirstKey = t.seen.FirstKey || t.seen.Frames == 1
		if t.since >= 0 {
			t.seen.GOP = max(t.seen.GOP, t.since+1)
		}
		t.since = 0
		t.seen.KeySeen = t.seen.KeySeen || t.seen.KeyAsked && t.seen.Frames <= trial.Key
	}
}

// phase does what is due after a frame.
func (t *attempt) phase() {
	switch t.seen.Frames {
	case 1:
		t.warm, t.warmCPU, t.warmAt = time.Now(), cpu(), 1
	case trial.Warm:
		t.seen.KeyAsked = t.spec.Keyframe != 0 && t.requestKeyframe()
	case trial.Raise:
		if t.spec.Raise.Name == "" {
			return
		}
		t.seen.Before = mean(t.sizes)
		t.seen.RaiseAsked = t.set(t.spec.Raise.Name, t.spec.Raise.Value)
		t.sizes = nil
	}
}

// requestKeyframe requests a keyframe the way the encoder's row says.
func (t *attempt) requestKeyframe() bool {
	switch t.spec.Keyframe {
	case pipeline.KeyframeEvent:
		C.trial_keyframe(t.c)
		return true
	case pipeline.KeyframeForceIDR:
		s, free := cString(forceIDR)
		defer free()
		return C.trial_emit(t.c, s) != 0
	case pipeline.KeyframeExtraControls:
		return t.set("extra-controls", pipeline.KeyframeControls)
	case pipeline.KeyframeNone:
	}
	return false
}

func (t *attempt) set(property, value string) bool {
	p, freeP := cString(property)
	defer freeP()
	v, freeV := cString(value)
	defer freeV()
	return C.trial_set(t.c, p, v) != 0
}

// figures computes what was measured. The first frame does not count, where there are more: plugins were loaded for it.
func (t *attempt) figures() {
	if n := t.seen.Frames - t.warmAt; n > 0 {
		t.seen.FramesPerSecond = float64(n) / time.Since(t.warm).Seconds()
		t.seen.CPUMillis = float64((cpu() - t.warmCPU).Microseconds()) / 1000 / float64(n)
	}
	if t.seen.RaiseAsked && len(t.sizes) >= 2*trial.Tail {
		t.seen.After = mean(t.sizes)
	}
}

// mean is the mean size of the last frames.
func mean(sizes []int) float64 {
	last := sizes[max(0, len(sizes)-trial.Tail):]
	sum := 0
	for _, s := range last {
		sum += s
	}
	return float64(sum) / float64(max(1, len(last)))
}

// cpu is what this process has used so far.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
