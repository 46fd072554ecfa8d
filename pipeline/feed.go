package pipeline

import (
	"fmt"
	"slices"
)

// feed is what the encoders of a plan get their frames from: a source in one of its modes. While it is open, no mode was chosen yet:
// only the note and the source's device, element and name are set.
type feed struct {
	source VideoSource
	graph  Graph  // the capture; nil while the feed is open
	raw    Raw    // what the capture makes
	why    string // the reason for the mode
	note   string // what else a person should know of the source; may be empty
}

// open reports whether the mode is still to be chosen.
func (f feed) open() bool { return f.graph == nil }

// reopened is the feed with its mode to be chosen anew.
func (f feed) reopened() feed {
	return feed{source: VideoSource{Device: f.source.Device, Element: f.source.Element, Name: f.source.Name, Missing: f.source.Missing}, note: f.note}
}

// origin is the source without its mode: the camera, else the board's connector, else the test picture.
func (c *chooser) origin() VideoSource {
	csi := c.given.Board.CSI
	switch {
	case c.given.Away.Reason != "":
		return VideoSource{Name: c.given.Away.Name, Missing: c.given.Away.Reason}
	case c.given.Camera != nil:
		return VideoSource{Device: c.given.Camera.Path, Name: c.given.Camera.Name}
	case c.given.Connector && csi != "" && c.given.Machine.installed(csi):
		return VideoSource{Element: csi, Name: "camera on the board's connector"}
	}
	return VideoSource{}
}

// choose is an open feed with the mode that suits the bounds best and the capture that works for it. Where no camera is on the
// board's connector, the test picture takes its place.
func (c *chooser) choose(in feed, b bounds) (feed, error) {
	source, why, err := c.mode(in.source, b)
	if err != nil {
		return in, err
	}
	got, err := c.capture(source)
	if err != nil && source.Element != "" {
		return c.choose(feed{note: err.Error()}, b)
	}
	return feed{source: source, graph: got.graph, raw: got.raw, why: why, note: in.note}, err
}

// mode is a source in its mode within the bounds, with the reason for the mode.
func (c *chooser) mode(v VideoSource, b bounds) (VideoSource, string, error) {
	cam := anySize(c.request)
	if c.given.Camera != nil {
		cam, b.decodes = *c.given.Camera, c.decodes
	}
	m, why, err := pickMode(cam, c.request, b)
	if err != nil {
		return v, "", err
	}
	v.FourCC, v.Width, v.Height = m.FourCC, m.Width, m.Height
	v.FPSNum, v.FPSDen = rateOf(m.Rate)
	return v, why, nil
}

// decodes reports whether frames of a pixel format can be had raw.
func (c *chooser) decodes(fourCC string) bool {
	if isJPEG(fourCC) {
		return slices.ContainsFunc(jpegDecoders, func(d decoder) bool { return c.given.Machine.chain(d.launch) })
	}
	return rawFormats[fourCC] != ""
}

// capture is the first way to capture from a source that works. A camera on a board's connector is always tried, since nothing else
// tells whether one is there.
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
