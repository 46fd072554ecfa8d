package device

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"
	"testing/fstest"

	"golang.org/x/sys/unix"
)

var errEnd = errors.New("end of list")

// fakeNode is a Node whose answers are data.
type fakeNode struct {
	capability Capability
	err        error // of Capability
	formats    []fakeFormat
	claim      error
	closed     *atomic.Int32
}

type fakeFormat struct {
	FormatDesc
	sizes     []SizeRange
	intervals []IntervalRange
}

func (n fakeNode) Capability() (Capability, error) { return n.capability, n.err }
func (n fakeNode) Claim() error                    { return n.claim }

func (n fakeNode) Close() error {
	if n.closed != nil {
		n.closed.Add(1)
	}
	return nil
}

func (n fakeNode) Format(i uint32) (FormatDesc, error) {
	if int(i) >= len(n.formats) {
		return FormatDesc{}, errEnd
	}
	return n.formats[i].FormatDesc, nil
}

func (n fakeNode) FrameSize(code, i uint32) (SizeRange, error) {
	for _, f := range n.formats {
		if f.Code == code && int(i) < len(f.sizes) {
			return f.sizes[i], nil
		}
	}
	return SizeRange{}, errEnd
}

func (n fakeNode) FrameInterval(code, _, _, i uint32) (IntervalRange, error) {
	for _, f := range n.formats {
		if f.Code == code && int(i) < len(f.intervals) {
			return f.intervals[i], nil
		}
	}
	return IntervalRange{}, errEnd
}

// code packs four characters.
func code(text string) uint32 {
	return uint32(text[0]) | uint32(text[1])<<8 | uint32(text[2])<<16 | uint32(text[3])<<24
}

func discrete(width, height uint32) SizeRange {
	return SizeRange{Discrete: true, MinWidth: width, MaxWidth: width, MinHeight: height, MaxHeight: height}
}

// every makes the interval of n frames a second.
func every(n uint32) IntervalRange {
	return IntervalRange{Discrete: true, Min: Interval{1, n}, Max: Interval{1, n}}
}

func format(text string, size SizeRange, intervals ...IntervalRange) fakeFormat {
	return fakeFormat{FormatDesc: FormatDesc{Code: code(text), Description: text}, sizes: []SizeRange{size}, intervals: intervals}
}

const (
	capture   = capCapture
	streaming = capStreaming
)

// webcam is a USB camera's picture node as uvcvideo shows it.
func webcam() fakeNode {
	jpeg := format("MJPG", discrete(1280, 720), every(30))
	jpeg.Description, jpeg.Compressed = "Motion-JPEG", true
	yuyv := format("YUYV", discrete(640, 480), every(30), every(15))
	yuyv.Description = "YUYV 4:2:2"
	return fakeNode{
		capability: Capability{Driver: "uvcvideo", Card: "HD Cam: HD Cam", Bus: "usb-0000:00:14.0-2", Caps: capture | streaming},
		formats:    []fakeFormat{jpeg, yuyv},
	}
}

// openFrom is an Options.Open that knows some nodes; the others are ENOENT.
func openFrom(nodes map[string]any) func(string) (Node, error) {
	return func(path string) (Node, error) {
		switch n := nodes[path].(type) {
		case Node:
			return n, nil
		case error:
			return nil, fmt.Errorf("open camera: %w", &os.PathError{Op: "open", Path: path, Err: n})
		}
		return nil, &os.PathError{Op: "open", Path: path, Err: unix.ENOENT}
	}
}

func text(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }

func symlink(target string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777}
}

func charDevice() *fstest.MapFile {
	return &fstest.MapFile{Mode: fs.ModeDevice | fs.ModeCharDevice | 0o660}
}

// machine is a root with a USB webcam (picture, metadata, microphone), a loopback card and a board's codec.
func machine() fstest.MapFS {
	return fstest.MapFS{
		"dev/video0":  charDevice(),
		"dev/video1":  charDevice(),
		"dev/video11": charDevice(),
		"dev/webcam":  symlink("video0"),
		"dev/v4l/by-id/usb-046d_HD_Cam_1234-video-index0":           symlink("../../video0"),
		"dev/v4l/by-id/usb-046d_HD_Cam_1234-video-index1":           symlink("../../video1"),
		"dev/v4l/by-path/pci-0000:00:14.0-usb-0:2:1.0-video-index0": symlink("../../video0"),
		"sys/class/video4linux/video0/device":                       symlink("../../../1-2:1.0"),
		"sys/class/sound/card1/device":                              symlink("../../../1-2:1.2"),
		"sys/class/sound/card0/device":                              symlink("../../../snd_aloop.0"),
		"proc/asound/card1/usbid":                                   text("046d:082d\n"),
		"proc/asound/cards":                                         text(cardsText),
		"proc/asound/pcm":                                           text(pcmText),
		"sys/class/video4linux/video11/name":                        text("bcm2835-codec-encode\n"),
	}
}

const (
	cardsText = " 0 [Loopback       ]: Loopback - Loopback\n" +
		"                      Loopback 1\n" +
		" 1 [Cam            ]: USB-Audio - HD Cam\n" +
		"                      046d HD Cam at usb-0000:00:14.0-2, high speed\n"
	pcmText = "00-00: Loopback PCM : Loopback PCM : playback 8 : capture 8\n" +
		"01-00: USB Audio : USB Audio : capture 1\n"
)
