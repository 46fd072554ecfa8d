package device

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func formats(fourcc string, width, height int, rates ...uint32) []Format {
	s := Size{Width: width, Height: height}
	for _, r := range rates {
		s.Rates = append(s.Rates, Rate{r, 1})
	}
	return []Format{{FourCC: fourcc, Sizes: []Size{s}}}
}

// cameras is a choice of every kind, in an order that helps no one.
func cameras() map[string]Camera {
	return map[string]Camera{
		"vivid":    {Name: "vivid", Driver: "vivid", Bus: "platform:vivid-000", Path: "/dev/video0", ID: "platform:vivid-000", Formats: formats("YUYV", 1920, 1080, 60)},
		"loopback": {Name: "LabCam", Driver: "v4l2 loopback", Bus: "platform:v4l2loopback-000", Path: "/dev/video1", ID: "platform:v4l2loopback-000", Formats: formats("YUYV", 1920, 1080, 60)},
		"vga": {
			Name: "Old Cam", Driver: "uvcvideo", Bus: "usb-0000:00:14.0-1", USBPath: "1-1", Path: "/dev/video2",
			ByPath: "/dev/v4l/by-path/pci-usb-0:1:1.0-video-index0", ID: "/dev/v4l/by-path/pci-usb-0:1:1.0-video-index0",
			Formats: formats("YUYV", 640, 480, 30),
		},
		"hd": {
			Name: "HD Cam", Driver: "uvcvideo", Bus: "usb-0000:00:14.0-2", USBPath: "1-2", Path: "/dev/video4",
			ByID: "/dev/v4l/by-id/usb-HD_Cam_1-video-index0", ByPath: "/dev/v4l/by-path/pci-usb-0:2:1.0-video-index0",
			ID: "/dev/v4l/by-id/usb-HD_Cam_1-video-index0", Formats: formats("MJPG", 1280, 720, 30), nodeFacts: nodeFacts{aliases: []string{"/dev/door"}},
		},
		"hd264": {
			Name: "HD Cam", Driver: "uvcvideo", Bus: "usb-0000:00:14.0-2", USBPath: "1-2", Path: "/dev/video6",
			ID: "usb-0000:00:14.0-2", Formats: formats("H264", 1920, 1080, 30),
		},
		"infrared": {
			Name: "IR Cam", Driver: "uvcvideo", Bus: "usb-0000:00:14.0-3", Path: "/dev/video8",
			ID: "usb-0000:00:14.0-3", Formats: formats("GREY", 1920, 1080, 60),
		},
		"gspca": {
			Name: "Old Cam", Driver: "sonixj", Bus: "usb-1", Path: "/dev/video10", Formats: formats("JPEG", 640, 480),
			nodeFacts: nodeFacts{unlisted: true},
		},
		"isp": {
			Name: "rkisp_mainpath", Driver: "rkisp_v6", Bus: "platform:rkisp", Path: "/dev/video12", Formats: formats("NV12", 1920, 1080),
			nodeFacts: nodeFacts{unlisted: true},
		},
		"cif2": {Name: "rkcif", Driver: "rkcif-mipi-lvds2", Bus: "platform:rkcif", Path: "/dev/video16", Formats: formats("NV12", 1920, 1080, 30)},
		"cif":  {Name: "rkcif", Driver: "rkcif", Bus: "platform:rkcif", Path: "/dev/video14", Formats: formats("NV12", 1920, 1080, 30)},
	}
}

func list(names string) []Camera {
	var cams []Camera
	for n := range strings.FieldsSeq(names) {
		c, ok := cameras()[n]
		if !ok {
			panic(n)
		}
		cams = append(cams, c)
	}
	return cams
}

func TestPickCamera(t *testing.T) {
	const all = "vivid loopback vga hd hd264 infrared"
	tests := []struct {
		name   string
		cams   string
		want   string
		path   string // of the camera, or the source where there is none
		reason string
	}{
		{"auto takes the best", all, "auto", "/dev/video4", "the best of 6 cameras: USB, up to 1280x720 at 30 frames/s"},
		{"auto is the default", all, "", "/dev/video4", "the best of 6 cameras: USB, up to 1280x720 at 30 frames/s"},
		{"auto with one", "vga", "AUTO", "/dev/video2", "the only camera found"},
		{"real before virtual, however good that is", "loopback vga", "auto", "/dev/video2", "the best of 2 cameras: USB, up to 640x480 at 30 frames/s"},
		{"virtual before vivid", "vivid loopback", "auto", "/dev/video1", "a virtual camera, since there is no real one"},
		{"vivid last", "vivid", "auto", "/dev/video0", "the kernel's test camera, since there is no other"},
		{"rates unlisted: on USB no matter", "loopback gspca", "auto", "/dev/video10", "the best of 2 cameras: USB, up to 640x480 at ? frames/s"},
		{"rates unlisted: on the board behind a virtual one", "isp loopback", "auto", "/dev/video1", "a virtual camera, since there is no real one"},
		{"rates unlisted: before raw pictures", "cif isp vivid", "auto", "/dev/video12", "no better camera found; it lists no rates, so it may have no sensor or no signal"},
		{"raw pictures by the beginning of the driver's name", "cif2 isp", "auto", "/dev/video12", "no better camera found; it lists no rates, so it may have no sensor or no signal"},
		{"raw pictures before the kernel's test camera", "vivid cif", "auto", "/dev/video14", "a receiver of raw pictures, since there is no other camera"},
		{"colour before infrared", "infrared vga", "auto", "/dev/video2", "the best of 2 cameras: USB, up to 640x480 at 30 frames/s"},
		{"auto without any", "", "auto", "test", "no camera found"},
		{"test", all, "test", "test", "asked for"},
		{"none", all, "None", "none", "asked for"},
		{"path", all, "/dev/video2", "/dev/video2", "asked for by path"},
		{"a link of the user's", all, "/dev/door", "/dev/video4", "asked for by path"},
		{"by-id in full", all, "/dev/v4l/by-id/usb-HD_Cam_1-video-index0", "/dev/video4", "asked for by stable id"},
		{"by-id's last part", all, "usb-HD_Cam_1-video-index0", "/dev/video4", "asked for by stable id"},
		{"by-path's last part", all, "pci-usb-0:1:1.0-video-index0", "/dev/video2", "asked for by stable id"},
		{"by-path where there is a by-id", all, "/dev/v4l/by-path/pci-usb-0:2:1.0-video-index0", "/dev/video4", "asked for by stable id"},
		{"bus", all, "platform:vivid-000", "/dev/video0", "asked for by stable id"},
		{"name", all, "Old Cam", "/dev/video2", "asked for by name"},
		{"part of a name in another case", all, "oLD", "/dev/video2", "asked for by name"},
		{"two nodes of one device", all, "hd cam", "/dev/video4", "asked for by name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := PickCamera(list(tt.cams), tt.want)
			if err != nil {
				t.Fatal(err)
			}
			path := got.Camera.Path
			if got.Source != SourceDevice {
				path = string(got.Source)
			}
			if path != tt.path || got.Reason != tt.reason {
				t.Errorf("got %s, %q, want %s, %q", path, got.Reason, tt.path, tt.reason)
			}
		})
	}
}

func TestPickCameraErrors(t *testing.T) {
	tests := []struct {
		name string
		cams string
		want string
		kind error
		text string
		hint string
	}{
		{
			"ambiguous", "vga hd", "cam", ErrAmbiguous,
			`find camera "cam": several match: Old Cam (/dev/video2), HD Cam (/dev/video4)`,
			`say which one: "/dev/video2" would do`,
		},
		{
			"no such name", "vga", "c920", ErrNoMatch, `find camera "c920": no match: there is Old Cam (/dev/video2)`,
			"give a name, a stable id or a path; `boardcast devices` lists what is there",
		},
		{
			"no such path", "vga", "/dev/video9", ErrNoMatch,
			`find camera "/dev/video9": no match: there is Old Cam (/dev/video2)`,
			"give a name, a stable id or a path; `boardcast devices` lists what is there",
		},
		{
			"none at all", "", "c920", ErrNoMatch, `find camera "c920": no match: there is no camera`,
			"give a name, a stable id or a path; `boardcast devices` lists what is there",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := PickCamera(list(tt.cams), tt.want)
			var e *Error
			if !errors.As(err, &e) || !errors.Is(err, tt.kind) {
				t.Fatalf("err = %v, want an *Error of kind %v", err, tt.kind)
			}
			if e.Error() != tt.text || e.Hint != tt.hint {
				t.Errorf("got  %s\n     %s\nwant %s\n     %s", e, e.Hint, tt.text, tt.hint)
			}
		})
	}
}

// Two nodes without a bus may be anything, so the same name doesn't make them one device.
func TestPickCameraWithoutBus(t *testing.T) {
	_, err := PickCamera([]Camera{{Name: "Cam", Path: "/dev/video0"}, {Name: "Cam", Path: "/dev/video1"}}, "cam")
	if !errors.Is(err, ErrAmbiguous) {
		t.Errorf("err = %v, want %v", err, ErrAmbiguous)
	}
}

func TestListingPickCamera(t *testing.T) {
	forbidden := Skipped{
		Path: "/dev/video0", Name: "HD Cam", Why: WhyForbidden, names: Camera{Path: "/dev/video0", nodeFacts: nodeFacts{aliases: []string{"/dev/door"}}},
		Err: &Error{What: "open /dev/video0", Kind: ErrForbidden, Hint: "join the group", Err: unix.EACCES},
	}
	sensor := Skipped{Path: "/dev/video1", Name: "unicam-image", Why: WhySensor}
	codec := Skipped{Path: "/dev/video11", Name: "codec", Why: WhyCodec, names: Camera{Path: "/dev/video11"}}
	tests := []struct {
		name    string
		cams    string
		skipped []Skipped
		want    string
		choice  Choice
		kind    error
	}{
		{
			"auto, forbidden", "",
			[]Skipped{codec, sensor, forbidden},
			"auto",
			Choice{Source: SourceTest, Reason: "no camera can be used: open /dev/video0: not permitted", Hint: "join the group"},
			nil,
		},
		{
			"auto, only a sensor", "",
			[]Skipped{codec, sensor},
			"",
			Choice{Source: SourceTest, Reason: "no camera can be used directly: /dev/video1 (unicam-image): raw sensor"},
			nil,
		},
		{"auto, only a codec", "", []Skipped{codec}, "auto", Choice{Source: SourceTest, Reason: "no camera found"}, nil},
		{"test asked for", "", []Skipped{forbidden}, "Test", Choice{Source: SourceTest, Reason: "asked for"}, nil},
		{"forbidden by path", "vga", []Skipped{forbidden}, "/dev/video0", Choice{}, ErrForbidden},
		{"forbidden by a link", "vga", []Skipped{forbidden}, "/dev/door", Choice{}, ErrForbidden},
		{"forbidden by name", "vga", []Skipped{codec, forbidden}, "hd", Choice{}, ErrForbidden},
		{"sensor by name", "vga", []Skipped{codec, sensor}, "unicam", Choice{}, ErrNotUsable},
		{"codec by name", "vga", []Skipped{codec}, "codec", Choice{}, ErrNoMatch},
		{"codec by path", "vga", []Skipped{codec}, "/dev/video11", Choice{}, ErrNotUsable},
		{"nothing by path", "vga", []Skipped{codec}, "/dev/video12", Choice{}, ErrNoMatch},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Listing{Cameras: list(tt.cams), Skipped: tt.skipped}.PickCamera(tt.want)
			if !errors.Is(err, tt.kind) {
				t.Fatalf("err = %v, want %v", err, tt.kind)
			}
			if got.Source != tt.choice.Source || got.Reason != tt.choice.Reason || got.Hint != tt.choice.Hint {
				t.Errorf("got %+v, want %+v", got, tt.choice)
			}
		})
	}
}

func TestBeside(t *testing.T) {
	all := Listing{Cameras: list("vivid vga hd hd264")}
	for name, tt := range map[string]struct{ used, auto string }{
		"nothing in use":         {"", "/dev/video4"},
		"the other node of one":  {"hd264", "/dev/video2"},
		"two":                    {"hd vga", "/dev/video0"},
		"one that is not listed": {"infrared", "/dev/video4"},
		"all":                    {"vivid vga hd", ""},
	} {
		got, err := all.Beside(list(tt.used)).PickCamera("auto")
		if err != nil || got.Camera.Path != tt.auto {
			t.Errorf("%s: %v, %v, want %q", name, got, err, tt.auto)
		}
	}
	if len(all.Cameras) != 4 {
		t.Error("the listing itself was changed")
	}
}
