//go:build !nogst

package gst

/*
#include "media.h"
#include "report.h"
*/
import "C"

import (
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"boardcast/pipeline/congestion"
)

// Kinds of event; media.h says what each of them carries.
const (
	evError           = C.EV_ERROR
	evWarning         = C.EV_WARNING
	evEOS             = C.EV_EOS
	evKeyframeRequest = C.EV_KEYFRAME_REQUEST
	evNegotiate       = C.EV_NEGOTIATE
	evDescription     = C.EV_DESCRIPTION
	evSetDone         = C.EV_SET_DONE
	evCandidate       = C.EV_CANDIDATE
	evConnection      = C.EV_CONNECTION
	evICE             = C.EV_ICE
	evGathering       = C.EV_GATHERING
	evChannelOpen     = C.EV_CHANNEL_OPEN
	evChannelText     = C.EV_CHANNEL_TEXT
	evChannelClosed   = C.EV_CHANNEL_CLOSED
	evIncoming        = C.EV_INCOMING
	evLevel           = C.EV_LEVEL
	evFirst           = C.EV_FIRST
	evClosed          = C.EV_CLOSED
	evDropped         = C.EV_DROPPED
)

// event is what C tells Go. It is a copy: nothing in it belongs to C.
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

// reporter takes a viewer's TWCC reports, on a thread of GStreamer's: it must not block.
type reporter interface{ report(congestion.Feedback) }

//export mediaReports
func mediaReports(reports **C.Report, n C.int) {
	for _, c := range unsafe.Slice(reports, n) {
		r, _ := receivers.Load(uintptr(c.handle))
		to, ok := r.(reporter)
		if !ok {
			continue // the viewer has gone
		}
		f := congestion.Feedback{Received: time.Duration(c.at), Packets: make([]congestion.Packet, c.count)}
		for i, p := range unsafe.Slice((*C.PacketFate)(unsafe.Add(unsafe.Pointer(c), C.sizeof_Report)), c.count) {
			f.Packets[i] = congestion.Packet{
				Seq: uint32(p.seq), Sent: time.Duration(p.sent), Arrived: time.Duration(p.arrived), Size: int(p.size), Lost: p.lost != 0,
			}
		}
		to.report(f)
	}
}
