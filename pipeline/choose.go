package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// chooser answers the questions of one call of Choose. It keeps nothing of what it finds: each method returns its findings.
type chooser struct {
	ctx     context.Context //nolint:containedctx // of one call of Choose
	request Request
	given   Given
}

// findings are what was chosen for the video, and what a person is told of the choice.
type findings struct {
	feed    feed
	choices []Choice
	spares  []Choice
	missing []Encoder // would have to be installed
	failed  []string  // "element: reason" of each encoder that was tried and not chosen
}

// plan chooses the camera's mode with the encoder of the first codec, then encoders of the other codecs for that mode.
func (c *chooser) plan() (Plan, error) {
	p := Plan{Incoming: Incoming{
		Talkback: !c.given.Sink.None, Hear: hearGraph(c.given.Sink), Speak: speakGraph(c.given.Sink),
		Display: c.request.Display, See: seeGraph(c.request.Display),
	}}
	p.Audio, p.Silence = audioGraph(c.given.Audio, c.request.AudioBitrate), silenceGraph(c.given.Audio)
	if c.given.NoVideo {
		return p, nil
	}
	found, refusal := c.direct()
	var noLower []string
	if direct := len(found.choices) > 0; !direct {
		var err error
		if found, err = c.encoded(refusal); err != nil {
			return Plan{}, err
		}
		if !found.feed.source.Away() {
			p.Placeholder = placeholderGraph(found.feed.source, found.feed.raw, c.given.Machine)
		}
		p.Lower, noLower = c.lowerRenditions(found.choices)
	}
	p.Format, p.Source, p.Capture = found.choices[0].Format, found.feed.source, found.feed.graph
	p.Choices, p.Spares = found.choices, found.spares
	p.Why = append(reasons(c.request, found), noLower...)
	return p, nil
}

// encoded are the choices for a camera whose frames we encode. refusal tells why the camera's own stream is not used; it may be empty.
func (c *chooser) encoded(refusal string) (findings, error) {
	found := findings{feed: feed{source: c.origin(), note: refusal}}
	for _, codec := range c.codecs() {
		next, err := c.codec(codec, found.feed)
		if err != nil {
			return found, err
		}
		found = found.with(next)
	}
	if len(found.choices) == 0 {
		return found, &NoEncoderError{
			Wanted:  fmt.Sprintf("codec %s, encoder %s", cmp.Or(c.request.Codec, "auto"), cmp.Or(c.request.Encoder, "auto")),
			Missing: found.missing, Failed: found.failed,
		}
	}
	return found, nil
}

// with adds the findings of one more codec, and takes their feed in the place of its own.
func (f findings) with(next findings) findings {
	return findings{
		feed:    next.feed,
		choices: slices.Concat(f.choices, next.choices), spares: slices.Concat(f.spares, next.spares),
		missing: slices.Concat(f.missing, next.missing), failed: slices.Concat(f.failed, next.failed),
	}
}

// codecs are the codecs to offer, the preferred one first: hardware encodes H.264 nearly everywhere, VP8 nearly nowhere.
func (c *chooser) codecs() []Codec {
	if auto(c.request.Codec) && auto(c.request.Encoder) {
		return []Codec{H264, VP8}
	}
	if auto(c.request.Codec) {
		return []Codec{H264, VP8, VP9}
	}
	return []Codec{Codec(c.request.Codec)}
}

// codec is the choice of one codec, if one of its encoders works, with its spares. in is the feed until now.
func (c *chooser) codec(codec Codec, in feed) (findings, error) {
	fit, unfit := EncodersFor(c.given.Board, c.given.Machine, codec)
	found := findings{feed: in, missing: c.missing(codec, unfit)}
	for _, e := range fit {
		if !c.wanted(e) {
			continue
		}
		if len(found.choices) > 0 {
			if spare := c.spare(e, found.feed.raw); spare.Verdict.Works() {
				found.spares = append(found.spares, spare)
			}
			continue
		}
		tried, next, err := c.try(e, found.feed)
		if err != nil {
			return found, err
		}
		found.feed = next
		if tried.Verdict.Works() {
			found.choices = append(found.choices, tried)
		} else {
			found.failed = append(found.failed, e.Element+": "+tried.Verdict.Reason)
		}
	}
	return found, nil
}

// wanted reports whether the request allows an encoder.
func (c *chooser) wanted(e Encoder) bool { return auto(c.request.Encoder) || e.Is(c.request.Encoder) }

// missing are the wanted encoders of a codec that are not installed.
func (c *chooser) missing(codec Codec, unfit map[string]*Unfit) []Encoder {
	var out []Encoder
	for _, e := range Encoders {
		if why := unfit[e.ID]; why != nil && e.Codec == codec && why.Missing && c.wanted(e) {
			out = append(out, e)
		}
	}
	return out
}

// spare is an encoder for the day when the chosen one fails, in the mode that was chosen. The verdict tells whether it will do. An
// encoder in hardware must have passed a trial: on that day there is no time for one.
func (c *chooser) spare(e Encoder, raw Raw) Choice {
	f := c.format(e, raw)
	if !e.Hardware {
		return choiceOf(e, raw, f, Verdict{Outcome: OutcomeUsable})
	}
	if c.given.Trials == nil {
		return choiceOf(e, raw, f, Verdict{Outcome: OutcomeSkipped, Reason: "hardware is no spare without a trial"})
	}
	return choiceOf(e, raw, f, c.prove(e, raw, f))
}

// format is what an encoder makes of a capture's frames.
func (c *chooser) format(e Encoder, raw Raw) VideoFormat {
	v := VideoSource{Width: raw.Width, Height: raw.Height, FPSNum: raw.FPSNum, FPSDen: raw.FPSDen}
	f := formatFor(c.request, v, e.limits(c.given.Board))
	f.Bitrate = e.Rates.Clamp(f.Bitrate)
	return f
}

// try proves an encoder. The choice's verdict tells whether the encoder works. The feed that try returns is for the encoders that are tried
// after this one. While the feed is open, no encoder has worked yet: then the camera's mode is chosen for this encoder, and it stays
// chosen if the encoder works.
func (c *chooser) try(e Encoder, in feed) (Choice, feed, error) {
	if !in.open() {
		f := c.format(e, in.raw)
		v := c.prove(e, in.raw, f)
		if v.Works() && c.tooSlow(e, v, f) {
			f = shrink(f, capacity(v, f))
			v = c.prove(e, in.raw, f)
		}
		return choiceOf(e, in.raw, f, v), in, nil
	}
	tried, with, err := c.tryModes(e, in)
	if err == nil && !tried.Verdict.Works() {
		with = with.reopened()
	}
	return tried, with, err
}

// tryModes chooses the camera's mode for an encoder, and proves the encoder in it. Where the user names no size,
// an encoder in software that is too slow for the mode gets another one, which fits the speed that the trial measured. Without trials an
// encoder in software gets the default size at most.
func (c *chooser) tryModes(e Encoder, in feed) (Choice, feed, error) {
	b := bounds{limits: e.limits(c.given.Board)}
	if !e.Hardware && c.sizeOpen() && c.given.Trials == nil {
		b.atMost = defaultWidth * defaultHeight // no trial has shown that it can do more
	}
	in, err := c.choose(in, b)
	if err != nil {
		return Choice{}, in, err
	}
	f := c.format(e, in.raw)
	v := c.prove(e, in.raw, f)
	if !v.Works() || !c.tooSlow(e, v, f) {
		return choiceOf(e, in.raw, f, v), in, nil
	}
	b.pixels = capacity(v, f)
	why := fmt.Sprintf("what %s manages, with %.0f frames/s of %dx%d in the trial", e.Element, v.FramesPerSecond, f.Width, f.Height)
	if in, err = c.choose(in.reopened(), b); err != nil {
		return Choice{}, in, err
	}
	in.why = why
	f = shrink(c.format(e, in.raw), b.pixels)
	return choiceOf(e, in.raw, f, c.prove(e, in.raw, f)), in, nil
}

// prove is the verdict on an encoder for a format: by the limits that are known, then by a trial. Without trials it is taken to work.
func (c *chooser) prove(e Encoder, raw Raw, f VideoFormat) Verdict {
	if reason := exceeds(e.limits(c.given.Board), f); reason != "" {
		return Verdict{Outcome: OutcomeSkipped, Reason: reason}
	}
	if c.given.Trials == nil {
		return Verdict{Outcome: OutcomeUsable}
	}
	return c.given.Trials.Encoder(c.ctx, e, raw, f)
}

// choiceOf is an encoder as its verdict found it to work, or, where it does not work, the verdict alone.
func choiceOf(e Encoder, raw Raw, f VideoFormat, v Verdict) Choice {
	if !v.Works() {
		return Choice{Verdict: v}
	}
	e, f.Measured = v.apply(e), v.ProfileLevelID
	return Choice{Encoder: e, Format: f, Graph: e.Graph(raw, f), Of: raw, Verdict: v}
}
