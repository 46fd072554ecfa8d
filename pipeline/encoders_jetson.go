package pipeline

import "slices"

const (
	memoryNVMM = "NVMM" // NVIDIA's own memory, as caps name it
	familyNV   = "nv"
	familyOMX  = "omx"
)

// Who brings the elements.
const (
	l4tPackage = "nvidia-l4t-gstreamer, of NVIDIA's Linux for Tegra"
	omxL4T     = "L4T before r32.1 (gst-omx)"
	omxPi      = "gstreamer1.0-omx-rpi of 32-bit Raspberry Pi OS up to Buster"
)

// l4tInterval is the keyframe distance in frames: idrinterval's default, and what webrtcsink has.
const l4tInterval = 256

// nvmmInput are inputs in NVIDIA's own memory, since the encoder does not link to plain memory. nvvidconv takes YUY2, but not every format
// that a JPEG decoder makes, so videoconvert may stand before it. DeepStream has nvvideoconvert in its place.
func nvmmInput() []Input {
	return []Input{
		{Memory: memoryNVMM, Format: "NV12", By: byVIC},
		{Memory: memoryNVMM, Format: "NV12", By: "videoconvert ! " + byVIC},
		{Memory: memoryNVMM, Format: "NV12", By: "nvvideoconvert"},
	}
}

// jetsonEncoders are Tegra's. An action signal makes them make a keyframe, since they do not serve GstForceKeyUnit reliably. By its flags
// bitrate may be set in NULL and READY only, but the element's code sets it on the open device.
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
			// Only Tegra X1 and X2 encode VP8, though the element may be installed on others.
			ID: "nvv4l2vp8enc", Codec: VP8, Element: "nvv4l2vp8enc", Family: familyNV, Hardware: true, Package: l4tPackage,
			Control: control, Chain: Chain{Props: props, Inputs: nvmmInput(), Output: vp8Plain},
		},
	}, omxEncoders()...)
}

// omxEncoders are old elements that nobody maintains. NVIDIA's and the Raspberry Pi's have the same name, so their properties tell
// them apart. Some property names of NVIDIA's are from memory, and whether it serves GstForceKeyUnit or a new bitrate is unknown: the
// trial shows it.
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
