package device

// formatKind says what a format is to a streamer, cheapest to use first.
type formatKind int

const (
	kindUnknown formatKind = iota // listed, but nothing here can use it
	kindRaw                       // colour pictures as they are
	kindJPEG                      // costs a decoder
	kindH264                      // encoded by the camera
	kindGrey                      // 8-bit grey: works, but is mostly an infrared camera's
	kindSensor                    // what a bare sensor gives: Bayer or deep grey, which needs an ISP first
)

type formatInfo struct {
	kind formatKind
	rank int // among raw formats: what encoders take as it is first, then by bytes to convert
}

// known holds the formats that GStreamer's v4l2src turns into plain caps, and those that tell a bare sensor.
// Names are V4L2's, from linux/videodev2.h.
var known = map[string]formatInfo{
	"NV12": {kindRaw, 0}, "NM12": {kindRaw, 0}, "YU12": {kindRaw, 1}, "YM12": {kindRaw, 1},
	"YV12": {kindRaw, 2}, "NV21": {kindRaw, 2},
	"YUYV": {kindRaw, 3}, "UYVY": {kindRaw, 3}, "YVYU": {kindRaw, 4}, "VYUY": {kindRaw, 4},
	"NV16": {kindRaw, 5}, "422P": {kindRaw, 5}, "NV24": {kindRaw, 6},
	"RGB3": {kindRaw, 7}, "BGR3": {kindRaw, 7}, "RGBP": {kindRaw, 7},
	"BGR4": {kindRaw, 8}, "RGB4": {kindRaw, 8}, "XR24": {kindRaw, 8}, "AR24": {kindRaw, 8},
	"BX24": {kindRaw, 8}, "BA24": {kindRaw, 8}, "XB24": {kindRaw, 8}, "AB24": {kindRaw, 8},
	"GREY": {kindGrey, 9},
	"MJPG": {kindJPEG, 0}, "JPEG": {kindJPEG, 0},
	"H264": {kindH264, 0},

	"Y10 ": {kind: kindSensor}, "Y12 ": {kind: kindSensor}, "Y14 ": {kind: kindSensor}, "Y16 ": {kind: kindSensor},
	"Y10P": {kind: kindSensor}, "Y12P": {kind: kindSensor}, "Y14P": {kind: kindSensor},
	"BA81": {kind: kindSensor}, "GBRG": {kind: kindSensor}, "GRBG": {kind: kindSensor}, "RGGB": {kind: kindSensor},
	"BG10": {kind: kindSensor}, "GB10": {kind: kindSensor}, "BA10": {kind: kindSensor}, "RG10": {kind: kindSensor},
	"pBAA": {kind: kindSensor}, "pGAA": {kind: kindSensor}, "pgAA": {kind: kindSensor}, "pRAA": {kind: kindSensor},
	"BG12": {kind: kindSensor}, "GB12": {kind: kindSensor}, "BA12": {kind: kindSensor}, "RG12": {kind: kindSensor},
	"pBCC": {kind: kindSensor}, "pGCC": {kind: kindSensor}, "pgCC": {kind: kindSensor}, "pRCC": {kind: kindSensor},
	"BG14": {kind: kindSensor}, "GB14": {kind: kindSensor}, "GR14": {kind: kindSensor}, "RG14": {kind: kindSensor},
	"pBEE": {kind: kindSensor}, "pGEE": {kind: kindSensor}, "pgEE": {kind: kindSensor}, "pREE": {kind: kindSensor},
	"BYR2": {kind: kindSensor}, "GB16": {kind: kindSensor}, "GR16": {kind: kindSensor}, "RG16": {kind: kindSensor},
}

func (f Format) info() formatInfo { return known[f.FourCC] }

// usable tells whether a picture can be had from this format without an ISP.
func (f Format) usable() bool {
	switch f.info().kind {
	case kindRaw, kindGrey, kindJPEG, kindH264:
		return true
	case kindUnknown, kindSensor:
	}
	return false
}

// fourCC spells a V4L2 pixel format. The top bit marks a big-endian variant and is told by a suffix, as the kernel
// does.
func fourCC(code uint32) string {
	const bigEndian = 1 << 31
	text := []byte{byte(code), byte(code >> 8), byte(code >> 16), byte(code>>24) & 0x7f}
	for i, b := range text {
		if b < ' ' || b > '~' {
			text[i] = '?'
		}
	}
	if code&bigEndian != 0 {
		return string(text) + "-BE"
	}
	return string(text)
}
