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
	request    configs.Camera
	camera     device.Choice
	connector  bool // no camera was found: look for one on the board's own connector
	microphone device.SoundChoice
	audio      pipeline.AudioSource
	speaker    pipeline.AudioSink
	why        []string
}

// explain returns the error of a camera that does not start, with the reason if one is found: which program has the camera
// open, or which group may open it.
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

// chooseSources chooses devices among those that are plugged in, for each camera of the settings. A camera that is there but
// cannot be opened now is no error: why says so, and the camera is tried again while somebody watches.
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
	for i, request := range cfg.Cameras {
		s := sources{request: request, camera: cameras[i], microphone: microphones[i]}
		s.connector = !looked && request.Camera == configs.Auto && s.camera.Source == device.SourceTest
		looked = looked || s.connector
		if speaker.Source == device.SourceDevice {
			s.speaker.PCM = speaker.Sound.PCM
		}
		s.speaker.None = cfg.Audio.Speaker == configs.None
		s.why = append(s.why, "camera: "+s.pictured())
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

// pictured says where the picture comes from, or that there is none.
func (s *sources) pictured() string {
	switch {
	case s.camera.Source != device.SourceNone:
		return s.camera.String()
	case s.microphone.Source != device.SourceNone:
		return "none, as asked for: sound only"
	default:
		return "none, as asked for, and no sound either: there is nothing to play"
	}
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

// lookAgain chooses again after a device was plugged in or out. A camera in use is found on whichever node it has now, and
// keeps its place while it is gone. A camera of the settings that has no device gets one if one is there now; a microphone
// likewise. The result has what was learnt from the listing (a camera's twin, say) even where nothing changes. Where a camera
// or a microphone has changed, why says so: only these need a new plan.
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
			if choice, err := list.Beside(inUse(next)).PickCamera(s.request.Camera); err == nil {
				s.camera = choice
			}
		}
		if s.microphone.Source != device.SourceDevice {
			if m, err := device.PickMicrophone(untaken(list.Microphones, next), s.request.Microphone, s.camera); err == nil {
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

// giveWay takes a camera that is gone off its node when another camera has that node now, because two cameras would open the
// same node otherwise. Until the camera is back, its path names no node at all.
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

// planner decides what to run on the devices that are there. It tries encoders, and remembers the verdicts.
type planner struct {
	cfg   *configs.Config
	given pipeline.Given
	save  func()
	known pipeline.Prover // knows the remembered verdicts, and tries nothing
}

func newPlanner(cfg *configs.Config, log *slog.Logger) planner {
	g, trials, save := given(false, log)
	g.Direct = true
	return planner{cfg: cfg, given: g, save: save, known: trials.Known()}
}

// quick is the planner to use while viewers wait: it goes by the remembered verdicts.
func (p planner) quick() planner {
	p.given.Trials = p.known
	return p
}

func (p planner) plan(ctx context.Context, s sources) (pipeline.Plan, error) {
	v := s.request.Video
	request := pipeline.Request{
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
		g.Connector = s.connector // false when the test picture was asked for
	case device.SourceNone:
		g.NoVideo = true
	}
	defer p.save()
	out, err := pipeline.Choose(ctx, request, g)
	if err != nil {
		return pipeline.Plan{}, s.named(err)
	}
	out.Why = append(s.why, out.Why...)
	return out, nil
}

// named says which camera an error is about, if it has a name.
func (s sources) named(err error) error {
	if s.request.Name == "" {
		return err
	}
	return fmt.Errorf("camera %s: %w", s.request.Name, err)
}
