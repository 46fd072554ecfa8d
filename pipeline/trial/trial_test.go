package trial

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

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
		Frames: mostFrames, Speed: Speed{FramesPerSecond: 90, CPUMillis: 4},
		Stream:         Stream{Width: 640, Height: 480, FirstKey: true, SPS: &SPS{66, 0xc0, 31, 640, 480, 1}},
		KeyframeAnswer: KeyframeAnswer{KeyAsked: true, KeySeen: true},
		BitrateAnswer:  BitrateAnswer{RaiseAsked: true, Before: 6000, After: 11000},
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
	o := Observation{Frames: 120, Stream: Stream{GOP: 30, SPS: &SPS{Profile: 66, Level: 40}}}
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

// A trial is run at a bitrate at which a change shows, whatever the user asked for, and otherwise in the graph that will run.
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
