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
	asked := c.wish.Encoder == directEncoder.ID
	allowed := c.given.Direct && c.given.Camera != nil && c.given.Trials != nil && (asked || auto(c.wish.Encoder))
	if !allowed || !auto(c.wish.Codec) && Codec(c.wish.Codec) != H264 {
		return false
	}
	m, _, err := device.PickMode(*c.given.Camera, device.Wish{
		Width: c.wish.Width, Height: c.wish.Height, FPS: float64(c.wish.FPS), FourCC: fourH264,
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
	f := formatFor(Wish{}, v, directEncoder.Limits)
	if reason := c.unsuited(verdict, f); reason != "" && !(asked && verdict.Works()) {
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
	return true
}

// unsuited says why a camera's own stream is not passed through, empty when it is.
func (c *chooser) unsuited(v Verdict, f VideoFormat) string {
	longest := float64(directGOPSoftware)
	if fit, _ := Candidates(c.given.Board, c.given.Machine, H264); len(fit) > 0 && fit[0].Hardware {
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
