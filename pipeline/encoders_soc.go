package pipeline

import "boardcast/board"

// Who brings the elements, and their families.
const (
	mppPackage     = "gstreamer1.0-rockchip1, of Rockchip's gstreamer-rockchip"
	imxPackage     = "imx-gst1.0-plugin, of NXP's board support package"
	imxFreePackage = "gstreamer-imx, the community's"
	stPackage      = "GStreamer of ST's board support package"
	qimPackage     = "Qualcomm's Intelligent Multimedia SDK"
	familyMPP      = "mpp"
	familyIMX      = "imx"
)

// mppGOP is the keyframe distance in frames, 20 s at 30 frames/s: keyframes come when viewers ask for them.
const mppGOP = 600

// socEncoders are those of systems on a chip with elements of their makers.
func socEncoders() []Encoder {
	return append(append(mppEncoders(), imxEncoders()...), bspEncoders()...)
}

// mppEncoders are Rockchip's. Their caps do not have constrained-baseline, so baseline is asked for. Some forks of the element call
// the property bps bitrate. The element converts formats by itself, with the chip's RGA.
func mppEncoders() []Encoder {
	row := func(codec Codec, element, output, parser string, minWidth int, props ...string) Encoder {
		return Encoder{
			ID: element, Codec: codec, Element: element, Family: familyMPP, Hardware: true, Package: mppPackage,
			Control: Control{
				Bitrate: "bps|bitrate", Unit: BitPerSecond, Live: true,
				Interval: "gop", MaxInterval: mppGOP, Keyframe: KeyframeEvent,
			},
			Chain: Chain{
				Props:  append([]string{"rc-mode=cbr"}, props...),
				Inputs: []Input{{Format: "NV12", By: byCPU, Takes: []string{"NV12", "I420", "YUY2", "UYVY"}}},
				Output: output, Parser: parser,
			},
			Limits: board.Limits{MinWidth: minWidth, MinHeight: 64, SizeMultiple: 2},
		}
	}
	return []Encoder{
		row(H264, "mpph264enc", h264Baseline, h264Parser, 96, "header-mode=each-idr", "profile=baseline", "max-pending=1"),
		row(VP8, "mppvp8enc", vp8Plain, "", 128),
	}
}

// imxEncoders are NXP's, of its own package and of the community's.
func imxEncoders() []Encoder {
	row := func(codec Codec, element, pack, output, parser, converter string, props ...string) Encoder {
		return Encoder{
			ID: element, Codec: codec, Element: element, Family: familyIMX, Hardware: true, Package: pack,
			Control: Control{
				Bitrate: "bitrate", Unit: KilobitPerSecond, Live: true,
				Interval: "gop-size", MaxInterval: longGOP, Keyframe: KeyframeEvent,
			},
			Chain: Chain{
				Props:  props,
				Inputs: []Input{{Format: "NV12", By: converter}, {Format: "NV12", By: byCPU}},
				Output: output, Parser: parser,
			},
			Limits: board.Limits{MinWidth: 64, MinHeight: 64, MaxWidth: 1920, MaxHeight: 1088},
		}
	}
	return []Encoder{
		row(H264, "vpuenc_h264", imxPackage, h264Plain, h264Parser, "imxvideoconvert_g2d", "profile=9"), // 9 is baseline; 8MP only
		row(VP8, "vpuenc_vp8", imxPackage, vp8Plain, "", "imxvideoconvert_g2d"),
		row(H264, "imxvpuenc_h264", imxFreePackage, h264Plain, h264Parser, "imxg2dvideotransform"),
	}
}

// bspEncoders come with a maker's board support package. Little but their names is known, so only the trial tells whether they work.
func bspEncoders() []Encoder {
	return []Encoder{
		{
			ID: "v4l2slh264enc", Codec: H264, Element: "v4l2slh264enc", Family: "v4l2", Hardware: true, Package: stPackage,
			Control: Control{Keyframe: KeyframeEvent},
			Chain:   Chain{Inputs: cpuInput("NV12"), Output: h264Profile, Parser: h264Parser},
		},
		{
			ID: "v4l2slvp8enc", Codec: VP8, Element: "v4l2slvp8enc", Family: "v4l2", Hardware: true, Package: stPackage,
			Control: Control{Keyframe: KeyframeEvent},
			Chain:   Chain{Inputs: cpuInput("NV12"), Output: vp8Plain},
		},
		{
			ID: "qtic2venc", Codec: H264, Element: "qtic2venc", Family: "v4l2", Hardware: true, Package: qimPackage,
			Control: Control{Bitrate: "target-bitrate", Unit: BitPerSecond, Live: true, Keyframe: KeyframeEvent},
			Chain: Chain{
				Props:  []string{"control-rate=constant"},
				Inputs: []Input{{Format: "NV12", By: "qtivtransform"}, {Format: "NV12", By: byCPU}},
				Output: "video/x-h264", Parser: h264Parser,
			},
		},
	}
}
