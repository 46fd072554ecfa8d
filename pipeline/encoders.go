package pipeline

import (
	"fmt"
	"strings"
)

// BitrateUnit is what an encoder's bitrate property counts in.
type BitrateUnit int

// The units in use.
const (
	BitPerSecond     BitrateUnit = 1
	KilobitPerSecond BitrateUnit = 1000
)

// KeyframeMethod is how an encoder is told to make a keyframe.
type KeyframeMethod int

// The methods known.
const (
	KeyframeEvent KeyframeMethod = iota + 1 // upstream GstForceKeyUnit
	KeyframeNone                            // it cannot be told: a short GOP instead
)

// Encoder is a row of the encoder table: all that differs between one encoder element and another.
type Encoder struct {
	ID          string
	Codec       Codec
	Element     string
	Package     string // Debian package that brings the element
	Bitrate     string // property
	Unit        BitrateUnit
	Interval    string // property of the keyframe distance in frames
	Props       []string
	Input       string // raw format that it is fed
	Output      string // caps after it; %s is the H.264 level
	Parser      string // element between encoder and fan, with its properties
	Keyframe    KeyframeMethod
	MaxInterval int // keyframe distance in frames where Keyframe works
}

// encoderName is the name that the encoder element has in every graph.
const encoderName = "encoder"

// h264Out pins constrained baseline, which every browser decodes, and the level that the SDP names.
const h264Out = "video/x-h264,profile=constrained-baseline,level=(string)%s,stream-format=byte-stream,alignment=au"

// Encoders is the table, the order of preference within a codec. Properties were read from gst-inspect-1.0 of GStreamer
// 1.22 and from the sources of the elements; see docs/BOARDS.md for who ran what.
var Encoders = []Encoder{
	{
		ID: "x264enc", Codec: H264, Element: "x264enc", Package: "gstreamer1.0-plugins-ugly",
		Bitrate: "bitrate", Unit: KilobitPerSecond, Interval: "key-int-max", MaxInterval: 2560,
		Props: []string{
			"tune=zerolatency", "speed-preset=ultrafast", "bframes=0", "b-adapt=false",
			"vbv-buf-capacity=120", "sliced-threads=true", "byte-stream=true", "aud=false",
		},
		Input: "I420", Output: h264Out, Parser: "h264parse config-interval=-1", Keyframe: KeyframeEvent,
	},
	{
		ID: "openh264enc", Codec: H264, Element: "openh264enc", Package: "gstreamer1.0-plugins-bad",
		Bitrate: "bitrate", Unit: BitPerSecond, Interval: "gop-size", MaxInterval: 2560,
		Props: []string{
			"rate-control=bitrate", "complexity=low", "scene-change-detection=false",
			"background-detection=false", "enable-frame-skip=false",
		},
		Input: "I420", Output: h264Out, Parser: "h264parse config-interval=-1", Keyframe: KeyframeEvent,
	},
	{
		ID: "vp8enc", Codec: VP8, Element: "vp8enc", Package: "gstreamer1.0-plugins-good",
		Bitrate: "target-bitrate", Unit: BitPerSecond, Interval: "keyframe-max-dist", MaxInterval: 2000,
		Props: []string{
			"deadline=1", "cpu-used=8", "end-usage=cbr", "lag-in-frames=0", "error-resilient=default",
			"buffer-initial-size=100", "buffer-optimal-size=120", "buffer-size=150", "max-intra-bitrate=250",
			"keyframe-mode=disabled", "static-threshold=1",
		},
		Input: "I420", Output: "video/x-vp8", Keyframe: KeyframeEvent,
	},
}

// EncoderByID finds a row.
func EncoderByID(id string) (Encoder, bool) {
	for _, e := range Encoders {
		if e.ID == id {
			return e, true
		}
	}
	return Encoder{}, false
}

// BitrateValue is the property's value for a rate in bit/s, at least one of its unit.
func (e Encoder) BitrateValue(bitsPerSecond int) string {
	return itoa(max(1, bitsPerSecond/int(e.Unit)))
}

// Graph is the encode chain: from a raw fan to a coded one.
func (e Encoder) Graph(v VideoFormat) Graph {
	out := e.Output
	if strings.Contains(out, "%s") {
		out = fmt.Sprintf(out, v.Level())
	}
	enc := El(e.Element, e.Props...).Named(encoderName)
	enc.Props = append(enc.Props, Prop{e.Bitrate, e.BitrateValue(v.Bitrate)}, Prop{e.Interval, itoa(e.MaxInterval)})
	g := Graph{
		El("appsrc", "is-live=true", "format=time", "leaky-type=downstream", "max-buffers=2", "max-bytes=0", "max-time=0").Named(InName),
		El("videoconvert"), El("videoscale"),
		Filter("video/x-raw,format=%s,width=%d,height=%d,pixel-aspect-ratio=1/1", e.Input, v.Width, v.Height),
		enc, Filter("%s", out),
	}
	if e.Parser != "" {
		factory, props, _ := strings.Cut(e.Parser, " ")
		g = append(g, El(factory, strings.Fields(props)...))
	}
	return append(g, outEnd(8))
}

// outEnd is the end of a producing chain. It drops rather than waits: the fan takes a buffer on the thread that made it.
func outEnd(buffers int) Node {
	return El("appsink", "sync=false", "async=false", "drop=true", "max-buffers="+itoa(buffers)).Named(OutName)
}

// VideoFormat is what an encoder is asked for.
type VideoFormat struct {
	Width, Height  int
	FPSNum, FPSDen int // frames per second
	Bitrate        int // bit/s
}

// levels is table A-1 of H.264: macroblocks per second, macroblocks per frame, and bit/s for baseline.
var levels = []struct {
	name                string
	idc                 int
	perSecond, perFrame int
	bitsPerSecond       int
}{
	{"1", 10, 1485, 99, 64e3},
	{"1.1", 11, 3000, 396, 192e3},
	{"1.2", 12, 6000, 396, 384e3},
	{"1.3", 13, 11880, 396, 768e3},
	{"2", 20, 11880, 396, 2e6},
	{"2.1", 21, 19800, 792, 4e6},
	{"2.2", 22, 20250, 1620, 4e6},
	{"3", 30, 40500, 1620, 10e6},
	{"3.1", 31, 108000, 3600, 14e6},
	{"3.2", 32, 216000, 5120, 20e6},
	{"4", 40, 245760, 8192, 20e6},
	{"4.1", 41, 245760, 8192, 50e6},
	{"4.2", 42, 522240, 8704, 50e6},
	{"5", 50, 589824, 22080, 135e6},
	{"5.1", 51, 983040, 36864, 240e6},
	{"5.2", 52, 2073600, 36864, 240e6},
}

// levelFloor is the lowest level announced: 3.1 is what RFC 7742 has every browser decode, so going below it in the SDP
// gains nothing and may cost a switch to a larger picture.
const levelFloor = 31

func (v VideoFormat) levelRow() int {
	blocks := ((v.Width + 15) / 16) * ((v.Height + 15) / 16)
	perSecond := blocks * max(1, v.FPSNum) / max(1, v.FPSDen)
	for i, l := range levels {
		if l.idc >= levelFloor && l.perSecond >= perSecond && l.perFrame >= blocks && l.bitsPerSecond >= v.Bitrate {
			return i
		}
	}
	return len(levels) - 1
}

// Level is the lowest H.264 level, as GStreamer spells it, that holds the size, the rate and the bitrate.
func (v VideoFormat) Level() string { return levels[v.levelRow()].name }

// ProfileLevelID is the SDP's name for constrained baseline at that level (RFC 6184, 8.1).
func (v VideoFormat) ProfileLevelID() string {
	return fmt.Sprintf("42c0%02x", levels[v.levelRow()].idc)
}
