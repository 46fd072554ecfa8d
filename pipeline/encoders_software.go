package pipeline

// Caps after an encoder. Every browser decodes constrained baseline. The level is in the caps only of encoders that write the level that
// they are told. Other encoders choose a level themselves, which the trial reads from the stream.
const (
	h264Level    = "video/x-h264,profile=(string)constrained-baseline,level=(string){level},stream-format=byte-stream,alignment=au"
	h264Profile  = "video/x-h264,profile=(string)constrained-baseline,stream-format=byte-stream,alignment=au"
	h264Baseline = "video/x-h264,profile=(string)baseline,stream-format=byte-stream,alignment=au"
	h264Plain    = "video/x-h264,stream-format=byte-stream,alignment=au"
	vp8Plain     = "video/x-vp8"

	h264Parser = "h264parse config-interval=-1"
)

// Converters, in launch syntax.
const (
	byCPU = "videoconvert ! videoscale" // in software
	byISP = "v4l2convert"               // the Raspberry Pi's image signal processor, and other V4L2 converters
	byVIC = "nvvidconv"                 // Tegra's video image compositor
)

const familySoftware = "software"

// longGOP is the keyframe distance in frames of encoders that answer keyframe requests. It is what webrtcsink has: keyframes come when
// viewers need them, and hardly ever by themselves.
const longGOP = 2560

// cpuInput is an input in plain memory, converted in software.
func cpuInput(format string) []Input { return []Input{{Format: format, By: byCPU}} }

// softwareEncoders run on any machine. Their properties are set for the least CPU.
func softwareEncoders() []Encoder {
	return []Encoder{x264(), openH264(), vp8(), vp9()}
}

func x264() Encoder {
	return Encoder{
		ID: "x264enc", Codec: H264, Element: "x264enc", Family: familySoftware, Package: "gstreamer1.0-plugins-ugly",
		Control: Control{
			Bitrate: "bitrate", Unit: KilobitPerSecond, Live: true,
			Interval: "key-int-max", MaxInterval: longGOP, Keyframe: KeyframeEvent, Slices: "option-string=slice-max-size=1150",
		},
		Chain: Chain{
			Props: []string{
				"tune=zerolatency", "speed-preset=ultrafast", "bframes=0", "b-adapt=false", "vbv-buf-capacity=120",
				"sliced-threads=true", "threads={cores}", "byte-stream=true", "aud=false",
			},
			Inputs: cpuInput("I420"), Output: h264Level, Parser: h264Parser,
		},
	}
}

func openH264() Encoder {
	return Encoder{
		ID: "openh264enc", Codec: H264, Element: "openh264enc", Family: familySoftware, Package: "gstreamer1.0-plugins-bad",
		Control: Control{
			Bitrate: "bitrate", Unit: BitPerSecond, Live: true,
			Interval: "gop-size", MaxInterval: longGOP, Keyframe: KeyframeEvent,
		},
		Chain: Chain{
			Props: []string{
				"rate-control=bitrate", "complexity=low", "usage-type=camera", "multi-thread=0", "enable-frame-skip=false",
				"scene-change-detection=false", "background-detection=false",
			},
			Inputs: cpuInput("I420"), Output: h264Level, Parser: h264Parser,
		},
	}
}

// vp8 has one thread: libvpx's threads wait for one another by spinning, which on a busy machine costs ten times the CPU (measured at
// 1280x720 on two cores). A positive cpu-used lets libvpx choose its speed by the time that it takes.
func vp8() Encoder {
	return Encoder{
		ID: "vp8enc", Codec: VP8, Element: "vp8enc", Family: familySoftware, Package: "gstreamer1.0-plugins-good",
		Control: vpxControl,
		Chain: Chain{
			Props: []string{
				"deadline=1", "cpu-used=8", "end-usage=cbr", "lag-in-frames=0", "error-resilient=default",
				"buffer-initial-size=100", "buffer-optimal-size=120", "buffer-size=150", "max-intra-bitrate=250",
				"keyframe-mode=disabled", "static-threshold=1",
			},
			Inputs: cpuInput("I420"), Output: vp8Plain,
		},
	}
}

func vp9() Encoder {
	return Encoder{
		ID: "vp9enc", Codec: VP9, Element: "vp9enc", Family: familySoftware, Package: "gstreamer1.0-plugins-good",
		Control: vpxControl,
		Chain: Chain{
			Props: []string{
				"deadline=1", "cpu-used=8", "end-usage=cbr", "lag-in-frames=0", "row-mt=true", "threads={cores}",
				"buffer-initial-size=100", "buffer-optimal-size=120", "buffer-size=150", "keyframe-mode=disabled",
			},
			Inputs: cpuInput("I420"), Output: "video/x-vp9",
		},
	}
}

// vpxControl is how libvpx's encoders are steered. Their keyframe distance of 2000 frames is webrtcsink's, as longGOP is.
var vpxControl = Control{
	Bitrate: "target-bitrate", Unit: BitPerSecond, Live: true,
	Interval: "keyframe-max-dist", MaxInterval: 2000, Keyframe: KeyframeEvent,
}
