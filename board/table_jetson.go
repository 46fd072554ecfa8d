package board

// nvenc are the limits of the encoder in those Tegras that have one.
var nvenc = Limits{SizeMultiple: 16, MaxWidth: 3840, MaxHeight: 2160}

const nvencSource = "NVIDIA Jetson Linux Multimedia API r38.2, V4L2 encoder tables; jocover/jetson-ffmpeg wiki (multiples of 16, 4K); " +
	"module numbers from rbonghi/jetson_stats jtop/core/jetson_variables.py"

// tegra is the row of a Jetson that encodes H.264 in hardware.
func tegra(id, name string, match ...string) Board {
	return Board{
		ID: id, Name: name, Match: match,
		H264: h264("nvv4l2h264enc"), VP8: vp8(),
		Limits: nvenc, CSI: "nvarguscamerasrc",
		Note:   "The encoder takes frames in NVIDIA's own memory (NVMM) alone, which nvvidconv makes.",
		Source: nvencSource,
	}
}

// oldTegra is the row of a Tegra X1 or X2. These encode VP8 too, and may have L4T's old OMX elements.
func oldTegra(id, name string, match ...string) Board {
	b := tegra(id, name, match...)
	b.H264, b.VP8 = h264("nvv4l2h264enc", "omxh264enc"), vp8("nvv4l2vp8enc", "omxvp8enc")
	return b
}

// jetson are the modules. The part number in the compatible list tells them apart, whatever carrier board they are on: L4T writes
// "nvidia,CARRIER+MODULE", sometimes with a suffix, and other makers write their own name before the part number.
func jetson() []Board {
	thor := tegra("thor", "NVIDIA Jetson AGX Thor", "*p3834-*", "nvidia,tegra264")
	thor.Limits = Limits{}
	thor.Note += " It runs on the GPU and not in a block of its own."
	return []Board{
		oldTegra("jetson-tx1", "NVIDIA Jetson TX1", "nvidia,p2371-2180*", "*p2180-*"),
		oldTegra("jetson-nano", "NVIDIA Jetson Nano", "nvidia,p3450-0000", "*p3448-*", "nvidia,jetson-nano", "nvidia,tegra210"),
		oldTegra("jetson-tx2-nx", "NVIDIA Jetson TX2 NX", "*p3636-*"),
		oldTegra("jetson-tx2", "NVIDIA Jetson TX2", "nvidia,p2771-0000", "*p3310-*", "*p3489-*", "nvidia,tegra186"),
		tegra("xavier-nx", "NVIDIA Jetson Xavier NX", "*p3668-*"),
		tegra("agx-xavier", "NVIDIA Jetson AGX Xavier", "nvidia,p2972-0000", "*p2888-*", "nvidia,tegra194"),
		{
			// The SoC is the Orin NX's, with its encoder fused off. Only the module number tells them apart.
			ID: "orin-nano", Name: "NVIDIA Jetson Orin Nano",
			Match: []string{"*p3767-0003*", "*p3767-0004*", "*p3767-0005*"},
			H264:  h264(), VP8: vp8(), CSI: "nvarguscamerasrc",
			Note:   "This module has no video encoder (NVENC). NVIDIA documents encoding in software for it.",
			Source: "NVIDIA Jetson Linux Developer Guide r36.5, Software Encode in Orin Nano; " + nvencSource,
		},
		tegra("orin-nx", "NVIDIA Jetson Orin NX", "*p3767-0000*", "*p3767-0001*", "*p3767-*"),
		tegra("agx-orin", "NVIDIA Jetson AGX Orin", "*p3701-*", "nvidia,tegra234"),
		thor,
	}
}
