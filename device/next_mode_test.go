package device

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"
)

func TestNextMode(t *testing.T) {
	size := func(width, height int, rates ...uint32) Size { return formats("", width, height, rates...)[0].Sizes[0] }
	yuyv := Format{FourCC: "YUYV", Sizes: []Size{size(1280, 720, 30, 10), size(640, 480, 30, 15), size(320, 240, 30)}}
	nv12 := Format{FourCC: "NV12", Sizes: []Size{size(1280, 720, 30)}}
	mjpg := Format{FourCC: "MJPG", Sizes: []Size{size(1280, 720, 30, 20), size(640, 480, 30)}}
	upright := Format{FourCC: "YUYV", Sizes: []Size{size(256, 384, 25), size(256, 192, 25)}}
	only := Format{FourCC: "YUYV", Sizes: []Size{size(640, 480, 30, 25, 15)}}
	h264 := Format{FourCC: "H264", Sizes: []Size{size(1280, 720, 30), size(640, 480, 30)}}
	unlisted := Format{FourCC: "YUYV", Sizes: []Size{size(1280, 720), size(640, 480)}}
	half := Format{FourCC: "YUYV", Sizes: []Size{size(1280, 720), size(640, 480, 30)}}
	full, wrong := fmt.Errorf("start: %w", syscall.ENOSPC), fmt.Errorf("start: %w", syscall.EINVAL)
	tests := []struct {
		name    string
		formats []Format
		request Request
		mode    string
		cause   error
		want    string // "" where nothing is left
		why     string
	}{
		{"full: JPEG of the same size", []Format{yuyv, mjpg}, Request{}, "YUYV 1280x720 30/1", full, "MJPG 1280x720 30/1", "its bus has no room left for YUYV 1280x720 at 30 frames/s"},
		{"full: the next smaller JPEG", []Format{yuyv, mjpg}, Request{}, "MJPG 1280x720 30/1", full, "MJPG 640x480 30/1", "its bus has no room left for MJPG 1280x720 at 30 frames/s"},
		{"full: no smaller JPEG, and raw only where it is less", []Format{yuyv, mjpg}, Request{}, "MJPG 640x480 30/1", full, "", ""},
		{"full: no JPEG", []Format{yuyv}, Request{}, "YUYV 1280x720 30/1", full, "YUYV 640x480 30/1", "its bus has no room left for YUYV 1280x720 at 30 frames/s"},
		{"full: smaller, but as many pixels a second", []Format{yuyv}, Request{}, "YUYV 1280x720 10/1", full, "YUYV 640x480 15/1", "its bus has no room left for YUYV 1280x720 at 10 frames/s"},
		{"full: another raw format is no less", []Format{nv12, yuyv}, Request{}, "NV12 1280x720 30/1", full, "YUYV 640x480 30/1", "its bus has no room left for NV12 1280x720 at 30 frames/s"},
		{"full: one size", []Format{only}, Request{}, "YUYV 640x480 30/1", full, "YUYV 640x480 15/1", "its bus has no room left for YUYV 640x480 at 30 frames/s"},
		{"full: no rates are listed", []Format{unlisted}, Request{}, "YUYV 1280x720 0/0", full, "YUYV 640x480 0/0", "its bus has no room left for YUYV 1280x720 at ? frames/s"},
		{"full: its rate is not listed, another's is", []Format{half}, Request{}, "YUYV 1280x720 0/0", full, "YUYV 640x480 30/1", "its bus has no room left for YUYV 1280x720 at ? frames/s"},
		{"wrong: another format of the size", []Format{nv12, yuyv, mjpg}, Request{}, "NV12 1280x720 30/1", wrong, "YUYV 1280x720 30/1", "it lists NV12 1280x720 at 30 frames/s, and refuses it"},
		{"wrong: JPEG", []Format{yuyv, mjpg}, Request{}, "YUYV 1280x720 30/1", wrong, "MJPG 1280x720 30/1", "it lists YUYV 1280x720 at 30 frames/s, and refuses it"},
		{"wrong: as many pixels a second are no matter", []Format{yuyv}, Request{}, "YUYV 1280x720 10/1", wrong, "YUYV 640x480 30/1", "it lists YUYV 1280x720 at 10 frames/s, and refuses it"},
		{"wrong: the rate asked for", []Format{yuyv}, Request{FPS: 15}, "YUYV 1280x720 30/1", wrong, "YUYV 640x480 15/1", "it lists YUYV 1280x720 at 30 frames/s, and refuses it"},
		{"wrong: the last resort is slower", []Format{only}, Request{}, "YUYV 640x480 30/1", wrong, "YUYV 640x480 25/1", "it lists YUYV 640x480 at 30 frames/s, and refuses it"},
		{"not told: as full", []Format{yuyv, mjpg}, Request{}, "YUYV 1280x720 30/1", nil, "MJPG 1280x720 30/1", "it did not start with YUYV 1280x720 at 30 frames/s"},
		{"another error: as full", []Format{yuyv}, Request{}, "YUYV 1280x720 10/1", syscall.EIO, "YUYV 640x480 15/1", "it did not start with YUYV 1280x720 at 10 frames/s"},
		{"the user's format alone", []Format{yuyv, mjpg}, Request{FourCC: "YUYV"}, "YUYV 1280x720 30/1", full, "YUYV 640x480 30/1", "its bus has no room left for YUYV 1280x720 at 30 frames/s"},
		{"H.264 stays H.264", []Format{yuyv, h264}, Request{FourCC: "H264"}, "H264 1280x720 30/1", full, "H264 640x480 30/1", "its bus has no room left for H264 1280x720 at 30 frames/s"},
		{"not to a picture that is taller than wide", []Format{upright, yuyv}, Request{}, "YUYV 640x480 30/1", wrong, "YUYV 320x240 30/1", "it lists YUYV 640x480 at 30 frames/s, and refuses it"},
		{"the smallest", []Format{yuyv}, Request{}, "YUYV 320x240 30/1", full, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := Camera{Formats: tt.formats}
			i := slices.IndexFunc(c.modes(), func(m Mode) bool { return modeText(m) == tt.mode })
			next, why, ok := NextMode(c, tt.request, c.modes()[i], tt.cause)
			got := ""
			if ok {
				got = modeText(next)
			}
			if got != tt.want || why != tt.why {
				t.Errorf("got %q, %q, want %q, %q", got, why, tt.want, tt.why)
			}
		})
	}
}

// From the best mode of each format of each camera from the field the way down ends, and with a full bus each step takes less of it.
func TestNextModeEnds(t *testing.T) {
	steps := 0
	for _, row := range cameraCases {
		for _, c := range readCase(t, row.name).list(t, row.now).Cameras {
			for _, f := range c.Formats {
				m, _, err := PickMode(c, Request{FourCC: f.FourCC})
				if err != nil {
					continue // no size, or no picture
				}
				steps += walkDown(t, c, m, syscall.ENOSPC) + walkDown(t, c, m, syscall.EINVAL)
			}
		}
	}
	if steps < 100 {
		t.Errorf("only %d steps", steps)
	}
}

func walkDown(t *testing.T, c Camera, m Mode, cause error) int {
	t.Helper()
	for steps := range len(c.modes()) {
		next, _, ok := NextMode(c, Request{}, m, cause)
		if !ok {
			return steps
		}
		if errors.Is(cause, syscall.ENOSPC) && next.load() > lessLoad*m.load() || next.pixels() > m.pixels() {
			t.Fatalf("%s: from %s to %s", c.Name, m, next)
		}
		m = next
	}
	t.Fatalf("%s: no end from %s", c.Name, m)
	return 0
}
