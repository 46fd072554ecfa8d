package produce

import (
	"sync/atomic"
)

// Status is one producer as numbers.
type Status struct {
	Name        string `json:"name"` // "capture", "microphone", a codec, or its lower rendition: "h264-lower"
	Users       int64  `json:"users"`
	Waiting     bool   `json:"waiting"` // it, or the producer that feeds it, has failed and is going to be tried again
	Stuck       bool   `json:"stuck"`   // one of its stages hangs and cannot be ended, and there was no frame since
	Frames      uint64 `json:"frames_total"`
	Bytes       uint64 `json:"bytes_total"`
	Keyframes   uint64 `json:"keyframes_total"`
	Encoder     string `json:"encoder,omitempty"`     // the encoder's ID, empty while nothing runs
	Replaced    uint64 `json:"replaced_total"`        // times that an encoder failed and another took its place
	Placeholder bool   `json:"placeholder,omitempty"` // the camera, or the microphone, is gone
	Reason      string `json:"reason,omitempty"`      // why, where that is known
	Bitrate     int64  `json:"bitrate_bps,omitempty"` // what the encoder is to make, by the viewers' links
}

// published is what other goroutines may read of a producer.
type published struct {
	shown atomic.Pointer[shown]
	// stuck is set when a stage cannot be closed, to the number of the fan's frames at that time plus 1; 0 for never. The producer counts
	// as stuck until the fan gets another frame.
	stuck atomic.Uint64
}

// shown is a copy of the state of a producer. It is not changed after it was published.
type shown struct {
	alternative string
	placeholder bool
	reason      string    // why nothing better serves
	waiting     bool      // no alternative works; one is going to be tried again
	up          *Producer // whose frames it is fed
	replaced    uint64    // times that an encoder failed and another took its place
}

// show publishes the state of the producer.
func (p *Producer) show() {
	s := &shown{replaced: p.published.shown.Load().replaced, waiting: p.retry.alone > 0, reason: p.retry.reason}
	switch {
	case p.serving != nil:
		s.alternative, s.placeholder, s.up = p.serving.ID, p.serving.Placeholder, p.serving.Up
	case len(p.alternatives.list) > 0:
		s.up = p.alternatives.list[0].Up
	}
	p.published.shown.Store(s)
}

// Starved tells that no frame is to be expected: the producer, or the one that feeds it, waits to be tried again.
func (p *Producer) Starved() bool {
	s := p.published.shown.Load()
	return s.waiting || s.up != nil && s.up.Starved()
}

// Status is the producer as numbers. It never waits for media.
func (p *Producer) Status() Status {
	n, s := p.fan.Count(), p.published.shown.Load()
	out := Status{
		Name: p.name, Users: p.users.Load(), Frames: n.Frames, Bytes: n.Bytes, Keyframes: n.Keyframes,
		Placeholder: s.placeholder, Reason: s.reason, Replaced: s.replaced, Bitrate: p.Bitrate(), Waiting: p.Starved(),
		Stuck: p.published.stuck.Load() == n.Frames+1,
	}
	if p.coded {
		out.Encoder = s.alternative
	}
	return out
}
