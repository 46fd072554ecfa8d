package pipeline

import (
	"fmt"

	"boardcast/device"
)

// directEncoder stands for a camera that encodes by itself: nothing can be asked of it.
var directEncoder = Encoder{
	ID: "camera", Codec: H264, Element: "camera", Family: "camera", Hardware: true, Control: Control{Keyframe: KeyframeNone},
}

// Longest distance between a camera's own keyframes, in seconds, at which its stream is passed through: a viewer waits
// as long for the first picture, and after each loss. Where the board has an encoder, that is the better one sooner.
const (
	directGOPSoftware = 4
	directGOPHardware = 1
)

// direct fills in the plan with the camera's own H.264, where that is allowed, was measured and suits.
func (c *chooser) direct(p *Plan) bool {
	asked := c.request.Encoder == directEncoder.ID
	allowed := c.given.Direct && c.given.Camera != nil && c.given.Trials != nil && (asked || auto(c.request.Encoder))
	if !allowed || !auto(c.request.Codec) && Codec(c.request.Codec) != H264 {
		return false
	}
	m, _, err := device.PickMode(*c.given.Camera, device.Request{
		Width: c.request.Width, Height: c.request.Height, FPS: float64(c.request.FPS), FourCC: fourH264,
	})
	if err != nil {
		return false
	}
	v := VideoSource{
		Device: c.given.Camera.Path, Name: c.given.Camera.Name, FourCC: m.FourCC, Width: m.Width, Height: m.Height,
		FPSNum: int(m.Rate.Num), FPSDen: int(max(1, m.Rate.Den)),
	}
	g := passthrough(v)
	verdict := c.given.Trials.Source(c.ctx, g, v.Name, H264)
	f := formatFor(Request{}, v, directEncoder.Limits)
	if reason := c.unsuited(verdict, f); reason != "" && (!asked || !verdict.Works()) {
		c.notes = append(c.notes, "its own H.264 is not used: "+reason)
		return false
	}
	f.Measured = verdict.ProfileLevelID
	c.why = "its own H.264, untouched, for browsers that take it"
	if gop := verdict.Source.GOP; gop > 0 {
		c.why += fmt.Sprintf(", a keyframe every %.1f s", float64(gop)/f.fps())
	}
	p.Format, p.Source = f, v
	p.Choices = []Choice{{Encoder: directEncoder, Graph: g, Format: f, Verdict: verdict, Direct: true}}
	c.besideDirect(p, v, f)
	return true
}

// h264Decoders are tried in this order: to be had by every machine first, as they only serve the few browsers without H.264.
var h264Decoders = []string{"avdec_h264", "openh264dec", "v4l2h264dec"}

// besideDirect adds what a camera's own stream lacks: a placeholder for when it is gone, and VP8, made from the decoded
// stream, for browsers that do not take H.264.
func (c *chooser) besideDirect(p *Plan, v VideoSource, f VideoFormat) {
	c.raw = Raw{Format: "I420", Width: f.Width, Height: f.Height, FPSNum: f.FPSNum, FPSDen: f.FPSDen}
	fit, _ := EncodersFor(c.given.Board, c.given.Machine, H264)
	for _, e := range fit {
		if !e.Hardware {
			g := Join(standInGraph(v, c.raw, c.given.Machine), e.Graph(c.raw, f))
			p.Spares = append(p.Spares, Choice{Encoder: e, Graph: g, Format: f, Direct: true, Placeholder: true})
			break
		}
	}
	for _, d := range h264Decoders {
		if auto(c.request.Codec) && c.given.Machine.installed(d) {
			p.Capture = Graph{
				codedInEnd(), El("h264parse"), El(d), El("videoconvert"),
				Filter("video/x-raw,format=I420,width=%d,height=%d", f.Width, f.Height), outEnd(2),
			}
			if err := c.codec(p, VP8); err != nil {
				c.notes = append(c.notes, err.Error())
			}
			return
		}
	}
	c.notes = append(c.notes, "nothing for browsers without H.264")
}

// unsuited says why a camera's own stream is not passed through, empty when it is.
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
