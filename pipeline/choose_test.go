package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"boardcast/board"
	"boardcast/device"
)

// prover answers with functions; nil ones pass all.
type prover struct {
	encoder func(Encoder, Raw, VideoFormat) Verdict
	source  func(Graph, Codec) Verdict
}

func (p prover) Encoder(_ context.Context, e Encoder, r Raw, f VideoFormat) Verdict {
	if p.encoder == nil {
		return Verdict{Outcome: OutcomeUsable, FramesPerSecond: 200}
	}
	return p.encoder(e, r, f)
}

func (p prover) Source(_ context.Context, g Graph, _ string, c Codec) Verdict {
	if p.source == nil {
		return Verdict{Outcome: OutcomeUsable}
	}
	return p.source(g, c)
}

// failure is the verdict of an encoder that does not work.
func failure(format string, args ...any) Verdict {
	return Verdict{Outcome: OutcomeFailed, Reason: fmt.Sprintf(format, args...)}
}

func boardOf(t *testing.T, id string) board.Board {
	t.Helper()
	for _, b := range board.All() {
		if b.ID == id {
			return b
		}
	}
	t.Fatalf("no board %s", id)
	return board.Board{}
}

func choosePlan(t *testing.T, w Request, g Given) Plan {
	t.Helper()
	p, err := Choose(t.Context(), w, g)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNoVideo(t *testing.T) {
	p, err := Choose(t.Context(), Request{}, Given{NoVideo: true, Audio: AudioSource{Test: true}, Machine: Machine{Installed: func(string) bool { return false }}})
	if err != nil || p.Capture != nil || p.Choices != nil || p.Audio == nil {
		t.Errorf("%+v, %v", p, err)
	}
}

// Where nothing vouches for a software encoder the picture stays small; what the user says holds all the same.
func TestWithoutTrials(t *testing.T) {
	g := Given{Board: boardOf(t, "generic"), Machine: machineWith(debian12, everywhere, nil)}
	if p := choosePlan(t, Request{}, g); p.Format.Width != 640 || p.Format.Height != 480 {
		t.Errorf("chose %v", p.Format)
	}
	if p := choosePlan(t, Request{Width: 1920, Height: 1080}, g); p.Format.Width != 1920 {
		t.Errorf("asked for 1920x1080, got %v", p.Format)
	}
}

func TestConnectorWithoutACamera(t *testing.T) {
	g := Given{
		Board: boardOf(t, "pi-4"), Connector: true, Machine: machineWith(debian13, append(everywhere, "libcamerasrc"), nil),
		Trials: prover{source: func(Graph, Codec) Verdict { return failure("no cameras available") }},
	}
	p := choosePlan(t, Request{}, g)
	if !p.Source.isTest() || p.Capture[0].Factory != "videotestsrc" || !strings.Contains(p.Why[0], "no cameras available") {
		t.Errorf("source %+v, why %q", p.Source, p.Why)
	}
	g.Trials = prover{}
	if p := choosePlan(t, Request{}, g); p.Capture[0].Factory != "libcamerasrc" {
		t.Errorf("capture %s", p.Capture)
	}
	g.Connector = false
	if p := choosePlan(t, Request{}, g); p.Capture[0].Factory != "videotestsrc" {
		t.Errorf("not asked to look there: %s", p.Capture)
	}
}

// A hardware decoder is taken when pictures came out of it, else the next one.
func TestDecodersAreTried(t *testing.T) {
	cam := goldenCameras["usb"]
	g := Given{
		Board: boardOf(t, "generic"), Camera: &cam, Machine: machineWith(debian13, append(everywhere, "v4l2jpegdec", "vajpegdec"), nil),
	}
	for _, c := range []struct{ works, want string }{
		{"v4l2jpegdec", "v4l2jpegdec"}, {"vajpegdec", "vajpegdec"}, {"none", "jpegdec"},
	} {
		g.Trials = prover{source: func(g Graph, _ Codec) Verdict {
			if strings.Contains(g.String(), c.works) {
				return Verdict{Outcome: OutcomeUsable}
			}
			return failure("not negotiated")
		}}
		if p := choosePlan(t, Request{}, g); !strings.Contains(p.Capture.String(), " "+c.want+" ") {
			t.Errorf("%s works: %s", c.works, p.Capture)
		}
	}
}

// A plain camera is not opened for a trial: who else uses it just then would lose it.
func TestPlainCamerasAreNotTried(t *testing.T) {
	cam := goldenCameras["usb3"]
	g := Given{Board: boardOf(t, "generic"), Camera: &cam, Machine: machineWith(debian13, append(everywhere, "avdec_mjpeg"), nil)}
	g.Trials = prover{source: func(g Graph, _ Codec) Verdict {
		t.Errorf("tried %s", g)
		return Verdict{Outcome: OutcomeUsable}
	}}
	choosePlan(t, Request{}, g)
	usb := goldenCameras["usb"]
	g.Camera = &usb
	choosePlan(t, Request{}, g)
}

func TestCameraThatNothingDecodes(t *testing.T) {
	g := Given{Board: boardOf(t, "generic"), Machine: machineWith(debian12, []string{"x264enc", "videoconvert", "videoscale"}, nil)}
	g.Camera = &device.Camera{Name: "Cam", Path: "/dev/video0", Formats: []device.Format{{FourCC: "MJPG", Sizes: []device.Size{rates(640, 480, 30)}}}}
	if _, err := Choose(t.Context(), Request{}, g); !errors.Is(err, device.ErrNoMode) {
		t.Errorf("%v", err)
	}
}

// What failed its trial is passed over, and named when nothing is left.
func TestEncodersThatFail(t *testing.T) {
	g := Given{Board: boardOf(t, "pi-4"), Machine: machineWith(debian13, append(everywhere, "v4l2h264enc"), nil)}
	g.Trials = prover{encoder: func(e Encoder, _ Raw, _ VideoFormat) Verdict {
		if e.Element == "openh264enc" {
			return Verdict{Outcome: OutcomeUsable, FramesPerSecond: 100}
		}
		return failure("broken %s", e.Element)
	}}
	p := choosePlan(t, Request{}, g)
	if len(p.Choices) != 1 || p.Choices[0].Encoder.ID != "openh264enc" || !strings.Contains(p.Why[1], "broken v4l2h264enc") {
		t.Errorf("choices %v, why %q", p.Choices, p.Why)
	}
	g.Trials = prover{encoder: func(e Encoder, _ Raw, _ VideoFormat) Verdict { return failure("broken %s", e.Element) }}
	_, err := Choose(t.Context(), Request{}, g)
	if !errors.Is(err, ErrNoEncoder) || !strings.Contains(err.Error(), "broken openh264enc") {
		t.Errorf("%v", err)
	}
}

func TestNoEncoderHints(t *testing.T) {
	g := Given{Board: boardOf(t, "generic"), Machine: machineWith(debian12, cpuConverters, nil)}
	_, err := Choose(t.Context(), Request{Codec: "h264"}, g)
	var none *NoEncoderError
	if !errors.As(err, &none) || none.Hint() != "install one of: gstreamer1.0-plugins-bad, gstreamer1.0-plugins-ugly" {
		t.Errorf("%v, hint %q", err, none.Hint())
	}
	_, err = Choose(t.Context(), Request{Encoder: "mpph264enc"}, g)
	if !errors.As(err, &none) || none.Hint() != "install one of: "+mppPackage {
		t.Errorf("%v, hint %q", err, none.Hint())
	}
	_, err = Choose(t.Context(), Request{Encoder: "nosuch"}, g)
	if !errors.As(err, &none) || !strings.Contains(none.Hint(), "boardcast encoders") {
		t.Errorf("%v, hint %q", err, none.Hint())
	}
}

// The SDP says what the trial read in the stream, and the graph is the one that passed.
func TestPlanFollowsItsTrials(t *testing.T) {
	g := Given{Board: boardOf(t, "am62a"), Machine: machineWith(debian13, append(everywhere, "v4l2h264enc", "v4l2convert"), nil)}
	g.Trials = prover{encoder: func(Encoder, Raw, VideoFormat) Verdict {
		return Verdict{Outcome: OutcomeUsable, ProfileLevelID: "42c033", Input: 1, NoKeyframe: true, FramesPerSecond: 90}
	}}
	p := choosePlan(t, Request{Codec: "h264"}, g)
	c := p.Choices[0]
	if !strings.Contains(Preferences(H264, p.Format, 102), "profile-level-id=(string)42c033") {
		t.Errorf("SDP %s", Preferences(H264, p.Format, 102))
	}
	if c.Encoder.Keyframe != KeyframeNone || strings.Contains(c.Graph.String(), "v4l2convert") || !strings.Contains(c.Graph.String(), "h264_i_frame_period=30") {
		t.Errorf("keyframe method %d, graph %s", c.Encoder.Keyframe, c.Graph)
	}
}

// A second codec never gets more than its encoder manages, nor more than there is.
func TestShrink(t *testing.T) {
	full := VideoFormat{Width: 1280, Height: 720, FPSNum: 30, FPSDen: 1, Bitrate: 4_000_000}
	cases := []struct {
		name string
		room float64
		want VideoFormat
	}{
		{"nothing measured", 0, full},
		{"room enough", 28e6, full},
		{"half the rate", 14e6, VideoFormat{Width: 1280, Height: 720, FPSNum: 15, FPSDen: 1, Bitrate: 2_300_000}},
		{"fewer pixels", 8e6, VideoFormat{Width: 960, Height: 540, FPSNum: 15, FPSDen: 1, Bitrate: 1_250_000}},
		{"hardly any", 1, VideoFormat{Width: 320, Height: 180, FPSNum: 15, FPSDen: 1, Bitrate: 200_000}},
	}
	for _, c := range cases {
		if diff := cmp.Diff(c.want, shrink(full, c.room)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// A busy machine measures few frames a second, but the CPU that each took tells what it could do.
func TestCapacity(t *testing.T) {
	f := VideoFormat{Width: 100, Height: 10}
	cases := []struct {
		name string
		v    Verdict
		want float64
	}{
		{"nothing measured", Verdict{}, 0},
		{"idle, many cores", Verdict{FramesPerSecond: 100, CPUMillis: 20}, 50_000},
		{"busy", Verdict{FramesPerSecond: 5, CPUMillis: 10}, 50_000},
	}
	for _, c := range cases {
		if got := capacity(c.v, f); got != c.want {
			t.Errorf("%s: %f, want %f", c.name, got, c.want)
		}
	}
}

func TestFormatForLimits(t *testing.T) {
	camera := VideoSource{Width: 1920, Height: 1080, FPSNum: 60, FPSDen: 1}
	cases := []struct {
		name   string
		request   Request
		limits board.Limits
		want   VideoFormat
	}{
		{"none", Request{Bitrate: 1}, board.Limits{}, VideoFormat{Width: 1920, Height: 1080, FPSNum: 60, FPSDen: 1, Bitrate: 1}},
		{"multiples of 16", Request{Bitrate: 1}, board.Limits{SizeMultiple: 16}, VideoFormat{Width: 1920, Height: 1072, FPSNum: 60, FPSDen: 1, Bitrate: 1}},
		{"a smaller maximum", Request{Bitrate: 1}, board.Limits{MaxWidth: 1280, MaxHeight: 1280}, VideoFormat{Width: 1280, Height: 720, FPSNum: 60, FPSDen: 1, Bitrate: 1}},
		{"fewer macroblocks", Request{Bitrate: 1}, board.Limits{MacroblocksPerSecond: 245_760}, VideoFormat{Width: 1920, Height: 1080, FPSNum: 30, FPSDen: 1, Bitrate: 1}},
		{"one side", Request{Bitrate: 1, Width: 960}, board.Limits{}, VideoFormat{Width: 960, Height: 540, FPSNum: 60, FPSDen: 1, Bitrate: 1}},
		{"odd sides", Request{Bitrate: 1, Width: 853, Height: 479}, board.Limits{}, VideoFormat{Width: 852, Height: 478, FPSNum: 60, FPSDen: 1, Bitrate: 1}},
		{"a lower rate", Request{Bitrate: 1, FPS: 25}, board.Limits{}, VideoFormat{Width: 1920, Height: 1080, FPSNum: 25, FPSDen: 1, Bitrate: 1}},
		{"more than there is", Request{Bitrate: 1, Width: 3840, Height: 2160, FPS: 120}, board.Limits{}, VideoFormat{Width: 1920, Height: 1080, FPSNum: 60, FPSDen: 1, Bitrate: 1}},
	}
	for _, c := range cases {
		if diff := cmp.Diff(c.want, formatFor(c.request, camera, c.limits)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// Where every mode is too much the cheapest is taken; JPEG has to be decoded, and a slide show is no picture.
func TestCheapestMode(t *testing.T) {
	cam := device.Camera{Formats: []device.Format{
		{FourCC: "MJPG", Sizes: []device.Size{rates(640, 480, 30)}},
		{FourCC: "YUYV", Sizes: []device.Size{rates(1280, 720, 10), rates(640, 480, 30, 5), rates(160, 120, 30)}},
	}}
	cases := []struct {
		name string
		drop string // a format that nothing decodes
		want device.Mode
	}{
		{"raw", "", device.Mode{FourCC: "YUYV", Width: 1280, Height: 720, Rate: device.Rate{Num: 10, Den: 1}}},
		{"only JPEG", "YUYV", device.Mode{FourCC: "MJPG", Width: 640, Height: 480, Rate: device.Rate{Num: 30, Den: 1}}},
	}
	for _, c := range cases {
		b := bounds{pixels: 1, decodes: func(f string) bool { return f != c.drop }}
		got, why, err := pickMode(cam, Request{}, b)
		if err != nil || got != c.want {
			t.Errorf("%s: %v (%s), %v; want %v", c.name, got, why, err, c.want)
		}
	}
	same := device.Camera{Formats: []device.Format{
		{FourCC: "MJPG", Sizes: []device.Size{rates(640, 480, 30)}}, {FourCC: "YUYV", Sizes: []device.Size{rates(640, 480, 30)}},
	}}
	if got, _, err := pickMode(same, Request{}, bounds{pixels: 1}); err != nil || got.FourCC != "YUYV" {
		t.Errorf("raw and JPEG alike: %v, %v", got, err)
	}
}

func TestDirectIsMeasured(t *testing.T) {
	cam := goldenCameras["h264"]
	cases := []struct {
		name   string
		request   Request
		allow  bool
		v      Verdict
		direct bool
	}{
		{"two seconds, where the CPU would encode", Request{}, true, Verdict{Outcome: OutcomeUsable, Source: SourceFacts{GOP: 60}}, true},
		{"suits", Request{}, true, Verdict{Outcome: OutcomeUsable, Source: SourceFacts{GOP: 30}}, true},
		{"not allowed", Request{}, false, Verdict{Outcome: OutcomeUsable, Source: SourceFacts{GOP: 30}}, false},
		{"VP8 asked for", Request{Codec: "vp8"}, true, Verdict{Outcome: OutcomeUsable, Source: SourceFacts{GOP: 30}}, false},
		{"another encoder asked for", Request{Encoder: "x264enc"}, true, Verdict{Outcome: OutcomeUsable, Source: SourceFacts{GOP: 30}}, false},
		{"B-frames", Request{}, true, Verdict{Outcome: OutcomeUsable, Source: SourceFacts{GOP: 30, Reordered: true}}, false},
		{"keyframes too rare", Request{}, true, Verdict{Outcome: OutcomeUsable, Source: SourceFacts{GOP: 150}}, false},
		{"keyframes too rare, but asked for", Request{Encoder: "camera"}, true, Verdict{Outcome: OutcomeUsable, Source: SourceFacts{GOP: 150}}, true},
		{"no second keyframe", Request{}, true, Verdict{Outcome: OutcomeUsable}, false},
		{"another profile", Request{}, true, failure("profile 100"), false},
		{"another profile, though asked for", Request{Codec: "h264"}, true, failure("profile 100"), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := Given{
				Board: boardOf(t, "generic"), Camera: &cam, Direct: c.allow, Machine: machineWith(debian12, everywhere, nil),
				Trials: prover{source: func(_ Graph, codec Codec) Verdict {
					if codec != H264 {
						return Verdict{Outcome: OutcomeUsable}
					}
					return c.v
				}},
			}
			p := choosePlan(t, c.request, g)
			if got := p.Choices[0].Direct; got != c.direct || got != (p.Capture == nil) {
				t.Errorf("direct %t, capture %s", got, p.Capture)
			}
		})
	}
}

// Where the board encodes in hardware, waiting two seconds for a camera's keyframe is not worth it.
func TestDirectYieldsToHardware(t *testing.T) {
	cam := goldenCameras["h264"]
	g := Given{
		Board: boardOf(t, "pi-4"), Camera: &cam, Direct: true, Machine: machineWith(debian13, append(everywhere, "v4l2h264enc"), nil),
		Trials: prover{source: func(Graph, Codec) Verdict { return Verdict{Outcome: OutcomeUsable, Source: SourceFacts{GOP: 60}} }},
	}
	if p := choosePlan(t, Request{}, g); p.Choices[0].Direct || !strings.Contains(p.Why[0], "2.0 s apart") {
		t.Errorf("why %q", p.Why)
	}
}

// Survey lists every row once, the fastest first, one chosen of each codec that is offered.
func TestSurvey(t *testing.T) {
	speed := map[string]float64{"v4l2h264enc": 60, "x264enc": 90, "openh264enc": 120, "vp8enc": 70, "vp9enc": 20}
	g := Given{
		Board: boardOf(t, "pi-4"), Machine: machineWith(debian13, append(everywhere, "vp9enc", "v4l2h264enc", "mpph264enc"), nil),
		Trials: prover{encoder: func(e Encoder, _ Raw, _ VideoFormat) Verdict {
			if e.Element == "mpph264enc" {
				return failure("no device")
			}
			return Verdict{Outcome: OutcomeUsable, FramesPerSecond: speed[e.Element]}
		}},
	}
	list := Survey(t.Context(), g, "", Request{Width: 1280, Height: 720})
	var rows, order, chosen []string
	for _, e := range list {
		rows = append(rows, e.Encoder.ID)
		if e.Verdict.Works() || e.Verdict.Outcome == OutcomeFailed {
			order = append(order, e.Encoder.Element)
		}
		if e.Verdict.Outcome == OutcomeChosen {
			chosen = append(chosen, e.Encoder.Element)
		}
		if e.Verdict.Outcome == OutcomeMissing && !strings.Contains(e.Verdict.Reason, e.Encoder.Package) {
			t.Errorf("%s: %q names no package", e.Encoder.ID, e.Verdict.Reason)
		}
	}
	if want := []string{"openh264enc", "x264enc", "vp8enc", "v4l2h264enc", "vp9enc", "mpph264enc"}; !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
	if want := []string{"vp8enc", "v4l2h264enc"}; !slices.Equal(chosen, want) {
		t.Errorf("chosen %v, want %v", chosen, want)
	}
	slices.Sort(rows)
	want := ids(Encoders)
	slices.Sort(want)
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	big := Survey(t.Context(), g, H264, Request{Width: 3840, Height: 2160})
	for _, e := range big {
		if e.Encoder.Element == "v4l2h264enc" && e.Verdict.Outcome != OutcomeSkipped {
			t.Errorf("4K on a Raspberry Pi's encoder: %+v", e.Verdict)
		}
		if e.Encoder.Codec != H264 {
			t.Errorf("asked for H.264, got %s", e.Encoder.ID)
		}
	}
}
