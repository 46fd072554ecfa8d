package pipeline

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// VideoSource is where the frames come from, and in which mode. The zero value is the test picture.
type VideoSource struct {
	Device         string // "/dev/video0"; empty for the test picture, and where Element is set
	Element        string // the source element of a camera that V4L2 does not drive
	Name           string // for people
	Missing        string // why the camera is not there; then the source is its placeholder. Empty where the camera is there
	FourCC         string // V4L2 pixel format of the mode chosen
	Width, Height  int
	FPSNum, FPSDen int // frames per second; zero where the camera does not say
}

// isTest reports whether this is the test picture.
func (v VideoSource) isTest() bool { return v.Device == "" && v.Element == "" && !v.Away() }

// Away reports whether this is the placeholder of a camera that is not there.
func (v VideoSource) Away() bool { return v.Missing != "" }

// Period is the time from one frame to the next, zero where the camera does not say.
func (v VideoSource) Period() time.Duration {
	return VideoFormat{FPSNum: v.FPSNum, FPSDen: v.FPSDen}.Period()
}

// rawFormats maps V4L2 pixel formats to GStreamer's names.
var rawFormats = map[string]string{
	"YUYV": "YUY2", "UYVY": "UYVY", "YVYU": "YVYU", "VYUY": "VYUY", "422P": "Y42B", "NV16": "NV16", "NV24": "NV24",
	"NV12": "NV12", "NM12": "NV12", "NV21": "NV21", "YU12": "I420", "YM12": "I420", "YV12": "YV12", "GREY": "GRAY8",
	"RGB3": "RGB", "BGR3": "BGR", "RGBP": "RGB16", "RGB4": "xRGB", "BGR4": "BGRx", "XR24": "BGRx", "AR24": "BGRA",
	"BX24": "xRGB", "BA24": "ARGB", "XB24": "RGBx", "AB24": "RGBA",
}

const (
	fourH264 = "H264"
	fourMJPG = "MJPG"
)

func isJPEG(fourCC string) bool { return fourCC == fourMJPG || fourCC == "JPEG" }

// decoder is one way to decode the frames of an MJPEG camera.
type decoder struct {
	launch   string
	memory   string
	hardware bool
}

// jpegDecoders are tried in this order. One in hardware is used only if a few frames have come out of it in a trial.
var jpegDecoders = []decoder{
	{"nvv4l2decoder mjpeg=1", memoryNVMM, true},
	{"nvjpegdec", "", true},
	{"mppjpegdec", "", true},
	{"v4l2jpegdec", "", true},
	{"vajpegdec", "", true},
	{"jpegdec", "", false},
	{"avdec_mjpeg", "", false},
}

// jpegPackage brings jpegdec, which every machine can have.
const jpegPackage = "gstreamer1.0-plugins-good"

// UnsupportedFormatError tells of a camera mode that no graph is known for.
type UnsupportedFormatError struct{ Device, FourCC string }

// Error names the device and the format.
func (e *UnsupportedFormatError) Error() string {
	return fmt.Sprintf("capture from %s: pixel format %s is not supported", e.Device, e.FourCC)
}

// Hint says how to go on.
func (e *UnsupportedFormatError) Hint() string {
	if isJPEG(e.FourCC) {
		return "install " + jpegPackage + ", which decodes it"
	}
	return "run 'boardcast devices' for the camera's formats; YUYV, NV12 and MJPG are the usual ones"
}

// capture is a capture graph with the frames that it hands on.
type capture struct {
	graph Graph
	raw   Raw
	trial bool // the graph must pass a trial before it is used
}

// captures are the ways to capture from a source, the best one first.
func captures(v VideoSource, m Machine) ([]capture, error) {
	raw := Raw{Width: v.Width, Height: v.Height, FPSNum: cmp.Or(v.FPSNum, defaultFPS), FPSDen: max(1, v.FPSDen)}
	switch {
	case v.isTest():
		raw.Format = "I420"
		return []capture{{graph: testGraph(v, m), raw: raw}}, nil
	case v.Away():
		raw.Format = "I420"
		return []capture{{graph: placeholderGraph(v, raw, m), raw: raw}}, nil
	case v.Element != "":
		return boardCaptures(v, raw)
	case isJPEG(v.FourCC):
		return jpegCaptures(v, raw, m)
	}
	format, ok := rawFormats[v.FourCC]
	if !ok {
		return nil, &UnsupportedFormatError{v.Device, v.FourCC}
	}
	raw.Format = format
	return []capture{{graph: Graph{v.node(), v.filter("video/x-raw,format=" + format), outEnd(2)}, raw: raw}}, nil
}

// node is the source element of a camera that V4L2 drives.
func (v VideoSource) node() Node { return El("v4l2src", "device="+v.Device) }

// filter has the caps of the mode. The frame rate is left to the camera where the camera lists none.
func (v VideoSource) filter(head string) Node {
	caps := fmt.Sprintf("%s,width=%d,height=%d", head, v.Width, v.Height)
	if v.FPSNum > 0 {
		caps += fmt.Sprintf(",framerate=%d/%d", v.FPSNum, max(1, v.FPSDen))
	}
	return Node{Caps: caps}
}

// jpegCaptures are the ways to capture from an MJPEG camera.
func jpegCaptures(v VideoSource, raw Raw, m Machine) ([]capture, error) {
	var out []capture
	for _, d := range jpegDecoders {
		if !m.chain(d.launch) {
			continue
		}
		r := raw
		r.Memory = d.memory
		g := append(Graph{v.node(), v.filter("image/jpeg")}, launch(d.launch)...)
		if d.memory != "" {
			g = append(g, Node{Caps: "video/x-raw(memory:" + d.memory + ")"})
		}
		out = append(out, capture{append(g, outEnd(2)), r, d.hardware})
	}
	if len(out) == 0 {
		return nil, &UnsupportedFormatError{v.Device, v.FourCC}
	}
	return out, nil
}

// boardSources are the source elements that boards name for a camera on their CSI connector, with what the caps after them say. The
// colorimetry is set, since libcamera often chooses one that V4L2 elements do not know and refuse (raspberrypi/libcamera#30).
var boardSources = map[string]struct{ memory, more string }{
	"libcamerasrc":     {"", ",colorimetry=bt709,interlace-mode=progressive"},
	"nvarguscamerasrc": {memoryNVMM, ""},
}

// OnConnector reports whether a capture graph is that of a camera on a board's own connector.
func OnConnector(g Graph) bool {
	if len(g) == 0 {
		return false
	}
	_, ok := boardSources[g[0].Factory]
	return ok
}

// boardCaptures is the way to capture from a camera on the board's connector.
func boardCaptures(v VideoSource, raw Raw) ([]capture, error) {
	s, ok := boardSources[v.Element]
	if !ok {
		return nil, &UnsupportedFormatError{v.Element, v.FourCC}
	}
	raw.Format, raw.Memory = "NV12", s.memory
	head := "video/x-raw"
	if s.memory != "" {
		head += "(memory:" + s.memory + ")"
	}
	filter := v.filter(head + ",format=NV12")
	filter.Caps += s.more
	return []capture{{graph: Graph{El(v.Element), filter, outEnd(2)}, raw: raw, trial: true}}, nil
}

// passthrough is the graph of a camera that encodes by itself. It changes nothing in the stream.
func passthrough(v VideoSource) Graph {
	return append(append(Graph{v.node(), v.filter("video/x-h264")}, launch(h264Parser)...), Node{Caps: h264Plain}, outEnd(8))
}

// testGraph is a test picture that moves and shows the time of day. The time needs Pango, and is left out without it.
func testGraph(v VideoSource, m Machine) Graph {
	v.Width, v.Height = v.Width&^1, v.Height&^1
	filter := v.filter("video/x-raw,format=I420")
	filter.Caps += ",pixel-aspect-ratio=1/1"
	g := Graph{El("videotestsrc", "is-live=true", "pattern=smpte", "horizontal-speed=2"), filter}
	if m.installed("clockoverlay") {
		g = append(g, El("clockoverlay", "time-format=%H:%M:%S", "halignment=center", "valignment=center",
			"shaded-background=true", "font-desc=Sans Bold 36"))
	}
	return append(g, outEnd(2))
}

// placeholderGraph is what viewers see while a camera is gone: a ball that moves, and a sentence. Its frames have the form of the camera's.
// pipeline/produce replaces the last filter by the caps that the camera really had, if it knows them. There is none for the test picture.
func placeholderGraph(v VideoSource, raw Raw, m Machine) Graph {
	if v.isTest() {
		return nil
	}
	format := raw.Format
	if format == "" {
		format = "I420"
	}
	size := fmt.Sprintf("width=%d,height=%d,framerate=%d/%d", raw.Width&^1, raw.Height&^1, raw.FPSNum, raw.FPSDen)
	g := Graph{El("videotestsrc", "is-live=true", "pattern=ball"), Filter("video/x-raw,format=I420,%s", size)}
	if m.installed("textoverlay") {
		g = append(g, El("textoverlay", "text="+PlaceholderText(v.Name, v.Missing), "valignment=bottom", "shaded-background=true",
			"font-desc=Sans Bold 24").Named(WordsName))
	}
	by, memory := byCPU, ""
	if raw.Memory == memoryNVMM {
		by, memory = byVIC, "(memory:"+raw.Memory+")"
	}
	return append(append(g, launch(by)...), Filter("video/x-raw%s,format=%s,width=%d,height=%d", memory, format, raw.Width, raw.Height), outEnd(2))
}

// PlaceholderText is what a placeholder says: which camera gives no picture, and why, where that is known.
func PlaceholderText(name, reason string) string {
	text := "No picture from " + plainText(name)
	if reason != "" {
		text += ": " + plainText(reason)
	}
	return text
}

// plainText is a camera's name without the characters that Pango or a launch line would interpret.
func plainText(name string) string {
	kept := strings.Map(func(r rune) rune {
		if strings.ContainsRune("<>&\"\\!", r) || !strconv.IsPrint(r) {
			return -1
		}
		return r
	}, name)
	if strings.TrimSpace(kept) == "" {
		return "the camera"
	}
	return kept
}
