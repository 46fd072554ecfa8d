package pipeline

import (
	"cmp"
	"fmt"

	"boardcast/board"
	"boardcast/device"
)

// ladder are the pictures that a source of any size is asked for: the test picture, a camera on the board's connector.
var ladder = [][2]int{{1280, 720}, {960, 540}, {640, 480}, {640, 360}, {480, 270}, {320, 240}}

// anySize stands in for the mode list of a source that makes what it is asked for. I420 is as good a name as any.
func anySize(w Request) device.Camera {
	sizes := ladder
	if width, height := complete(w.Width, w.Height, 1280, 720); width > 0 {
		sizes = [][2]int{{width, height}}
	}
	rates := []device.Rate{{Num: 30, Den: 1}, {Num: 15, Den: 1}}
	if w.FPS > 0 {
		rates = []device.Rate{{Num: uint32(w.FPS), Den: 1}}
	}
	f := device.Format{FourCC: "YU12"}
	for _, s := range sizes {
		f.Sizes = append(f.Sizes, device.Size{Width: s[0], Height: s[1], Rates: rates})
	}
	return device.Camera{Formats: []device.Format{f}}
}

// complete fills in the side that is not given, in the proportion of a picture of width x height.
func complete(w, h, width, height int) (int, int) {
	switch {
	case w > 0 && h == 0:
		h = w * height / max(1, width)
	case h > 0 && w == 0:
		w = h * width / max(1, height)
	}
	return w, h
}

// bounds are what a mode must keep to; zero fields are open.
type bounds struct {
	limits  board.Limits
	pixels  float64 // per second
	decodes func(fourCC string) bool
	atMost  int // pixels of one picture
}

func (b bounds) admits(fourCC string, width, height int, fps float64) bool {
	v := VideoFormat{Width: width, Height: height, FPSNum: int(fps + 0.5), FPSDen: 1}
	switch {
	case b.decodes != nil && !b.decodes(fourCC):
		return false
	case exceeds(b.limits, v) != "":
		return false
	case b.atMost > 0 && width*height > b.atMost:
		return false
	case b.pixels > 0 && float64(width*height)*fps > b.pixels:
		return false
	}
	return true
}

// within is the camera with the modes that keep to the bounds.
func within(cam device.Camera, b bounds) device.Camera {
	out := cam
	out.Formats = nil
	for _, f := range cam.Formats {
		kept := device.Format{FourCC: f.FourCC, Description: f.Description, Compressed: f.Compressed}
		for _, s := range f.Sizes {
			if admitted, ok := b.size(f.FourCC, s); ok {
				kept.Sizes = append(kept.Sizes, admitted)
			}
		}
		if len(kept.Sizes) > 0 {
			out.Formats = append(out.Formats, kept)
		}
	}
	return out
}

// size keeps the rates of a size that are admitted. A camera that lists none is taken to give 30 pictures a second.
func (b bounds) size(fourCC string, s device.Size) (device.Size, bool) {
	if len(s.Rates) == 0 {
		return s, b.admits(fourCC, s.Width, s.Height, defaultFPS)
	}
	out := device.Size{Width: s.Width, Height: s.Height}
	for _, r := range s.Rates {
		if b.admits(fourCC, s.Width, s.Height, r.Float()) {
			out.Rates = append(out.Rates, r)
		}
	}
	return out, len(out.Rates) > 0
}

// pickMode is the mode nearest to the request that keeps to the bounds. Where none does, it is the cheapest, or any that can
// be decoded: the encoder's graph scales and drops.
func pickMode(cam device.Camera, w Request, b bounds) (device.Mode, string, error) {
	request := device.Request{Width: w.Width, Height: w.Height, FPS: float64(w.FPS)}
	m, why, err := device.PickMode(within(cam, b), request)
	if err == nil {
		return m, why, nil
	}
	if least, ok := cheapest(cam, b); ok && b.pixels > 0 {
		return least, "the least that the camera has", nil
	}
	m, why, err = device.PickMode(within(cam, bounds{decodes: b.decodes}), request)
	if err != nil {
		return m, "", fmt.Errorf("choose a mode: %w", err)
	}
	return m, why + ", scaled down for the encoder", nil
}

// Below this a mode is no picture to save effort with.
const leastHeight, leastFPS = 180, 10

// cheapest is the mode with the least to do, where JPEG counts twice for its decoding.
func cheapest(cam device.Camera, b bounds) (device.Mode, bool) {
	b.pixels = 0
	var best device.Mode
	least := 0.0
	for _, f := range within(cam, b).Formats {
		for _, s := range f.Sizes {
			for _, r := range s.Rates {
				cost := float64(s.Width*s.Height) * r.Float()
				if isJPEG(f.FourCC) {
					cost *= 2
				}
				if s.Height >= leastHeight && r.Float() >= leastFPS && (least == 0 || cost < least) {
					best, least = device.Mode{FourCC: f.FourCC, Width: s.Width, Height: s.Height, Rate: r}, cost
				}
			}
		}
	}
	return best, least > 0
}

// formatFor is what the encoder makes of a mode: the size that was asked for, if the camera's is as large, else the
// camera's, within the limits.
func formatFor(w Request, v VideoSource, l board.Limits) VideoFormat {
	width, height := complete(w.Width, w.Height, v.Width, v.Height)
	f := VideoFormat{
		Width: min(cmp.Or(width, v.Width), v.Width), Height: min(cmp.Or(height, v.Height), v.Height), FPSNum: v.FPSNum, FPSDen: max(1, v.FPSDen),
	}
	if f.FPSNum == 0 {
		f.FPSNum, f.FPSDen = defaultFPS, 1
	}
	if w.FPS > 0 && w.FPS*f.FPSDen < f.FPSNum {
		f.FPSNum, f.FPSDen = w.FPS, 1
	}
	f = f.scaled(scaleInto(f, l))
	step := max(2, l.SizeMultiple)
	f.Width, f.Height = max(f.Width-f.Width%step, step), max(f.Height-f.Height%step, step)
	if most := l.MacroblocksPerSecond; most > 0 && f.macroblocksPerSecond() > most {
		f.FPSNum, f.FPSDen = max(1, most/f.macroblocks()), 1
	}
	f.Bitrate = cmp.Or(w.Bitrate, f.DefaultBitrate())
	return f
}

// scaleInto is the factor, at most 1, that brings a format within the maximum size.
func scaleInto(f VideoFormat, l board.Limits) float64 {
	factor := 1.0
	if l.MaxWidth > 0 {
		factor = min(factor, float64(l.MaxWidth)/float64(f.Width))
	}
	if l.MaxHeight > 0 {
		factor = min(factor, float64(l.MaxHeight)/float64(f.Height))
	}
	return factor
}

func (v VideoFormat) scaled(factor float64) VideoFormat {
	v.Width, v.Height = int(float64(v.Width)*factor), int(float64(v.Height)*factor)
	return v
}

// pixelsPerSecond is what an encoder has to do.
func (v VideoFormat) pixelsPerSecond() float64 { return float64(v.Width*v.Height) * v.fps() }
