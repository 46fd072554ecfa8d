package pipeline

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"boardcast/board"
)

// A feed is the source in one mode, its capture, and what a person is told of both. It is chosen without a trace: again, it is the same.
func TestFeed(t *testing.T) {
	cam := goldenCameras["usb"]
	machine := machineWith(debian13, append(everywhere, "libcamerasrc"), nil)
	nothing := prover{source: func(Graph, Codec) Verdict { return failure("no cameras available") }}
	for _, c := range []struct {
		name    string
		given   Given
		bounds  bounds
		source  VideoSource
		capture string // its first element
		note    string
	}{
		{
			"the test picture",
			Given{},
			bounds{},
			VideoSource{FourCC: "YU12", Width: 1280, Height: 720, FPSNum: 30, FPSDen: 1},
			"videotestsrc", "",
		},
		{
			"the test picture within bounds",
			Given{},
			bounds{limits: board.Limits{MaxWidth: 640}},
			VideoSource{FourCC: "YU12", Width: 640, Height: 480, FPSNum: 30, FPSDen: 1},
			"videotestsrc", "",
		},
		{
			"a camera",
			Given{Camera: &cam, Connector: true},
			bounds{},
			VideoSource{Device: "/dev/video0", Name: "HD Webcam", FourCC: "MJPG", Width: 1280, Height: 720, FPSNum: 30, FPSDen: 1},
			"v4l2src", "",
		},
		{
			"a camera on the connector",
			Given{Connector: true, Trials: prover{}},
			bounds{},
			VideoSource{Element: "libcamerasrc", Name: "camera on the board's connector", FourCC: "YU12", Width: 1280, Height: 720, FPSNum: 30, FPSDen: 1},
			"libcamerasrc", "",
		},
		{
			"no camera on the connector",
			Given{Connector: true, Trials: nothing},
			bounds{},
			VideoSource{FourCC: "YU12", Width: 1280, Height: 720, FPSNum: 30, FPSDen: 1},
			"videotestsrc", "capture from libcamerasrc: no cameras available",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.given.Board, c.given.Machine = boardOf(t, "pi-4"), machine
			one := chooser{ctx: t.Context(), given: c.given}
			opened := feed{source: one.origin()}
			for range 2 {
				got, err := one.choose(opened, c.bounds)
				if err != nil || got.open() || got.graph[0].Factory != c.capture || got.note != c.note || got.why == "" {
					t.Fatalf("%+v, %v", got, err)
				}
				if diff := cmp.Diff(c.source, got.source); diff != "" {
					t.Errorf("source (-want +got):\n%s", diff)
				}
				if again := got.reopened(); !again.open() || again.source.Width != 0 || again.source.Device != c.source.Device || again.source.Element != c.source.Element || again.note != c.note {
					t.Errorf("reopened: %+v", again)
				}
				opened = got.reopened()
			}
		})
	}
}

// The findings of a codec: one choice at most, its spares in order, what failed and what would have to be installed.
func TestFindingsOfACodec(t *testing.T) {
	machine := machineWith(debian13, append(everywhere, "v4l2h264enc"), nil)
	fails := func(elements ...string) Prover {
		return prover{encoder: func(e Encoder, _ Raw, _ VideoFormat) Verdict {
			if slices.Contains(elements, e.Element) {
				return failure("no device")
			}
			return Verdict{Outcome: OutcomeUsable, FramesPerSecond: 200}
		}}
	}
	type want struct{ Choices, Spares, Failed []string }
	for _, c := range []struct {
		name    string
		request Request
		trials  Prover
		board   string
		want    want
	}{
		{"all work", Request{}, fails(), "pi-4", want{[]string{"v4l2h264enc"}, []string{"x264enc", "openh264enc"}, nil}},
		{
			"the first fails",
			Request{},
			fails("v4l2h264enc"), "pi-4",
			want{[]string{"x264enc"}, []string{"openh264enc"}, []string{"v4l2h264enc: no device"}},
		},
		{
			"none works",
			Request{},
			fails("v4l2h264enc", "x264enc", "openh264enc"), "pi-4",
			want{nil, nil, []string{"v4l2h264enc: no device", "x264enc: no device", "openh264enc: no device"}},
		},
		{"one is asked for", Request{Encoder: "openh264enc"}, fails(), "pi-4", want{[]string{"openh264enc"}, nil, nil}},
		{
			"hardware that fails is no spare",
			Request{},
			fails("v4l2h264enc"), "generic",
			want{[]string{"x264enc"}, []string{"openh264enc"}, []string{"v4l2h264enc: no device"}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			one := chooser{ctx: t.Context(), request: c.request, given: Given{Board: boardOf(t, c.board), Machine: machine, Trials: c.trials}}
			found, err := one.codec(H264, feed{})
			if err != nil || found.feed.open() != (len(found.choices) == 0) {
				t.Fatalf("%+v, %v", found, err)
			}
			got := want{elements(found.choices), elements(found.spares), found.failed}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func elements(choices []Choice) []string {
	var out []string
	for _, c := range choices {
		out = append(out, c.Encoder.Element)
	}
	return out
}

// Hardware must have passed a trial to be a spare, and the limits of its board count.
func TestSpare(t *testing.T) {
	hard, soft := Encoder{Element: "hard", Hardware: true, Chain: Chain{Inputs: cpuInput("NV12")}}, Encoder{Element: "soft", Chain: Chain{Inputs: cpuInput("I420")}}
	for _, c := range []struct {
		name   string
		e      Encoder
		trials Prover
		limits board.Limits
		works  bool
	}{
		{"software without a trial", soft, nil, board.Limits{}, true},
		{"hardware without a trial", hard, nil, board.Limits{}, false},
		{"hardware that passes", hard, prover{}, board.Limits{}, true},
		{"hardware that fails", hard, prover{encoder: func(Encoder, Raw, VideoFormat) Verdict { return failure("no device") }}, board.Limits{}, false},
		{"hardware that is for larger frames", hard, prover{}, board.Limits{MinWidth: 1280}, false},
	} {
		one := chooser{ctx: t.Context(), given: Given{Board: board.Board{Limits: c.limits}, Trials: c.trials}}
		if got := one.spare(c.e, vgaRaw); got.Verdict.Works() != c.works || (got.Graph == nil) == c.works {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

// The reasons are made of the findings and of what was asked for alone.
func TestReasons(t *testing.T) {
	choice := func(v Verdict) Choice {
		e, _ := EncoderByID("x264enc")
		return Choice{Encoder: e, Format: vga, Verdict: v}
	}
	const head = "encoder: x264enc (H264, software), 640x480 at 30 frames/s, 1500 kbit/s: "
	in := feed{source: VideoSource{Device: "/dev/video0", FourCC: "YUYV", Width: 640, Height: 480, FPSNum: 30}, why: "the nearest"}
	noted := in
	noted.note = "no camera"
	deaf := choice(Verdict{})
	deaf.Encoder.Keyframe = KeyframeNone
	for _, c := range []struct {
		name    string
		request Request
		found   findings
		want    []string
	}{
		{
			"installed",
			Request{},
			findings{feed: in, choices: []Choice{choice(Verdict{})}},
			[]string{"mode: YUYV 640x480 at 30 frames/s: the nearest", head + "the first of its codec that is installed"},
		},
		{
			"tried, after one that failed",
			Request{},
			findings{feed: noted, choices: []Choice{choice(Verdict{FramesPerSecond: 90, CPUMillis: 4})}, failed: []string{"hard: no device"}},
			[]string{
				"mode: YUYV 640x480 at 30 frames/s: the nearest; no camera",
				head + "the first of its codec that passed the trial (90 frames/s, 4.0 ms of CPU each); not hard: no device",
			},
		},
		{
			"asked for and slow",
			Request{Encoder: "x264enc"},
			findings{feed: in, choices: []Choice{choice(Verdict{FramesPerSecond: 20, CPUMillis: 50})}},
			[]string{
				"mode: YUYV 640x480 at 30 frames/s: the nearest",
				head + "as asked (20 frames/s, 50.0 ms of CPU each); slower than the picture, so some of it will be dropped",
			},
		},
		{
			"beside a camera's own stream",
			Request{},
			findings{feed: in, choices: []Choice{{Encoder: directEncoder, Direct: true}, deaf}},
			[]string{
				"mode: YUYV 640x480 at 30 frames/s: the nearest",
				head + "for browsers that do not take H264; keyframes can't be asked of it, so it makes one a second",
			},
		},
	} {
		if diff := cmp.Diff(c.want, reasons(c.request, c.found)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
