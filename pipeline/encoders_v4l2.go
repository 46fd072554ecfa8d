package pipeline

import "boardcast/board"

// Versions of GStreamer at which the V4L2 encoders changed.
var (
	v4l2Keyframes  = Version{1, 22, 4} // serves GstForceKeyUnit (gstv4l2videoenc.c, 8dd51501d0); 1.23.0 does not
	v4l2Properties = Version{1, 29, 2} // has the properties bitrate and gop-size (46037ef2ab)
)

const v4l2Package = "gstreamer1.0-plugins-good, and a kernel driver with an encoder node in /dev/video*"

// v4l2GOP is the keyframe distance in frames, 10 s at 30 frames/s. It is a compromise: keyframes are rare, but a picture that was damaged
// recovers in the end where the driver has no force_key_frame.
const v4l2GOP = 300

// v4l2Encoders are the kernel's stateful encoders. One element serves all drivers, and has changed twice. The row that requires the
// properties bitrate and gop-size comes first: vendors port changes back, so the properties tell more than the version.
func v4l2Encoders() []Encoder {
	var rows []Encoder
	for _, kind := range []struct {
		codec                   Codec
		element, others         string
		interval, output, parse string
		drivers                 []Driver
	}{
		{H264, "v4l2h264enc", "v4l2video*h264enc", "h264_i_frame_period", h264Level, h264Parser, v4l2Drivers()},
		{VP8, "v4l2vp8enc", "v4l2video*vp8enc", "video_gop_size", vp8Plain, "", []Driver{venus()}},
	} {
		row := Encoder{
			Codec: kind.codec, Element: kind.element, Others: kind.others, Family: "v4l2", Hardware: true, Package: v4l2Package,
			Control: Control{
				Bitrate: extraControls + ":video_bitrate", Unit: BitPerSecond, Live: true,
				Interval: Knob(extraControls + ":" + kind.interval), MaxInterval: v4l2GOP,
			},
			Chain: Chain{
				Extra:  []string{"video_bitrate_mode=1"},
				Inputs: []Input{{Format: "NV12", By: byISP}, {Format: "NV12", By: byCPU}},
				Output: kind.output, Parser: kind.parse,
			},
			Drivers: kind.drivers,
		}
		if kind.codec == H264 {
			row.Extra = append(row.Extra, "repeat_sequence_header=1")
		}
		rows = append(rows, v4l2Generations(row)...)
	}
	return rows
}

// v4l2Generations are the three rows of an element, the newest first.
func v4l2Generations(row Encoder) []Encoder {
	newest, middle, oldest := row, row, row
	newest.ID, newest.Keyframe = row.Element+"/properties", KeyframeEvent
	newest.Holds = Holds{From: v4l2Properties, Requires: []string{"bitrate", "gop-size"}}
	newest.Bitrate, newest.Interval = "bitrate", "gop-size"
	newest.Drivers = withoutIntervals(row.Drivers)
	middle.ID, middle.Keyframe = row.Element, KeyframeEvent
	middle.Holds = Holds{From: v4l2Keyframes}
	oldest.ID, oldest.Keyframe = row.Element+"/before-1.22.4", KeyframeExtraControls
	oldest.Holds = Holds{Before: v4l2Keyframes}
	return []Encoder{newest, middle, oldest}
}

// withoutIntervals are drivers without their controls for the keyframe distance, for a row whose element has a property for it.
func withoutIntervals(in []Driver) []Driver {
	out := make([]Driver, len(in))
	for i, d := range in {
		d.Interval = ""
		out[i] = d
	}
	return out
}

// v4l2Drivers are the H.264 drivers that are known, by the names that VIDIOC_QUERYCAP gives. Sources: bcm2835-v4l2-codec.c (and
// raspberrypi/linux#4938: 25 Mbit/s fails at STREAMON), wave5-vpu-enc.c, the wave6 driver as sent to linux-media, venc.c and venc_ctrls.c.
func v4l2Drivers() []Driver {
	return []Driver{
		{
			Match:  []string{"bcm2835-codec*"},
			Rates:  BitrateRange{Min: 25_000, Max: 20_000_000, Step: 25_000},
			Limits: board.Limits{MacroblocksPerSecond: 245_760, SizeMultiple: 2, MaxWidth: 1920, MaxHeight: 1920},
		},
		{
			// This driver's rate control is off by default. It has no force_key_frame, and obeys a new bitrate only at the next start.
			Match: []string{"wave5*", "*wave5*"},
			Extra: []string{"frame_level_rate_control_enable=1"}, Interval: extraControls + ":video_gop_size",
			Keyframe: KeyframeNone, NotLive: true,
			Limits: board.Limits{SizeMultiple: 8, MinWidth: 256, MinHeight: 128},
		},
		{
			Match: []string{"wave6*", "*wave6*"}, Interval: extraControls + ":video_gop_size",
		},
		venus(),
	}
}

// venus is Qualcomm's driver, which encodes VP8 too.
func venus() Driver {
	return Driver{
		Match: []string{"qcom-venus*", "*venus*", "qcom-iris*", "*iris*"},
		Rates: BitrateRange{Min: 32_000, Max: 160_000_000},
	}
}
