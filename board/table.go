package board

import "slices"

// boards is the whole table, made anew so that a caller may change it. The order counts, since the first row that matches is taken: a row for
// one module stands before the row for its SoC, and rows that match DMI or a driver come after all rows that match a device tree.
func boards() []Board {
	return slices.Concat(raspberry(), jetson(), rockchip(), nxp(), ti(), others(), pcs())
}

// h264 are a row's encoders of H.264: those in hardware, then those in software that every machine can have.
func h264(hardware ...string) []string {
	return append(slices.Clone(hardware), "x264enc", "openh264enc")
}

// vp8 are a row's encoders of VP8: those in hardware, then that in software.
func vp8(hardware ...string) []string {
	return append(slices.Clone(hardware), "vp8enc")
}

// others are the boards of makers with a row or two.
func others() []Board {
	return []Board{
		{
			ID: "amlogic", Name: "Amlogic",
			Match: []string{"amlogic,*"},
			H264:  h264(), VP8: vp8(),
			Note:   "No encoder is usable: the mainline kernel has none, and the vendor's was reported to crash.",
			Source: "khadas/common_drivers#44; the mainline kernel has no encoder driver for these SoCs",
		},
		{
			ID: "allwinner", Name: "Allwinner",
			Match: []string{"allwinner,*"},
			H264:  h264(), VP8: vp8(),
			Note:   "The mainline kernel only decodes (cedrus).",
			Source: "bootlin.com, pages on cedrus",
		},
		{
			ID: "stm32mp2", Name: "STM32MP2",
			Match: []string{"st,stm32mp25*"},
			H264:  h264("v4l2slh264enc"), VP8: vp8("v4l2slvp8enc"),
			Note:   "The encoder needs ST's own GStreamer, and the names of its elements are not confirmed. The mainline kernel only decodes.",
			Source: "wiki.st.com, V4L2 video codec overview; Linux drivers/media/platform/verisilicon/stm32mp25_vpu_hw.c",
		},
		{
			ID: "stm32mp1", Name: "STM32MP1",
			Match: []string{"st,stm32mp1*"},
			H264:  h264(), VP8: vp8(),
			Note:   "This SoC has no video encoder.",
			Source: "Linux 6.1 arch/arm/boot/dts/stm32mp157.dtsi, which has no such block",
		},
		{
			ID: "qualcomm", Name: "Qualcomm",
			Match: []string{"qcom,apq8016*", "qcom,msm8916*", "qcom,sdm845", "qcom,qrb5165*", "qcom,sm8250", "qcom,*"},
			H264:  h264("v4l2h264enc", "qtic2venc"), VP8: vp8("v4l2vp8enc"),
			Note:   "The encoder (Venus) takes NV12, and 32 kbit/s to 160 Mbit/s. To make NV12 of YUYV costs most of a core on the smaller SoCs.",
			Source: "Linux 6.1 drivers/media/platform/qcom/venus/venc.c",
		},
	}
}

// pcs are the machines without a device tree, and at the end the row for everything else.
func pcs() []Board {
	return []Board{
		{
			ID: "jetson", Name: "NVIDIA Jetson",
			Match: []string{"l4t:*"},
			H264:  h264("nvv4l2h264enc"), VP8: vp8("nvv4l2vp8enc"), CSI: "nvarguscamerasrc",
			Note:   "L4T is installed, but the device tree names no module that is known here.",
			Source: "NVIDIA Jetson Linux Developer Guide, /etc/nv_tegra_release",
		},
		{
			ID: "pc-nvidia", Name: "PC with an NVIDIA GPU",
			Match: []string{"driver:nvidia"},
			H264:  h264("nvh264enc", "vah264enc", "vah264lpenc", "qsvh264enc", "vaapih264enc"),
			VP8:   vp8("vavp8enc", "vaapivp8enc"),
			Note:  "On consumer GPUs the driver limits how many encoders run at once.",
			Source: "GStreamer sys/nvcodec 1.16 and later; " +
				"the driver's /proc/driver/nvidia (nouveau has no NVENC)",
		},
		{
			ID: "pc", Name: "PC",
			Match: []string{"dmi:*"},
			H264:  h264("vah264enc", "vah264lpenc", "qsvh264enc", "vaapih264enc"),
			VP8:   vp8("vavp8enc", "vaapivp8enc"),
			Note:  "The hardware encoder is behind /dev/dri/renderD*. The user must be in the group render (or video).",
			Source: "GStreamer sys/va and sys/qsv 1.22 and later (vavp8enc 1.26), gstreamer-vaapi up to 1.26; " +
				"linuxserver/docker-plex#211",
		},
		{
			ID: Generic, Name: "unknown board",
			H264: h264(), VP8: vp8(),
			Note:   "No row matches: any hardware encoder that is installed is tried, then software.",
			Source: "the encoders every GStreamer installation can have",
		},
	}
}
