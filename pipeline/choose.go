package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"boardcast/board"
)

// chooser makes one plan.
type chooser struct {
	ctx         context.Context //nolint:containedctx // of one call of Choose
	request        Request
	given       Given
	noConnector bool // nothing answers on the board's connector

	raw    Raw    // what the capture chosen makes
	why    string // of the mode
	failed []string
	missed []Encoder
	notes  []string
}

// plan chooses the encoder of the first codec with the camera's mode, then encoders of the other codecs for that mode.
func (c *chooser) plan() (Plan, error) {
	p := Plan{Talkback: true, Hear: hearGraph(c.given.Sink), See: seeGraph(c.request.Display)}
	p.Audio = audioGraph(c.given.Audio, c.request.AudioBitrate)
	if c.given.NoVideo {
		return p, nil
	}
	if c.direct(&p) {
		p.Why = c.reasons(p)
		return p, nil
	}
	for _, codec := range c.codecs() {
		if err := c.codec(&p, codec); err != nil {
			return Plan{}, err
		}
	}
	if len(p.Choices) == 0 {
		return Plan{}, &NoEncoderError{
			Wanted:  fmt.Sprintf("codec %s, encoder %s", word(c.request.Codec), word(c.request.Encoder)),
			Missing: c.missed, Failed: c.failed,
		}
	}
	p.Format = p.Choices[0].Format
	p.StandIn = standInGraph(p.Source, c.raw, c.given.Machine)
	p.Why = c.reasons(p)
	c.addLower(&p)
	return p, nil
}

// codecs are those to offer, the preferred first: hardware encodes H.264 nearly everywhere, VP8 nearly nowhere.
func (c *chooser) codecs() []Codec {
	if auto(c.request.Codec) && auto(c.request.Encoder) {
		return []Codec{H264, VP8}
	}
	if auto(c.request.Codec) {
		return []Codec{H264, VP8, VP9}
	}
	return []Codec{Codec(c.request.Codec)}
}

// EncodersFor are the encoders of a codec that may be tried on a machine, the best first: what the board's row names, then
// other hardware that is installed, then software. Each comes from Fit. Rows that don't fit are in unfit.
func EncodersFor(b board.Board, m Machine, codec Codec) (fit []Encoder, unfit map[string]*Unfit) {
	order := b.H264
	if codec == VP8 {
		order = b.VP8
	}
	unfit = map[string]*Unfit{}
	var hardware, software []Encoder
	for _, e := range ranked(order, instances(m, codec)) {
		fitted, err := e.Fit(m)
		var why *Unfit
		switch {
		case errors.As(err, &why):
			unfit[e.ID] = why
		case slices.ContainsFunc(slices.Concat(hardware, software), func(o Encoder) bool { return o.Element == e.Element }):
			unfit[e.ID] = &Unfit{Reason: "another row of " + e.Element + " fits better"}
		case e.Hardware:
			hardware = append(hardware, fitted)
		default:
			software = append(software, fitted)
		}
	}
	return append(hardware, software...), unfit
}

// instances are the rows of a codec, and a copy for each further device of a row's kind.
func instances(m Machine, codec Codec) []Encoder {
	var out []Encoder
	for _, e := range Encoders {
		if e.Codec != codec {
			continue
		}
		out = append(out, e)
		for _, other := range m.like(e.Others) {
			o := e
			o.ID, o.Element = other+e.ID[len(e.Element):], other
			out = append(out, o)
		}
	}
	return out
}

// ranked puts the encoders that a board names first, in its order.
func ranked(order []string, rows []Encoder) []Encoder {
	rank := func(e Encoder) int {
		if i := slices.IndexFunc(order, e.Is); i >= 0 {
			return i
		}
		return len(order)
	}
	out := slices.Clone(rows)
	slices.SortStableFunc(out, func(a, b Encoder) int { return rank(a) - rank(b) })
	return out
}

// codec adds the choice of one codec, if one works, and what else might.
func (c *chooser) codec(p *Plan, codec Codec) error {
	fit, unfit := EncodersFor(c.given.Board, c.given.Machine, codec)
	c.miss(codec, unfit)
	chosen := false
	for _, e := range fit {
		if !auto(c.request.Encoder) && !e.Is(c.request.Encoder) {
			continue
		}
		if chosen {
			c.spare(p, e)
			continue
		}
		choice, err := c.try(p, e)
		if err != nil {
			return err
		}
		if choice != nil {
			p.Choices, chosen = append(p.Choices, *choice), true
		}
	}
	return nil
}

// miss remembers what would have to be installed.
func (c *chooser) miss(codec Codec, unfit map[string]*Unfit) {
	for _, e := range Encoders {
		why := unfit[e.ID]
		wanted := auto(c.request.Encoder) || e.Is(c.request.Encoder)
		if why != nil && e.Codec == codec && why.Missing && wanted {
			c.missed = append(c.missed, e)
		}
	}
}

// spare keeps an encoder, for the mode that was chosen, for the day when the choice fails. Hardware must have passed a trial
// first: on that day there is no time for one.
func (c *chooser) spare(p *Plan, e Encoder) {
	f, v := c.format(e), Verdict{Outcome: OutcomeUsable}
	if e.Hardware {
		if c.given.Trials == nil {
			return
		}
		if v = c.given.Trials.Encoder(c.ctx, e, c.raw, f); !v.Works() || exceeds(e.limits(c.given.Board), f) != "" {
			return
		}
	}
	if choice := c.choice(e, f, v); choice != nil {
		p.Spares = append(p.Spares, *choice)
	}
}

// format is what an encoder makes of the capture chosen.
func (c *chooser) format(e Encoder) VideoFormat {
	v := VideoSource{Width: c.raw.Width, Height: c.raw.Height, FPSNum: c.raw.FPSNum, FPSDen: c.raw.FPSDen}
	f := formatFor(c.request, v, e.limits(c.given.Board))
	f.Bitrate = e.Rates.Clamp(f.Bitrate)
	return f
}

// try proves an encoder, in the camera's best mode for it when it is the first, else in the mode that stands. nil without
// an error tells that it does not do.
func (c *chooser) try(p *Plan, e Encoder) (*Choice, error) {
	if p.Capture == nil {
		return c.tryFirst(p, e)
	}
	f := c.format(e)
	v := c.prove(e, f)
	if v.Works() && c.tooSlow(e, v, f) {
		f = shrink(f, capacity(v, f))
		v = c.prove(e, f)
	}
	return c.choice(e, f, v), nil
}

// choice is nil for a verdict that does not do.
func (c *chooser) choice(e Encoder, f VideoFormat, v Verdict) *Choice {
	if !v.Works() {
		return nil
	}
	e, f.Measured = v.apply(e), v.ProfileLevelID
	return &Choice{Encoder: e, Format: f, Graph: e.Graph(c.raw, f), Of: c.raw, Verdict: v}
}

// tryFirst chooses the camera's mode with the encoder. A software encoder whose size is open is tried at the
// usual one and then given what it manages.
func (c *chooser) tryFirst(p *Plan, e Encoder) (*Choice, error) {
	b := bounds{limits: e.limits(c.given.Board)}
	if !e.Hardware && c.sizeOpen() && c.given.Trials == nil {
		b.atMost = defaultWidth * defaultHeight // nothing vouches for more
	}
	source, capture, err := c.source(b)
	if err != nil {
		return nil, err
	}
	f := c.format(e)
	v := c.prove(e, f)
	if v.Works() && c.tooSlow(e, v, f) {
		why := fmt.Sprintf("what %s manages, with %.0f frames/s of %dx%d in the trial", e.Element, v.FramesPerSecond, f.Width, f.Height)
		b.pixels = capacity(v, f)
		if source, capture, err = c.source(b); err != nil {
			return nil, err
		}
		c.why = why
		f = shrink(c.format(e), b.pixels)
		v = c.prove(e, f)
	}
	choice := c.choice(e, f, v)
	if choice != nil {
		p.Source, p.Capture = source, capture
	}
	return choice, nil
}

// tooSlow reports whether a software encoder whose size is ours to choose should be given less to do.
func (c *chooser) tooSlow(e Encoder, v Verdict, f VideoFormat) bool {
	room := capacity(v, f)
	return !e.Hardware && c.sizeOpen() && room > 0 && f.pixelsPerSecond() > room
}

// sizeOpen reports whether the size is ours to choose.
func (c *chooser) sizeOpen() bool { return c.request.Width == 0 && c.request.Height == 0 }

// headroom is how much faster than real time a software encoder must be in its trial: the capture, the network and the
// rest of the board want their share, and a busy scene costs more than the trial's.
const headroom = 2

// capacity is the pixels per second that a trial vouches for, 0 when it measured nothing. It may have run while others
// kept the machine busy, so what one core would do counts too.
func capacity(v Verdict, f VideoFormat) float64 {
	const second = 1000 // milliseconds
	fps := v.FramesPerSecond
	if v.CPUMillis > 0 {
		fps = max(fps, second/v.CPUMillis)
	}
	return fps * float64(f.Width*f.Height) / headroom
}

// shrink makes a format that fits a capacity: fewer pixels, down to a quarter of each side, and half the rate.
func shrink(f VideoFormat, room float64) VideoFormat {
	if room <= 0 || f.pixelsPerSecond() <= room {
		return f
	}
	out := f
	for _, factor := range []float64{1, 0.75, 0.5, 0.375, 0.25} {
		for _, slower := range []int{1, 2} {
			out = f.scaled(factor)
			out.Width, out.Height = out.Width&^1, out.Height&^1
			out.FPSNum, out.FPSDen = reduced(f.FPSNum, f.FPSDen*slower)
			out.Bitrate = min(f.Bitrate, out.DefaultBitrate())
			if out.pixelsPerSecond() <= room {
				return out
			}
		}
	}
	return out
}

// reduced is a fraction in lowest terms.
func reduced(num, den int) (int, int) {
	a, b := num, max(1, den)
	for b != 0 {
		a, b = b, a%b
	}
	return num / max(1, a), max(1, den) / max(1, a)
}

func (c *chooser) prove(e Encoder, f VideoFormat) Verdict {
	if reason := exceeds(e.limits(c.given.Board), f); reason != "" {
		c.failed = append(c.failed, e.Element+": "+reason)
		return Verdict{Outcome: OutcomeSkipped, Reason: reason}
	}
	if c.given.Trials == nil {
		return Verdict{Outcome: OutcomeUsable}
	}
	v := c.given.Trials.Encoder(c.ctx, e, c.raw, f)
	if !v.Works() {
		c.failed = append(c.failed, e.Element+": "+v.Reason)
	}
	return v
}

// source is the camera's mode within bounds, with the capture graph that works for it. A connector without a camera
// leaves the test picture.
func (c *chooser) source(b bounds) (VideoSource, Graph, error) {
	v := VideoSource{}
	if err := c.chooseMode(&v, b); err != nil {
		return v, nil, err
	}
	got, err := c.capture(v)
	if err != nil && v.Element != "" {
		c.noConnector = true
		c.notes = append(c.notes, err.Error())
		return c.source(b)
	}
	c.raw = got.raw
	return v, got.graph, err
}

// chooseMode fills in the source and its mode.
func (c *chooser) chooseMode(v *VideoSource, b bounds) error {
	cam := anySize(c.request)
	switch {
	case c.given.Camera != nil:
		cam = *c.given.Camera
		v.Device, v.Name = cam.Path, cam.Name
		b.decodes = c.decodes
	case c.onConnector():
		v.Element, v.Name = c.given.Board.CSI, "camera on the board's connector"
	}
	m, why, err := pickMode(cam, c.request, b)
	if err != nil {
		return err
	}
	c.why = why
	v.FourCC, v.Width, v.Height = m.FourCC, m.Width, m.Height
	v.FPSNum, v.FPSDen = int(m.Rate.Num), int(max(1, m.Rate.Den))
	return nil
}

// decodes reports whether a camera's format can be had as pictures.
func (c *chooser) decodes(fourCC string) bool {
	if isJPEG(fourCC) {
		return slices.ContainsFunc(jpegDecoders, func(d decoder) bool { return c.given.Machine.chain(d.launch) })
	}
	return rawFormats[fourCC] != ""
}

// onConnector reports whether a camera is to be looked for on the board's connector.
func (c *chooser) onConnector() bool {
	csi := c.given.Board.CSI
	return c.given.Camera == nil && c.given.Connector && !c.noConnector && csi != "" && c.given.Machine.installed(csi)
}

// capture is the first way to capture that works.
func (c *chooser) capture(v VideoSource) (capture, error) {
	all, err := captures(v, c.given.Machine)
	if err != nil {
		return capture{}, err
	}
	for i, one := range all {
		last := i == len(all)-1 && v.Element == ""
		if !one.trial || last || c.given.Trials == nil {
			return one, nil
		}
		if verdict := c.given.Trials.Source(c.ctx, one.graph, v.Name, ""); verdict.Works() {
			return one, nil
		} else if v.Element != "" {
			return capture{}, fmt.Errorf("capture from %s: %s", v.Element, verdict.Reason)
		}
	}
	return all[len(all)-1], nil
}
