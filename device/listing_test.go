package device

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWriteTable(t *testing.T) {
	root := machine()
	root["dev/video2"] = charDevice()
	sensor := fakeNode{
		capability: Capability{Driver: "unicam", Card: "unicam-image", Caps: capture | streaming},
		formats:    []fakeFormat{format("RG10", discrete(3280, 2464))},
	}
	codec := fakeNode{capability: Capability{Driver: "bcm2835-codec", Card: "codec", Caps: capture | streaming}}
	l := List(t.Context(), Options{Root: root, Open: openFrom(map[string]any{
		"/dev/video0": webcam(), "/dev/video1": codec, "/dev/video2": sensor, "/dev/video11": codec,
	})})
	const want = `cameras:
  HD Cam  /dev/video0  USB  MJPG 1280x720@30, YUYV 640x480@30
    id /dev/v4l/by-id/usb-046d_HD_Cam_1234-video-index0
microphones:
  Loopback, Loopback PCM  hw:CARD=Loopback,DEV=0
  HD Cam, USB Audio       hw:CARD=Cam,DEV=0
speakers:
  Loopback, Loopback PCM  hw:CARD=Loopback,DEV=0
not usable directly:
  unicam-image  /dev/video2  raw sensor
`
	var out strings.Builder
	if err := l.WriteTable(&out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	out.Reset()
	if err := (Listing{}).WriteTable(&out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("cameras: none\nmicrophones: none\nspeakers: none\n", out.String()); diff != "" {
		t.Errorf("of nothing (-want +got):\n%s", diff)
	}
}

func TestSummaryIsShort(t *testing.T) {
	c := with(fmtOf("YUYV"), fmtOf("NV12", sizeOf(640, 480)), fmtOf("A"), fmtOf("B"), fmtOf("C"), fmtOf("D"))
	if got, want := c.summary(), "YUYV, NV12 640x480, A, B, 2 more"; got != want {
		t.Errorf("summary = %q, want %q", got, want)
	}
}

var errFull = errors.New("full")

type fullWriter struct{}

func (fullWriter) Write([]byte) (int, error) { return 0, errFull }

func TestWriteTableReportsTheWriter(t *testing.T) {
	if err := (Listing{}).WriteTable(fullWriter{}); !errors.Is(err, errFull) {
		t.Errorf("err = %v, want %v", err, errFull)
	}
}

func TestChoiceString(t *testing.T) {
	tests := []struct {
		got, want string
	}{
		{Choice{Source: SourceDevice, Camera: Camera{Name: "HD Cam", Path: "/dev/video0"}, Reason: "asked for by name"}.String(), "HD Cam (/dev/video0): asked for by name"},
		{Choice{Source: SourceTest, Reason: "no camera found"}.String(), "test picture: no camera found"},
		{Choice{Source: SourceNone, Reason: "asked for"}.String(), "no picture: asked for"},
		{SoundChoice{Source: SourceDevice, Sound: Sound{Name: "HD Cam", PCM: "hw:CARD=Cam,DEV=0"}, Reason: "the camera's own"}.String(), "HD Cam (hw:CARD=Cam,DEV=0): the camera's own"},
		{SoundChoice{Source: SourceTest, Reason: "asked for"}.String(), "test tone: asked for"},
		{SoundChoice{Source: SourceNone, Reason: "no microphone found"}.String(), "no sound: no microphone found"},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			if tt.got != tt.want {
				t.Errorf("String() = %q, want %q", tt.got, tt.want)
			}
		})
	}
}
