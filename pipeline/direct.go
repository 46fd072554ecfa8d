package pipeline

import (
	"fmt"
	"slices"

	"boardcast/device"
)

// directEncoder stands for a camera that encodes by itself. It takes neither keyframe requests nor a new bitrate.
var directEncoder = Encoder{
	ID: "camera", Codec: H264, Element: "camera", Family: "camera", Hardware: true, Control: Control{Keyframe: KeyframeNone},
}

// The longest distance between a camera's own keyframes, in seconds, at which its stream is passed on. A viewer waits for so long until the
// first picture, and after each loss. An encoder in hardware costs little, so it is preferred at a shorter distance than one in
// software.
const (
	directGOPSoftware = 4
	directGOPHardware = 1
)

// direct finds the camera's own H.264, if it is allowed, was measured and suits. If not, the findings hold no choice. If the camera has
// such a stream and it is not used, refusal tells why.
func (c *chooser) direct() (found findings, refusal string) {
	asked := c.request.Encoder == directEncoder.ID
	v, ok := c.directMode(asked)
	if !ok {
		return findings{}, ""
	}
	g := passthrough(v)
	verdict := c.given.Trials.Source(c.ctx, g, v.Name, H264)
	f := formatFor(Request{}, v, directEncoder.Limits)
	if reason := c.unsuited(verdict, f); reason != "" && (!asked || !verdict.Works()) {
		return findings{}, "its own H.264 is not used: " + reason
	}
	f.Measured = verdict.ProfileLevelID
	why := "its own H.264, untouched, for browsers that take it"
	if gop := verdict.Source.GOP; gop > 0 {
		why += fmt.Sprintf(", a keyframe every %.1f s", float64(gop)/f.fps())
	}
	return c.besideDirect(findings{
		feed: feed{
			source: v, why: why,
			raw: Raw{Format: "I420", Width: f.Width, Height: f.Height, FPSNum: f.FPSNum, FPSDen: f.FPSDen},
		},
		choices: []Choice{{Encoder: directEncoder, Graph: g, Format: f, Verdict: verdict, Direct: true}},
	}), ""
}

// directMode is the camera in that mode of its own H.264 which is nearest to the request. It is false where the camera has no H.264 of
// its own, or where that may not be used. asked tells that the user asked for it as the encoder.
func (c *chooser) directMode(asked bool) (VideoSource, bool) {
	allowed := c.given.Direct && c.given.Camera != nil && c.given.Trials != nil && (asked || auto(c.request.Encoder))
	if !allowed || !auto(c.request.Codec) && Codec(c.request.Codec) != H264 {
		return VideoSource{}, false
	}
	m, _, err := device.PickMode(*c.given.Camera, device.Request{
		Width: c.request.Width, Height: c.request.Height, FPS: float64(c.request.FPS), FourCC: fourH264,
	})
	if err != nil {
		return VideoSource{}, false
	}
	v := VideoSource{Device: c.given.Camera.Path, Name: c.given.Camera.Name, FourCC: m.FourCC, Width: m.Width, Height: m.Height}
	v.FPSNum, v.FPSDen = rateOf(m.Rate)
	return v, true
}

// h264Decoders are tried in this order: those in software first, which every machine can have, since they only serve the few browsers
// without H.264.
var h264Decoders = []string{"avdec_h264", "openh264dec", "v4l2h264dec"}

// besideDirect adds what a camera's own stream lacks: a placeholder for when the camera is gone, and VP8, made from the decoded
// stream, for browsers that do not take H.264.
func (c *chooser) besideDirect(found findings) findings {
	if placeholder, ok := c.directPlaceholder(found); ok {
		found.spares = append(found.spares, placeholder)
	}
	at := slices.IndexFunc(h264Decoders, c.given.Machine.installed)
	if at < 0 || !auto(c.request.Codec) {
		found.feed.note = "nothing for browsers without H.264"
		return found
	}
	found.feed.graph = Graph{
		codedInEnd(), El("h264parse"), El(h264Decoders[at]), El("videoconvert"),
		Filter("video/x-raw,format=I420,width=%d,height=%d", found.feed.raw.Width, found.feed.raw.Height), outEnd(2),
	}
	vp8, err := c.codec(VP8, found.feed)
	if err != nil {
		found.feed.note = err.Error()
		return found
	}
	return found.with(vp8)
}

// directPlaceholder is the placeholder of a camera that encodes by itself, encoded in software in the same format; false where there
// is no such encoder.
func (c *chooser) directPlaceholder(found findings) (Choice, bool) {
	fit, _ := EncodersFor(c.given.Board, c.given.Machine, H264)
	at := slices.IndexFunc(fit, func(e Encoder) bool { return !e.Hardware })
	if at < 0 {
		return Choice{}, false
	}
	e, f := fit[at], found.choices[0].Format
	g := Join(placeholderGraph(found.feed.source, found.feed.raw, c.given.Machine), e.Graph(found.feed.raw, f))
	return Choice{Encoder: e, Graph: g, Format: f, Direct: true, Placeholder: true}, true
}

// unsuited tells a person why a camera's own stream is not passed on; empty where it is.
func (c *chooser) unsuited(v Verdict, f VideoFormat) string {
	longest := float64(directGOPSoftware)
	if fit, _ := EncodersFor(c.given.Board, c.given.Machine, H264); len(fit) > 0 && fit[0].Hardware {
		longest = directGOPHardware
	}
	switch gop := float64(v.Source.GOP) / f.fps(); {
	case !v.Works():
		return v.Reason
	case v.Source.Reordered:
		return "it has B-frames"
	case v.Source.GOP == 0:
		return "its keyframes are too far apart to measure"
	case gop > longest:
		return fmt.Sprintf("its keyframes are %.1f s apart and can't be asked for", gop)
	}
	return ""
}
