package pipeline

const (
	vaPackage    = "gstreamer1.0-plugins-bad 1.22 or newer, and a VA driver that encodes (/dev/dri/renderD*)"
	vaVP8Package = "gstreamer1.0-plugins-bad 1.26 or newer, and a VA driver that encodes VP8 (few do)"
	vaapiPackage = "gstreamer1.0-vaapi, up to GStreamer 1.26"
	qsvPackage   = "gstreamer1.0-plugins-bad 1.22 or newer built with QSV, and Intel's media runtime"
	nvPackage    = "gstreamer1.0-plugins-bad, and NVIDIA's driver"
	vaInterval   = 256 // key-int-max ends at 1024
)

// throughMemory is a converter into the encoder's own memory, with plain pictures as the second choice.
func throughMemory(memory, by string) []Input {
	return []Input{{Memory: memory, Format: "NV12", By: by}, {Format: "NV12", By: byCPU}}
}

// gpuEncoders are those of PCs. Which rate controls va has depends on the driver: without HuC firmware many Intel chips
// have no cbr, which is then left out. VA, VAAPI and QSV have no plain baseline; they choose the level themselves.
func gpuEncoders() []Encoder {
	row := func(codec Codec, element, family, pack string, interval Knob, most int, inputs []Input, props ...string) Encoder {
		e := Encoder{
			ID: element, Codec: codec, Element: element, Family: family, Hardware: true, Package: pack,
			Control: Control{
				Bitrate: "bitrate", Unit: KilobitPerSecond, Live: true,
				Interval: interval, MaxInterval: most, Keyframe: KeyframeEvent,
			},
			Props: props, Inputs: inputs, Output: vp8Plain,
		}
		if codec == H264 {
			e.Output, e.Parser = h264Profile, h264Parser
		}
		return e
	}
	va, vaapi := throughMemory("VAMemory", "vapostproc"), throughMemory("VASurface", "vaapipostproc")
	const key, period, gop = "key-int-max", "keyframe-period", "gop-size"
	vah264 := row(H264, "vah264enc", "va", vaPackage, key, vaInterval, va, "rate-control=cbr", "b-frames=0", "target-usage=6")
	lowPower := row(H264, "vah264lpenc", "va", vaPackage, key, vaInterval, va, "rate-control=cbr", "b-frames=0")
	vaVP8 := row(VP8, "vavp8enc", "va", vaVP8Package, key, vaInterval, va, "rate-control=cbr")
	vaapiVP8 := row(VP8, "vaapivp8enc", "vaapi", vaapiPackage, period, longGOP, vaapi, "rate-control=cbr")
	vah264.Others, lowPower.Others, vaVP8.Others = "varenderD*h264enc", "varenderD*h264lpenc", "varenderD*vp8enc" // a second GPU's
	vaapiVP8.Keyframe = KeyframeNone                                                                              // it never looks at the request (gstvaapiencoder_vp8.c)
	return []Encoder{
		row(H264, "nvh264enc", familyNV, nvPackage, gop, longGOP, throughMemory("CUDAMemory", "cudaupload ! cudaconvertscale"),
			"zerolatency=true", "rc-mode=cbr", "bframes=0", "repeat-sequence-header=true"),
		vah264, lowPower,
		row(H264, "qsvh264enc", "qsv", qsvPackage, gop, longGOP, va,
			"low-latency=true", "disable-hrd-conformance=true", "rate-control=cbr", "b-frames=0"),
		row(H264, "vaapih264enc", "vaapi", vaapiPackage, period, longGOP, vaapi,
			"rate-control=cbr", "max-bframes=0", "quality-level=7"),
		vaVP8, vaapiVP8,
	}
}
