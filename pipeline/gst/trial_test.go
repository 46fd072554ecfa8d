//go:build !nogst

package gst

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"boardcast/pipeline"
	"boardcast/pipeline/trial"
)

// childTest makes this binary a trial's child.
const childTest = "BOARDCAST_TEST_TRIAL"

// TestTrialChild is the child's side of the tests below.
func TestTrialChild(t *testing.T) {
	if os.Getenv(childTest) == "" {
		t.Skip("runs in the child of another test")
	}
	if err := trial.Serve(os.Stdin, os.Stdout, BeginTrial, Try); err != nil {
		t.Fatal(err)
	}
}

func testChild(limit time.Duration) trial.Child {
	return trial.Child{Limit: limit, Command: func() *exec.Cmd {
		cmd := exec.Command(os.Args[0], "-test.run=^TestTrialChild$") //nolint:noctx // the runner ends it
		for _, e := range os.Environ() {
			if !strings.HasPrefix(e, inside+"=") { // else the child would make the network of its parent again
				cmd.Env = append(cmd.Env, e)
			}
		}
		cmd.Env = append(cmd.Env, childTest+"=1")
		return cmd
	}}
}

func testTrials(t *testing.T) *trial.Trials {
	return trial.New(testChild(30*time.Second).Run, nil, testLog(t))
}

func testRaw(f pipeline.VideoFormat) pipeline.Raw {
	return pipeline.Raw{Format: "I420", Width: f.Width, Height: f.Height, FPSNum: f.FPSNum, FPSDen: f.FPSDen}
}

// small is what a busy machine gets through in time.
var small = pipeline.VideoFormat{Width: 320, Height: 240, FPSNum: 30, FPSDen: 1, Bitrate: 600_000}

// software are the rows of the table that can be tried here.
func software(t *testing.T, m pipeline.Machine) []pipeline.Encoder {
	t.Helper()
	var out []pipeline.Encoder
	for _, row := range pipeline.Encoders {
		if row.Hardware || !m.Installed(row.Element) {
			continue
		}
		e, err := row.Fit(m)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	if len(out) == 0 {
		t.Fatal("no software encoder is installed")
	}
	return out
}

// Each software encoder does all that its row says: a keyframe when asked, more when the bitrate is doubled, no B-frames,
// and an SPS that says what the SDP says.
func TestTrialOfSoftware(t *testing.T) {
	m := Machine()
	trials := testTrials(t)
	for _, e := range software(t, m) {
		t.Run(e.ID, func(t *testing.T) {
			v := trials.Encoder(t.Context(), e, testRaw(small), small)
			if v.Outcome != pipeline.OutcomeUsable || v.NoKeyframe || v.NotLive {
				t.Fatalf("verdict %+v", v)
			}
			if !v.Complete {
				t.Skipf("this machine is too busy to tell all: %+v", v)
			}
			if v.FramesPerSecond <= 0 || v.CPUMillis <= 0 {
				t.Errorf("no figures: %+v", v)
			}
		})
	}
}

// The SDP's profile-level-id is that of the stream, for every level that sizes and bitrates lead to.
func TestSDPSaysWhatTheStreamSays(t *testing.T) {
	formats := []pipeline.VideoFormat{
		small,
		{Width: 1280, Height: 720, FPSNum: 30, FPSDen: 1, Bitrate: 2_000_000},
		{Width: 640, Height: 480, FPSNum: 30, FPSDen: 1, Bitrate: 18_000_000},
		{Width: 1920, Height: 1080, FPSNum: 30, FPSDen: 1, Bitrate: 4_000_000},
		{Width: 642, Height: 362, FPSNum: 15, FPSDen: 1, Bitrate: 500_000},
	}
	m := Machine()
	child := testChild(60 * time.Second)
	levels := map[string]bool{}
	for _, e := range software(t, m) {
		if e.Codec != pipeline.H264 {
			continue
		}
		for _, f := range formats {
			t.Run(fmt.Sprintf("%s %v %d", e.ID, f, f.Bitrate), func(t *testing.T) {
				spec := trial.Spec{
					Graph: e.Graph(testRaw(f), f).String(), Source: pictures(f), Codec: e.Codec, Format: f, Frames: 2, Budget: 30 * time.Second,
				}
				o, err := child.Run(t.Context(), spec)
				if err != nil || o.SPS == nil {
					t.Fatalf("%+v, %v", o, err)
				}
				if got, want := o.SPS.ProfileLevelID(), f.ProfileLevelID(); got != want {
					t.Errorf("the stream says %s, the SDP %s", got, want)
				}
				if o.SPS.Width != f.Width || o.SPS.Height != f.Height {
					t.Errorf("the stream says %dx%d", o.SPS.Width, o.SPS.Height)
				}
				levels[f.ProfileLevelID()] = true
			})
		}
	}
	if len(levels) < 3 {
		t.Errorf("only the levels %v were seen", levels)
	}
}

func pictures(f pipeline.VideoFormat) string {
	return fmt.Sprintf("videotestsrc num-buffers=4 ! video/x-raw,format=I420,width=%d,height=%d,framerate=%d/%d ! appsink name=out sync=false",
		f.Width, f.Height, f.FPSNum, f.FPSDen)
}

const (
	testIn  = "appsrc name=in format=time ! "
	testOut = " ! appsink name=out sync=false"
	testEnc = "x264enc name=encoder tune=zerolatency speed-preset=ultrafast "
)

// What a trial must see through, each with a graph that does it.
func TestTrialSees(t *testing.T) {
	base := trial.Spec{
		Source: pictures(small), Codec: pipeline.H264, Format: small, Keyframe: pipeline.KeyframeEvent, Frames: 70, Budget: 10 * time.Second,
	}
	baseline := " ! video/x-h264,profile=constrained-baseline ! h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream"
	cases := []struct {
		name, graph string
		saw         func(trial.Observation) bool
	}{
		{"all well", testIn + testEnc + "key-int-max=600 bitrate=400" + baseline + testOut, func(o trial.Observation) bool {
			return o.KeySeen && o.FirstKey && !o.Reordered && o.Error == "" && o.NotCodec == "" && o.Width == 320
		}},
		{"B-frames", testIn + "x264enc bframes=3 b-adapt=false speed-preset=ultrafast rc-lookahead=0 ! h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream" + testOut, func(o trial.Observation) bool {
			return o.Reordered
		}},
		{"another codec", testIn + "jpegenc" + testOut, func(o trial.Observation) bool { return o.NotCodec != "" }},
		{"another profile", testIn + "x264enc tune=zerolatency ! video/x-h264,profile=high ! h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream" + testOut, func(o trial.Observation) bool {
			return o.SPS != nil && o.SPS.Profile == 100
		}},
		{"an error while it runs", testIn + testEnc + baseline + " ! identity error-after=5" + testOut, func(o trial.Observation) bool {
			return strings.Contains(o.Error, "identity")
		}},
		{"an end before its time", testIn + testEnc + baseline + " ! identity eos-after=5" + testOut, func(o trial.Observation) bool {
			return o.Frames < 70 && o.Error == ""
		}},
		{"no such element", testIn + "nosuchenc" + testOut, func(o trial.Observation) bool { return strings.Contains(o.Error, "nosuchenc") }},
		{"caps that do not go together", testIn + "x264enc ! video/x-vp8" + testOut, func(o trial.Observation) bool { return o.Error != "" }},
		{"no end", testIn + "fakesink", func(o trial.Observation) bool { return strings.Contains(o.Error, "appsink") }},
		{"no beginning", "videotestsrc ! " + testEnc + testOut, func(o trial.Observation) bool { return strings.Contains(o.Error, "appsrc") }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			spec := base
			spec.Graph = c.graph
			o, err := testChild(30*time.Second).Run(t.Context(), spec)
			if err != nil || !c.saw(o) {
				t.Errorf("%+v, %v", o, err)
			}
		})
	}
}

// An element that blocks ends at the limit, wherever it blocks.
func TestTrialThatHangs(t *testing.T) {
	const limit = 1500 * time.Millisecond
	cases := []struct{ name, graph string }{
		{"in its first picture", testIn + "identity sleep-time=3600000000 ! " + testEnc + testOut},
		{"after some", testIn + testEnc + " ! identity sleep-time=400000" + testOut},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			spec := trial.Spec{
				Graph: c.graph, Source: pictures(small), Codec: pipeline.H264, Format: small, Frames: 100, Budget: time.Hour,
			}
			began := time.Now()
			o, err := testChild(limit).Run(t.Context(), spec)
			if err == nil || !strings.Contains(err.Error(), "stuck") {
				t.Errorf("%+v, %v", o, err)
			}
			if took := time.Since(began); took < limit {
				t.Errorf("ended after %v, before its limit", took)
			}
		})
	}
}

// The budget ends a trial that is slow and does not hang, with what was seen so far.
func TestTrialThatIsSlow(t *testing.T) {
	spec := trial.Spec{
		Graph:  testIn + testEnc + " ! h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream ! identity sleep-time=100000" + testOut,
		Source: pictures(small), Codec: pipeline.H264, Format: small, Frames: 1000, Budget: 3 * time.Second,
	}
	o, err := testChild(30*time.Second).Run(t.Context(), spec)
	if err != nil || o.Frames < 2 || o.Frames > 40 || o.FramesPerSecond > 11 {
		t.Errorf("%+v, %v", o, err)
	}
}

// A camera's own stream: its profile and the distance of its keyframes are measured.
func TestTrialOfSource(t *testing.T) {
	camera := func(profile string) pipeline.Graph {
		return pipeline.Graph{
			pipeline.El("videotestsrc", "num-buffers=100"), pipeline.Filter("video/x-raw,width=320,height=240,framerate=30/1"),
			pipeline.El("x264enc", "tune=zerolatency", "key-int-max=15", "option-string=scenecut=0"), pipeline.Filter("video/x-h264,profile=%s", profile),
			pipeline.El("h264parse", "config-interval=-1"), pipeline.Filter("video/x-h264,stream-format=byte-stream,alignment=au"),
			pipeline.El("appsink", "sync=false").Named(pipeline.OutName),
		}
	}
	trials := testTrials(t)
	v := trials.Source(t.Context(), camera("constrained-baseline"), "camera", pipeline.H264)
	if !v.Works() || v.Source.GOP != 15 || v.Source.Reordered || !strings.HasPrefix(v.ProfileLevelID, "42c0") {
		t.Errorf("constrained baseline: %+v", v)
	}
	if v := trials.Source(t.Context(), camera("high"), "camera", pipeline.H264); v.Works() || !strings.Contains(v.Reason, "profile 100") {
		t.Errorf("high: %+v", v)
	}
	raw := pipeline.Graph{pipeline.El("videotestsrc"), pipeline.El("appsink", "sync=false").Named(pipeline.OutName)}
	if v := trials.Source(t.Context(), raw, "camera", ""); !v.Works() {
		t.Errorf("raw pictures: %+v", v)
	}
	none := pipeline.Graph{pipeline.El("v4l2src", "device=/dev/video63"), pipeline.El("appsink").Named(pipeline.OutName)}
	if v := trials.Source(t.Context(), none, "camera", ""); v.Works() || !strings.Contains(v.Reason, "/dev/video63") {
		t.Errorf("no camera: %+v", v)
	}
}
