//go:build cgo

package device

import (
	"errors"
	"io/fs"
	"testing"

	"golang.org/x/sys/unix"
)

// The real thing, as far as a machine without devices has it.
func TestRealNodes(t *testing.T) {
	if err := Check("/dev/video-of-nobody"); !errors.Is(err, ErrGone) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing node: %v", err)
	}
	if err := Check("/dev/null"); err == nil || errors.Is(err, ErrBusy) || errors.Is(err, ErrGone) {
		t.Errorf("a node that isn't a camera: %v", err)
	}
	n, err := OpenNode("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := n.Format(0); err == nil {
		t.Error("/dev/null has a format")
	}
	if _, err := n.FrameSize(code("YUYV"), 0); err == nil {
		t.Error("/dev/null has a frame size")
	}
	if _, err := n.FrameInterval(code("YUYV"), 640, 480, 0); !errors.Is(err, unix.ENOTTY) {
		t.Errorf("frame interval of /dev/null: %v", err)
	}
	if r, ok := n.(Receiver); !ok {
		t.Error("a node does not say what it captures now")
	} else if _, err := r.Current(); !errors.Is(err, unix.ENOTTY) {
		t.Errorf("current picture of /dev/null: %v", err)
	}
	if c, ok := n.(Claimer); !ok || c.Claim() != nil {
		t.Error("only EBUSY and ENODEV speak against a device")
	}
}
