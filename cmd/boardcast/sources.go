package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"boardcast/configs"
	"boardcast/device"
	"boardcast/pipeline"
)

// sources are the devices chosen for one camera of the settings, as the pipeline wants them, and why.
type sources struct {
	wish       configs.Camera
	camera     device.Choice
	connector  bool // the board's own connector may be looked at, for want of a camera
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

// chooseSources looks at what is plugged in, for each camera of the settings. A camera that cannot be opened right now is
// no error: the reasons say so, and it is tried again while somebody watches.
func chooseSources(ctx context.Context, cfg *configs.Config) ([]sources, error) {
	list := device.List(ctx, machine)
	cameras, err := pickCameras(list, cfg)
	if err != nil {
		return nil, err
	}
	microphones, err := pickMicrophones(list.Microphones, cfg, cameras)
	if err != nil {
		return nil, err
	}
	speaker, err := device.PickSpeaker(list.Speakers, cfg.Audio.Speaker)
	if err != nil {
		return nil, err
	}
	var all []sources
	looked := false // for a camera on the connector
	for i, wish := range camerasOf(cfg) {
		s := sources{wish: wish, camera: cameras[i], microphone: microphones[i]}
		s.connector = !looked && wish.Camera == configs.Auto && s.camera.Source == device.SourceTest
		looked = looked || s.connector
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
		all = append(all, s)
	}
	return all, nil
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

// lookAgain looks once more, after something was plugged in or out: for the cameras in use, wherever they are now, and for
// those that may take the place of a test picture. What is in use is kept while it is gone. What was learnt of it (a twin
// beside it, say) is in the result, whether or not anything is to be changed. Those of which something is have a why.
func lookAgain(list device.Listing, before []sources) []sources {
	next := slices.Clone(before)
	for i := range next {
		next[i].why = nil
		if s := &next[i]; s.camera.Source == device.SourceDevice {
			if found, ok := list.SameCamera(s.camera.Camera); ok {
				s.camera.Camera = found
			}
		}
	}
	for i := range next {
		next[i].giveWay(list, next)
	}
	for i := range next {
		s := &next[i]
		if s.camera.Source != device.SourceDevice {
			if choice, err := list.Beside(inUse(next)).PickCamera(s.wish.Camera); err == nil {
				s.camera = choice
			}
		}
		if s.microphone.Source != device.SourceDevice {
			if m, err := device.PickMicrophone(unheard(list.Microphones, next), s.wish.Microphone, s.camera); err == nil {
				s.microphone = m
				s.setAudio()
			}
		}
		if s.camera.Camera.Path != before[i].camera.Camera.Path {
			s.why = append(s.why, "camera: "+s.camera.String())
		}
		if s.audio != before[i].audio {
			s.why = append(s.why, "microphone: "+s.microphone.String())
		}
	}
	return next
}

// giveWay lets go of the node of a camera that is gone, once the node is another camera's: its path is one where nothing
// is until it is back.
func (s *sources) giveWay(list device.Listing, all []sources) {
	c := &s.camera.Camera
	if s.camera.Source != device.SourceDevice {
		return
	}
	if _, there := list.SameCamera(*c); there {
		return
	}
	taken := slices.ContainsFunc(all, func(o sources) bool {
		_, there := list.SameCamera(o.camera.Camera)
		return there && o.camera.Source == device.SourceDevice && o.camera.Camera.Path == c.Path
	})
	if taken {
		c.Path += ".gone"
	}
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
	v := s.wish.Video
	wish := pipeline.Request{
		Width: v.Width, Height: v.Height, FPS: v.Framerate, Bitrate: int(v.Bitrate),
		AudioBitrate: int(p.cfg.Audio.Bitrate), Codec: v.Codec, Encoder: v.Encoder, Display: p.cfg.Display,
		OneRendition: v.Rendition == configs.None || !v.Adaptive,
	}
	g := p.given
	g.Audio, g.Sink = s.audio, s.speaker
	switch s.camera.Source {
	case device.SourceDevice:
		g.Camera = &s.camera.Camera
	case device.SourceTest:
		g.Connector = s.connector // not when the test picture was asked for
	case device.SourceNone:
		g.NoVideo = true
	}
	defer p.save()
	out, err := pipeline.Choose(ctx, wish, g)
	if err != nil {
		return pipeline.Plan{}, s.named(err)
	}
	out.Why = append(s.why, out.Why...)
	return out, nil
}

// named says which camera an error is about, if it has a name.
func (s sources) named(err error) error {
	if s.wish.Name == "" {
		return err
	}
	return fmt.Errorf("camera %s: %w", s.wish.Name, err)
}
