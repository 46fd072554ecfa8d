package live

import (
	"slices"
	"strings"

	"boardcast/internal/sdp"
	"boardcast/pipeline/agreement"
	"boardcast/pipeline/media"
	"boardcast/pipeline/media/fake"
)

// sdpOf makes a description with the given sections, as a browser's answer or offer would have them, in one bundle.
func sdpOf(sections ...string) string {
	const head = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n" +
		"a=setup:active\r\na=fingerprint:sha-256 0B:30:55:7A:9F:C4:E9:0E:33:58:7D:A2:C7:EC:11:36:5B:80:A5:CA:EF:14:39:5E:83:A8:CD:F2:17:3C:61:86\r\n"
	group := "a=group:BUNDLE"
	for _, s := range sections {
		if _, mid, ok := strings.Cut(s, "a=mid:"); ok && !strings.Contains(s, " 0 ") {
			mid, _, _ = strings.Cut(mid, "\r")
			group += " " + mid
		}
	}
	return head + group + "\r\n" + strings.Join(sections, "")
}

// answerOf is an answer to an offer of ours with video, audio and data; what is not given of these is rejected.
func answerOf(sections ...string) string {
	all := []string{noVideo, noAudio, noData}
	for i, kind := range []string{"m=video", "m=audio", "m=application"} {
		for _, s := range sections {
			if strings.HasPrefix(s, kind) {
				all[i] = s
			}
		}
	}
	return sdpOf(all...)
}

const (
	chromiumVideo = "m=video 9 UDP/TLS/RTP/SAVPF 102 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\n" +
		"a=rtpmap:102 H264/90000\r\na=fmtp:102 packetization-mode=1;profile-level-id=42c01f\r\na=rtpmap:96 VP8/90000\r\n"
	firefoxVideo = "m=video 9 UDP/TLS/RTP/SAVPF 120\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:120 VP8/90000\r\n"
	vp8Video     = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n"
	sendingVideo = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendonly\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n"
	noVideo      = "m=video 0 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=inactive\r\n"
	opusAudio    = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"
	noAudio      = "m=audio 0 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=inactive\r\n"
	dataSection  = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\na=sctp-port:5000\r\n"
	noData       = "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\n"
)

// described is the event of the description that webrtcbin would have made by now.
func described(p *fake.Peer, typ string) media.PeerEvent {
	p.Mu.Lock()
	defer p.Mu.Unlock()
	e := media.PeerEvent{Kind: media.Described, Type: typ}
	if typ == "offer" {
		e.Text = offered3
		if slices.Contains(p.Calls, "open ") {
			e.Text, _, _ = strings.Cut(strings.Replace(offered3, " 1 2", " 1", 1), "m=application")
			e.Text = strings.Replace(e.Text, "a=sendrecv", "a=sendonly", 1)
		}
		return e
	}
	d, err := sdp.Parse(p.Remote)
	if err != nil {
		panic(err) // of the test
	}
	for i := range d.Sections {
		s := &d.Sections[i]
		s.Direction, s.Setup = s.Direction.Mirrored(), "active"
	}
	e.Text = d.String()
	return e
}

// offered3 is what webrtcbin makes of our offer: video, audio and data.
var offered3 = sdpOf(
	"m=video 9 UDP/TLS/RTP/SAVPF 102 96 97\r\na=mid:0\r\na=rtcp-mux\r\na=sendonly\r\na=rtpmap:102 H264/90000\r\na=rtcp-fb:102 nack\r\n"+
		"a=rtcp-fb:102 transport-cc\r\na=fmtp:102 packetization-mode=1;profile-level-id=42c01f;level-asymmetry-allowed=1\r\n"+
		"a=extmap:3 "+agreement.TransportCC+"\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=102\r\n"+
		"a=ssrc-group:FID 7 8\r\na=ssrc:7 cname:c\r\na=ssrc:8 cname:c\r\n",
	"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\na=rtcp-mux\r\na=sendrecv\r\na=rtpmap:111 OPUS/48000/2\r\n"+
		"a=ssrc-group:FID 9 10\r\na=ssrc:9 cname:c\r\na=ssrc:10 cname:c\r\n",
	dataSection,
)
