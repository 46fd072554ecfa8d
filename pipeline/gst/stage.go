//go:build !nogst

package gst

/*
#include "fan.h"
#include "stage.h"
#include "trial.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"boardcast/pipeline"
	"boardcast/pipeline/media"
)

type fan struct {
	c      *C.Fan
	handle uintptr
	key    chan struct{}
	once   sync.Once
}

// Fan implements [media.Engine]. Fan and the methods of a fan have no time limit. They wait at most for the fan's lock, which is held while
// one frame is handed round, and handing it round waits for nothing.
func (e *Engine) Fan(coded bool) media.Fan {
	f := &fan{key: make(chan struct{}, 1)}
	f.handle = register(f)
	f.c = C.fan_new(gboolean(coded), C.uintptr_t(f.handle))
	return f
}

func (f *fan) receive(e event) {
	if e.kind != evKeyframeRequest {
		return
	}
	select {
	case f.key <- struct{}{}:
	default:
	}
}

func (f *fan) KeyWanted() <-chan struct{} { return f.key }

func (f *fan) Count() media.FanCount {
	var n C.FanCount
	C.fan_count(f.c, &n)
	return media.FanCount{Frames: uint64(n.frames), Bytes: uint64(n.bytes), Keyframes: uint64(n.keyframes), KeyBytes: uint64(n.keyframe_bytes)}
}

func (f *fan) Caps() string {
	text := C.fan_caps(f.c)
	defer C.g_free(C.gpointer(text))
	return C.GoString(text)
}

// Close gives up the owner's reference; no method may be called afterwards.
func (f *fan) Close() {
	f.once.Do(func() {
		unregister(f.handle)
		C.fan_unref(f.c)
	})
}

type stage struct {
	pipe   pipe
	c      *C.Stage
	handle uintptr
	events chan media.StageEvent
	log    *slog.Logger
	once   sync.Once
	err    error
}

func (s *stage) receive(e event) {
	var out media.StageEvent
	switch e.kind {
	case evError:
		out.Err = problem(e.text)
	case evWarning:
		out.Err, out.Warning = problem(e.text), true
	case evEOS:
		out.Ended = true
	case evFirst:
		out.First = true
	default:
		return
	}
	select {
	case s.events <- out:
	default: // the queue is full: the first errors tell the cause
	}
}

// cause is the error that an element has posted, else err, which only tells that a change of state was refused.
func (s *stage) cause(err error) error {
	for {
		select {
		case e := <-s.events:
			if e.Err != nil && !e.Warning {
				return e.Err
			}
		default:
			return err
		}
	}
}

func (s *stage) Events() <-chan media.StageEvent { return s.events }

func (s *stage) Keyframe(m pipeline.KeyframeMethod) error {
	switch m {
	case pipeline.KeyframeEvent:
		return s.pipe.do(callLimit, func() error { C.stage_keyframe(s.c); return nil }, nil)
	case pipeline.KeyframeForceIDR:
		return s.forceIDR()
	case pipeline.KeyframeExtraControls:
		return s.Set(pipeline.EncoderName, "extra-controls", pipeline.KeyframeControls)
	case pipeline.KeyframeNone:
	}
	return nil
}

// forceIDR is the action signal of NVIDIA's encoders.
const forceIDR = "force-IDR"

// forceIDR requests a keyframe by signal, but not before the first frame came out: NVIDIA's elements crash then.
func (s *stage) forceIDR() error {
	return s.pipe.do(callLimit, func() error {
		if C.graph_flowed(s.pipe.c()) == 0 {
			return nil
		}
		e, freeE := cString(pipeline.EncoderName)
		defer freeE()
		signal, freeSignal := cString(forceIDR)
		defer freeSignal()
		if C.stage_emit(s.c, e, signal) == 0 {
			return fmt.Errorf("force keyframe: %s has no signal %s", pipeline.EncoderName, forceIDR)
		}
		return nil
	}, nil)
}

func (s *stage) Set(element, property, value string) error {
	return s.set(callLimit, element, property, value)
}

func (s *stage) set(limit time.Duration, element, property, value string) error {
	return s.pipe.do(limit, func() error {
		e, freeE := cString(element)
		defer freeE()
		p, freeP := cString(property)
		defer freeP()
		v, freeV := cString(value)
		defer freeV()
		if C.stage_set(s.c, e, p, v) == 0 {
			return fmt.Errorf("set %s of %s: no such element or property", property, element)
		}
		return nil
	}, nil)
}

func (s *stage) Close() error { return s.close(stopLimit) }

func (s *stage) close(limit time.Duration) error {
	s.once.Do(func() {
		C.stage_mute(s.c)
		s.err = s.pipe.stop(limit, func() { C.stage_free(s.c) })
		unregister(s.handle)
		if errors.Is(s.err, media.ErrStuck) {
			s.err = fmt.Errorf("stop stage: %w", s.err)
		}
	})
	return s.err
}

func gboolean(b bool) C.gboolean {
	if b {
		return 1
	}
	return 0
}
