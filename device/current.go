package device

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unsafe"
)

// The structures of linux/videodev2.h that say what a node captures now, laid out as there.
type (
	formatQuery struct { // v4l2_format
		bufType uint32
		picture pictureFormat
	}
	// pictureFormat begins alike in v4l2_pix_format and v4l2_pix_format_mplane. The union that both are part of also holds
	// pointers, so it is aligned as they are, and has 200 bytes.
	pictureFormat struct {
		_                                 [0]uintptr
		width, height, pixelFormat, field uint32
		_                                 [184]byte
	}
	dvTimings struct { // v4l2_dv_timings, packed
		kind                   uint32
		width, height          uint32
		interlaced, polarities uint32
		clock                  [8]byte   // pixels a second, a 64-bit number that is not aligned
		across                 [3]uint32 // pixels of a line beside the picture: front porch, sync, back porch
		down                   [6]uint32 // lines of a frame beside the picture: the same, for both fields
		_                      [17]uint32
	}
)

const (
	vidiocGetFormat      = iocReadWrite | unsafe.Sizeof(formatQuery{})<<16 | iocVideo | 4
	vidiocGetDVTimings   = iocReadWrite | unsafe.Sizeof(dvTimings{})<<16 | iocVideo | 88
	vidiocQueryDVTimings = iocRead | unsafe.Sizeof(dvTimings{})<<16 | iocVideo | 99
)

// errNoPicture is of a driver that answers without a size.
var errNoPicture = errors.New("no size")

// ask is an ioctl on an open node.
type ask func(request uintptr, arg unsafe.Pointer) error

// current asks the driver for the picture's size and rate. It takes the timings that the receiver detects, else the timings
// that are set, else the format. The format comes last because it may still have the previous source's size: it changes only
// when the timings are set.
func current(ask ask, bufType uint32) (Current, error) {
	for _, request := range []uintptr{vidiocQueryDVTimings, vidiocGetDVTimings} {
		var t dvTimings
		if ask(request, unsafe.Pointer(&t)) != nil {
			continue // no receiver, or no signal
		}
		if c := (Current{Width: t.width, Height: t.height, Interval: t.interval()}); c.valid() {
			return c, nil
		}
	}
	f := formatQuery{bufType: bufType}
	if err := ask(vidiocGetFormat, unsafe.Pointer(&f)); err != nil {
		return Current{}, fmt.Errorf("get format: %w", err)
	}
	c := Current{Width: f.picture.width, Height: f.picture.height}
	if !c.valid() {
		return Current{}, fmt.Errorf("get format: %w", errNoPicture)
	}
	return c, nil
}

// valid tells a size from none, and from one that no source sends.
func (c Current) valid() bool {
	return c.Width > 0 && c.Height > 0 && c.Width <= maxSide && c.Height <= maxSide
}

// size is the only size that there is to choose.
func (c Current) size() Size {
	rate := IntervalRange{Discrete: true, Min: c.Interval, Max: c.Interval}
	return Size{Width: int(c.Width), Height: int(c.Height), Rates: rate.rates()}
}

// nearRate is how far a measured rate may be from the one that is meant, as a part of it: half of what is between 60 and
// 59.94 frames a second.
const nearRate = 0.0005

// interval is a frame's duration by the pixel clock. It is unknown for interlaced pictures, of which some drivers give
// fields and some give frames. The clock is measured, so a rate near a usual one is taken to be that.
func (t dvTimings) interval() Interval {
	line, frame := uint64(t.width), uint64(t.height)
	for _, n := range t.across {
		line += uint64(n)
	}
	for _, n := range t.down {
		frame += uint64(n)
	}
	if t.interlaced != 0 || line == 0 || frame == 0 {
		return Interval{}
	}
	rate := float64(binary.NativeEndian.Uint64(t.clock[:])) / (float64(line) * float64(frame))
	if rate < 1 || rate > maxRate {
		return Interval{}
	}
	const ntsc = 1.001 // what 59.94 falls short of 60 by, and 29.97 of 30
	whole, short := math.Round(rate), math.Round(rate*ntsc)
	switch {
	case math.Abs(rate/whole-1) <= nearRate:
		return Interval{Num: 1, Den: uint32(whole)}
	case math.Abs(rate*ntsc/short-1) <= nearRate:
		return Interval{Num: 1001, Den: uint32(short) * 1000}
	}
	const thousandths = 1000
	return Interval{Num: thousandths, Den: uint32(math.Round(rate * thousandths))}
}
