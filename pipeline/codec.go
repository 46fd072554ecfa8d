package pipeline

import "fmt"

// Codec names a codec as SDP does, in lower case.
type Codec string

// The codecs that a viewer can be sent. VP9 is in the encoder table; viewers are offered it only where the user asks for it.
const (
	H264 Codec = "h264"
	VP8  Codec = "vp8"
	VP9  Codec = "vp9"
	Opus Codec = "opus" // sound
)

// H264Slices is H.264 for viewers that take packetization mode 0 alone (RFC 6184). Each packet is a whole NAL unit there, so the
// encoder has to cut a frame into slices of a packet's size. No encoder in hardware is known to do that. It is a producer of its own, in
// software, that runs beside H264's while such a viewer watches.
const H264Slices Codec = "h264-slices"

// Slot is one of the two things a viewer is sent.
type Slot int

// The slots.
const (
	VideoSlot Slot = iota
	AudioSlot
)

// encodingNames are the names of video codecs in SDP.
var encodingNames = map[Codec]string{H264: "H264", H264Slices: "H264", VP8: "VP8", VP9: "VP9"}

// EncodingName is what SDP and GStreamer's caps call a video codec; empty for sound.
func (c Codec) EncodingName() string { return encodingNames[c] }

// Preferences are the caps of one codec for a transceiver. webrtcbin writes the codec's part of the SDP by them.
func Preferences(c Codec, f VideoFormat, pt int) string {
	feedback := "rtcp-fb-nack-pli=true,rtcp-fb-ccm-fir=true"
	caps := fmt.Sprintf("application/x-rtp,media=video,encoding-name=%s,payload=%d,clock-rate=90000", encodingNames[c], pt)
	if c == H264 || c == H264Slices {
		caps += fmt.Sprintf(",packetization-mode=(string)1,profile-level-id=(string)%s,level-asymmetry-allowed=(string)1",
			f.ProfileLevelID())
	}
	return caps + "," + feedback
}
