package device

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/vladimirvivien/go4vl/v4l2"
	"golang.org/x/sys/unix"
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

// OpenNode opens a V4L2 device node without blocking on it. The error is an *os.PathError with the errno in it.
func OpenNode(path string) (Node, error) {
	fd, err := v4l2.OpenDevice(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open camera: %w", err)
	}
	return &node{fd: fd, buffers: v4l2.BufTypeVideoCapture}, nil
}

// node asks through go4vl, and itself where go4vl v0.3.0 can't: multi-planar formats, ranges of frame intervals,
// and a request for buffers that keeps its errno.
type node struct {
	fd      uintptr
	buffers uint32 // the queue's buffer type, known after Capability
}

func (n *node) Close() error {
	if err := v4l2.CloseDevice(n.fd); err != nil {
		return fmt.Errorf("close camera: %w", err)
	}
	return nil
}

func (n *node) Capability() (Capability, error) {
	c, err := v4l2.GetCapability(n.fd)
	if err != nil {
		return Capability{}, fmt.Errorf("query capability: %w", err)
	}
	caps := c.GetCapabilities()
	if caps&v4l2.CapVideoCapture == 0 && caps&v4l2.CapVideoCaptureMPlane != 0 {
		n.buffers = bufTypeCaptureMPlane
	}
	return Capability{Driver: clean(c.Driver), Card: clean(c.Card), Bus: clean(c.BusInfo), Caps: caps}, nil
}

func (n *node) Format(index uint32) (FormatDesc, error) {
	if n.buffers != v4l2.BufTypeVideoCapture {
		return enumFormat(n.fd, n.buffers, index)
	}
	f, err := v4l2.GetFormatDescription(n.fd, index)
	if err != nil {
		return FormatDesc{}, fmt.Errorf("enumerate formats: %w", err)
	}
	return FormatDesc{
		Code:        f.PixelFormat,
		Description: clean(f.Description),
		Compressed:  f.Flags&v4l2.FmtDescFlagCompressed != 0,
	}, nil
}

func (n *node) FrameSize(code, index uint32) (SizeRange, error) {
	s, err := v4l2.GetFormatFrameSize(n.fd, index, code)
	if errors.Is(err, v4l2.ErrorUnsupported) && index == 0 {
		return n.currentSize()
	}
	if err != nil {
		return SizeRange{}, fmt.Errorf("enumerate frame sizes: %w", err)
	}
	return SizeRange{
		Discrete: s.Type == v4l2.FrameSizeTypeDiscrete,
		MinWidth: s.Size.MinWidth, MaxWidth: s.Size.MaxWidth, StepWidth: s.Size.StepWidth,
		MinHeight: s.Size.MinHeight, MaxHeight: s.Size.MaxHeight, StepHeight: s.Size.StepHeight,
	}, nil
}

// currentSize stands in for the list of a driver that has none, such as an HDMI bridge that follows its input.
func (n *node) currentSize() (SizeRange, error) {
	f, err := v4l2.GetPixFormat(n.fd)
	if err != nil {
		return SizeRange{}, fmt.Errorf("get format: %w", err)
	}
	return SizeRange{Discrete: true, MinWidth: f.Width, MaxWidth: f.Width, MinHeight: f.Height, MaxHeight: f.Height}, nil
}

func (n *node) FrameInterval(code, width, height, index uint32) (IntervalRange, error) {
	return enumInterval(n.fd, code, width, height, index)
}

func (n *node) Claim() error {
	return claim(n.fd, n.buffers)
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
