package device

import (
	"context"
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// streamParameters is v4l2_streamparm of linux/videodev2.h. All its fields have 32 bits.
type streamParameters struct {
	bufType          uint32
	capability, mode uint32
	interval         Interval
	_                [46]uint32
}

const (
	vidiocSetFormat     = iocReadWrite | unsafe.Sizeof(formatQuery{})<<16 | iocVideo | 5
	vidiocStreamOn      = iocWrite | unsafe.Sizeof(uint32(0))<<16 | iocVideo | 18
	vidiocStreamOff     = iocWrite | unsafe.Sizeof(uint32(0))<<16 | iocVideo | 19
	vidiocSetParameters = iocReadWrite | unsafe.Sizeof(streamParameters{})<<16 | iocVideo | 22
)

// startBuffers is how many buffers a camera is started with: as few as most drivers take.
const startBuffers = 2

// CheckMode starts a camera in a mode for a moment. It returns nil, or what [Options.Check] returns, or an *Error of kind
// ErrRefused that wraps what the driver said, such as syscall.ENOSPC, which [NextMode] understands.
func (o Options) CheckMode(ctx context.Context, path string, m Mode) error {
	o = o.withDefaults()
	return o.bounded(ctx, path, func() error {
		n, err := o.Open(path)
		if err != nil {
			return err
		}
		defer n.Close() //nolint:errcheck // nothing was written
		if _, err := n.Capability(); err != nil {
			return gone(o.Root, path, err)
		}
		if s, ok := n.(Starter); ok {
			return refused(path, m, s.Start(m))
		}
		return nil
	})
}

// refused is the error for a mode that the driver refuses, although the camera is there and free. err is what the driver said.
func refused(path string, m Mode, err error) error {
	if !errors.Is(err, unix.ENOSPC) && !errors.Is(err, unix.EINVAL) {
		return err
	}
	return &Error{
		What: "start " + path, Kind: ErrRefused, Detail: fmt.Sprintf("%s: %v", m, err), Err: err,
		Hint: "plug it into another USB port, or ask for a smaller size or a lower rate",
	}
}

// startMode sets a mode, starts the stream and ends it. No buffer is queued: a driver of USB cameras takes its part of the bus
// without one.
func startMode(ask ask, bufType uint32, m Mode) error {
	f := formatQuery{bufType: bufType, picture: pictureFormat{
		width: uint32(m.Width), height: uint32(m.Height), pixelFormat: codeOf(m.FourCC),
	}}
	if err := ask(vidiocSetFormat, unsafe.Pointer(&f)); err != nil {
		return fmt.Errorf("set format: %w", err)
	}
	if m.Rate.Den != 0 {
		p := streamParameters{bufType: bufType, interval: Interval{Num: m.Rate.Den, Den: m.Rate.Num}}
		if err := ask(vidiocSetParameters, unsafe.Pointer(&p)); err != nil && !errors.Is(err, unix.ENOTTY) {
			return fmt.Errorf("set rate: %w", err)
		}
	}
	r := requestBuffers{count: startBuffers, bufType: bufType, memory: memoryMMAP}
	if err := ask(vidiocReqBufs, unsafe.Pointer(&r)); err != nil {
		return fmt.Errorf("request buffers: %w", err)
	}
	if err := ask(vidiocStreamOn, unsafe.Pointer(&bufType)); err != nil {
		return fmt.Errorf("start streaming: %w", err)
	}
	if err := ask(vidiocStreamOff, unsafe.Pointer(&bufType)); err != nil {
		return fmt.Errorf("stop streaming: %w", err)
	}
	return nil
}

// codeOf is the number of a FourCC; see fourCC.
func codeOf(text string) uint32 {
	var code uint32
	for i := range min(len(text), 4) {
		code |= uint32(text[i]) << (8 * i)
	}
	return code
}

// Only is the camera with one of its modes alone.
func (c Camera) Only(m Mode) Camera {
	s := Size{Width: m.Width, Height: m.Height, Rates: []Rate{}}
	if m.Rate.Den != 0 {
		s.Rates = append(s.Rates, m.Rate)
	}
	c.Formats = []Format{{FourCC: m.FourCC, Sizes: []Size{s}}}
	return c
}
