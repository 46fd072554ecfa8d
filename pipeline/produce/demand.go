package produce

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
	adopted        chan []Alternative // other alternatives
	eager          chan struct{}      // alternatives that failed may be tried at once
}

func newDemand() demand {
	return demand{
		changed: make(chan struct{}, 1), keyframeWanted: make(chan struct{}, 1), adopted: make(chan []Alternative, 1),
		eager: make(chan struct{}, 1),
	}
}

// Use counts one more user of the producer's frames.
func (d *demand) Use() { d.count(1) }

// Drop takes one use back.
func (d *demand) Drop() { d.count(-1) }

func (d *demand) count(by int64) {
	d.users.Add(by)
	latest.Poke(d.changed)
}

// RequestKeyframe asks for a keyframe. The producer merges the requests of all viewers.
func (d *demand) RequestKeyframe() { latest.Poke(d.keyframeWanted) }

// Again lets alternatives that failed be tried at once, because a device was plugged in.
func (d *demand) Again() { latest.Poke(d.eager) }

// Adopt gives the producer other alternatives. Only one goroutine at a time may call it.
func (d *demand) Adopt(list []Alternative) { latest.Put(d.adopted, list) }
