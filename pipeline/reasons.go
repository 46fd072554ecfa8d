package pipeline

import (
	"fmt"
	"strings"
)

// reasons tell a person what was chosen and why, in a line each.
func reasons(r Request, found findings) []string {
	why := []string{found.feed.reason()}
	for i, choice := range found.choices {
		if !choice.Direct {
			why = append(why, choice.reason(because(r, found, i)))
		}
	}
	return why
}

// reason tells how the camera is run.
func (f feed) reason() string {
	s := f.source
	from := s.FourCC
	switch {
	case s.Element != "":
		from = s.Element
	case s.isTest():
		from = "test picture"
	case s.Away():
		from = "placeholder"
	}
	picture := VideoFormat{Width: s.Width, Height: s.Height, FPSNum: s.FPSNum, FPSDen: s.FPSDen}
	text := fmt.Sprintf("mode: %s %s: %s", from, picture, f.why)
	if f.note != "" {
		text += "; " + f.note
	}
	return text
}

// reason tells which encoder was chosen, what it makes, and why.
func (c Choice) reason(why string) string {
	e := c.Encoder
	kind := "software"
	if e.Hardware {
		kind = "hardware"
	}
	return fmt.Sprintf("encoder: %s (%s, %s), %s, %d kbit/s: %s", e.Element, strings.ToUpper(string(e.Codec)), kind,
		c.Format, c.Format.Bitrate/1000, why)
}

// because tells why the encoder of a choice was taken.
func because(r Request, found findings, i int) string {
	choice, first := found.choices[i], found.choices[0]
	var reason string
	switch {
	case !auto(r.Encoder):
		reason = "as asked"
	case i > 0:
		reason = "for browsers that do not take " + strings.ToUpper(string(first.Encoder.Codec))
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
	if i == 0 && len(found.failed) > 0 {
		reason += "; not " + strings.Join(found.failed, ", not ")
	}
	return reason
}
