//go:build !nogst

package gst

/*
#include "media.h"
*/
import "C"

import (
	"sync"
	"sync/atomic"
)

// Kinds of event, as in media.h.
const (
	evError = iota + 1
	evWarning
	evEOS
	evKeyWanted
	evNegotiate
	evDescription
	evSetDone
	evCandidate
	evConnection
	evICE
	evGathering
	evChannelOpen
	evChannelText
	evChannelClosed
	evIncoming
	evLevel
	evFirst
)

// event is what C tells: a copy, with nothing borrowed.
type event struct {
	kind, a, b int
	text       string
	x          float64
}

// receiver takes events on GStreamer's threads: it must not block.
type receiver interface{ receive(event) }

var (
	receivers  sync.Map // uintptr -> receiver
	lastHandle atomic.Uintptr
)

func register(r receiver) uintptr {
	h := lastHandle.Add(1)
	receivers.Store(h, r)
	return h
}

func unregister(h uintptr) { receivers.Delete(h) }

//export mediaEvent
func mediaEvent(handle C.uintptr_t, kind, a, b C.int, text *C.char, x C.double) {
	r, ok := receivers.Load(uintptr(handle))
	if !ok {
		return
	}
	r.(receiver).receive(event{int(kind), int(a), int(b), C.GoString(text), float64(x)})
}
