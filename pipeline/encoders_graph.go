package pipeline

import (
	"fmt"
	"slices"
	"strings"
)

// Raw is what a capture graph hands to the encoders.
type Raw struct {
	Format         string // GStreamer's name; empty where only the decoder knows
	Memory         string // as in Input
	Width, Height  int
	FPSNum, FPSDen int
}

// Graph is the chain from a raw fan to a coded fan. The encoder must come from Fit.
func (e Encoder) Graph(src Raw, v VideoFormat) Graph {
	g := append(Graph{inEnd()}, e.conversion(src, v)...)
	g = append(g, e.node(v), Filter("%s", strings.ReplaceAll(e.Output, "{level}", v.Level())))
	return append(append(g, launch(e.Parser)...), outEnd(8))
}

// node is the encoder itself.
func (e Encoder) node(v VideoFormat) Node {
	interval := itoa(e.interval(v))
	node := El(e.Element).Named(EncoderName)
	for _, p := range e.Props {
		name, value, _ := strings.Cut(p, "=")
		node.Props = append(node.Props, Prop{name, strings.ReplaceAll(value, "{interval}", interval)})
	}
	var controls []string
	set := func(k Knob, value string) {
		switch c, isControl := k.control(); {
		case k == "":
		case isControl:
			controls = append(controls, c+"="+value)
		default:
			node.Props = append(node.Props, Prop{k.properties()[0], value})
		}
	}
	set(e.Bitrate, e.BitrateValue(v.Bitrate))
	set(e.Interval, interval)
	if controls = append(controls, e.Extra...); len(controls) > 0 {
		node.Props = append(node.Props, Prop{extraControls, structure(controls)})
	}
	return node
}

// conversion makes the capture's frames into those of the encoder's first input.
func (e Encoder) conversion(src Raw, v VideoFormat) Graph {
	in := e.Inputs[0]
	sameSize := src.Width == v.Width && src.Height == v.Height
	var g Graph
	rate := ""
	if faster(src.FPSNum, src.FPSDen, v.FPSNum, v.FPSDen) {
		g, rate = append(g, El("videorate", "drop-only=true")), ",framerate="+v.rate()
	}
	caps := fmt.Sprintf("format=%s,width=%d,height=%d%s", in.Format, v.Width, v.Height, rate)
	switch {
	case src.Memory == memoryNVMM && in.Memory == "":
		return append(g, El(byVIC), Filter("video/x-raw,%s", caps)) // the only way out of that memory
	case in.Memory != "":
		return append(append(g, launch(in.By)...), Filter("video/x-raw(memory:%s),%s", in.Memory, caps))
	case sameSize && slices.Contains(in.Takes, src.Format):
		if rate != "" {
			g = append(g, Filter("video/x-raw%s", rate))
		}
		return g
	case sameSize && src.Format == in.Format:
		in.By = "videoconvert" // an element that changes nothing, unless the encoder refuses the frames' colorimetry
	}
	if strings.HasPrefix(in.By, "videoconvert") {
		caps += ",pixel-aspect-ratio=1/1"
	}
	return append(append(g, launch(in.By)...), Filter("video/x-raw,%s", caps))
}

// launch reads a chain of elements with plain properties.
func launch(line string) Graph {
	var g Graph
	for part := range strings.SplitSeq(line, " ! ") {
		if words := strings.Fields(part); len(words) > 0 {
			g = append(g, El(words[0], words[1:]...))
		}
	}
	return g
}

// inEnd is the beginning of a chain that a raw fan feeds. When the chain is behind, the oldest frames are dropped.
func inEnd() Node {
	return El("appsrc", "is-live=true", "format=time", "leaky-type=downstream", "max-buffers=2", "max-bytes=0", "max-time=0").Named(InName)
}

// codedInEnd is the beginning of a chain that a coded fan feeds. It keeps up to 60 frames, since a decoder needs every one.
func codedInEnd() Node {
	return El("appsrc", "is-live=true", "format=time", "leaky-type=downstream", "max-buffers=60", "max-bytes=0", "max-time=0").Named(InName)
}

// outEnd is the end of a producing chain. It drops frames instead of waiting, since the fan takes each frame on the thread that made it.
func outEnd(buffers int) Node {
	return El("appsink", "sync=false", "async=false", "drop=true", "max-buffers="+itoa(buffers)).Named(OutName)
}
