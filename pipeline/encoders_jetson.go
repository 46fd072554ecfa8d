package pipeline

import "slices"

const (
	memoryNVMM  = "NVMM"
	l4tPackage  = "nvidia-l4t-gstreamer, of NVIDIA's Linux for Tegra"
	omxL4T      = "L4T before r32.1 (gst-omx)"
	omxPi       = "gstreamer1.0-omx-rpi of 32-bit Raspberry Pi OS up to Buster"
	familyNV    = "nv"
	familyOMX   = "omx"
	l4tInterval = 256 // idrinterval's default, and webrtcsink's
)

// nvmmInput is NVIDIA's own memory: plain pictures do not link to the encoder. nvvidconv takes YUY2 itself, but not all
// that a JPEG decoder makes; DeepStream has nvvideoconvert for it.
func nvmmInput() []Input {
	return []Input{
		{Memory: memoryNVMM, Format: "NV12", By: byVIC},
		{Memory: memoryNVMM, Format: "NV12", By: "videoconvert ! " + byVIC},
		{Memory: memoryNVMM, Format: "NV12", By: "nvvideoconvert"},
	}
}

// jetsonEncoders are Tegra's. Keyframes are forced by an action signal: the elements take GstForceKeyUnit badly. The
// flags say that bitrate is for NULL and READY only, but the code sets it on the open device.
func jetsonEncoders() []Encoder {
	control := Control{
		Bitrate: "bitrate", Unit: BitPerSecond, Live: true,
		Interval: "iframeinterval", MaxInterval: l4tInterval, Keyframe: KeyframeForceIDR,
	}
	props := []string{"control-rate=1", "preset-level=1", "maxperf-enable=true", "idrinterval={interval}"}
	return append([]Encoder{
		{
			ID: "nvv4l2h264enc", Codec: H264, Element: "nvv4l2h264enc", Family: familyNV, Hardware: true, Package: l4tPackage,
			Control: control,
			Chain: Chain{
				Props:  append(slices.Clip(props), "insert-sps-pps=true", "insert-vui=true", "num-B-Frames=0", "profile=0"),
				Inputs: nvmmInput(), Output: h264Plain, Parser: h264Parser,
			},
		},
		{
			// Only Tegra X1 and X2 have it, though the element may be there on others.
			ID: "nvv4l2vp8enc", Codec: VP8, Element: "nvv4l2vp8enc", Family: familyNV, Hardware: true, Package: l4tPackage,
			Control: control, Chain: Chain{Props: props, Inputs: nvmmInput(), Output: vp8Plain},
		},
	}, omxEncoders()...)
}

// omxEncoders are two elements of one name, told apart by their properties; both are retired. Of NVIDIA's the names are
// partly from memory, and whether it serves GstForceKeyUnit or a new bitrate is unknown: the trial tells.
func omxEncoders() []Encoder {
	nvidia := Control{
		Bitrate: "bitrate|target-bitrate", Unit: BitPerSecond, Live: true,
		Interval: "iframeinterval", MaxInterval: l4tInterval, Keyframe: KeyframeEvent,
	}
	input := append(nvmmInput(), Input{Format: "I420", By: byCPU})
	return []Encoder{
		{
			ID: "omxh264enc", Codec: H264, Element: "omxh264enc", Family: familyOMX, Hardware: true, Package: omxPi,
			Holds: Holds{Requires: []string{"target-bitrate", "interval-intraframes"}},
			Control: Control{
				Bitrate: "target-bitrate", Unit: BitPerSecond, Live: true,
				Interval: "interval-intraframes", MaxInterval: v4l2GOP, Keyframe: KeyframeEvent,
			},
			Chain: Chain{
				Props:  []string{"control-rate=variable", "inline-header=true", "b-frames=0"},
				Inputs: cpuInput("I420"), Output: h264Profile, Parser: h264Parser,
			},
		},
		{
			ID: "omxh264enc/l4t", Codec: H264, Element: "omxh264enc", Family: familyOMX, Hardware: true, Package: omxL4T,
			Holds: Holds{Requires: []string{"iframeinterval"}}, Control: nvidia,
			Chain: Chain{
				Props:  []string{"control-rate=2", "insert-sps-pps=true", "num-B-Frames=0", "profile=baseline"},
				Inputs: input, Output: h264Plain, Parser: h264Parser,
			},
		},
		{
			ID: "omxvp8enc", Codec: VP8, Element: "omxvp8enc", Family: familyOMX, Hardware: true, Package: omxL4T,
			Control: nvidia, Chain: Chain{Props: []string{"control-rate=2"}, Inputs: input, Output: vp8Plain},
		},
	}
}
