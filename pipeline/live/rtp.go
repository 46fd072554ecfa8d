package live

import (
	"fmt"

	"boardcast/pipeline"
)

// payloadTypes are the numbers of our own offers; when the other side offers, its numbers are taken.
var payloadTypes = map[pipeline.Codec]int{pipeline.H264: 102, pipeline.VP8: 96, pipeline.VP9: 98}

// opusPayloadTypes are those of our own offers. Browsers use the first; the well-known native demos take no other than 97.
var opusPayloadTypes = []int{111, 97}

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

func opusPreferences(pt int) string {
	return fmt.Sprintf("application/x-rtp,media=audio,encoding-name=OPUS,payload=%d,clock-rate=48000,"+
		"encoding-params=(string)2,minptime=(string)10,useinbandfec=(string)1", pt)
}

// Packets are how a fan's frames reach a viewer as RTP.
type Packets struct {
	Payloader pipeline.Node // makes packets of the frames, once for all of the fan's viewers
	Type      int           // the payload type
	Source    uint32        // SSRC; 0 leaves it to the engine
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
var payloaders = map[pipeline.Codec]pipeline.Node{
	pipeline.H264:       pipeline.El("rtph264pay", "config-interval=-1", "aggregate-mode=zero-latency", "mtu=1192"),
	pipeline.H264Slices: pipeline.El("rtph264pay", "config-interval=-1", "aggregate-mode=none", "mtu=1192"),
	pipeline.VP8:        pipeline.El("rtpvp8pay", "picture-id-mode=15-bit", "mtu=1192"),
	pipeline.VP9:        pipeline.El("rtpvp9pay", "picture-id-mode=15-bit", "mtu=1192"),
	pipeline.Opus:       pipeline.El("rtpopuspay", "mtu=1192"),
}
