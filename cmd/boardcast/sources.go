package main

import (
	"context"
	"fmt"
	"log/slog"

	"boardcast/configs"
	"boardcast/device"
	"boardcast/pipeline"
)

// sources are the devices chosen, as the pipeline wants them, and why.
type sources struct {
	camera     device.Choice
	microphone device.SoundChoice
	audio      pipeline.AudioSource
	speaker    pipeline.AudioSink
	why        []string
}

// explain says of a camera that does not start what is the matter with it: who holds it, or which group may open it.
func (s sources) explain(ctx context.Context, line string, err error) error {
	if line != "capture" || s.camera.Source != device.SourceDevice {
		return err
	}
	why := machine.Check(ctx, s.camera.Camera.Path)
	if why == nil {
		return err
	}
	for _, h := range hints(why) {
		why = fmt.Errorf("%w; hint: %s", why, h)
	}
	return why
}

// chooseSources looks at what is plugged in. A camera that cannot be opened right now is no error: the reasons say so, and
// it is tried again while somebody watches.
func chooseSources(ctx context.Context, cfg *configs.Config) (sources, error) {
	var s sources
	list := device.List(ctx, machine)
	var err error
	if s.camera, err = list.PickCamera(cfg.Video.Camera); err != nil {
		return s, err
	}
	if s.microphone, err = device.PickMicrophone(list.Microphones, cfg.Audio.Microphone, s.camera); err != nil {
		return s, err
	}
	speaker, err := device.PickSpeaker(list.Speakers, cfg.Audio.Speaker)
	if err != nil {
		return s, err
	}
	if speaker.Source == device.SourceDevice {
		s.speaker.PCM = speaker.Sound.PCM
	}
	s.why = append(s.why, "camera: "+s.camera.String())
	if s.camera.Hint != "" {
		s.why = append(s.why, "hint: "+s.camera.Hint)
	}
	s.warn(ctx)
	s.why = append(s.why, "microphone: "+s.microphone.String(), "speaker: "+speaker.String())
	s.setAudio()
	return s, nil
}

func (s *sources) setAudio() {
	m := s.microphone
	s.audio = pipeline.AudioSource{
		PCM: m.Sound.PCM, Test: m.Source == device.SourceTest, None: m.Source == device.SourceNone,
	}
}

// warn says beforehand what will keep the camera from starting.
func (s *sources) warn(ctx context.Context) {
	if s.camera.Source != device.SourceDevice {
		return
	}
	err := machine.Check(ctx, s.camera.Camera.Path)
	if err == nil {
		return
	}
	s.why = append(s.why, fmt.Sprintf("warning: %v", err))
	for _, h := range hints(err) {
		s.why = append(s.why, "hint: "+h)
	}
}

// again looks once more, after something was plugged in or out: for the camera in use, wherever it is now, and for one to
// take the place of the test picture. What is in use is kept while it is gone. What was learnt of it (a twin beside it, say)
// is in the result, whether or not anything is to be changed.
func (s sources) again(ctx context.Context, cfg *configs.Config) (sources, bool) {
	list := device.List(ctx, machine)
	next := s
	next.why = nil
	if s.camera.Source == device.SourceDevice {
		if found, ok := list.SameCamera(s.camera.Camera); ok {
			next.camera.Camera = found
		}
	} else if camera, err := list.PickCamera(cfg.Video.Camera); err == nil {
		next.camera = camera
	}
	if s.microphone.Source != device.SourceDevice {
		if m, err := device.PickMicrophone(list.Microphones, cfg.Audio.Microphone, next.camera); err == nil {
			next.microphone = m
			next.setAudio()
		}
	}
	if next.camera.Camera.Path == s.camera.Camera.Path && next.audio == s.audio {
		return next, false
	}
	if next.camera.Camera.Path != s.camera.Camera.Path {
		next.why = append(next.why, "camera: "+next.camera.String())
	}
	if next.audio != s.audio {
		next.why = append(next.why, "microphone: "+next.microphone.String())
	}
	return next, true
}

// planner decides what to run on the devices of a moment. Encoders are tried, or were: their verdicts are remembered.
type planner struct {
	cfg   *configs.Config
	given pipeline.Given
	save  func()
	known pipeline.Prover // tries nothing
}

func newPlanner(cfg *configs.Config, log *slog.Logger) planner {
	g, trials, save := given(false, log)
	g.Direct = true
	return planner{cfg: cfg, given: g, save: save, known: trials.Known()}
}

// quick is the planner for when viewers wait.
func (p planner) quick() planner {
	p.given.Trials = p.known
	return p
}

func (p planner) plan(ctx context.Context, s sources) (pipeline.Plan, error) {
	cfg := p.cfg
	wish := pipeline.Wish{
		Width: cfg.Video.Width, Height: cfg.Video.Height, FPS: cfg.Video.Framerate, Bitrate: int(cfg.Video.Bitrate),
		AudioBitrate: int(cfg.Audio.Bitrate), Codec: cfg.Video.Codec, Encoder: cfg.Video.Encoder, Display: cfg.Display,
	}
	g := p.given
	g.Audio, g.Sink = s.audio, s.speaker
	switch s.camera.Source {
	case device.SourceDevice:
		g.Camera = &s.camera.Camera
	case device.SourceTest:
		g.Connector = cfg.Video.Camera == "auto" // not when the test picture was asked for
	case device.SourceNone:
		g.NoVideo = true
	}
	defer p.save()
	out, err := pipeline.Choose(ctx, wish, g)
	if err != nil {
		return pipeline.Plan{}, err
	}
	out.Why = append(s.why, out.Why...)
	return out, nil
}
