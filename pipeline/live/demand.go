package live

import (
	"sync/atomic"

	"boardcast/internal/latest"
)

// demand is what other goroutines ask of a producer.
//
// # Concurrency
//
// Its methods may be called from any goroutine, and never wait. The producer's goroutine reads the fields.
type demand struct {
	users          atomic.Int64
	changed        chan struct{}      // the number of users may have become zero, or no longer be zero
	keyframeWanted chan struct{}      // a viewer needs a keyframe
	adopted        chan []alternative // other alternatives
	eager          chan struct{}      // alternatives that failed may be tried at once
}

func newDemand() demand {
	return demand{
		changed: make(chan struct{}, 1), keyframeWanted: make(chan struct{}, 1), adopted: make(chan []alternative, 1),
		eager: make(chan struct{}, 1),
	}
}

// use counts one more user of the producer's frames.
func (d *demand) use() { d.count(1) }

// drop takes one use back.
func (d *demand) drop() { d.count(-1) }

func (d *demand) count(by int64) {
	d.users.Add(by)
	latest.Poke(d.changed)
}

// requestKeyframe asks for a keyframe. The producer merges the requests of all viewers.
func (d *demand) requestKeyframe() { latest.Poke(d.keyframeWanted) }

// again lets alternatives that failed be tried at once, because a device was plugged in.
func (d *demand) again() { latest.Poke(d.eager) }

// adopt gives the producer other alternatives. Only one goroutine at a time may call it.
func (d *demand) adopt(list []alternative) { latest.Put(d.adopted, list) }
