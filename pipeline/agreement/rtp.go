package agreement

import (
	"fmt"

	"boardcast/pipeline"
)

// Packets are how a fan's frames reach a viewer as RTP.
type Packets struct {
	Payloader pipeline.Node // makes packets of the frames, once for all of the fan's viewers
	Type      int           // the payload type
	Source    uint32        // the SSRC; 0 leaves it to the engine
	// TWCCID is the TWCC extension id. It is 0 where the viewer does not take the extension: what is noted of each packet would be kept
	// for feedback that never comes.
	TWCCID int
}

// Extension is the TWCC extension in caps.
func (p Packets) Extension() string {
	return fmt.Sprintf("application/x-rtp,extmap-%d=(string)%s", p.TWCCID, TransportCC)
}

// payloaders make RTP packets of each codec. With the TWCC extension a packet has 1200 bytes at most. VP8 and VP9 have picture ids, since
// browsers recover badly from loss without them.
var payloaders = map[pipeline.Codec]pipeline.Node{
	pipeline.H264:       pipeline.El("rtph264pay", "config-interval=-1", "aggregate-mode=zero-latency", "mtu=1192"),
	pipeline.H264Slices: pipeline.El("rtph264pay", "config-interval=-1", "aggregate-mode=none", "mtu=1192"),
	pipeline.VP8:        pipeline.El("rtpvp8pay", "picture-id-mode=15-bit", "mtu=1192"),
	pipeline.VP9:        pipeline.El("rtpvp9pay", "picture-id-mode=15-bit", "mtu=1192"),
	pipeline.Opus:       pipeline.El("rtpopuspay", "mtu=1192"),
}

// Packets are how the part is sent, but for the SSRC, which the caller adds.
func (p Part) Packets() Packets {
	return Packets{Payloader: payloaders[p.Codec], Type: p.Type, TWCCID: p.TWCCID}
}
