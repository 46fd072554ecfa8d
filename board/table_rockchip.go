package board

const (
	mppSource = "rockchip-linux/mpp osal/mpp_soc.cpp; strings from the board's .dts"
	mppNote   = "The encoder needs Rockchip's kernel, mpp and gstreamer-rockchip, and access to /dev/mpp_service. The mainline kernel encodes neither H.264 nor VP8."
)

// vepu are the limits of the older encoders VEPU1 and VEPU2, which mpp does not mark as able to do 4K. The smallest size is the element's.
var vepu = Limits{MinWidth: 96, MinHeight: 64, MaxWidth: 1920, MaxHeight: 1088}

// rk is the row of a Rockchip that encodes H.264 and VP8.
func rk(id, name string, limits Limits, match ...string) Board {
	return Board{
		ID: id, Name: name, Match: match,
		H264: h264("mpph264enc"), VP8: vp8("mppvp8enc"),
		Limits: limits, Note: mppNote, Source: mppSource,
	}
}

// rkH264 is the row of a Rockchip without VEPU1 and VEPU2, and so without VP8.
func rkH264(id, name string, limits Limits, match ...string) Board {
	b := rk(id, name, limits, match...)
	b.VP8 = vp8()
	return b
}

// rockchip are Rockchip's SoCs.
func rockchip() []Board {
	minimum := Limits{MinWidth: vepu.MinWidth, MinHeight: vepu.MinHeight}
	eightK := minimum
	eightK.MaxWidth, eightK.MaxHeight = 7680, 4320
	return []Board{
		rk("rk3588", "Rockchip RK3588", eightK, "rockchip,rk3588*"),
		rk("rk3568", "Rockchip RK3566 or RK3568", minimum, "rockchip,rk3568*", "rockchip,rk3566*"),
		rk("rk3399", "Rockchip RK3399", vepu, "rockchip,rk3399*"),
		rk("rk3328", "Rockchip RK3328", vepu, "rockchip,rk3328*"),
		rk("rk3288", "Rockchip RK3288", vepu, "rockchip,rk3288*"),
		rk("px30", "Rockchip PX30", vepu, "rockchip,px30*"),
		rkH264("rk3528", "Rockchip RK3528", vepu, "rockchip,rk3528*"),
		rkH264("rk3562", "Rockchip RK3562", vepu, "rockchip,rk3562*"),
	}
}
