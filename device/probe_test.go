package device

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestClassifyAndJudge(t *testing.T) {
	const mplane = capCaptureMPlane
	yuyv := format("YUYV", discrete(640, 480), every(30))
	node := func(driver string, caps uint32, formats ...fakeFormat) fakeNode {
		return fakeNode{capability: Capability{Driver: driver, Card: driver, Caps: caps}, formats: formats}
	}
	tests := []struct {
		name string
		node fakeNode
		want Why
	}{
		{"webcam", webcam(), ""},
		{"multi-planar camera", node("rkisp_v6", mplane|streaming, format("NM12", discrete(640, 480))), ""},
		{"webcam's metadata", node("uvcvideo", capMetadataCapture|streaming), WhyNoCapture},
		{"read only", node("old", capture|capReadWrite, yuyv), WhyNoCapture},
		{"touch pad", node("rmi4", capture|streaming|capTouch, yuyv), WhyNoCapture},
		{"output", node("vivid", capOutput|streaming, yuyv), WhyNoCapture},
		{"M2M", node("vicodec", capMem2Mem|streaming, yuyv), WhyCodec},
		{"M2M with capture too", node("vim2m", capMem2MemMPlane|capture|streaming, yuyv), WhyCodec},
		{"both sides without the M2M bit", node("oldm2m", capture|capOutput|streaming, yuyv), WhyCodec},
		{"loopback with both sides", node("v4l2 loopback", capture|capOutput|streaming, yuyv), ""},
		{"Pi encoder", node("bcm2835-codec", mplane|streaming, yuyv), WhyCodec},
		{"Pi ISP", node("bcm2835-isp", capture|streaming, yuyv), WhyISP},
		{"Pi 5 back end", node("pispbe", mplane|streaming, yuyv), WhyISP},
		{"Pi 5 CSI receiver", node("rp1-cfe", capture|streaming|capMediaController, yuyv), WhyController},
		{"Bayer sensor", node("unicam", capture|streaming, format("RG10", discrete(3280, 2464)), format("pRAA", discrete(3280, 2464))), WhySensor},
		{"deep grey sensor", node("tegra-video", capture|streaming, format("Y16 ", discrete(640, 480))), WhySensor},
		{"sensor with a usable format too", node("cam", capture|streaming, format("RG10", discrete(640, 480)), yuyv), ""},
		{"infrared", node("uvcvideo", capture|streaming, format("GREY", discrete(640, 360))), ""},
		{"depth", node("uvcvideo", capture|streaming, format("Z16 ", discrete(640, 480))), WhyNoFormat},
		{"no formats", node("unicam", capture|streaming), WhyNoFormat},
		{"does not answer QUERYCAP", fakeNode{err: unix.ENOTTY}, WhyFailed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var closed atomic.Int32
			tt.node.closed = &closed
			got := probe(openFrom(map[string]any{"/dev/video0": tt.node}), "/dev/video0")
			if got.why != tt.want {
				t.Errorf("why = %q, want %q", got.why, tt.want)
			}
			if closed.Load() != 1 {
				t.Errorf("node closed %d times", closed.Load())
			}
		})
	}
}

func TestListJSON(t *testing.T) {
	meta := fakeNode{capability: Capability{Driver: "uvcvideo", Card: "HD Cam: HD Cam", Caps: capMetadataCapture | streaming}}
	l := List(t.Context(), Options{
		Root: machine(),
		Open: openFrom(map[string]any{"/dev/video0": webcam(), "/dev/video1": meta, "/dev/video11": unix.EACCES}),
	})
	got, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"cameras":[{"name":"HD Cam","driver":"uvcvideo","bus":"usb-0000:00:14.0-2","path":"/dev/video0",` +
		`"by_id":"/dev/v4l/by-id/usb-046d_HD_Cam_1234-video-index0",` +
		`"by_path":"/dev/v4l/by-path/pci-0000:00:14.0-usb-0:2:1.0-video-index0",` +
		`"id":"/dev/v4l/by-id/usb-046d_HD_Cam_1234-video-index0","usb_path":"1-2","formats":[` +
		`{"fourcc":"MJPG","description":"Motion-JPEG","compressed":true,"sizes":[{"width":1280,"height":720,"rates":[{"num":30,"den":1}]}]},` +
		`{"fourcc":"YUYV","description":"YUYV 4:2:2","compressed":false,"sizes":[{"width":640,"height":480,"rates":[{"num":30,"den":1},{"num":15,"den":1}]}]}]}],` +
		`"microphones":[{"card":0,"id":"Loopback","name":"Loopback","driver":"Loopback","device":0,"device_name":"Loopback PCM","pcm":"hw:CARD=Loopback,DEV=0","stream":"capture","bus":"","usb_id":"","usb_path":""},` +
		`{"card":1,"id":"Cam","name":"HD Cam","driver":"USB-Audio","device":0,"device_name":"USB Audio","pcm":"hw:CARD=Cam,DEV=0","stream":"capture","bus":"usb-0000:00:14.0-2","usb_id":"046d:082d","usb_path":"1-2"}],` +
		`"speakers":[{"card":0,"id":"Loopback","name":"Loopback","driver":"Loopback","device":0,"device_name":"Loopback PCM","pcm":"hw:CARD=Loopback,DEV=0","stream":"playback","bus":"","usb_id":"","usb_path":""}]}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	skipped := map[string]Why{}
	for _, s := range l.Skipped {
		skipped[s.Path] = s.Why
	}
	if diff := cmp.Diff(map[string]Why{"/dev/video1": WhyNoCapture, "/dev/video11": WhyForbidden}, skipped); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
	if name := l.Skipped[1].Name; name != "bcm2835-codec-encode" {
		t.Errorf("name of the node that wasn't asked = %q, want it from sysfs", name)
	}
}

func TestListOfNothing(t *testing.T) {
	got, err := json.Marshal(List(t.Context(), Options{Root: fstest.MapFS{}}))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"cameras":[],"microphones":[],"speakers":[]}`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Camera.Formats, Format.Sizes and Size.Rates are arrays even where the driver lists none.
func TestNoNullArrays(t *testing.T) {
	n := webcam()
	n.formats = []fakeFormat{format("MJPG", discrete(640, 480)), {FormatDesc: FormatDesc{Code: code("YUYV")}}}
	l := List(t.Context(), Options{Root: fstest.MapFS{"dev/video0": charDevice()}, Open: openFrom(map[string]any{"/dev/video0": n})})
	got, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Cameras) != 1 || bytes.Contains(got, []byte("null")) {
		t.Errorf("got %s", got)
	}
}

func TestNodes(t *testing.T) {
	root := fstest.MapFS{
		"dev/video10": charDevice(), "dev/video9": charDevice(), "dev/video0": charDevice(),
		"dev/video": charDevice(), "dev/video-1": charDevice(), "dev/video01": charDevice(), "dev/video99999": charDevice(),
		"dev/videodev": charDevice(), "dev/vbi0": charDevice(), "dev/video3": symlink("video9"), "dev/null": charDevice(),
	}
	if diff := cmp.Diff([]string{"/dev/video0", "/dev/video9", "/dev/video10"}, nodes(root)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A driver that hangs must cost the listing its time-out, no more, and the node must still be closed when the
// driver comes back.
func TestHungDriver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var closed atomic.Int32
		good := openFrom(map[string]any{"/dev/video1": webcam()})
		o := Options{
			Root:    fstest.MapFS{"dev/video0": charDevice(), "dev/video1": charDevice()},
			Timeout: 2 * time.Second,
			Open: func(path string) (Node, error) {
				if path == "/dev/video0" {
					<-release
					return fakeNode{closed: &closed}, nil
				}
				return good(path)
			},
		}
		start := time.Now()
		l := List(t.Context(), o)
		if took := time.Since(start); took != o.Timeout {
			t.Errorf("took %v, want the time-out of %v", took, o.Timeout)
		}
		if len(l.Cameras) != 1 || l.Cameras[0].Path != "/dev/video1" {
			t.Errorf("cameras = %v, want the one that answers", l.Cameras)
		}
		if len(l.Skipped) != 1 || l.Skipped[0].Why != WhySilent || !errors.Is(l.Skipped[0].Err, ErrSilent) {
			t.Errorf("skipped = %v", l.Skipped)
		}
		close(release)
		synctest.Wait()
		if closed.Load() != 1 {
			t.Errorf("the late node was closed %d times", closed.Load())
		}
	})
}

func TestListEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		start := time.Now()
		l := List(ctx, Options{
			Root: fstest.MapFS{"dev/video0": charDevice()},
			Open: func(string) (Node, error) { <-release; return nil, unix.ENODEV },
		})
		if took := time.Since(start); took != time.Millisecond || len(l.Skipped) != 1 {
			t.Errorf("took %v, skipped %v", took, l.Skipped)
		}
		close(release)
	})
}

// endlessNode answers every index, as a broken driver might.
type endlessNode struct{ fakeNode }

func (endlessNode) Format(uint32) (FormatDesc, error) { return FormatDesc{Code: code("YUYV")}, nil }

func (endlessNode) FrameSize(_, i uint32) (SizeRange, error) { return discrete(i+1, i+1), nil }

func (endlessNode) FrameInterval(_, _, _, i uint32) (IntervalRange, error) { return every(i + 1), nil }

func TestEndlessDriver(t *testing.T) {
	n := endlessNode{fakeNode{capability: Capability{Caps: capture | streaming}}}
	formats := readFormats(n)
	if len(formats) != maxFormats || len(formats[0].Sizes) != maxSizes || len(formats[0].Sizes[0].Rates) != maxIntervals {
		t.Errorf("%d formats, %d sizes, %d rates", len(formats), len(formats[0].Sizes), len(formats[0].Sizes[0].Rates))
	}
}

func TestErrorsOfSkippedNodes(t *testing.T) {
	tests := []struct {
		name string
		open error
		why  Why
		kind error
	}{
		{"forbidden", unix.EACCES, WhyForbidden, ErrForbidden},
		{"busy", unix.EBUSY, WhyBusy, ErrBusy},
		{"gone", unix.ENODEV, WhyFailed, ErrGone},
		{"vanished", unix.ENOENT, WhyFailed, ErrGone},
		{"other", unix.EIO, WhyFailed, unix.EIO},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := List(t.Context(), Options{
				Root: fstest.MapFS{"dev/video0": charDevice()}, Open: openFrom(map[string]any{"/dev/video0": tt.open}),
			})
			if len(l.Skipped) != 1 || l.Skipped[0].Why != tt.why || !errors.Is(l.Skipped[0].Err, tt.kind) {
				t.Errorf("skipped = %+v", l.Skipped)
			}
		})
	}
}

func TestIdentify(t *testing.T) {
	root := machine()
	c := Camera{Path: "/dev/video0", Name: "HD Cam", Bus: "usb-0000:00:14.0-2"}
	c.identify(root, readLinks(root))
	if c.ID != c.ByID || c.ByID == "" || !cmp.Equal(c.aliases, []string{"/dev/webcam"}) {
		t.Errorf("with a serial number: %+v", c)
	}

	delete(root, "dev/v4l/by-id/usb-046d_HD_Cam_1234-video-index0")
	c.identify(root, readLinks(root))
	if c.ID != c.ByPath || c.ByPath == "" || c.ByID != "" {
		t.Errorf("without a serial number: %+v", c)
	}

	delete(root, "dev/v4l/by-path/pci-0000:00:14.0-usb-0:2:1.0-video-index0")
	c.identify(root, readLinks(root))
	if c.ID != c.Bus || c.ByPath != "" {
		t.Errorf("without udev: %+v", c)
	}
}

func TestUSBPath(t *testing.T) {
	tests := []struct{ target, want string }{
		{"../../../1-2:1.0", "1-2"},
		{"../../../3-1.4.2:1.12", "3-1.4.2"},
		{"../../../1-2", "1-2"},
		{"../../../vivid.0", ""},
		{"../../../0000:00:1f.3", ""},
		{"../../../usb1", ""},
		{"", ""},
	}
	for _, tt := range tests {
		t.Run(tt.target, func(t *testing.T) {
			root := fstest.MapFS{"sys/class/sound/card0/device": symlink(tt.target)}
			if got := usbPath(root, "sys/class/sound/card0/device"); got != tt.want {
				t.Errorf("usbPath = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestListLogs(t *testing.T) {
	var out bytes.Buffer
	List(t.Context(), Options{
		Root: fstest.MapFS{"dev/video0": charDevice()},
		Open: openFrom(map[string]any{"/dev/video0": unix.EACCES}),
		Log:  slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if !strings.Contains(out.String(), `path=/dev/video0`) || !strings.Contains(out.String(), `why="not permitted"`) {
		t.Errorf("log: %s", out.String())
	}
}

func TestCardName(t *testing.T) {
	tests := []struct{ card, want string }{
		{"HD Cam: HD Cam", "HD Cam"},
		{"Integrated Camera: Integrated C", "Integrated Camera"},
		{"Acme: Left eye", "Acme: Left eye"},
		{"vivid", "vivid"},
		{"", "uvcvideo"},
	}
	for _, tt := range tests {
		t.Run(tt.card, func(t *testing.T) {
			if got := cardName(Capability{Card: tt.card, Driver: "uvcvideo"}); got != tt.want {
				t.Errorf("cardName = %q, want %q", got, tt.want)
			}
		})
	}
}

// stat gives a device node an owner.
func stat(gid uint32, f *fstest.MapFile) *fstest.MapFile {
	f.Sys = &syscall.Stat_t{Gid: gid}
	return f
}

// BenchmarkList is what a listing costs us of a Pi with twenty nodes, one of them a webcam: the drivers' share comes on
// top, of which the slowest counts.
func BenchmarkList(b *testing.B) {
	root := machine()
	nodes := map[string]any{"/dev/video0": webcam(), "/dev/video1": fakeNode{}}
	for i := 10; i < 28; i++ {
		path := fmt.Sprintf("/dev/video%d", i)
		root[path[1:]] = charDevice()
		nodes[path] = fakeNode{capability: Capability{Driver: "bcm2835-codec", Caps: capture | streaming}}
	}
	o := Options{Root: root, Open: openFrom(nodes)}
	for b.Loop() {
		if l := List(b.Context(), o); len(l.Cameras) != 1 || len(l.Skipped) != 19 {
			b.Fatal(l)
		}
	}
}
