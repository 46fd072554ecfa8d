package pipeline

import (
	"fmt"
	"strings"

	"boardcast/board"
)

// The lower rendition of a choice: the same frames by the same encoder, but smaller, for viewers whose links do not carry the first
// rendition.
const (
	lowerSide = 0.5 // a factor on width and height
	// Pixels. The lower rendition is no smaller, since on a smaller picture nobody recognises anything.
	lowerWidth  = 160
	lowerHeight = 120
	// A divisor. The bitrate is that of the first rendition divided by this, as a quarter of the pixels needs a quarter of the bits.
	lowerPart = 4
	// The encoder's work, as a part of its work for the first rendition: frames have a quarter of the pixels, but are scaled from whole
	// ones.
	lowerCost = 0.5
)

// LeastBitrate is the floor of a lower rendition, and the least that a link is taken to carry, in bit/s: with less there is no picture.
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

// lower is the lower rendition of a choice on a board; why tells what speaks against it.
func (c Choice) lower(on board.Board) (lower Choice, why string) {
	e, l := c.Encoder, c.Encoder.limits(on)
	f := c.Format.lower(l)
	f.Bitrate = e.Rates.Clamp(f.Bitrate)
	switch {
	case f.Bitrate > c.Format.Bitrate/2:
		return Choice{}, "the first rendition's bitrate is so low that a lower one would save less than half of it"
	case !affords(c, f, l):
		return Choice{}, e.Element + " has no power left for a lower rendition"
	}
	return Choice{Encoder: e, Graph: e.Graph(c.Of, f), Format: f, Of: c.Of, Verdict: c.Verdict}, ""
}

// affords reports whether the encoder of a choice is fast enough for a lower rendition beside it. An encoder that was not measured is
// taken to be fast enough.
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

// lowerRenditions are the lower renditions of the choices. refused tells a person of each choice that has none, and why.
func (c *chooser) lowerRenditions(choices []Choice) (lower []Choice, refused []string) {
	if c.request.OneRendition {
		return nil, nil
	}
	for _, choice := range choices {
		one, why := choice.lower(c.given.Board)
		if why == "" {
			lower = append(lower, one)
			continue
		}
		name := strings.ToUpper(string(choice.Encoder.Codec))
		refused = append(refused, fmt.Sprintf("viewers with slow links get keyframes only of %s: %s", name, why))
	}
	return lower, refused
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
