package main

import (
	"context"
	"fmt"

	"boardcast/configs"
	"boardcast/device"
	"boardcast/pipeline"
	"boardcast/pipeline/gst"
)

// sources are the devices chosen, as the pipeline wants them, and why.
type sources struct {
	video   pipeline.VideoSource
	audio   pipeline.AudioSource
	speaker pipeline.AudioSink
	why     []string
}

// plan decides what to run on them.
func (s sources) plan(cfg *configs.Config) (pipeline.Plan, error) {
	wish := pipeline.Wish{
		Width: cfg.Video.Width, Height: cfg.Video.Height, FPS: cfg.Video.Framerate, Bitrate: int(cfg.Video.Bitrate),
		AudioBitrate: int(cfg.Audio.Bitrate), Codec: cfg.Video.Codec, Encoder: cfg.Video.Encoder, Display: cfg.Display,
	}
	p, err := pipeline.Build(wish, s.video, s.audio, s.speaker, gst.Machine())
	if err != nil {
		return pipeline.Plan{}, err
	}
	p.Why = append(s.why, p.Why...)
	return p, nil
}

// explainer says of a camera that does not start what is the matter with it: who holds it, or which group may open it.
func (s sources) explainer(ctx context.Context) func(string, error) error {
	return func(line string, err error) error {
		if line != "capture" || s.video.Device == "" {
			return err
		}
		why := machine.Check(ctx, s.video.Device)
		if why == nil {
			return err
		}
		for _, h := range hints(why) {
			why = fmt.Errorf("%w; hint: %s", why, h)
		}
		return why
	}
}

// chooseSources looks at what is plugged in. A camera that cannot be opened right now is no error: the reasons say so, and
// it is tried again while somebody watches.
func chooseSources(ctx context.Context, cfg *configs.Config) (sources, error) {
	var s sources
	list := device.List(ctx, machine)
	camera, err := list.PickCamera(cfg.Video.Camera)
	if err != nil {
		return s, err
	}
	s.why = append(s.why, "camera: "+camera.String())
	if camera.Hint != "" {
		s.why = append(s.why, "hint: "+camera.Hint)
	}
	if err := s.chooseMode(ctx, camera, cfg); err != nil {
		return s, err
	}
	microphone, err := device.PickMicrophone(list.Microphones, cfg.Audio.Microphone, camera)
	if err != nil {
		return s, err
	}
	s.why = append(s.why, "microphone: "+microphone.String())
	s.audio = pipeline.AudioSource{
		PCM: microphone.Sound.PCM, Test: microphone.Source == device.SourceTest, None: microphone.Source == device.SourceNone,
	}
	speaker, err := device.PickSpeaker(list.Speakers, cfg.Audio.Speaker)
	if err != nil {
		return s, err
	}
	if speaker.Source == device.SourceDevice {
		s.speaker.PCM = speaker.Sound.PCM
	}
	s.why = append(s.why, "speaker: "+speaker.String())
	return s, nil
}

func (s *sources) chooseMode(ctx context.Context, camera device.Choice, cfg *configs.Config) error {
	if camera.Source != device.SourceDevice {
		s.video.None = camera.Source == device.SourceNone
		return nil
	}
	mode, reason, err := device.PickMode(camera.Camera, device.Wish{
		Width: cfg.Video.Width, Height: cfg.Video.Height, FPS: float64(cfg.Video.Framerate),
	})
	if err != nil {
		return err
	}
	s.why = append(s.why, "mode: "+mode.String()+": "+reason)
	s.video = pipeline.VideoSource{
		Device: camera.Camera.Path, Name: camera.Camera.Name, FourCC: mode.FourCC, Width: mode.Width, Height: mode.Height,
		FPSNum: int(mode.Rate.Num), FPSDen: int(mode.Rate.Den),
	}
	if err := machine.Check(ctx, camera.Camera.Path); err != nil {
		s.why = append(s.why, fmt.Sprintf("warning: %v", err))
		for _, h := range hints(err) {
			s.why = append(s.why, "hint: "+h)
		}
	}
	return nil
}
