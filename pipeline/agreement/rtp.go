package agreement

import (
	"fmt"

	"boardcast/pipeline"
)

// Packets are how a fan's frames reach a viewer as RTP.
type Packets struct {
	Payloader pipeline.Node // makes packets of the frames, once for all of the fan's viewers
	Type      int           // the payload type
	Source    uint32        // SSRC; 0 leaves it to the engine
	// TWCCID is the id of the header extension that numbers packets, 0 when the viewer does not take it: its packets would
	// be kept for reports that never come.
	TWCCID int
}

// Extension is the header extension in caps.
func (p Packets) Extension() string {
	return fmt.Sprintf("application/x-rtp,extmap-%d=(string)%s", p.TWCCID, TransportCC)
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

// Packets are how the part is sent, without the source, which whoever attaches it adds.
func (p Part) Packets() Packets {
	return Packets{Payloader: payloaders[p.Codec], Type: p.Type, TWCCID: p.TWCCID}
}
