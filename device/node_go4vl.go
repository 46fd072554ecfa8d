//go:build cgo

package device

import (
	"fmt"
	"unsafe"

	"github.com/vladimirvivien/go4vl/v4l2"
	"golang.org/x/sys/unix"
)

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
	if err != nil {
		return SizeRange{}, fmt.Errorf("enumerate frame sizes: %w", err)
	}
	return SizeRange{
		Discrete: s.Type == v4l2.FrameSizeTypeDiscrete,
		MinWidth: s.Size.MinWidth, MaxWidth: s.Size.MaxWidth, StepWidth: s.Size.StepWidth,
		MinHeight: s.Size.MinHeight, MaxHeight: s.Size.MaxHeight, StepHeight: s.Size.StepHeight,
	}, nil
}

func (n *node) Current() (Current, error) {
	return current(func(request uintptr, arg unsafe.Pointer) error { return ioctl(n.fd, request, arg) }, n.buffers)
}

func (n *node) Start(m Mode) error {
	return startMode(func(request uintptr, arg unsafe.Pointer) error { return ioctl(n.fd, request, arg) }, n.buffers, m)
}

func (n *node) FrameInterval(code, width, height, index uint32) (IntervalRange, error) {
	return enumInterval(n.fd, code, width, height, index)
}

func (n *node) Claim() error {
	return claim(n.fd, n.buffers)
}
