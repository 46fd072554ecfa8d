package device

import (
	"errors"
	"testing"
)

// with makes a camera of formats, each as "FOURCC", then sizes with their rates.
func with(f ...Format) Camera { return Camera{Name: "Cam", Formats: f} }

func fmtOf(fourcc string, sizes ...Size) Format { return Format{FourCC: fourcc, Sizes: sizes} }

func sizeOf(width, height int, rates ...Rate) Size {
	return Size{Width: width, Height: height, Rates: rates}
}

func r(n uint32) Rate { return Rate{n, 1} }

// usb2 is what a USB 2 webcam can: raw large pictures slowly, JPEG at full rate.
func usb2() Camera {
	return with(
		fmtOf("YUYV", sizeOf(1920, 1080, r(5)), sizeOf(1280, 720, r(10), r(5)), sizeOf(640, 480, r(30), r(15)), sizeOf(640, 360, r(30))),
		fmtOf("MJPG", sizeOf(1920, 1080, r(30), r(15)), sizeOf(1280, 720, r(30), r(15)), sizeOf(640, 480, r(60), r(30))),
		fmtOf("H264", sizeOf(1920, 1080, r(30))),
	)
}

// vividWebcam is vivid's webcam input with its highest rates.
func vividWebcam() Camera {
	return with(fmtOf("YUYV",
		sizeOf(1920, 1080, r(5), r(4)), sizeOf(1280, 720, Rate{25, 2}, r(10)), sizeOf(640, 480, r(25), r(15)),
		sizeOf(640, 360, r(40), r(30), r(25), r(15)), sizeOf(320, 180, r(60), r(30)),
	))
}

func TestPickMode(t *testing.T) {
	tests := []struct {
		name    string
		camera  Camera
		request Request
		want    Mode
		reason  string
	}{
		{"nothing asked: 720p30 by JPEG", usb2(), Request{}, Mode{"MJPG", 1280, 720, r(30)}, "JPEG, since raw pictures of this size come too slowly"},
		{"raw where it reaches the rate", usb2(), Request{Width: 640, Height: 480, FPS: 30}, Mode{"YUYV", 640, 480, r(30)}, "as asked for"},
		{"JPEG where raw does not", usb2(), Request{Width: 1920, Height: 1080, FPS: 30}, Mode{"MJPG", 1920, 1080, r(30)}, "JPEG, since raw pictures of this size come too slowly"},
		{"raw again for a low rate", usb2(), Request{Width: 1280, Height: 720, FPS: 10}, Mode{"YUYV", 1280, 720, r(10)}, "as asked for"},
		{"rate only raised as far as needed", usb2(), Request{Width: 640, Height: 480, FPS: 15}, Mode{"YUYV", 640, 480, r(15)}, "as asked for"},
		{"a rate between two: the next above", usb2(), Request{Width: 640, Height: 480, FPS: 20}, Mode{"YUYV", 640, 480, r(30)}, "the nearest to 640x480 at 20 frames/s that the camera has"},
		{"only JPEG is fast enough", usb2(), Request{Width: 640, Height: 480, FPS: 60}, Mode{"MJPG", 640, 480, r(60)}, "JPEG, since raw pictures of this size come too slowly"},
		{"nothing is fast enough", usb2(), Request{Width: 1280, Height: 720, FPS: 60}, Mode{"MJPG", 1280, 720, r(30)}, "the nearest to 1280x720 at 60 frames/s that the camera has"},
		{"nearest size", usb2(), Request{Width: 800, Height: 600, FPS: 30}, Mode{"YUYV", 640, 480, r(30)}, "the nearest to 800x600 at 30 frames/s that the camera has"},
		{"width alone", usb2(), Request{Width: 640}, Mode{"YUYV", 640, 360, r(30)}, "as asked for"},
		{"height alone", usb2(), Request{Height: 1080}, Mode{"MJPG", 1920, 1080, r(30)}, "JPEG, since raw pictures of this size come too slowly"},
		{"H.264 when asked for", usb2(), Request{FourCC: "H264"}, Mode{"H264", 1920, 1080, r(30)}, "the nearest to 1280x720 at 30 frames/s that the camera has"},
		{"JPEG when asked for", usb2(), Request{Width: 640, Height: 480, FPS: 30, FourCC: "MJPG"}, Mode{"MJPG", 640, 480, r(30)}, "as asked for"},
		{"vivid, nothing asked: the rate comes first", vividWebcam(), Request{}, Mode{"YUYV", 640, 480, r(25)}, "the nearest to 1280x720 at 30 frames/s that the camera has"},
		{"vivid, a size asked: the size comes first", vividWebcam(), Request{Width: 1280, Height: 720}, Mode{"YUYV", 1280, 720, Rate{25, 2}}, "the nearest to 1280x720 at 30 frames/s that the camera has"},
		{"vivid, a rate asked", vividWebcam(), Request{FPS: 50}, Mode{"YUYV", 320, 180, r(60)}, "the nearest to 1280x720 at 50 frames/s that the camera has"},
		{
			"29.97 is 30", with(fmtOf("YUYV", sizeOf(1280, 720, Rate{30000, 1001}, r(15)))),
			Request{Width: 1280, Height: 720, FPS: 30},
			Mode{"YUYV", 1280, 720, Rate{30000, 1001}},
			"as asked for",
		},
		{
			"30 before 25 and 60 when nothing is said", with(fmtOf("YUYV", sizeOf(1280, 720, r(60), r(30), r(25)))),
			Request{},
			Mode{"YUYV", 1280, 720, r(30)},
			"the usual size and rate",
		},
		{
			"NV12 before YUYV", with(fmtOf("YUYV", sizeOf(1280, 720, r(30))), fmtOf("NV12", sizeOf(1280, 720, r(30)))),
			Request{},
			Mode{"NV12", 1280, 720, r(30)},
			"the usual size and rate",
		},
		{
			"colour before grey, whatever the size", with(fmtOf("GREY", sizeOf(1280, 720, r(30))), fmtOf("MJPG", sizeOf(320, 240, r(15)))),
			Request{},
			Mode{"MJPG", 320, 240, r(15)},
			"the nearest to 1280x720 at 30 frames/s that the camera has",
		},
		{"grey when there is nothing else", with(fmtOf("GREY", sizeOf(640, 360, r(15)))), Request{}, Mode{"GREY", 640, 360, r(15)}, "the nearest to 1280x720 at 30 frames/s that the camera has"},
		{"no rates listed", with(fmtOf("YUYV", sizeOf(1280, 720))), Request{}, Mode{"YUYV", 1280, 720, Rate{}}, "the camera does not list its rates"},
		{
			"sensor formats are left out", with(fmtOf("RG10", sizeOf(1280, 720, r(30))), fmtOf("YUYV", sizeOf(640, 480, r(30)))),
			Request{},
			Mode{"YUYV", 640, 480, r(30)},
			"the nearest to 1280x720 at 30 frames/s that the camera has",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, reason, err := PickMode(tt.camera, tt.request)
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want || reason != tt.reason {
				t.Errorf("got  %v: %s\nwant %v: %s", got, reason, tt.want, tt.reason)
			}
		})
	}
}

func TestPickModeErrors(t *testing.T) {
	tests := []struct {
		name    string
		camera  Camera
		request Request
		text    string
	}{
		{"no formats", Camera{Name: "Cam"}, Request{}, "choose a mode of Cam: no usable mode: it lists no format"},
		{"only H.264", with(fmtOf("H264", sizeOf(1280, 720, r(30)))), Request{}, "choose a mode of Cam: no usable mode: it lists H264"},
		{"asked for what it lacks", with(fmtOf("YUYV", sizeOf(640, 480)), fmtOf("MJPG")), Request{FourCC: "NV12"}, "choose a mode of Cam: no usable mode: it lists YUYV, MJPG"},
		{"sensor", with(fmtOf("RG10", sizeOf(640, 480))), Request{FourCC: "RG10"}, "choose a mode of Cam: no usable mode: it lists RG10"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := PickMode(tt.camera, tt.request)
			if !errors.Is(err, ErrNoMode) || err.Error() != tt.text {
				t.Errorf("err = %v, want %s", err, tt.text)
			}
		})
	}
}
