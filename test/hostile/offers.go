package hostile

import (
	"strings"
	"sync"
)

// Offers are right offers of many shapes: those recorded from browsers, and plain ones of every kind of player.
var Offers = sync.OnceValue(func() []string {
	out, err := texts("offer")
	if err != nil {
		panic(err) // they are part of the package
	}
	for _, s := range shapes {
		out = append(out, s.text())
	}
	return out
})

// shape is an offer as players write it.
type shape struct {
	session  []string // beside the first lines
	sections []string // m= line and attributes of each, lines separated by "|"
	bare     bool     // the credentials stand in the session
}

const (
	secure = "UDP/TLS/RTP/SAVPF"
	h264   = "m=video 9 " + secure + " 96|a=rtpmap:96 H264/90000|a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f" +
		"|a=rtcp-fb:96 nack|a=rtcp-fb:96 nack pli|a=rtcp-fb:96 ccm fir|a=rtcp-fb:96 transport-cc|a=rtcp-mux|a=recvonly"
	rtx = "m=video 9 " + secure + " 96 97|a=rtpmap:96 VP8/90000|a=rtpmap:97 rtx/90000|a=fmtp:97 apt=96|a=rtcp-fb:96 nack|a=rtcp-fb:96 nack pli" +
		"|a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01|a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid|a=rtcp-mux|a=recvonly"
	vp8    = "m=video 9 " + secure + " 96|a=rtpmap:96 VP8/90000|a=rtcp-mux|a=recvonly"
	opus   = "m=audio 9 " + secure + " 111|a=rtpmap:111 opus/48000/2|a=fmtp:111 minptime=10;useinbandfec=1|a=rtcp-mux|a=recvonly"
	talk   = "m=audio 9 " + secure + " 111 0|a=rtpmap:111 opus/48000/2|a=rtcp-mux|a=sendrecv|a=msid:a b|a=ssrc:1234 cname:c|a=ssrc:1234 msid:a b"
	data   = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel|a=sctp-port:5000|a=max-message-size:262144"
	oldest = "m=application 9 DTLS/SCTP 5000|a=sctpmap:5000 webrtc-datachannel 1024"
	mode0  = "m=video 9 " + secure + " 98|a=rtpmap:98 H264/90000|a=fmtp:98 profile-level-id=42001f;packetization-mode=0|a=rtcp-mux|a=recvonly"
	upper  = "m=video 9 " + secure + " 98 99|a=rtpmap:98 h264/90000|a=fmtp:98 profile-level-id=42E01F;packetization-mode=1|a=rtpmap:99 RTX/90000" +
		"|a=fmtp:99 apt=98|a=rtcp-fb:* nack|a=rtcp-fb:* transport-cc|a=rtcp-mux"
	static   = "m=audio 9 " + secure + " 0 8|a=rtcp-mux|a=recvonly"
	wideband = "m=audio 9 " + secure + " 100 111|a=rtpmap:100 opus/16000|a=rtpmap:111 opus/48000/2|a=rtcp-mux|a=recvonly"
	plain    = "m=video 9 RTP/SAVPF 96|a=rtpmap:96 VP8/90000|a=rtcp:9 IN IP4 0.0.0.0|a=recvonly"
	layers   = "m=video 9 " + secure + " 96|a=rtpmap:96 VP8/90000|a=rid:h recv|a=rid:l recv|a=simulcast:recv h;l|a=rtcp-mux|a=recvonly"
	later    = "m=video 9 " + secure + " 96|a=rtpmap:96 H264/90000|a=fmtp:96 packetization-mode=1|a=rtcp-mux|a=recvonly" +
		"|a=candidate:1 1 UDP 2122252543 10.77.0.2 40000 typ host|a=candidate:2 1 TCP 1518280447 10.77.0.2 9 typ host tcptype active|a=end-of-candidates"
)

var shapes = []shape{
	{sections: []string{h264, opus}},
	{sections: []string{rtx, opus, data}},
	{sections: []string{opus, vp8}},
	{sections: []string{talk, h264, data}},
	{sections: []string{vp8}, bare: true},
	{sections: []string{h264}, session: []string{"a=ice-lite"}},
	{sections: []string{opus}},
	{sections: []string{data}},
	{sections: []string{oldest, vp8}},
	{sections: []string{h264, h264, opus}},
	{sections: []string{strings.Replace(vp8, "video 9", "video 0", 1), strings.Replace(h264, " 96", " 96 98", 1), opus}, bare: true},
	{sections: []string{mode0, opus}},
	{sections: []string{opus, upper}, session: []string{"a=recvonly"}, bare: true},
	{sections: []string{static, vp8}},
	{sections: []string{wideband, h264, data}},
	{sections: []string{plain, opus}, session: []string{"b=CT:1000", "a=tool:x"}},
	{sections: []string{layers, talk}},
	{sections: []string{opus, later}},
	{sections: []string{rtx, opus}, session: []string{"a=extmap-allow-mixed", "a=msid-semantic: WMS *", "b=AS:5000"}},
}

// text writes the offer, each section with a name of its own and bundled.
func (s shape) text() string {
	lines := []string{"v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"}
	group := "a=group:BUNDLE " + strings.Join(digits[:len(s.sections)], " ")
	lines = append(append(lines, group), s.session...)
	credentials := append(Credentials(), "a=setup:actpass")
	if s.bare {
		lines = append(lines, credentials...)
	}
	for i, section := range s.sections {
		parts := strings.Split(section, "|")
		lines = append(lines, parts[0], "c=IN IP4 0.0.0.0", "a=mid:"+digits[i])
		if !s.bare {
			lines = append(lines, credentials...)
		}
		lines = append(lines, parts[1:]...)
	}
	return strings.Join(lines, "\r\n") + "\r\n"
}
