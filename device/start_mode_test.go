package device

import (
	"errors"
	"slices"
	"testing"
	"testing/fstest"
	"unsafe"

	"golang.org/x/sys/unix"
)

// starter is a webcam that answers to a start with an error.
type starter struct {
	fakeNode
	err error
}

func (s starter) Start(Mode) error { return s.err }

// The driver's word on a mode that it refuses is kept. Any other error tells of the device, as Check does.
func TestCheckMode(t *testing.T) {
	mode := Mode{FourCC: "YUYV", Width: 640, Height: 480, Rate: Rate{30, 1}}
	for _, tt := range []struct {
		name string
		err  error
		kind error
		text string
	}{
		{"it starts", nil, nil, ""},
		{"a full bus", unix.ENOSPC, ErrRefused, "start /dev/video0: refused: YUYV 640x480 at 30 frames/s: no space left on device"},
		{"a mode that it lists", unix.EINVAL, ErrRefused, "start /dev/video0: refused: YUYV 640x480 at 30 frames/s: invalid argument"},
		{"busy", unix.EBUSY, ErrBusy, "open /dev/video0: in use by another program"},
		{"unplugged", unix.ENODEV, ErrGone, "open /dev/video0: not there"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := Options{
				Root: fstest.MapFS{"dev/video0": charDevice()},
				Open: openFrom(map[string]any{"/dev/video0": starter{webcam(), tt.err}}),
			}
			err := o.CheckMode(t.Context(), "/dev/video0", mode)
			if !errors.Is(err, tt.kind) || !errors.Is(err, tt.err) || err != nil && err.Error() != tt.text {
				t.Errorf("%v, want %q", err, tt.text)
			}
			if e, ok := errors.AsType[*Error](err); errors.Is(tt.kind, ErrRefused) && (!ok || e.Hint == "") {
				t.Errorf("no hint in %v", err)
			}
		})
	}
}

// A driver that knows no modes to be started in is taken to start.
func TestCheckModeOfAPlainNode(t *testing.T) {
	o := Options{Root: fstest.MapFS{}, Open: openFrom(map[string]any{"/dev/video0": webcam()})}
	if err := o.CheckMode(t.Context(), "/dev/video0", Mode{}); err != nil {
		t.Error(err)
	}
}

// The steps to a stream, and what becomes of each that fails. A rate is set where the mode has one, and a driver without rates is
// no fault.
func TestStartMode(t *testing.T) {
	names := map[uintptr]string{
		vidiocSetFormat: "format", vidiocSetParameters: "rate", vidiocReqBufs: "buffers", vidiocStreamOn: "on", vidiocStreamOff: "off",
	}
	rated := Mode{FourCC: "YUYV", Width: 640, Height: 480, Rate: Rate{30000, 1001}}
	for _, tt := range []struct {
		name  string
		mode  Mode
		fails map[string]error
		want  []string
		text  string
	}{
		{"all", rated, nil, []string{"format", "rate", "buffers", "on", "off"}, ""},
		{"no rate", Mode{FourCC: "YUYV", Width: 640, Height: 480}, nil, []string{"format", "buffers", "on", "off"}, ""},
		{"no rates", rated, map[string]error{"rate": unix.ENOTTY}, []string{"format", "rate", "buffers", "on", "off"}, ""},
		{"a wrong format", rated, map[string]error{"format": unix.EINVAL}, []string{"format"}, "set format: invalid argument"},
		{"a wrong rate", rated, map[string]error{"rate": unix.EINVAL}, []string{"format", "rate"}, "set rate: invalid argument"},
		{"taken", rated, map[string]error{"buffers": unix.EBUSY}, []string{"format", "rate", "buffers"}, "request buffers: device or resource busy"},
		{
			"a full bus", rated,
			map[string]error{"on": unix.ENOSPC},
			[]string{"format", "rate", "buffers", "on"},
			"start streaming: no space left on device",
		},
		{"unplugged", rated, map[string]error{"off": unix.ENODEV}, []string{"format", "rate", "buffers", "on", "off"}, "stop streaming: no such device"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			err := startMode(func(request uintptr, arg unsafe.Pointer) error {
				switch request {
				case vidiocSetFormat:
					if f := (*formatQuery)(arg); f.bufType != 9 || f.picture.width != 640 || f.picture.height != 480 || fourCC(f.picture.pixelFormat) != "YUYV" {
						t.Errorf("format %+v", f.picture)
					}
				case vidiocSetParameters:
					if p := (*streamParameters)(arg); p.bufType != 9 || p.interval != (Interval{1001, 30000}) {
						t.Errorf("rate %+v", p)
					}
				}
				got = append(got, names[request])
				return tt.fails[names[request]]
			}, 9, tt.mode)
			if text := errorText(err); !slices.Equal(got, tt.want) || text != tt.text {
				t.Errorf("%q, %q; want %q, %q", got, text, tt.want, tt.text)
			}
		})
	}
	if size := unsafe.Sizeof(streamParameters{}); size != 204 {
		t.Errorf("v4l2_streamparm has %d bytes, want 204", size)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestOnly(t *testing.T) {
	c := Camera{Name: "Cam", Path: "/dev/video0", Formats: formats("MJPG", 1280, 720, 30, 15)}
	for _, m := range append(c.modes(), Mode{FourCC: "YUYV", Width: 320, Height: 180}) {
		if got := c.Only(m); !slices.Equal(got.modes(), []Mode{m}) || got.Path != c.Path {
			t.Errorf("only %v: %v", m, got.modes())
		}
	}
}
