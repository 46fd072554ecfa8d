package device

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// kernelMessage is a message as the kernel writes it.
func kernelMessage(devpath string, properties ...string) []byte {
	action, _, _ := strings.Cut(strings.TrimPrefix(properties[0], "ACTION="), "\x00")
	return []byte(action + "@" + devpath + "\x00" + strings.Join(properties, "\x00") + "\x00")
}

// udevMessage is a message as libudev writes it: a header of 40 bytes, then the properties.
func udevMessage(properties ...string) []byte {
	const headerSize = 40
	body := strings.Join(properties, "\x00") + "\x00"
	m := make([]byte, headerSize, headerSize+len(body))
	copy(m, udevPrefix)
	binary.BigEndian.PutUint32(m[8:], 0xfeedcafe)
	binary.NativeEndian.PutUint32(m[12:], headerSize)
	binary.NativeEndian.PutUint32(m[16:], headerSize)
	binary.NativeEndian.PutUint32(m[20:], uint32(len(body)))
	return append(m, body...)
}

// with32 overwrites a 32-bit field of a message's header.
func with32(m []byte, at int, value uint32) []byte {
	binary.NativeEndian.PutUint32(m[at:], value)
	return m
}

const webcamPath = "/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/video4linux/video0"

// added are a webcam's properties by the kernel, and what udev puts to them.
var (
	added = []string{
		"ACTION=add", "DEVPATH=" + webcamPath, "SUBSYSTEM=video4linux", "MAJOR=81", "MINOR=0", "DEVNAME=video0", "SEQNUM=4711",
	}
	addedByUdev = []string{
		"ACTION=add", "DEVPATH=" + webcamPath, "SUBSYSTEM=video4linux", "DEVNAME=/dev/video0", "SEQNUM=4711",
		"USEC_INITIALIZED=81234567", "ID_V4L_CAPABILITIES=:capture:", "ID_SERIAL=046d_HD_Cam_1234", "MAJOR=81", "MINOR=0",
		"DEVLINKS=/dev/v4l/by-id/usb-046d_HD_Cam_1234-video-index0 /dev/v4l/by-path/pci-0000:00:14.0-usb-0:2:1.0-video-index0",
		"TAGS=:seat:uaccess:",
	}
)

// The messages are written after the kernel's lib/kobject_uevent.c and libudev's header, not captured; the kernel's
// own are heard in TestWatchHearsTheKernel.
var ueventCases = []struct {
	name    string
	message []byte
	want    Change // its zero value: not understood
}{
	{"kernel: camera", kernelMessage(webcamPath, added...), Change{"add", "video4linux", "/dev/video0"}},
	{"udev: camera", udevMessage(addedByUdev...), Change{"add", "video4linux", "/dev/video0"}},
	{
		"kernel: camera unplugged",
		kernelMessage(webcamPath, "ACTION=remove", "DEVPATH="+webcamPath, "SUBSYSTEM=video4linux", "MAJOR=81", "MINOR=0", "DEVNAME=video0", "SEQNUM=4720"),
		Change{"remove", "video4linux", "/dev/video0"},
	},
	{
		"kernel: sound card, without a node",
		kernelMessage("/devices/platform/soc/sound/card1", "ACTION=change", "DEVPATH=/devices/platform/soc/sound/card1", "SUBSYSTEM=sound", "SEQNUM=1"),
		Change{"change", "sound", ""},
	},
	{
		"kernel: a sound card's device, in a directory",
		kernelMessage("/x/sound/card1/pcmC1D0c", "ACTION=add", "DEVPATH=/x/sound/card1/pcmC1D0c", "SUBSYSTEM=sound", "DEVNAME=snd/pcmC1D0c"),
		Change{"add", "sound", "/dev/snd/pcmC1D0c"},
	},
	{"kernel: properties and no more", []byte("add@/x\x00ACTION=add\x00SUBSYSTEM=sound"), Change{"add", "sound", ""}},
	{"kernel: a node outside /dev", kernelMessage("/x", "ACTION=add", "SUBSYSTEM=sound", "DEVNAME=../etc/passwd"), Change{"add", "sound", ""}},
	{"kernel: a node that is none", kernelMessage("/x", "ACTION=add", "SUBSYSTEM=sound", "DEVNAME=."), Change{"add", "sound", ""}},
	{"kernel: a node that is no word", kernelMessage("/x", "ACTION=add", "SUBSYSTEM=sound", "DEVNAME=video\x1b[2J"), Change{"add", "sound", ""}},
	{"kernel: an action that is no word", kernelMessage("/x", "ACTION=a\nb", "SUBSYSTEM=sound"), Change{}},
	{"kernel: no subsystem", kernelMessage("/x", "ACTION=add", "DEVNAME=video0"), Change{}},
	{"kernel: header alone", []byte("add@/devices/x\x00"), Change{}},
	{"kernel: no header", []byte("ACTION=add\x00SUBSYSTEM=sound\x00"), Change{}},
	{"nothing", nil, Change{}},
	{"udev: another magic", with32(udevMessage(addedByUdev...), udevMagicAt, 1), Change{}},
	{"udev: properties in the header", with32(udevMessage(addedByUdev...), udevPropertiesAt, 8), Change{}},
	{"udev: properties behind the end", with32(udevMessage(addedByUdev...), udevPropertiesAt, 1<<31), Change{}},
	{"udev: longer than it is", with32(udevMessage(addedByUdev...), udevLengthAt, ^uint32(0)), Change{}},
	{"udev: fewer properties than there are", with32(udevMessage(addedByUdev...), udevLengthAt, uint32(len("ACTION=add"))), Change{}},
	{"udev: half a header", udevMessage(addedByUdev...)[:20], Change{}},
}

func TestParseUevent(t *testing.T) {
	for _, tt := range ueventCases {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := parseUevent(tt.message)
			if diff := cmp.Diff(tt.want, got); diff != "" || ok != (tt.want != Change{}) {
				t.Errorf("ok = %v (-want +got):\n%s", ok, diff)
			}
		})
	}
}

// What is understood is safe to print, and is the same when it is written again, in either form.
func FuzzUevent(f *testing.F) {
	for _, tt := range ueventCases {
		f.Add(tt.message)
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		c, ok := parseUevent(message)
		if !ok {
			if c != (Change{}) {
				t.Errorf("not understood, yet %+v", c)
			}
			return
		}
		if c.Path != "" && !strings.HasPrefix(c.Path, "/dev/") {
			t.Errorf("node %q", c.Path)
		}
		properties := []string{"ACTION=" + c.Action, "SUBSYSTEM=" + c.Subsystem, "DEVNAME=" + c.Path}
		for _, m := range [][]byte{kernelMessage("/x", properties...), udevMessage(properties...)} {
			if again, ok := parseUevent(m); !ok || again != c {
				t.Errorf("%+v is read again as %+v", c, again)
			}
		}
		for _, p := range properties {
			if p != clean(p) {
				t.Errorf("not printable: %q", p)
			}
		}
	})
}

func TestTrusted(t *testing.T) {
	const someone = 1000
	sender := func(pid, groups uint32) unix.Sockaddr { return &unix.SockaddrNetlink{Pid: pid, Groups: groups} }
	as := func(uid uint32) []byte { return unix.UnixCredentials(&unix.Ucred{Pid: 300, Uid: uid}) }
	tests := []struct {
		name    string
		from    unix.Sockaddr
		control []byte
		want    bool
	}{
		{"the kernel", sender(0, groupKernel), as(0), true},
		{"a program as the kernel", sender(300, groupKernel), as(0), false},
		{"udev", sender(300, groupUdev), as(0), true},
		{"another user as udev", sender(300, groupUdev), as(someone), false},
		{"nobody knows who", sender(300, groupUdev), nil, false},
		{"credentials cut short", sender(300, groupUdev), as(0)[:unix.SizeofCmsghdr], false},
		{"to this socket alone", sender(300, 0), as(0), false},
		{"to another group", sender(300, 4), as(0), false},
		{"no netlink", &unix.SockaddrUnix{}, as(0), false},
		{"no address", nil, as(0), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := trusted(tt.from, tt.control); got != tt.want {
				t.Errorf("trusted = %v", got)
			}
		})
	}
}
