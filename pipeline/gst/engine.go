//go:build !nogst

package gst

/*
#cgo pkg-config: gstreamer-1.0 gstreamer-app-1.0 gstreamer-sdp-1.0
#cgo CFLAGS: -Wall -Wno-unused-function -fvisibility=hidden
#cgo LDFLAGS: -Wl,--export-dynamic
#include "media.h"
#include "memory.h"
#include "stage.h"
#include "trial.h"
#include <stdlib.h>
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/go-gst/go-gst/gst"

	"boardcast/pipeline"
	"boardcast/pipeline/media"
)

// Time limits of calls into C.
const (
	// A camera's driver may take some seconds to start; the first viewer's plugins are loaded within this time as well.
	startLimit = 10 * time.Second
	// A pipeline ends when its driver does, and a viewer's when webrtcbin has done what it was asked for (3 s at most).
	stopLimit = 10 * time.Second
	// Any other call takes milliseconds. What takes longer than this is stuck.
	callLimit = 5 * time.Second
)

// Engine runs graphs on GStreamer.
//
// # Concurrency
//
// All methods are safe for concurrent use. Those that call into C return within the limits above.
type Engine struct {
	log *slog.Logger
}

var _ media.Engine = (*Engine)(nil)

var initOnce = sync.OnceFunc(func() {
	gst.Init(nil)
	C.media_epoch()
	C.elements_avoid()
})

// New initialises GStreamer and begins to make the DTLS key on a thread of its own.
func New(log *slog.Logger) (*Engine, error) {
	initOnce()
	C.media_warm_dtls()
	return &Engine{log: log}, nil
}

// Version is GStreamer's, as it runs.
func Version() string {
	var major, minor, micro, nano C.guint
	C.gst_version(&major, &minor, &micro, &nano)
	return fmt.Sprintf("%d.%d.%d", major, minor, micro)
}

// pipe is a GstPipeline. Go has one reference on it, which stop gives back, and no finalizer.
type pipe struct {
	p *gst.Pipeline
	*calls
}

func parse(g pipeline.Graph) (pipe, error) {
	p, err := gst.NewPipelineFromString(g.String())
	if err != nil {
		return pipe{}, fmt.Errorf("build graph %q: %w", g.String(), err)
	}
	return pipe{p, &calls{}}, nil
}

func newPipe() (pipe, error) {
	p, err := gst.NewPipeline("")
	if err != nil {
		return pipe{}, fmt.Errorf("make pipeline: %w", err)
	}
	return pipe{p, &calls{}}, nil
}

func (p pipe) c() *C.GstElement { return (*C.GstElement)(p.p.Unsafe()) }

// play starts the pipeline. late is called if that takes longer than limit and comes back after all.
func (p pipe) play(limit time.Duration, late func()) error {
	return p.do(limit, func() error { return p.p.SetState(gst.StatePlaying) }, late)
}

func (p pipe) ready() error {
	return p.do(callLimit, func() error { return p.p.SetState(gst.StateReady) }, nil)
}

// stop takes the pipeline to NULL, calls free, and frees the pipeline, all within limit: to free it takes time, since webrtcbin waits for
// each of its threads. Where another call is busy in the pipeline nothing is freed.
func (p pipe) stop(limit time.Duration, free func()) error {
	until := time.Now().Add(limit)
	if !p.settle(limit) {
		return abandon(p)
	}
	return bounded(max(time.Until(until), 0), func() error {
		if err := p.p.SetState(gst.StateNull); err != nil {
			return errors.Join(err, abandon(p))
		}
		free()
		object := p.p.InitiallyUnowned.Object
		runtime.SetFinalizer(object, nil)
		object.Unref()
		giveBack()
		return nil
	}, nil)
}

// tidyAfter is the time from a pipeline's end until freed memory is given back to the system. By then the pipeline's threads have freed
// their memory, and so have other pipelines that ended at about the same time.
const tidyAfter = time.Second

var tidying atomic.Bool

// giveBack gives freed memory back to the system after tidyAfter. Calls in the meantime have no further effect.
func giveBack() {
	if tidying.CompareAndSwap(false, true) {
		time.AfterFunc(tidyAfter, func() {
			tidying.Store(false)
			C.memory_give_back()
		})
	}
}

// Start implements [media.Engine]. A stage that does not start before ctx's deadline is left behind, and closed if it comes back.
func (e *Engine) Start(ctx context.Context, g pipeline.Graph, in, out media.Fan) (media.Stage, error) {
	until := time.Now().Add(startLimit)
	if at, ok := ctx.Deadline(); ok && at.Before(until) {
		until = at
	}
	s, err := e.build(time.Until(until), g, in, out)
	if err != nil {
		return nil, err
	}
	err = s.pipe.play(time.Until(until), func() { _ = s.Close() })
	switch {
	case err == nil:
		return s, nil
	case errors.Is(err, media.ErrStuck):
		C.stage_mute(s.c)
		why := s.cause(err)
		if !errors.Is(why, err) { // an element's error tells more, but not that the stage is stuck
			why = fmt.Errorf("%w: %w", err, why)
		}
		return nil, fmt.Errorf("start %s: %w", g.Subject(), why)
	}
	C.stage_mute(s.c)
	why := fmt.Errorf("start %s: %w", g.Subject(), s.cause(err))
	go func() { _ = s.Close() }() // within its limit; the next alternative does not wait for a driver that ends slowly
	return nil, why
}

// build makes a stage of a graph within limit: the first element of a plugin loads it, and V4L2's then asks each device what it is.
func (e *Engine) build(limit time.Duration, g pipeline.Graph, in, out media.Fan) (*stage, error) {
	s := &stage{events: make(chan media.StageEvent, 16), log: e.log}
	s.handle = register(s)
	release := holdFans(in, out)
	err := bounded(limit, func() error {
		defer release()
		p, err := parse(g)
		if err != nil {
			return err
		}
		var problem *C.char
		c := C.stage_new(p.c(), cFan(in), cFan(out), C.uintptr_t(s.handle), &problem)
		if c == nil {
			return fmt.Errorf("build graph %q: %s", g.String(), C.GoString(problem))
		}
		s.pipe, s.c = p, c
		return nil
	}, func() { // too late
		unregister(s.handle)
		if s.c != nil {
			_ = s.Close()
		}
	})
	switch {
	case errors.Is(err, media.ErrStuck):
		return nil, fmt.Errorf("build graph %q: %w", g.String(), err)
	case err != nil:
		unregister(s.handle)
		return nil, err
	}
	return s, nil
}

// holdFans keeps fans from being freed until the function that it returns is called.
func holdFans(fans ...media.Fan) func() {
	for _, f := range fans {
		if f != nil {
			C.fan_ref(cFan(f))
		}
	}
	return func() {
		for _, f := range fans {
			if f != nil {
				C.fan_unref(cFan(f))
			}
		}
	}
}

func cFan(f media.Fan) *C.Fan {
	if f == nil {
		return nil
	}
	return f.(*fan).c
}

func cString(s string) (*C.char, func()) {
	c := C.CString(s)
	return c, func() { C.free(unsafe.Pointer(c)) }
}

// problem makes an error of "element: message\ndebug": the message for people, the debug text for the log.
func problem(text string) error {
	message, debug, _ := strings.Cut(text, "\n")
	return &MediaError{Message: message, Debug: debug}
}

// MediaError is an error that an element posted.
type MediaError struct {
	Message string // "element: text"
	Debug   string // GStreamer's debug text
}

// Error is the message with the last line of the debug text, which holds what the system said.
func (e *MediaError) Error() string {
	lines := strings.Split(strings.TrimSpace(e.Debug), "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	if last == "" || strings.Contains(e.Message, last) || len(lines) < 2 {
		return e.Message
	}
	return e.Message + " (" + last + ")"
}
