package device

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func TestCheck(t *testing.T) {
	busyNode := webcam()
	busyNode.claim = unix.EBUSY
	goneNode := webcam()
	goneNode.claim = unix.ENODEV
	withDevice := func(extra fstest.MapFS) fstest.MapFS {
		root := fstest.MapFS{
			"dev/video0": stat(44, charDevice()),
			"etc/group":  text("root:x:0:\naudio:x:29:pi\nvideo:x:44:pi\n"),
		}
		maps.Copy(root, extra)
		return root
	}
	held := withDevice(fstest.MapFS{
		"proc/812/comm": text("ffmpeg\n"), "proc/812/fd/0": symlink("/dev/null"), "proc/812/fd/7": symlink("/dev/video0"),
		"proc/90/comm": text("wireplumber\n"), "proc/90/fd/3": symlink("/dev/video0"),
		"proc/91/comm": text("other\n"), "proc/91/fd/3": symlink("/dev/video01"),
		"proc/self/fd/3": symlink("/dev/video0"), "proc/meminfo": text(""),
	})
	own := "proc/" + strconv.Itoa(os.Getpid())
	tests := []struct {
		name string
		node any
		root fs.FS
		kind error // nil: no error
		text string
		hint string
	}{
		{name: "free", node: webcam(), root: withDevice(nil)},
		{
			"busy, holders seen", busyNode, held, ErrBusy,
			"open /dev/video0: in use by another program: held by wireplumber (pid 90), ffmpeg (pid 812)",
			"close wireplumber, or choose another device: `boardcast devices` lists what is there",
		},
		{
			"busy, holders hidden", busyNode, withDevice(nil), ErrBusy, "open /dev/video0: in use by another program",
			"close the program that uses it; `sudo fuser -v /dev/video0` names it",
		},
		{
			"busy by ourselves", busyNode,
			withDevice(fstest.MapFS{own + "/comm": text("boardcast\n"), own + "/fd/7": symlink("/dev/video0")}), ErrBusy,
			"open /dev/video0: in use by another program: this program is still closing it", "",
		},
		{
			"busy already at open", unix.EBUSY, withDevice(nil), ErrBusy, "open /dev/video0: in use by another program",
			"close the program that uses it; `sudo fuser -v /dev/video0` names it",
		},
		{
			"forbidden", unix.EACCES, withDevice(nil), ErrForbidden, "open /dev/video0: not permitted: it belongs to the group video",
			"add yourself: sudo usermod -aG video $USER, then log out and in again",
		},
		{
			"forbidden, group without a name", unix.EACCES, withDevice(fstest.MapFS{"dev/video0": stat(995, charDevice())}), ErrForbidden,
			"open /dev/video0: not permitted: it belongs to the group 995",
			"add yourself: sudo usermod -aG 995 $USER, then log out and in again",
		},
		{
			"forbidden, root's alone", unix.EACCES, withDevice(fstest.MapFS{"dev/video0": stat(0, charDevice())}), ErrForbidden,
			"open /dev/video0: not permitted: its mode is -rw-rw----",
			"no group may use it: run as root, or let udev give it to a group",
		},
		{
			"forbidden, the group may not", unix.EPERM, withDevice(fstest.MapFS{"dev/video0": stat(44, &fstest.MapFile{Mode: 0o600})}), ErrForbidden,
			"open /dev/video0: not permitted: its mode is -rw-------",
			"no group may use it: run as root, or let udev give it to a group",
		},
		{
			"gone at open", unix.ENOENT,
			fstest.MapFS{},
			ErrGone, "open /dev/video0: not there",
			"plug it in again, or choose another: `boardcast devices` lists what is there",
		},
		{
			"gone after open", goneNode, withDevice(nil), ErrGone, "open /dev/video0: not there",
			"plug it in again, or choose another: `boardcast devices` lists what is there",
		},
		{
			"gone at the first question",
			fakeNode{err: errors.New("system error")},
			fstest.MapFS{},
			ErrGone, "open /dev/video0: not there",
			"plug it in again, or choose another: `boardcast devices` lists what is there",
		},
		{"not a camera", fakeNode{err: unix.ENOTTY}, withDevice(nil), unix.ENOTTY, "open /dev/video0: inappropriate ioctl for device", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Options{Root: tt.root, Open: openFrom(map[string]any{"/dev/video0": tt.node})}.Check(t.Context(), "/dev/video0")
			if !errors.Is(err, tt.kind) {
				t.Fatalf("err = %v, want %v", err, tt.kind)
			}
			if err == nil {
				return
			}
			hint := ""
			if e, ok := errors.AsType[*Error](err); ok {
				hint = e.Hint
			}
			if err.Error() != tt.text || hint != tt.hint {
				t.Errorf("got  %v\n     %s\nwant %s\n     %s", err, hint, tt.text, tt.hint)
			}
		})
	}
}

func TestCheckHungDriver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var closed atomic.Int32
		o := Options{Root: fstest.MapFS{}, Timeout: time.Second, Open: func(string) (Node, error) {
			<-release
			return fakeNode{closed: &closed}, nil
		}}
		start := time.Now()
		err := o.Check(t.Context(), "/dev/video0")
		if took := time.Since(start); !errors.Is(err, ErrSilent) || took != time.Second {
			t.Errorf("err = %v after %v", err, took)
		}
		close(release)
		synctest.Wait()
		if closed.Load() != 1 {
			t.Errorf("the late node was closed %d times", closed.Load())
		}
	})
}

func TestHoldersAreFew(t *testing.T) {
	root := fstest.MapFS{}
	for _, pid := range []string{"1", "2", "3", "4", "5"} {
		root["proc/"+pid+"/fd/3"] = symlink("/dev/video0")
	}
	got := holders(root, "/dev/video0")
	if len(got) != maxHolders || got[0] != (holder{pid: 1, command: "a program"}) {
		t.Errorf("holders = %v", got)
	}
}

func TestRealSound(t *testing.T) {
	s := Sound{Card: maxSound, Stream: Playback}
	if err := (Options{}).CheckSound(t.Context(), s); !errors.Is(err, ErrGone) {
		t.Errorf("missing sound device: %v", err)
	}
}

// Against the numbers that linux/videodev2.h comes to on asm-generic architectures. A format is aligned as pointers are.
func TestRequestNumbers(t *testing.T) {
	tests := []struct {
		name      string
		got, want uintptr
	}{
		{"VIDIOC_ENUM_FMT", vidiocEnumFmt, 0xc0405602},
		{"VIDIOC_G_FMT", vidiocGetFormat, 0xc0d05604 - (8-unsafe.Sizeof(uintptr(0)))<<16},
		{"VIDIOC_G_DV_TIMINGS", vidiocGetDVTimings, 0xc0845658},
		{"VIDIOC_QUERY_DV_TIMINGS", vidiocQueryDVTimings, 0x80845663},
		{"VIDIOC_REQBUFS", vidiocReqBufs, 0xc0145608},
		{"VIDIOC_ENUM_FRAMEINTERVALS", vidiocEnumFrameIntervals, 0xc034564b},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.got != tt.want {
				t.Errorf("got %#x, want %#x", tt.got, tt.want)
			}
		})
	}
}
