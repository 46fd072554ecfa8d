package trial

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"boardcast/pipeline"
)

// Spec is what the child process of a trial is told. It has all that the child needs, since the child decides nothing.
type Spec struct {
	Graph  string               `json:"graph"`            // launch syntax, appsink "out" last
	Source string               `json:"source,omitempty"` // launch syntax of what makes the frames for appsrc "in"; empty where Graph begins at a source
	Codec  pipeline.Codec       `json:"codec"`            // empty for raw frames
	Format pipeline.VideoFormat `json:"format"`

	Keyframe pipeline.KeyframeMethod `json:"keyframe,omitempty"`
	Raise    pipeline.Prop           `json:"raise"`  // doubles the bitrate while the encoder runs; without a name there is none
	Frames   int                     `json:"frames"` // the trial ends after so many
	Budget   time.Duration           `json:"budget"` // after it the child tells what it has seen
	Name     string                  `json:"name,omitempty"`
}

// Phases of an encoder's trial, in frames that came out. They are long enough to show an answer, and short enough for a slow encoder
// to come to the end within trialBudget.
const (
	Warm       = 10 // then the keyframe request is made
	Key        = 30 // by then the keyframe must have come
	Raise      = 50 // then the bitrate is doubled
	mostFrames = 95 // then the trial is over
	Tail       = 20 // the last frames of a phase, whose sizes count: the first ones still have the phase before in them
)

// How long a trial may take.
const (
	trialLimit  = 5 * time.Second         // for all of it, or the child is stuck and is killed
	trialBudget = 2500 * time.Millisecond // for its frames, which leaves room within trialLimit for the start and the end
	startLimit  = 15 * time.Second        // for the child to load GStreamer, whose registry may have to be made first
)

// The trial of a source.
const (
	sourceFrames = 10              // raw frames that prove a capture graph
	codedFrames  = 300             // frames of a camera's own stream in which two keyframes are looked for
	codedBudget  = 4 * time.Second // for codedFrames; it ends before trialLimit
)

// Observation is what the child saw.
type Observation struct {
	Frames   int    `json:"frames"`
	Error    string `json:"error,omitempty"`     // what an element said, or what could not be built
	NotCodec string `json:"not_codec,omitempty"` // why the output is not of the codec
	Speed
	Stream
	KeyframeAnswer
	BitrateAnswer
}

// Speed is how fast the frames were made.
type Speed struct {
	FramesPerSecond float64 `json:"frames_per_second"`
	CPUMillis       float64 `json:"cpu_ms_per_frame"`
}

// Stream is what the frames are like.
type Stream struct {
	Width     int  `json:"width"` // pixels
	Height    int  `json:"height"`
	SPS       *SPS `json:"sps,omitempty"`       // the first one; nil where none came
	Reordered bool `json:"reordered,omitempty"` // time stamps went back: there are B-frames
	FirstKey  bool `json:"first_key"`           // the first frame is a keyframe
	GOP       int  `json:"gop,omitempty"`       // frames from one keyframe to the next, 0 when fewer than two came
}

// KeyframeAnswer is what became of a keyframe request.
type KeyframeAnswer struct {
	KeyAsked bool `json:"key_asked"`
	KeySeen  bool `json:"key_seen"` // a keyframe came after the request, and soon enough
}

// BitrateAnswer is what became of the doubled bitrate.
type BitrateAnswer struct {
	RaiseAsked bool    `json:"raise_asked"`
	Before     float64 `json:"bytes_before"` // mean size of the last frames before the bitrate was doubled
	After      float64 `json:"bytes_after"`  // mean size of the last frames of all, 0 when the trial's end was not reached
}

// Trials proves encoders and sources, each in a child process, and remembers the verdicts.
//
// # Concurrency
//
// Encoder and Source may be called from any goroutine. One trial runs at a time, so that they do not slow one another.
type Trials struct {
	run   Runner
	cache *Cache
	log   *slog.Logger
	turn  chan struct{}

	mu    sync.Mutex
	known map[string]knownVerdict // the newest verdict by an encoder's ID, or by the sourceKey of a source
}

// Runner runs one trial. An error tells that the trial did not end by itself: the child crashed or was stuck.
type Runner func(context.Context, Spec) (Observation, error)

// New makes a prover; cache may be nil.
func New(run Runner, cache *Cache, log *slog.Logger) *Trials {
	return &Trials{run: run, cache: cache, log: log, turn: make(chan struct{}, 1), known: map[string]knownVerdict{}}
}

var _ pipeline.Prover = (*Trials)(nil)

// Encoder implements [pipeline.Prover]. If the encoder fails with one input, it is tried with the next. A trial that is stuck ends the
// attempts. An encoder that does not answer a keyframe request passes all the same: its verdict has NoKeyframe set.
func (t *Trials) Encoder(ctx context.Context, e pipeline.Encoder, raw pipeline.Raw, f pipeline.VideoFormat) pipeline.Verdict {
	always := func(pipeline.Verdict) bool { return true }
	v := t.remembered(ctx, encoderSpec(e, raw, f), always, func() pipeline.Verdict {
		var v pipeline.Verdict
		for i := range e.Inputs {
			tried := e
			tried.Inputs = e.Inputs[i:]
			spec := encoderSpec(tried, raw, f)
			o, err := t.one(ctx, spec)
			v = judge(spec, o, err)
			v.Input = i
			if v.Works() || ctx.Err() != nil || errors.Is(err, errStuck) {
				break
			}
		}
		return v // the last input is the plainest, so its verdict is about the encoder and not about a converter
	})
	if ctx.Err() == nil {
		t.know(e.ID, f, v)
	}
	return v
}

// Source implements [pipeline.Prover].
func (t *Trials) Source(ctx context.Context, g pipeline.Graph, name string, codec pipeline.Codec) pipeline.Verdict {
	spec := sourceSpec(g, name, codec)
	// A camera may be put on the board's connector later, and only a trial tells.
	lasting := func(v pipeline.Verdict) bool { return v.Works() || !pipeline.OnConnector(g) }
	v := t.remembered(ctx, spec, lasting, func() pipeline.Verdict {
		o, err := t.one(ctx, spec)
		return judgeSource(spec, o, err)
	})
	if ctx.Err() == nil {
		t.know(sourceKey(g, name, codec), pipeline.VideoFormat{}, v)
	}
	return v
}

// sourceSpec is the trial of a capture graph.
func sourceSpec(g pipeline.Graph, name string, codec pipeline.Codec) Spec {
	s := Spec{Graph: g.String(), Codec: codec, Frames: sourceFrames, Budget: trialBudget, Name: name}
	if codec != "" {
		s.Frames, s.Budget = codedFrames, codedBudget
	}
	return s
}

// one waits until no other trial runs, and runs one.
func (t *Trials) one(ctx context.Context, spec Spec) (Observation, error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return Observation{}, ctx.Err()
	}
	began := time.Now()
	o, err := t.run(ctx, spec)
	t.log.Debug("trial", "graph", spec.Graph, "duration_seconds", time.Since(began).Seconds(), "frames", o.Frames, "error", cmp.Or(o.Error, text(err)))
	return o, err
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// remembered is the verdict on a spec from the cache, else from try. The verdict of a trial that was broken off is not kept, nor is one
// that is not lasting.
func (t *Trials) remembered(ctx context.Context, spec Spec, lasting func(pipeline.Verdict) bool, try func() pipeline.Verdict) pipeline.Verdict {
	if v, ok := t.cache.find(spec); ok && lasting(v) {
		return v
	}
	v := try()
	if ctx.Err() == nil && lasting(v) {
		t.cache.keep(spec, v)
	}
	return v
}

// encoderSpec is the trial of an encoder in the graph in which it is to run.
func encoderSpec(e pipeline.Encoder, raw pipeline.Raw, f pipeline.VideoFormat) Spec {
	f.Bitrate = max(f.Bitrate, f.DefaultBitrate()) // at a very low bitrate frames are as large as at twice the bitrate
	s := Spec{
		Graph: e.Graph(raw, f).String(), Source: pipeline.Sample(raw).String(), Codec: e.Codec, Format: f,
		Keyframe: e.Keyframe, Frames: mostFrames, Budget: trialBudget,
	}
	if p, ok := e.LiveBitrate(2 * f.Bitrate); ok {
		s.Raise = p
	}
	return s
}

// failure is the verdict on what does not work, with the reason.
func failure(format string, args ...any) pipeline.Verdict {
	return pipeline.Verdict{Outcome: pipeline.OutcomeFailed, Reason: fmt.Sprintf(format, args...)}
}

// judge makes the verdict on an encoder of what was seen.
func judge(s Spec, o Observation, err error) pipeline.Verdict {
	switch {
	case err != nil:
		return failure("%v", err)
	case o.Error != "":
		return failure("%s", o.Error)
	case o.NotCodec != "":
		return failure("%s", o.NotCodec)
	case o.Frames == 0:
		return failure("no picture came out in %v", s.Budget)
	case !o.FirstKey:
		return failure("it did not begin with a keyframe")
	case o.Reordered:
		return failure("it makes B-frames")
	case o.Width != s.Format.Width || o.Height != s.Format.Height:
		return failure("it made %dx%d of %dx%d", o.Width, o.Height, s.Format.Width, s.Format.Height)
	}
	v := pipeline.Verdict{Outcome: pipeline.OutcomeUsable, FramesPerSecond: o.FramesPerSecond, CPUMillis: o.CPUMillis}
	waited := o.KeyAsked && o.Frames >= Key
	v.NoKeyframe = s.Keyframe == pipeline.KeyframeNone || waited && !o.KeySeen
	v.NotLive = s.Raise.Name == "" || o.raised() && o.After < obeyed*o.Before
	v.Complete = (waited || v.NoKeyframe) && (s.Raise.Name == "" || o.raised())
	if s.Codec == pipeline.H264 {
		if err := readSPS(&v, o); err != nil {
			return failure("%v", err)
		}
	}
	v.Reason = words(v)
	return v
}

// obeyed is a factor: at twice the bitrate frames must be larger by it. A lower bitrate would prove less, since some encoders never
// go below a certain size for frames as noisy as these.
const obeyed = 1.3

// raised reports whether frames were seen both before and after the bitrate was doubled.
func (a BitrateAnswer) raised() bool { return a.RaiseAsked && a.Before > 0 && a.After > 0 }

// readSPS puts the profile-level-id into the verdict. The error tells why browsers cannot be sent the stream.
func readSPS(v *pipeline.Verdict, o Observation) error {
	if o.SPS == nil {
		return errors.New("its stream has no SPS in band")
	}
	id, err := o.SPS.Announced()
	v.ProfileLevelID = id
	return err
}

// words tell a person what an encoder that works can and cannot do.
func words(v pipeline.Verdict) string {
	switch {
	case v.NoKeyframe && v.NotLive:
		return "works; takes neither a keyframe request nor a new bitrate while it runs"
	case v.NoKeyframe:
		return "works; keyframes can't be asked of it"
	case v.NotLive:
		return "works; takes no new bitrate while it runs"
	case !v.Complete:
		return "works; too slow here to see it obey in time"
	}
	return "works: keyframes and bitrate as asked"
}

// judgeSource makes the verdict on a source of what was seen.
func judgeSource(s Spec, o Observation, err error) pipeline.Verdict {
	switch {
	case err != nil:
		return failure("%v", err)
	case o.Error != "":
		return failure("%s", o.Error)
	case o.Frames == 0:
		return failure("no picture came in %v", s.Budget)
	case o.NotCodec != "":
		return failure("%s", o.NotCodec)
	}
	v := pipeline.Verdict{Outcome: pipeline.OutcomeUsable, FramesPerSecond: o.FramesPerSecond, CPUMillis: o.CPUMillis, Complete: true}
	v.Source = pipeline.SourceFacts{GOP: o.GOP, Reordered: o.Reordered}
	if s.Codec == pipeline.H264 {
		if err := readSPS(&v, o); err != nil {
			return failure("%v", err)
		}
	}
	v.Reason = "works"
	return v
}
