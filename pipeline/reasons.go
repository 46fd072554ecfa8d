package pipeline

import (
	"fmt"
	"strings"
)

// reasons are the lines that tell a person what was chosen and why: one sentence each.
func (c *chooser) reasons(p Plan) []string {
	why := []string{c.mode(p)}
	for i, choice := range p.Choices {
		if !choice.Direct {
			why = append(why, c.encoder(p, i, choice))
		}
	}
	return why
}

// mode tells how the camera is run.
func (c *chooser) mode(p Plan) string {
	s := p.Source
	from := s.FourCC
	switch {
	case s.Element != "":
		from = s.Element
	case s.isTest():
		from = "test picture"
	}
	picture := VideoFormat{Width: s.Width, Height: s.Height, FPSNum: s.FPSNum, FPSDen: s.FPSDen}
	text := fmt.Sprintf("mode: %s %s: %s", from, picture, c.why)
	if len(c.notes) > 0 {
		text += "; " + strings.Join(c.notes, "; ")
	}
	return text
}

func (c *chooser) encoder(p Plan, i int, choice Choice) string {
	e := choice.Encoder
	kind := "software"
	if e.Hardware {
		kind = "hardware"
	}
	return fmt.Sprintf("encoder: %s (%s, %s), %s, %d kbit/s: %s", e.Element, strings.ToUpper(string(e.Codec)), kind,
		choice.Format, choice.Format.Bitrate/1000, c.because(p, i, choice))
}

// because says why this encoder was taken.
func (c *chooser) because(p Plan, i int, choice Choice) string {
	var reason string
	switch {
	case !auto(c.request.Encoder):
		reason = "as asked"
	case i > 0:
		reason = "for browsers that do not take " + strings.ToUpper(string(p.Choices[0].Encoder.Codec))
	case choice.Verdict.FramesPerSecond > 0:
		reason = "the first of its codec that passed the trial"
	default:
		reason = "the first of its codec that is installed"
	}
	if choice.Verdict.FramesPerSecond > 0 {
		reason += fmt.Sprintf(" (%.0f frames/s, %.1f ms of CPU each)", choice.Verdict.FramesPerSecond, choice.Verdict.CPUMillis)
	}
	if fps := choice.Verdict.FramesPerSecond; fps > 0 && fps < choice.Format.fps() {
		reason += "; slower than the picture, so some of it will be dropped"
	}
	if choice.Encoder.Keyframe == KeyframeNone {
		reason += "; keyframes can't be asked of it, so it makes one a second"
	}
	if i == 0 && len(c.failed) > 0 {
		reason += "; not " + strings.Join(c.failed, ", not ")
	}
	return reason
}
