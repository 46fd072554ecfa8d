package main

import (
	"context"
	"fmt"

	"boardcast/configs"
	"boardcast/device"
	"boardcast/pipeline"
)

// sources are the devices chosen for one camera of the settings, as the pipeline wants them, and why.
type sources struct {
	request       configs.Camera
	camera        device.Choice
	unplugged     bool // the camera was there, and is not in the newest listing
	connector     connector
	reduced       *reduced // nil while the camera runs in the mode that suits best
	microphone    device.SoundChoice
	wantedSpeaker string
	speaker       device.SoundChoice
	audio         pipeline.AudioSource
	sink          pipeline.AudioSink
	why           []string
}

// connector is the search for a camera on the board's own connector, where auto found no other.
type connector struct{ sought, found bool }

// reduced is the mode that a camera is run in although another suits better, and why.
type reduced struct {
	mode device.Mode
	why  string
}

// trouble is why the camera cannot be opened, if a reason is found: which program has it open, or which group may open it.
func (s sources) trouble(ctx context.Context) error {
	why := machine.Check(ctx, s.camera.Camera.Path)
	if why == nil {
		return nil
	}
	return remedied{why}
}

// chooseSources chooses devices among those that are plugged in, for each camera of the settings. A camera that is named and is
// not there, or cannot be used now, is no error: why says so, its placeholder is shown, and it is looked for again. The same
// holds for sounds. A word that names nothing, is no address and never named anything is an error, because it may be misspelt.
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
	speaker, err := findSound(list, device.SoundRequest{Stream: device.Playback, Want: cfg.Audio.Speaker}, device.Choice{}, readNames().Speakers)
	if err != nil {
		return nil, err
	}
	var all []sources
	looked := false // for a camera on the connector
	for i, request := range cfg.Cameras {
		s := sources{
			request: request, camera: cameras[i], microphone: microphones[i], wantedSpeaker: cfg.Audio.Speaker, speaker: speaker,
		}
		s.connector.sought = !looked && request.Camera == configs.Auto && s.camera.Source == device.SourceTest
		looked = looked || s.connector.sought
		s.why = append(s.why, "camera: "+s.pictured())
		if s.camera.Hint != "" {
			s.why = append(s.why, "hint: "+s.camera.Hint)
		}
		s.warn(ctx)
		s.why = append(s.why, "microphone: "+s.microphone.String(), "speaker: "+speaker.String())
		s.setAudio()
		all = append(all, s)
	}
	if err := rememberNames(all); err != nil {
		all[0].why = append(all[0].why, fmt.Sprintf("warning: %v", err))
	}
	return all, nil
}

// pictured says where the picture comes from, or that there is none.
func (s *sources) pictured() string {
	switch {
	case s.camera.Source != device.SourceNone, s.camera.Away:
		return s.camera.String()
	case s.microphone.Source != device.SourceNone:
		return "none, as asked for: sound only"
	default:
		return "none, as asked for, and no sound either: there is nothing to play"
	}
}

// setAudio makes of the sound devices what the pipeline is told. Where a microphone is asked for and none is there, silence is sent.
func (s *sources) setAudio() {
	m := s.microphone
	asked := s.request.Microphone != configs.None
	none := m.Source == device.SourceNone
	s.audio = pipeline.AudioSource{
		PCM: m.Sound.PCM, Test: m.Source == device.SourceTest, None: none && !asked, Silent: none && asked,
	}
	s.sink = pipeline.AudioSink{PCM: s.speaker.Sound.PCM, None: s.wantedSpeaker == configs.None}
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

// named says which camera an error is about, if it has a name.
func (s sources) named(err error) error {
	if s.request.Name == "" {
		return err
	}
	return fmt.Errorf("camera %s: %w", s.request.Name, err)
}
