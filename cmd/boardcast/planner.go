package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"

	"boardcast/configs"
	"boardcast/device"
	"boardcast/pipeline"
)

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
	g.Audio, g.Sink = s.audio, s.sink
	if s.camera.Away {
		g.Away = pipeline.Away{Name: cmp.Or(s.request.Name, s.request.Camera), Reason: briefly(s.camera)}
	}
	switch s.camera.Source {
	case device.SourceDevice:
		g.Camera = &s.camera.Camera
		if s.reduced != nil {
			only := s.camera.Camera.Only(s.reduced.mode)
			g.Camera = &only
		}
	case device.SourceTest:
		g.Connector = s.connector.sought // false when the test picture was asked for
	case device.SourceNone:
		g.NoVideo = !s.camera.Away
	}
	defer p.save()
	out, err := pipeline.Choose(ctx, request, g)
	if err != nil {
		return pipeline.Plan{}, s.named(err)
	}
	out.Why = append(s.why, out.Why...)
	return out, nil
}

// briefly is why a camera is away, for the placeholder: the log and the status say more.
func briefly(c device.Choice) string {
	e, ok := errors.AsType[*device.Error](c.Cause)
	switch {
	case !ok:
		return c.Reason
	case errors.Is(e, device.ErrNoMatch):
		return device.ErrGone.Error()
	}
	return e.Kind.Error()
}
