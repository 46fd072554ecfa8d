package pipeline

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"boardcast/board"
)

// machineWith has just these elements, and elements with just these properties (nil: all).
func machineWith(v Version, elements, properties []string) Machine {
	return Machine{
		GStreamer: v, Cores: 4,
		Installed: func(e string) bool { return slices.Contains(elements, e) },
		Has: func(_, p, value string) bool {
			return properties == nil || slices.Contains(properties, p) && (value == "" || slices.Contains(properties, p+"="+value) || p != "rate-control")
		},
	}
}

func (m Machine) withDriver(driver, card string) Machine {
	m.Driver = func(string) (string, string) { return driver, card }
	return m
}

var cpuConverters = []string{"videoconvert", "videoscale"}

func with(elements ...string) []string { return append(elements, cpuConverters...) }

var (
	debian12 = Version{1, 22, 0}
	debian13 = Version{1, 26, 2}
	newest   = Version{1, 30, 0}
	vga      = VideoFormat{Width: 640, Height: 480, FPSNum: 30, FPSDen: 1, Bitrate: 1_500_000}
	vgaRaw   = Raw{Format: "YUY2", Width: 640, Height: 480, FPSNum: 30, FPSDen: 1}
)

// fitted is the one candidate on a machine.
func fitted(t *testing.T, m Machine, codec Codec) Encoder {
	t.Helper()
	fit, unfit := EncodersFor(board.Board{}, m, codec)
	if len(fit) != 1 {
		t.Fatalf("candidates %v, unfit %v", ids(fit), unfit)
	}
	return fit[0]
}

func TestFitGenerationsOfV4L2(t *testing.T) {
	var hasNew, hasNone []string = nil, []string{"extra-controls"}
	cases := []struct {
		name       string
		version    Version
		properties []string
		id         string
		keyframe   KeyframeMethod
		props      string
	}{
		{"Debian 12", debian12, hasNone, "v4l2h264enc/before-1.22.4", KeyframeExtraControls, "video_bitrate=1500000"},
		{"1.22.4", Version{1, 22, 4}, hasNone, "v4l2h264enc", KeyframeEvent, "video_bitrate=1500000"},
		{"Debian 13", debian13, hasNone, "v4l2h264enc", KeyframeEvent, "h264_i_frame_period=300"},
		{"1.30", newest, hasNew, "v4l2h264enc/properties", KeyframeEvent, "bitrate=1500000 gop-size=300"},
		{"1.30 without its properties", newest, hasNone, "v4l2h264enc", KeyframeEvent, "video_bitrate=1500000"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e := fitted(t, machineWith(c.version, with("v4l2h264enc"), c.properties), H264)
			if e.ID != c.id || e.Keyframe != c.keyframe {
				t.Errorf("row %s, keyframe method %d; want %s, %d", e.ID, e.Keyframe, c.id, c.keyframe)
			}
			if got := e.Graph(vgaRaw, vga).String(); !strings.Contains(got, c.props) || !strings.Contains(got, "level=(string)3.1") {
				t.Errorf("graph lacks %q or the level: %s", c.props, got)
			}
		})
	}
}

func TestFitDrivers(t *testing.T) {
	cases := []struct {
		name, driver, card string
		version            Version
		keyframe           KeyframeMethod
		live               bool
		contains           string
		lacks              string
	}{
		{"Raspberry Pi", "bcm2835-codec", "bcm2835-codec-encode", debian13, KeyframeEvent, true, "h264_i_frame_period=300", "frame_level"},
		{"Raspberry Pi, Debian 12", "bcm2835-codec", "bcm2835-codec-encode", debian12, KeyframeExtraControls, true, "repeat_sequence_header=1", "gop_size"},
		{"TI", "wave5-enc", "wave5-enc", debian13, KeyframeNone, false, "video_gop_size=30,video_bitrate_mode=1,repeat_sequence_header=1,frame_level_rate_control_enable=1", "h264_i_frame_period"},
		{"i.MX 95", "wave6-enc", "C&M Wave6 VPU encoder", debian13, KeyframeEvent, true, "video_gop_size=300", "h264_i_frame_period"},
		{"Qualcomm", "qcom-venus", "Qualcomm Venus video encoder", debian13, KeyframeEvent, true, "video_bitrate=1500000", "frame_level"},
		{"another", "some-m2m", "", debian13, KeyframeEvent, true, "video_bitrate=1500000", "frame_level"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := machineWith(c.version, with("v4l2h264enc"), []string{"extra-controls"}).withDriver(c.driver, c.card)
			e := fitted(t, m, H264)
			if e.Keyframe != c.keyframe || e.Live != c.live {
				t.Errorf("keyframe method %d, live %t; want %d, %t", e.Keyframe, e.Live, c.keyframe, c.live)
			}
			got := e.Graph(vgaRaw, vga).String()
			if !strings.Contains(got, c.contains) || strings.Contains(got, c.lacks) {
				t.Errorf("graph lacks %q or has %q: %s", c.contains, c.lacks, got)
			}
		})
	}
}

func TestFitDriverLimits(t *testing.T) {
	m := machineWith(debian13, with("v4l2h264enc"), []string{"extra-controls"}).withDriver("bcm2835-codec", "")
	e := fitted(t, m, H264)
	if v := e.BitrateValue(25_000_000); v != "20000000" {
		t.Errorf("bitrate %s, want what does not fail at STREAMON", v)
	}
	full := VideoFormat{Width: 1920, Height: 1080, FPSNum: 60, FPSDen: 1}
	if why := exceeds(e.limits(board.Board{}), full); !strings.Contains(why, "macroblocks") {
		t.Errorf("1080p60: %q", why)
	}
}

func TestFitLooksPropertiesUp(t *testing.T) {
	cases := []struct {
		name, element string
		codec         Codec
		properties    []string
		id, props     string
	}{
		{"Rockchip", "mpph264enc", H264, []string{"bps", "gop"}, "mpph264enc", "name=encoder bps=1500000 gop=600"},
		{"a fork of it", "mpph264enc", H264, []string{"bitrate", "gop"}, "mpph264enc", "name=encoder bitrate=1500000 gop=600"},
		{"Raspberry Pi's OMX", "omxh264enc", H264, []string{"target-bitrate", "interval-intraframes", "inline-header"}, "omxh264enc", "inline-header=true target-bitrate=1500000 interval-intraframes=300"},
		{"NVIDIA's OMX", "omxh264enc", H264, []string{"bitrate", "iframeinterval"}, "omxh264enc/l4t", "name=encoder bitrate=1500000 iframeinterval=256"},
		{"VA without cbr", "vah264enc", H264, []string{"bitrate", "key-int-max", "rate-control", "b-frames"}, "vah264enc", "name=encoder b-frames=0 bitrate=1500 key-int-max=256"},
		{"VA with cbr", "vah264enc", H264, []string{"bitrate", "rate-control", "rate-control=cbr"}, "vah264enc", "name=encoder rate-control=cbr bitrate=1500"},
		{"Jetson", "nvv4l2vp8enc", VP8, nil, "nvv4l2vp8enc", "idrinterval=256 bitrate=1500000 iframeinterval=256"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e := fitted(t, machineWith(debian13, with(c.element, "nvvidconv"), c.properties), c.codec)
			if e.ID != c.id {
				t.Errorf("row %s, want %s", e.ID, c.id)
			}
			if got := e.Graph(vgaRaw, vga).String(); !strings.Contains(got, c.props+" ") {
				t.Errorf("graph lacks %q: %s", c.props, got)
			}
		})
	}
}

func TestFitRefuses(t *testing.T) {
	x264, _ := EncoderByID("x264enc")
	nvenc, _ := EncoderByID("nvv4l2h264enc")
	old, _ := EncoderByID("v4l2h264enc/before-1.22.4")
	young, _ := EncoderByID("v4l2h264enc/properties")
	cases := []struct {
		name    string
		e       Encoder
		m       Machine
		missing bool
		reason  string
	}{
		{"not installed", x264, machineWith(debian12, cpuConverters, nil), true, "gstreamer1.0-plugins-ugly"},
		{"no converter", nvenc, machineWith(debian12, with("nvv4l2h264enc"), nil), false, "no converter"},
		{"too new", old, machineWith(debian13, with("v4l2h264enc"), nil), false, "before 1.22.4"},
		{"too old", young, machineWith(debian13, with("v4l2h264enc"), nil), false, "1.29.2 and newer"},
	}
	for _, c := range cases {
		_, err := c.e.Fit(c.m)
		var unfit *Unfit
		if !errors.As(err, &unfit) || unfit.Missing != c.missing || !strings.Contains(unfit.Reason, c.reason) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestFurtherDevices(t *testing.T) {
	m := machineWith(debian13, with("vah264enc", "varenderD129h264enc", "vapostproc"), nil)
	m.Like = func(pattern string) []string {
		if matches(pattern, "varenderD129h264enc") {
			return []string{"varenderD129h264enc"}
		}
		return nil
	}
	fit, _ := EncodersFor(board.Board{H264: []string{"vah264enc"}}, m, H264)
	if got := ids(fit); !slices.Equal(got, []string{"vah264enc", "varenderD129h264enc"}) {
		t.Errorf("candidates %v", got)
	}
}

func TestCandidatesInOrder(t *testing.T) {
	b := board.Board{H264: []string{"mpph264enc", "openh264enc", "x264enc"}}
	m := machineWith(debian13, with("x264enc", "openh264enc", "mpph264enc", "vah264enc", "vapostproc"), nil)
	fit, _ := EncodersFor(b, m, H264)
	if got, want := ids(fit), []string{"mpph264enc", "vah264enc", "openh264enc", "x264enc"}; !slices.Equal(got, want) {
		t.Errorf("candidates %v, want %v: the board's, other hardware, software as the board orders it", got, want)
	}
}
