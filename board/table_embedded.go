package board

// What several rows say.
const (
	vpuencSource = "nxp-imx/imx-gst1.0-plugin plugins/vpu/gstvpuenc.c, gstvpuplugins.c; Freescale/gstreamer-imx"
	vpuencNote   = "The encoder needs NXP's packages (vpuenc_h264) or the community's gstreamer-imx. More CMA memory helps."
	wave5Source  = "Linux drivers/media/platform/chips-media/wave5/wave5-vpu-enc.c; software-dl.ti.com, Foundational Components, Multimedia, wave5"
	wave5Note    = "The encoder takes no keyframe request, so that it makes a keyframe every second. A new bitrate counts only after a restart of it."
	imx95Note    = "The encoder is in NXP's kernel only."
	imx95Source  = "Linux arch/arm64/boot/dts/freescale/imx95-19x19-evk.dts; the wave6 driver as sent to linux-media"
	imx8mqSource = "nxp-imx/imx-gst1.0-plugin plugins/vpu/gstvpuplugins.c"
	imx8mqNote   = "This SoC only decodes."
)

// The limits of the encoders, in pixels. For i.MX they are the elements', for Wave5 the driver's.
const (
	imxMaxWidth    = 1920
	imxMaxHeight   = 1088
	imxMinSide     = 64
	wave5MinWidth  = 256
	wave5MinHeight = 128
	wave5MaxSide   = 8192
	wave5Multiple  = 8
)

// nxp are the i.MX with an encoder, and the 8M Quad, which is known to have none.
func nxp() []Board {
	limits := Limits{MinWidth: imxMinSide, MinHeight: imxMinSide, MaxWidth: imxMaxWidth, MaxHeight: imxMaxHeight}
	imx := func(id, name string, match ...string) Board {
		return Board{
			ID: id, Name: name, Match: match,
			H264: h264("vpuenc_h264", "imxvpuenc_h264"), VP8: vp8(),
			Limits: limits, Note: vpuencNote, Source: vpuencSource,
		}
	}
	imx8mm := imx("imx8mm", "NXP i.MX 8M Mini", "fsl,imx8mm")
	imx8mm.VP8 = vp8("vpuenc_vp8")
	imx6 := imx("imx6", "NXP i.MX 6", "fsl,imx6q", "fsl,imx6qp", "fsl,imx6dl")
	imx6.Limits.SizeMultiple = 8
	return []Board{
		imx6,
		imx8mm,
		imx("imx8mp", "NXP i.MX 8M Plus", "fsl,imx8mp"),
		{
			ID: "imx8mq", Name: "NXP i.MX 8M Quad", Match: []string{"fsl,imx8mq"},
			H264: h264(), VP8: vp8(),
			Note: imx8mqNote, Source: imx8mqSource,
		},
		{
			ID: "imx95", Name: "NXP i.MX 95", Match: []string{"fsl,imx95"},
			H264: h264("v4l2h264enc"), VP8: vp8(),
			Note: imx95Note, Source: imx95Source,
		},
	}
}

// ti are the SoCs with a Wave5 encoder.
func ti() []Board {
	wave5 := func(id, name string, match ...string) Board {
		return Board{
			ID: id, Name: name, Match: match,
			H264: h264("v4l2h264enc"), VP8: vp8(),
			Limits: Limits{
				SizeMultiple: wave5Multiple, MinWidth: wave5MinWidth, MinHeight: wave5MinHeight,
				MaxWidth: wave5MaxSide, MaxHeight: wave5MaxSide,
			},
			Note: wave5Note, Source: wave5Source,
		}
	}
	return []Board{
		wave5("am62a", "TI AM62A", "ti,am62a*"),
		wave5("am62p", "TI AM62P", "ti,am62p5*"),
		wave5("j722s", "TI J722S, AM67 or TDA4AEN", "ti,j722s*"),
		wave5("j721s2", "TI J721S2, AM68 or TDA4VE", "ti,j721s2*"),
		wave5("j784s4", "TI J784S4, AM69 or TDA4VH", "ti,j784s4*", "ti,j742s2*"),
	}
}
