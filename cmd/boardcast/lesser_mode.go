package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"boardcast/device"
)

// said is why a camera is away, and why it runs in a lesser mode; "" for what is as it should be.
func (p *plug) said(i int) (away, limited string) {
	s := p.sources()[i]
	away, _ = s.away()
	return away, s.limited()
}

// explain returns the error of a producer with the reason if one is found. A camera that can be opened and does not start may have
// been refused its mode: then it is run in the next one.
func (p *plug) explain(ctx context.Context, i int, producer string, err error) error {
	s := p.sources()[i]
	if producer != "capture" || s.camera.Source != device.SourceDevice {
		return err
	}
	if why := s.trouble(ctx); why != nil {
		return why
	}
	if refusal := p.takeLesserMode(ctx, i); refusal != nil {
		return remedied{refusal}
	}
	return err
}

// takeLesserMode finds a mode that the driver of a camera takes, where it refuses the one of the plan, and adopts it. It returns
// what the driver said to the plan's mode; nil where that is not refused.
func (p *plug) takeLesserMode(ctx context.Context, i int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.sources()
	s, planned := before[i], p.plans[i].Source
	mode := device.Mode{FourCC: planned.FourCC, Width: planned.Width, Height: planned.Height}
	mode.Rate = device.Rate{Num: uint32(planned.FPSNum), Den: uint32(planned.FPSDen)}
	if planned.FPSNum == 0 {
		mode.Rate = device.Rate{}
	}
	refusal := checkMode(ctx, s.camera.Camera.Path, mode)
	if !errors.Is(refusal, device.ErrRefused) {
		return nil
	}
	found, ok := nextMode(ctx, s, mode, refusal)
	if !ok {
		return refusal
	}
	s.reduced = &found
	s.why = []string{"camera: " + s.limited()}
	plan, err := p.planner.quick().plan(ctx, s)
	if err != nil {
		return errors.Join(refusal, err)
	}
	next := slices.Clone(before)
	next[i] = s
	p.current.Store(&next)
	p.adopt(i, plan)
	return refusal
}

// nextMode is the first mode after a refused one that the driver takes; false where it takes none.
func nextMode(ctx context.Context, s sources, refused device.Mode, refusal error) (reduced, bool) {
	v := s.request.Video
	request := device.Request{Width: v.Width, Height: v.Height, FPS: float64(v.Framerate)}
	first := ""
	for {
		mode, why, ok := device.NextMode(s.camera.Camera, request, refused, refusal)
		if !ok {
			return reduced{}, false
		}
		if first == "" {
			first = why
		}
		refusal = checkMode(ctx, s.camera.Camera.Path, mode)
		if !errors.Is(refusal, device.ErrRefused) {
			return reduced{mode, first}, true
		}
		refused = mode
	}
}

// The camera is tried again while its placeholder is shown. A mode that is checked at the same moment finds the camera busy by
// ourselves: it is checked again after checkPause, checkTimes in all. A start that fails takes some milliseconds.
const (
	checkTimes = 5
	checkPause = 200 * time.Millisecond
)

// checkMode is what the driver says to a mode.
func checkMode(ctx context.Context, path string, m device.Mode) error {
	var err error
	for range checkTimes {
		if err = machine.CheckMode(ctx, path, m); !errors.Is(err, device.ErrBusy) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(checkPause):
		}
	}
	return err
}
