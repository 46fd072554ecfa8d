package pipeline

import "fmt"

func audioGraph(a AudioSource, bitrate int) Graph {
	var source Graph
	switch {
	case a.None:
		return nil
	case a.Test:
		source = Graph{El("audiotestsrc", "is-live=true", "wave=ticks", "freq=880", "volume=0.2", "samplesperbuffer=960")}
	default:
		source = Graph{El("alsasrc", "device="+a.PCM, "buffer-time=200000", "latency-time=20000")}
	}
	return append(source,
		El("audioconvert"), El("audioresample"), Filter("audio/x-raw,rate=48000,channels=[1,2]"),
		El("opusenc", "bitrate="+itoa(or(bitrate, defaultAudioBitrate)), "frame-size=20", "inband-fec=true", "packet-loss-percentage=5"),
		outEnd(8))
}

func hearGraph(s AudioSink) Graph {
	g := Graph{
		El("queue", "leaky=downstream", "max-size-time=200000000", "max-size-buffers=0", "max-size-bytes=0").Named(InName),
		El("decodebin"), El("audioconvert"), El("audioresample"), El("level", "interval=200000000", "post-messages=true"),
	}
	if s.PCM == "" {
		return append(g, El("fakesink", "sync=false", "async=false"))
	}
	return append(g, El("alsasink", "device="+s.PCM, "sync=false", "async=false", "buffer-time=100000"))
}

func seeGraph(display bool) Graph {
	g := Graph{
		El("queue", "leaky=downstream", "max-size-time=500000000", "max-size-buffers=0", "max-size-bytes=0").Named(InName),
		El("decodebin"),
	}
	if display {
		return append(g, El("videoconvert"), El("autovideosink", "sync=false"))
	}
	return append(g, El("fakesink", "sync=false", "async=false"))
}

// payloadTypes are the numbers of our own offers; when the other side offers, its numbers are taken.
var payloadTypes = map[Codec]int{H264: 102, VP8: 96, VP9: 98}

// opusPayloadTypes are those of our own offers. Browsers use the first; the well-known native demos take no other than 97.
var opusPayloadTypes = []int{111, 97}

// opus is the codec of sound.
const opus Codec = "opus"

// Preferences are the caps of one codec for a transceiver: what the SDP will say of it.
func Preferences(c Codec, f VideoFormat, pt int) string {
	feedback := "rtcp-fb-nack-pli=true,rtcp-fb-ccm-fir=true"
	head := fmt.Sprintf("application/x-rtp,media=video,encoding-name=%s,payload=%d,clock-rate=90000", encodingNames[c], pt)
	if c == H264 || c == H264Slices {
		head += fmt.Sprintf(",packetization-mode=(string)1,profile-level-id=(string)%s,level-asymmetry-allowed=(string)1",
			f.ProfileLevelID())
	}
	return head + "," + feedback
}

// transportCC names the header extension that numbers all packets of a connection, so that the other side can report when
// each arrived.
const transportCC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

// transportCCID is the extension's number in our own offers; when the other side offers, its number is taken.
const transportCCID = 3

// following adds the extension to preferences; id 0 leaves them as they are.
func following(preferences string, id int) string {
	if id == 0 {
		return preferences
	}
	return fmt.Sprintf("%s,rtcp-fb-transport-cc=true,extmap-%d=(string)%s", preferences, id, transportCC)
}

var encodingNames = map[Codec]string{H264: "H264", H264Slices: "H264", VP8: "VP8", VP9: "VP9"}

func opusPreferences(pt int) string {
	return fmt.Sprintf("application/x-rtp,media=audio,encoding-name=OPUS,payload=%d,clock-rate=48000,"+
		"encoding-params=(string)2,minptime=(string)10,useinbandfec=(string)1", pt)
}

// Packets are how a fan's frames reach a viewer as RTP.
type Packets struct {
	Payloader Node   // makes packets of the frames, once for all of the fan's viewers
	Type      int    // the payload type
	Source    uint32 // SSRC; 0 leaves it to the engine
	// Numbers is the id of the header extension that numbers packets, 0 when the viewer does not take it: its packets would
	// be kept for reports that never come.
	Numbers int
}

// Extension is the header extension in caps.
func (p Packets) Extension() string {
	return fmt.Sprintf("application/x-rtp,extmap-%d=(string)%s", p.Numbers, transportCC)
}

// payloaders make RTP of each codec, in packets that with the extension have 1200 bytes at most. VP8 and VP9 without picture
// ids recover badly from loss in browsers.
var payloaders = map[Codec]Node{
	H264:       El("rtph264pay", "config-interval=-1", "aggregate-mode=zero-latency", "mtu=1192"),
	H264Slices: El("rtph264pay", "config-interval=-1", "aggregate-mode=none", "mtu=1192"),
	VP8:        El("rtpvp8pay", "picture-id-mode=15-bit", "mtu=1192"),
	VP9:        El("rtpvp9pay", "picture-id-mode=15-bit", "mtu=1192"),
	opus:       El("rtpopuspay", "mtu=1192"),
}
