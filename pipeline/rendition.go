package pipeline

import (
	"fmt"
	"strings"

	"boardcast/board"
)

// The lower rendition of a choice: the same pictures by the same encoder, smaller, for viewers whose links do not carry the
// first.
const (
	lowerSide   = 0.5 // of each side
	lowerWidth  = 160 // and its picture is no smaller
	lowerHeight = 120
	lowerPart   = 4   // its rate is at most one part in so many of the first's
	lowerCost   = 0.5 // of what the first takes: its pictures are a quarter, but are converted from whole ones
)

// LeastBitrate is the floor of a lower rendition, and the least that a link is taken to carry, in bit/s.
const LeastBitrate = 50_000

// lower is the format of the lower rendition, within the limits of its encoder.
func (v VideoFormat) lower(l board.Limits) VideoFormat {
	width, height := float64(max(l.MinWidth, lowerWidth)), float64(max(l.MinHeight, lowerHeight))
	out := v.scaled(min(1, max(lowerSide, width/float64(v.Width), height/float64(v.Height))))
	step := max(2, l.SizeMultiple)
	out.Width, out.Height = max(out.Width-out.Width%step, step), max(out.Height-out.Height%step, step)
	out.Bitrate, out.Measured = max(v.Bitrate/lowerPart, LeastBitrate), ""
	return out
}

// lower makes the lower rendition of a choice; why tells what speaks against it.
func (c *chooser) lower(choice Choice) (lower Choice, why string) {
	e, l := choice.Encoder, choice.Encoder.limits(c.given.Board)
	f := choice.Format.lower(l)
	f.Bitrate = e.Rates.Clamp(f.Bitrate)
	switch {
	case f.Bitrate > choice.Format.Bitrate/2:
		return Choice{}, "the first has little enough bitrate"
	case !affords(choice, f, l):
		return Choice{}, e.Element + " has no power left for it"
	}
	return Choice{Encoder: e, Graph: e.Graph(c.raw, f), Format: f, Of: c.raw, Verdict: choice.Verdict}, ""
}

// affords reports whether the encoder of a choice was seen to be fast enough for a lower rendition beside it. What was not
// measured speaks against nothing.
func affords(choice Choice, lower VideoFormat, l board.Limits) bool {
	full, v := choice.Format, choice.Verdict
	if l.MacroblocksPerSecond > 0 && full.macroblocksPerSecond()+lower.macroblocksPerSecond() > l.MacroblocksPerSecond || exceeds(l, lower) != "" {
		return false
	}
	if choice.Encoder.Hardware {
		return v.FramesPerSecond == 0 || v.FramesPerSecond >= (1+lowerCost)*full.fps()
	}
	room := capacity(v, full)
	return room == 0 || room >= (1+lowerCost)*full.pixelsPerSecond()
}

// addLower adds the lower renditions of the choices.
func (c *chooser) addLower(p *Plan) {
	if c.request.OneRendition {
		return
	}
	for _, choice := range p.Choices {
		lower, why := c.lower(choice)
		if why != "" {
			p.Why = append(p.Why, fmt.Sprintf("for slow links: keyframes only of %s, no lower rendition: %s", strings.ToUpper(string(choice.Encoder.Codec)), why))
			continue
		}
		p.Lower = append(p.Lower, lower)
	}
}

// ChoiceOf is the first choice of a codec; false where there is none.
func ChoiceOf(choices []Choice, codec Codec) (Choice, bool) {
	for _, c := range choices {
		if c.Encoder.Codec == codec {
			return c, true
		}
	}
	return Choice{}, false
}
