package trial

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"boardcast/pipeline"
)

var (
	debian12 = pipeline.Version{Major: 1, Minor: 22, Micro: 0}
	debian13 = pipeline.Version{Major: 1, Minor: 26, Micro: 2}
	vga      = pipeline.VideoFormat{Width: 640, Height: 480, FPSNum: 30, FPSDen: 1, Bitrate: 1_500_000}
	vgaRaw   = pipeline.Raw{Format: "YUY2", Width: 640, Height: 480, FPSNum: 30, FPSDen: 1}
)

// good is what a child sees of an encoder that does all it should.
func good() Observation {
	return Observation{
		Frames: mostFrames, FramesPerSecond: 90, CPUMillis: 4, Width: 640, Height: 480, FirstKey: true, KeyAsked: true, KeySeen: true,
		RaiseAsked: true, Before: 6000, After: 11000, SPS: &SPS{66, 0xc0, 31, 640, 480, 1},
	}
}

func goodSpec() Spec {
	return Spec{Codec: pipeline.H264, Format: vga, Keyframe: pipeline.KeyframeEvent, Raise: pipeline.Prop{Name: "bitrate", Value: "3000"}, Frames: mostFrames, Budget: time.Second}
}

func TestJudge(t *testing.T) {
	cases := []struct {
		name   string
		change func(*Spec, *Observation)
		err    error
		want   pipeline.Outcome
		reason string
		check  func(pipeline.Verdict) bool
	}{
		{"all as it should be", func(*Spec, *Observation) {}, nil, pipeline.OutcomeUsable, "as asked", func(v pipeline.Verdict) bool {
			return v.Complete && !v.NoKeyframe && !v.NotLive && v.ProfileLevelID == "42c01f" && v.FramesPerSecond == 90 && v.CPUMillis == 4
		}},
		{"stuck", nil, errStuck, pipeline.OutcomeFailed, "stuck", nil},
		{"an element's error", func(_ *Spec, o *Observation) { o.Error = "encoder: no device" }, nil, pipeline.OutcomeFailed, "no device", nil},
		{"nothing came out", func(_ *Spec, o *Observation) { *o = Observation{} }, nil, pipeline.OutcomeFailed, "no picture", nil},
		{"another codec", func(_ *Spec, o *Observation) { o.NotCodec = "not H.264" }, nil, pipeline.OutcomeFailed, "not H.264", nil},
		{"B-frames", func(_ *Spec, o *Observation) { o.Reordered = true }, nil, pipeline.OutcomeFailed, "B-frames", nil},
		{"another size", func(_ *Spec, o *Observation) { o.Height = 488 }, nil, pipeline.OutcomeFailed, "640x488", nil},
		{"no keyframe first", func(_ *Spec, o *Observation) { o.FirstKey = false }, nil, pipeline.OutcomeFailed, "begin", nil},
		{"no SPS", func(_ *Spec, o *Observation) { o.SPS = nil }, nil, pipeline.OutcomeFailed, "no SPS", nil},
		{"High", func(_ *Spec, o *Observation) { o.SPS.Profile = 100 }, nil, pipeline.OutcomeFailed, "profile 100", nil},
		{"VP8 has no SPS", func(s *Spec, o *Observation) { s.Codec, o.SPS = pipeline.VP8, nil }, nil, pipeline.OutcomeUsable, "as asked", nil},
		{"the level is the stream's own", func(_ *Spec, o *Observation) { o.SPS.Level = 40 }, nil, pipeline.OutcomeUsable, "", func(v pipeline.Verdict) bool { return v.ProfileLevelID == "42c028" }},
		{"no answer to a keyframe request", func(_ *Spec, o *Observation) { o.KeySeen = false }, nil, pipeline.OutcomeUsable, "keyframes can't", func(v pipeline.Verdict) bool { return v.NoKeyframe && !v.NotLive }},
		{"too slow to answer it", func(_ *Spec, o *Observation) { o.KeySeen, o.Frames, o.RaiseAsked = false, Key-1, false }, nil, pipeline.OutcomeUsable, "too slow", func(v pipeline.Verdict) bool { return !v.NoKeyframe && !v.Complete }},
		{"keyframes are not to be asked for", func(s *Spec, o *Observation) {
			s.Keyframe, o.KeyAsked, o.KeySeen = pipeline.KeyframeNone, false, false
		}, nil, pipeline.OutcomeUsable, "keyframes can't", func(v pipeline.Verdict) bool { return v.NoKeyframe && v.Complete }},
		{"deaf to a new bitrate", func(_ *Spec, o *Observation) { o.After = 6100 }, nil, pipeline.OutcomeUsable, "no new bitrate", func(v pipeline.Verdict) bool { return v.NotLive && !v.NoKeyframe }},
		{"its end was not reached", func(_ *Spec, o *Observation) { o.After = 0 }, nil, pipeline.OutcomeUsable, "too slow", func(v pipeline.Verdict) bool { return !v.NotLive && !v.Complete }},
		{"not to be raised", func(s *Spec, o *Observation) { s.Raise, o.RaiseAsked = pipeline.Prop{}, false }, nil, pipeline.OutcomeUsable, "no new bitrate", func(v pipeline.Verdict) bool { return v.NotLive && v.Complete }},
		{"neither", func(_ *Spec, o *Observation) { o.After, o.KeySeen = 6000, false }, nil, pipeline.OutcomeUsable, "neither", nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, o := goodSpec(), good()
			if c.change != nil {
				c.change(&s, &o)
			}
			v := judge(s, o, c.err)
			if v.Outcome != c.want || !strings.Contains(v.Reason, c.reason) || c.check != nil && !c.check(v) {
				t.Errorf("%+v", v)
			}
		})
	}
}

func TestJudgeSource(t *testing.T) {
	spec := Spec{Codec: pipeline.H264, Budget: time.Second}
	o := Observation{Frames: 120, GOP: 30, SPS: &SPS{Profile: 66, Level: 40}}
	if v := judgeSource(spec, o, nil); !v.Works() || v.Source.GOP != 30 || v.ProfileLevelID != "42c028" {
		t.Errorf("%+v", v)
	}
	o.SPS.Profile = 100
	if v := judgeSource(spec, o, nil); v.Works() || !strings.Contains(v.Reason, "profile 100") {
		t.Errorf("High: %+v", v)
	}
	if v := judgeSource(Spec{Budget: time.Second}, Observation{}, nil); v.Works() {
		t.Errorf("no picture: %+v", v)
	}
	if v := judgeSource(Spec{}, Observation{Error: "busy"}, nil); v.Works() || v.Reason != "busy" {
		t.Errorf("busy: %+v", v)
	}
}

// An encoder whose first input fails is tried by the next, and used by that.
func TestTrialsTryOtherInputs(t *testing.T) {
	e, _ := pipeline.EncoderByID("v4l2h264enc")
	var graphs []string
	run := func(_ context.Context, s Spec) (Observation, error) {
		graphs = append(graphs, s.Graph)
		if strings.Contains(s.Graph, "v4l2convert") {
			return Observation{Error: "v4l2convert0: not negotiated"}, nil
		}
		return good(), nil
	}
	cache := OpenCache("", "here", true)
	trials := New(run, cache, slog.New(slog.DiscardHandler))
	v := trials.Encoder(t.Context(), e, vgaRaw, vga)
	if !v.Works() || v.Input != 1 || len(graphs) != 2 {
		t.Fatalf("%+v after %d trials", v, len(graphs))
	}
	used := e
	used.Inputs = e.Inputs[v.Input:]
	if got := used.Graph(vgaRaw, vga).String(); strings.Contains(got, "v4l2convert") || !strings.Contains(got, "videoconvert") {
		t.Errorf("graph %s", got)
	}
	if again := trials.Encoder(t.Context(), e, vgaRaw, vga); again != v || len(graphs) != 2 {
		t.Errorf("not remembered: %+v after %d trials", again, len(graphs))
	}
}

// A trial is run at a bitrate at which a change shows, whatever was wished for, and otherwise in the graph that will run.
func TestTrialIsOfWhatWillRun(t *testing.T) {
	e, _ := pipeline.EncoderByID("x264enc")
	thin := vga
	thin.Bitrate = 100_000
	s := encoderSpec(e, vgaRaw, thin)
	if s.Raise.Value != "3000" || s.Graph != e.Graph(vgaRaw, vga).String() || s.Keyframe != pipeline.KeyframeEvent {
		t.Errorf("%+v", s)
	}
	if rich := encoderSpec(e, vgaRaw, pipeline.VideoFormat{Width: 640, Height: 480, FPSNum: 30, FPSDen: 1, Bitrate: 5_000_000}); rich.Raise.Value != "10000" {
		t.Errorf("%+v", rich)
	}
}

func TestTrialsEndWithTheirContext(t *testing.T) {
	e, _ := pipeline.EncoderByID("x264enc")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cache := OpenCache("", "here", true)
	trials := New(func(context.Context, Spec) (Observation, error) { return good(), nil }, cache, slog.New(slog.DiscardHandler))
	trials.turn <- struct{}{} // another one runs
	if v := trials.Encoder(ctx, e, vgaRaw, vga); v.Works() || len(cache.data.Machines[0].Verdicts) != 0 {
		t.Errorf("%+v, remembered %v", v, cache.data.Machines[0].Verdicts)
	}
}

// childMode makes the test binary a trial's child that behaves as told.
const childMode = "BOARDCAST_TEST_CHILD"

// TestTrialChild is the child's side of the tests below.
func TestTrialChild(t *testing.T) {
	mode := os.Getenv(childMode)
	if mode == "" {
		t.Skip("runs in the child of another test")
	}
	begin := func(Spec) error { return nil }
	run := func(s Spec) (Observation, func()) { return Observation{Frames: s.Frames}, func() {} }
	switch mode {
	case "hangs":
		run = func(Spec) (Observation, func()) { select {} }
	case "hangs at its end":
		run = func(s Spec) (Observation, func()) { return Observation{Frames: s.Frames}, func() { select {} } }
	case "leaves a child":
		run = func(Spec) (Observation, func()) {
			cmd := exec.Command("sleep", "1000") //nolint:noctx // to be killed with the group
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			_ = os.WriteFile(os.Getenv(childMode+"_PID"), fmt.Append(nil, cmd.Process.Pid), 0o600)
			select {}
		}
	case "crashes":
		run = func(Spec) (Observation, func()) {
			_ = syscall.Kill(os.Getpid(), syscall.SIGSEGV)
			select {}
		}
	case "is killed":
		run = func(Spec) (Observation, func()) { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} }
	case "does not begin":
		begin = func(Spec) error { return errors.New("no GStreamer") }
	case "prints":
		fmt.Fprintln(os.Stdout, "libencoder 1.0 ready\n{\"not\":\"ours\"}\n{broken") // as a library would
	}
	if err := Serve(os.Stdin, os.Stdout, begin, run); err != nil {
		fmt.Fprintln(os.Stderr, err)
		t.Fail()
	}
}

func fakeChild(mode string, limit time.Duration, more ...string) Child {
	return Child{Limit: limit, Command: func() *exec.Cmd {
		cmd := exec.Command(os.Args[0], "-test.run=^TestTrialChild$") //nolint:noctx // Run ends it
		cmd.Env = append(append(os.Environ(), childMode+"="+mode), more...)
		return cmd
	}}
}

func TestChild(t *testing.T) {
	cases := []struct {
		mode string
		want string // of the error, empty for none
	}{
		{"answers", ""},
		{"prints", ""},
		{"hangs at its end", ""},
		{"hangs", "no answer in 300ms"},
		{"crashes", "SIGSEGV: segmentation violation"},
		{"is killed", "crashed: killed"},
		{"does not begin", "no GStreamer"},
	}
	for _, c := range cases {
		t.Run(c.mode, func(t *testing.T) {
			began := time.Now()
			limit := 10 * time.Second
			if c.mode == "hangs" {
				limit = 300 * time.Millisecond
			}
			o, err := fakeChild(c.mode, limit).Run(t.Context(), Spec{Frames: 7})
			if c.want == "" && (err != nil || o.Frames != 7) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%+v, %v; want %q", o, err, c.want)
			}
			if errors.Is(err, errStuck) != (c.mode == "hangs") {
				t.Errorf("%v", err)
			}
			if took := time.Since(began); took > startLimit {
				t.Errorf("took %v", took)
			}
		})
	}
}

// What a child starts goes with it.
func TestChildDiesWithItsGroup(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	_, err := fakeChild("leaves a child", 2*time.Second, childMode+"_PID="+file).Run(t.Context(), Spec{})
	if !errors.Is(err, errStuck) {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(string(text), &pid); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(5 * time.Second)
	check := time.NewTicker(10 * time.Millisecond)
	defer check.Stop()
	for alive(pid) {
		select {
		case <-deadline:
			t.Fatalf("process %d is still there", pid)
		case <-check.C:
		}
	}
}

// alive reports whether a process runs; one that is dead and not yet reaped does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func TestChildEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := fakeChild("hangs", time.Hour).Run(ctx, Spec{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestChildThatIsNotThere(t *testing.T) {
	c := Child{Command: func() *exec.Cmd { return exec.Command(filepath.Join(t.TempDir(), "none")) }} //nolint:noctx // does not start
	if _, err := c.Run(t.Context(), Spec{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestCache(t *testing.T) {
	file := filepath.Join(t.TempDir(), "deep", "trials.json")
	spec, want := goodSpec(), pipeline.Verdict{Outcome: pipeline.OutcomeUsable, Reason: "works", FramesPerSecond: 30, Input: 1, Source: pipeline.SourceFacts{GOP: 3}}
	c := OpenCache(file, "here", false)
	if _, ok := c.find(spec); ok {
		t.Error("an empty cache knows a verdict")
	}
	c.keep(spec, want)
	if err := c.Save(); err != nil {
		t.Fatal(err)
	}
	other := spec
	other.Format.Width++
	cases := []struct {
		name, environment string
		fresh             bool
		spec              Spec
		damage            string
		found             bool
	}{
		{"kept", "here", false, spec, "", true},
		{"another size", "here", false, other, "", false},
		{"another machine", "there", false, spec, "", false},
		{"to be fresh", "here", true, spec, "", false},
		{"cut", "here", false, spec, "{\"environment\":\"here\",\"verd", false},
		{"of another kind", "here", false, spec, `{"environment":"here","verdicts":[1]}`, false},
		{"empty", "here", false, spec, " ", false},
	}
	for _, one := range cases {
		t.Run(one.name, func(t *testing.T) {
			copied := filepath.Join(t.TempDir(), "trials.json")
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if one.damage != "" {
				text = []byte(one.damage)
			}
			if err := os.WriteFile(copied, text, 0o600); err != nil {
				t.Fatal(err)
			}
			got, ok := OpenCache(copied, one.environment, one.fresh).find(one.spec)
			if ok != one.found {
				t.Fatalf("found %t, want %t", ok, one.found)
			}
			if diff := cmp.Diff(want, got); ok && diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 1 {
		t.Errorf("beside the cache there are %v, %v", left, err)
	}
}

func TestCacheThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := OpenCache(filepath.Join(file, "trials.json"), "", false).Save(); err == nil {
		t.Error("no error")
	}
	dir := t.TempDir()
	taken := filepath.Join(dir, "trials.json", "x")
	if err := os.MkdirAll(taken, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := OpenCache(filepath.Dir(taken), "", false).Save(); err == nil {
		t.Error("no error")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	var none *Cache
	if _, ok := none.find(goodSpec()); ok || none.Save() != nil {
		t.Error("no cache is a cache")
	}
	none.keep(goodSpec(), pipeline.Verdict{})
}

func TestEnvironment(t *testing.T) {
	root := func() fstest.MapFS {
		return fstest.MapFS{
			"proc/sys/kernel/osrelease": {Data: []byte("6.1.0-9-arm64\n")},
			"dev/video11":               {}, "dev/dri/renderD128": {}, "dev/null": {},
		}
	}
	base := Environment(root(), debian12, "v1")
	changes := []struct {
		name   string
		change func(fstest.MapFS)
		same   bool
	}{
		{"nothing", func(fstest.MapFS) {}, true},
		{"an unrelated node", func(r fstest.MapFS) { r["dev/ttyUSB0"] = &fstest.MapFile{} }, true},
		{"another kernel", func(r fstest.MapFS) { r["proc/sys/kernel/osrelease"].Data = []byte("6.6") }, false},
		{"an encoder's node", func(r fstest.MapFS) { r["dev/video12"] = &fstest.MapFile{} }, false},
		{"a GPU gone", func(r fstest.MapFS) { delete(r, "dev/dri/renderD128") }, false},
		{"Rockchip's node", func(r fstest.MapFS) { r["dev/mpp_service"] = &fstest.MapFile{} }, false},
	}
	for _, c := range changes {
		r := root()
		c.change(r)
		if got := Environment(r, debian12, "v1"); (got == base) != c.same {
			t.Errorf("%s: %s, was %s", c.name, got, base)
		}
	}
	if Environment(root(), debian13, "v1") == base || Environment(root(), debian12, "v2") == base {
		t.Error("another GStreamer or program is the same environment")
	}
	for _, p := range nodePatterns {
		if strings.HasPrefix(p, "/") || slices.Contains([]string{"*"}, p) {
			t.Errorf("pattern %q", p)
		}
	}
}
