package device

import (
	"bytes"
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The structures of linux/videodev2.h that go4vl v0.3.0 doesn't reach, laid out as there: they hold only 32-bit
// fields, so the layout is the same on every architecture.
type (
	fmtDesc struct { // v4l2_fmtdesc
		index, bufType, flags uint32
		description           [32]byte
		pixelFormat, mbusCode uint32
		_                     [3]uint32
	}
	frameInterval struct { // v4l2_frmivalenum
		index, pixelFormat, width, height, kind uint32
		min, max, step                          Interval // the first is the value itself when kind is discrete
		_                                       [2]uint32
	}
	requestBuffers struct { // v4l2_requestbuffers
		count, bufType, memory, capabilities uint32
		_                                    [4]byte
	}
)

// Requests as the asm-generic _IOWR('V', nr, size) makes them; every architecture that Go, cgo and a camera meet on
// (amd64, arm, arm64, 386, riscv64, loong64) uses that form.
const (
	iocWrite     = 1 << 30
	iocRead      = 2 << 30
	iocReadWrite = 3 << 30
	iocVideo     = 'V' << 8

	vidiocEnumFmt            = iocReadWrite | unsafe.Sizeof(fmtDesc{})<<16 | iocVideo | 2
	vidiocReqBufs            = iocReadWrite | unsafe.Sizeof(requestBuffers{})<<16 | iocVideo | 8
	vidiocEnumFrameIntervals = iocReadWrite | unsafe.Sizeof(frameInterval{})<<16 | iocVideo | 75
)

// Capabilities of a node (V4L2_CAP_...): the flags of v4l2_capability.
const (
	capCapture         = 0x1
	capOutput          = 0x2
	capCaptureMPlane   = 0x1000
	capOutputMPlane    = 0x2000
	capMem2MemMPlane   = 0x4000
	capMem2Mem         = 0x8000
	capMetadataCapture = 0x800000
	capReadWrite       = 0x1000000
	capStreaming       = 0x4000000
	capTouch           = 0x10000000
	capMediaController = 0x20000000 // V4L2_CAP_IO_MC
)

const (
	bufTypeCapture       = 1 // V4L2_BUF_TYPE_VIDEO_CAPTURE
	bufTypeCaptureMPlane = 9 // V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE

	flagCompressed   = 1 // V4L2_FMT_FLAG_COMPRESSED
	intervalDiscrete = 1 // V4L2_FRMIVAL_TYPE_DISCRETE
	memoryMMAP       = 1 // V4L2_MEMORY_MMAP
)

// enumFormat asks for a format of the given queue: go4vl only asks the single-planar one.
func enumFormat(fd uintptr, bufType, index uint32) (FormatDesc, error) {
	d := fmtDesc{index: index, bufType: bufType}
	if err := ioctl(fd, vidiocEnumFmt, unsafe.Pointer(&d)); err != nil {
		return FormatDesc{}, fmt.Errorf("enumerate formats: %w", err)
	}
	description, _, _ := bytes.Cut(d.description[:], []byte{0})
	return FormatDesc{
		Code:        d.pixelFormat,
		Description: clean(string(description)),
		Compressed:  d.flags&flagCompressed != 0,
	}, nil
}

// enumInterval asks for a frame interval: go4vl reads a range's minimum 8 bytes too late.
func enumInterval(fd uintptr, code, width, height, index uint32) (IntervalRange, error) {
	v := frameInterval{index: index, pixelFormat: code, width: width, height: height}
	if err := ioctl(fd, vidiocEnumFrameIntervals, unsafe.Pointer(&v)); err != nil {
		return IntervalRange{}, fmt.Errorf("enumerate frame intervals: %w", err)
	}
	if v.kind == intervalDiscrete {
		return IntervalRange{Discrete: true, Min: v.min, Max: v.min}, nil
	}
	return IntervalRange{Min: v.min, Max: v.max}, nil
}

// claim asks for zero buffers. A queue that belongs to another open file answers EBUSY (uvcvideo's privileged
// handle, videobuf2's queue owner); on a free one nothing is allocated and no format changes. Drivers that refuse
// zero buffers for reasons of their own say nothing about being busy, so only EBUSY and a vanished device count.
func claim(fd uintptr, bufType uint32) error {
	r := requestBuffers{bufType: bufType, memory: memoryMMAP}
	err := ioctl(fd, vidiocReqBufs, unsafe.Pointer(&r))
	if errors.Is(err, unix.EBUSY) || errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("request buffers: %w", err)
	}
	return nil
}

func ioctl(fd, request uintptr, arg unsafe.Pointer) error {
	for {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, request, uintptr(arg))
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
			continue
		default:
			return errno
		}
	}
}
