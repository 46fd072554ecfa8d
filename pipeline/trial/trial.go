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

// Spec is what the child process of a trial is told: everything it needs, for it decides nothing.
type Spec struct {
	Graph  string               `json:"graph"`            // launch syntax, appsink "out" last
	Source string               `json:"source,omitempty"` // launch syntax of what makes the pictures that go in at appsrc "in"; empty where Graph begins at a source
	Codec  pipeline.Codec       `json:"codec"`            // empty for raw pictures
	Format pipeline.VideoFormat `json:"format"`

	Keyframe pipeline.KeyframeMethod `json:"keyframe,omitempty"`
	Raise    pipeline.Prop           `json:"raise"` // sets twice the bitrate while it runs; no name for none
	Frames   int                     `json:"frames"`
	Budget   time.Duration           `json:"budget"` // after which it reports what it has
	Name     string                  `json:"name,omitempty"`
}

// Phases of an encoder's trial, in pictures that came out.
const (
	Warm       = 10 // then a keyframe is asked for
	Key        = 30 // by then it must have come
	Raise      = 50 // then the bitrate is doubled
	mostFrames = 95 // then it is over
	Tail       = 20 // pictures at the end of each phase whose sizes count
)

// trialBudget leaves room within trialLimit for the start and the end.
const (
	trialLimit  = 5 * time.Second
	trialBudget = 2500 * time.Millisecond
	startLimit  = 15 * time.Second // for a child to load GStreamer, whose registry may have to be made first
)

// Observation is what the child saw.
type Observation struct {
	Frames          int     `json:"frames"`
	FramesPerSecond float64 `json:"frames_per_second"`
	CPUMillis       float64 `json:"cpu_ms_per_frame"`

	Width     int    `json:"width"`
	Height    int    `json:"height"`
	SPS       *SPS   `json:"sps,omitempty"`
	NotCodec  string `json:"not_codec,omitempty"` // why the output is not of the codec
	Reordered bool   `json:"reordered,omitempty"` // time stamps went back: B-frames
	FirstKey  bool   `json:"first_key"`           // it began with a keyframe
	KeyAsked  bool   `json:"key_asked"`
	KeySeen   bool   `json:"key_seen"`
	GOP       int    `json:"gop,omitempty"` // pictures from one keyframe to the next, 0 when fewer than two came

	RaiseAsked bool    `json:"raise_asked"`
	Before     float64 `json:"bytes_before"` // mean size of the last pictures before the bitrate was doubled
	After      float64 `json:"bytes_after"`  // and at the end, 0 when it was not reached

	Error string `json:"error,omitempty"` // what an element said, or what could not be built
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
	known map[string]knownVerdict // of an encoder's ID, or a source wherever it is plugged in, the newest
}

// Runner runs one trial. An error tells that it did not come to an end by itself: a crash, a hang.
type Runner func(context.Context, Spec) (Observation, error)

// New makes a prover; cache may be nil.
func New(run Runner, cache *Cache, log *slog.Logger) *Trials {
	return &Trials{run: run, cache: cache, log: log, turn: make(chan struct{}, 1), known: map[string]knownVerdict{}}
}

var _ pipeline.Prover = (*Trials)(nil)

// Encoder implements [pipeline.Prover]. An encoder that fails is tried again by its other inputs, and one that does not answer a
// keyframe request without one.
func (t *Trials) Encoder(ctx context.Context, e pipeline.Encoder, raw pipeline.Raw, f pipeline.VideoFormat) pipeline.Verdict {
	v := t.remembered(ctx, encoderSpec(e, raw, f), func() pipeline.Verdict {
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
		return v // of the last input: the plainest, so what it says is of the encoder itself
	})
	if ctx.Err() == nil {
		t.know(e.ID, f, v)
	}
	return v
}

// Source implements [pipeline.Prover].
func (t *Trials) Source(ctx context.Context, g pipeline.Graph, name string, codec pipeline.Codec) pipeline.Verdict {
	spec := sourceSpec(g, name, codec)
	v := t.remembered(ctx, spec, func() pipeline.Verdict {
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
	s := Spec{Graph: g.String(), Codec: codec, Frames: 10, Budget: trialBudget, Name: name}
	if codec != "" {
		s.Frames, s.Budget = 300, 4*time.Second // to see two of its keyframes
	}
	return s
}

// one waits for its turn and runs.
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

func (t *Trials) remembered(ctx context.Context, spec Spec, f func() pipeline.Verdict) pipeline.Verdict {
	if v, ok := t.cache.find(spec); ok {
		return v
	}
	v := f()
	if ctx.Err() == nil {
		t.cache.keep(spec, v)
	}
	return v
}

// encoderSpec is the trial of an encoder in the graph in which it is to run.
func encoderSpec(e pipeline.Encoder, raw pipeline.Raw, f pipeline.VideoFormat) Spec {
	f.Bitrate = max(f.Bitrate, f.DefaultBitrate()) // so many bits that twice as many show
	s := Spec{
		Graph: e.Graph(raw, f).String(), Source: pipeline.Sample(raw).String(), Codec: e.Codec, Format: f,
		Keyframe: e.Keyframe, Frames: mostFrames, Budget: trialBudget,
	}
	if p, ok := e.LiveBitrate(2 * f.Bitrate); ok {
		s.Raise = p
	}
	return s
}

// failure is a verdict of words.
func failure(format string, args ...any) pipeline.Verdict {
	return pipeline.Verdict{Outcome: pipeline.OutcomeFailed, Reason: fmt.Sprintf(format, args...)}
}

// judge reads what was seen of an encoder.
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

// obeyed: at twice the bitrate the pictures must be larger by this. The other way round would prove less: some encoders
// never go below a certain size for pictures as noisy as these.
const obeyed = 1.3

func (o Observation) raised() bool { return o.RaiseAsked && o.Before > 0 && o.After > 0 }

func readSPS(v *pipeline.Verdict, o Observation) error {
	if o.SPS == nil {
		return errors.New("its stream has no SPS in band")
	}
	id, err := o.SPS.Announced()
	v.ProfileLevelID = id
	return err
}

// words are what a person should know of an encoder that works.
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

// judgeSource reads what was seen of a source.
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
