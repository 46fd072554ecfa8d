package device

import (
	"io"
	"strings"
	"unicode"
)

// Node is an open capture node: the questions that a listing asks of a driver. The indexed methods are called with
// 0, 1, 2, ... until they return an error, so any error ends that list. A Node is used by one goroutine.
type Node interface {
	io.Closer
	Capability() (Capability, error)
	Format(index uint32) (FormatDesc, error)
	FrameSize(code, index uint32) (SizeRange, error)
	FrameInterval(code, width, height, index uint32) (IntervalRange, error)
}

// Claimer is a Node that can tell whether another program streams from the device.
type Claimer interface {
	// Claim returns EBUSY when the device is taken and leaves nothing changed either way.
	Claim() error
}

// Receiver is a Node that can say what its source sends now. It is asked where the driver lists no sizes: an HDMI receiver
// has the size of the signal, and another one after the source has changed.
type Receiver interface {
	// Current is the picture as it would be captured now. The error says that there is none.
	Current() (Current, error)
}

// Starter is a Node that can be started in a mode for a moment, which tells the errno of a driver that refuses.
type Starter interface {
	Start(m Mode) error
}

// Current is the picture that a source sends. A zero Interval is an unknown one.
type Current struct {
	Width, Height uint32
	Interval      Interval
}

// Capability is what VIDIOC_QUERYCAP says. Caps are the node's own where the driver tells them apart from the whole
// device's.
type Capability struct {
	Driver, Card, Bus string
	Caps              uint32
}

// FormatDesc is one format of a node.
type FormatDesc struct {
	Code        uint32
	Description string
	Compressed  bool
}

// SizeRange is a frame size, or a range of them when it is not discrete (then Min and Max differ and a zero step
// counts as 1).
type SizeRange struct {
	Discrete                         bool
	MinWidth, MaxWidth, StepWidth    uint32
	MinHeight, MaxHeight, StepHeight uint32
}

// Interval is a frame's duration in seconds as a fraction, the way V4L2 says it.
type Interval struct {
	Num, Den uint32
}

// IntervalRange is a frame interval, or the shortest and the longest of a range when it is not discrete.
type IntervalRange struct {
	Discrete bool
	Min, Max Interval
}

// clean makes a driver's or a USB device's own words safe to print: a name is whatever the device's maker wrote.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}
