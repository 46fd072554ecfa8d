package pipeline

import (
	"slices"
	"strings"

	"boardcast/board"
)

// BitrateUnit is what an encoder's bitrate property counts in.
type BitrateUnit int

// The units in use.
const (
	BitPerSecond     BitrateUnit = 1
	KilobitPerSecond BitrateUnit = 1000
)

// Knob names what a value is set by. It is a property ("bitrate"), or several properties, of which the first that the element has counts
// ("bps|bitrate"), or a control within the property extra-controls ("extra-controls:video_bitrate"). It is empty where nothing sets the
// value.
type Knob string

// extraControls is the property of V4L2 elements that holds the controls of the device as a structure.
const extraControls = "extra-controls"

// control is the name within extra-controls, if the knob is one.
func (k Knob) control() (string, bool) { return strings.CutPrefix(string(k), extraControls+":") }

// properties are the names to look up, the preferred first.
func (k Knob) properties() []string {
	if _, isControl := k.control(); isControl {
		return []string{extraControls}
	}
	return strings.Split(string(k), "|")
}

// Control is how an encoder is steered.
type Control struct {
	Bitrate     Knob
	Unit        BitrateUnit
	Live        bool // the encoder obeys a new bitrate while it runs
	Interval    Knob // of the keyframe distance, in frames
	MaxInterval int  // frames: the keyframe distance of an encoder that answers keyframe requests
	Keyframe    KeyframeMethod
	Rates       BitrateRange
	Slices      string // "property=value" that bounds each slice of a frame to a packet's size; empty where there is none
}

// BitrateRange is what a driver accepts, in bit/s; zero fields are open.
type BitrateRange struct{ Min, Max, Step int }

// Clamp is the nearest accepted rate.
func (r BitrateRange) Clamp(bitsPerSecond int) int {
	out := max(bitsPerSecond, r.Min)
	if r.Max > 0 {
		out = min(out, r.Max)
	}
	if r.Step > 0 && out > r.Step {
		out -= out % r.Step
	}
	return out
}

// Holds tells which elements a row is for, where several rows have an element of the same name.
type Holds struct {
	From, Before Version  // GStreamer is as new as From, and older than Before; zero is open
	Requires     []string // properties that the element must have
}

// Input is one way to hand frames to an encoder.
type Input struct {
	Memory string   // GStreamer's name of the memory; empty for plain memory
	Format string   // what the converter makes
	By     string   // the converter, in launch syntax; each of its elements must be installed
	Takes  []string // formats that the encoder takes without a converter, if the size is right too
}

// Driver is what one V4L2 driver has different from others that are behind the same element.
type Driver struct {
	Match    []string // patterns (as of path.Match) of the driver's or the card's name, in lower case
	Extra    []string
	Interval Knob           // replaces the row's unless empty
	Keyframe KeyframeMethod // replaces the row's unless zero
	NotLive  bool           // the encoder does not obey a new bitrate while it runs
	Rates    BitrateRange
	Limits   board.Limits
}

// Encoder is a row of the encoder table: all that differs between one encoder element and another.
type Encoder struct {
	ID       string // unique in the table: the element, and after a slash the variant
	Codec    Codec
	Element  string
	Others   string // a pattern: the elements of further devices of the same kind
	Family   string
	Hardware bool
	Package  string // Debian package, or whose software, that brings the element
	Holds    Holds
	Control
	Chain
	Limits  board.Limits
	Drivers []Driver // what differs from the row with one driver or another; the first that matches counts
}

// Chain is what never changes of an encoder's graph: the encoder's fixed properties, and the elements before and after it.
type Chain struct {
	Props  []string // "name=value"; {cores} and {interval} are filled in. What the element lacks is left out.
	Extra  []string // "control=value" within extra-controls
	Inputs []Input  // the best first
	Output string   // caps after the encoder; {level} is the H.264 level
	Parser string   // the element between encoder and fan, with its properties; may be empty
}

// EncoderName is the name that the encoder element has in every graph.
const EncoderName = "encoder"

// Encoders is the table; within a codec hardware comes before software. The software encoders' rows are from gst-inspect-1.0 of GStreamer
// 1.22. All other rows are from the source code of the elements, and nobody has run them on the boards: every encoder is tried before it
// is used.
var Encoders = slices.Concat(v4l2Encoders(), jetsonEncoders(), socEncoders(), gpuEncoders(), softwareEncoders())

// EncoderByID finds a row by its ID, else the first with that element.
func EncoderByID(id string) (Encoder, bool) {
	for _, e := range Encoders {
		if e.ID == id {
			return e, true
		}
	}
	for _, e := range Encoders {
		if e.Is(id) {
			return e, true
		}
	}
	return Encoder{}, false
}

// Is reports whether a name that a user or a board's row gives means this encoder.
func (e Encoder) Is(name string) bool {
	return name == e.ID || name == e.Element || e.Others != "" && matches(e.Others, name)
}

// BitrateValue is a rate in bit/s as the encoder's bitrate property counts it, at least 1 and within what the driver accepts.
func (e Encoder) BitrateValue(bitsPerSecond int) string {
	return itoa(max(1, e.Rates.Clamp(bitsPerSecond)/int(max(e.Unit, 1))))
}

// LiveBitrate is the property to set for a new bitrate while the encoder runs; false when it takes none.
func (e Encoder) LiveBitrate(bitsPerSecond int) (Prop, bool) {
	if !e.Live || e.Bitrate == "" {
		return Prop{}, false
	}
	if c, isControl := e.Bitrate.control(); isControl {
		return Prop{extraControls, structure([]string{c + "=" + e.BitrateValue(bitsPerSecond)})}, true
	}
	return Prop{e.Bitrate.properties()[0], e.BitrateValue(bitsPerSecond)}, true
}

// KeyframeControls is the value of extra-controls that makes a V4L2 encoder's next frame a keyframe.
const KeyframeControls = "controls,force_key_frame=1"

// structure is controls as a value of extra-controls.
func structure(controls []string) string { return "controls," + strings.Join(controls, ",") }

// interval is the keyframe distance in frames: one second for an encoder that does not answer keyframe requests.
func (e Encoder) interval(v VideoFormat) int {
	if e.Keyframe != KeyframeNone {
		return e.MaxInterval
	}
	return max(1, v.FPSNum/max(1, v.FPSDen))
}
