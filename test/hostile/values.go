package hostile

import "strings"

// long is more than any line of a browser has.
var long = strings.Repeat("x", 20_000)

// What the parts of a description may become. Each list has what is right beside what is not: the wrong place for a right
// value is a mistake too.
var (
	numbers = []string{
		"0", "1", "2", "9", "13", "63", "64", "72", "95", "96", "97", "127", "128", "255", "256", "1023", "1024", "65535", "65536",
		"2147483647", "2147483648", "4294967295", "4294967296", "18446744073709551615", "18446744073709551616", "-1", "-2147483649",
		"00", "0x10", "1e9", "1.5", "+1", "", strings.Repeat("9", 400),
	}
	digits = []string{"0", "1", "2", "3", "4", "5", "6", "7"}
	names  = []string{
		"0", "1", "2", "3", "audio", "video", "video0", "audio1", "application2", "", " ", "1023", "4294967296", "18446744073709551616", "-1",
		"äöü", "\xff\xfe", "a b", "%s%n", "BUNDLE", "0 1 2", long,
	}
	words = []string{
		"", " ", "-", "- -", "a", "a b c d e f", "*", "0", "%s%s%s%n", "äöü€", "\xff\xfe\x00", "\"", "a=b;c=d", "null", "NaN", long,
		"({[<", "string", "application/x-rtp", "(uint)1", "1, 2", ";;;;", "\\", "true",
	}
	payloadTypes = []string{
		"", " ", "0", "0 0", "-1", "35", "63", "72", "96", "96 96", "97", "97 96", "101 102", "111", "127", "128", "255", "256", "4294967392",
		"*", "webrtc-datachannel", "5000", "a", "96 a 97", "96  97", strings.Repeat("96 ", 1000), "0 8 9 13", "111 96 97",
	}
	codecs = []string{
		"H264/90000", "h264/90000", "VP8/90000", "vp8/90000", "VP9/90000", "AV1/90000", "H265/90000", "rtx/90000", "RTX/90000", "red/90000",
		"red/48000/2", "ulpfec/90000", "flexfec-03/90000", "opus/48000/2", "opus/48000", "opus/16000", "OPUS/48000/2", "PCMU/8000",
		"G722/8000", "telephone-event/8000", "CN/8000", "H264/0", "H264/-1", "H264/4294967296", "VP8/1", "opus/48000/0", "opus/48000/99999",
		"H264", "/90000", "H264/", "", "H264/90000/1/2", "mp4a-latm/90000", "raw/90000", "MP2T/90000", "x/90000", long + "/90000", "rtx/8000",
	}
	parameters = []string{
		"", " ", ";", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f", "packetization-mode=0", "packetization-mode=2",
		"packetization-mode=-1", "profile-level-id=42e01f", "profile-level-id=", "profile-level-id=zzzzzz", "profile-level-id=42e01f42e01f",
		"profile-level-id=000000", "profile-level-id=ffffff", "profile-level-id=640032;packetization-mode=1", "apt=96", "apt=97", "apt=", "apt=-1",
		"apt=4294967296", "apt=97;rtx-time=0", "apt=96;rtx-time=4294967295", "sprop-parameter-sets=", "sprop-parameter-sets=Z0LAH9kA,aMuMsg==",
		"sprop-parameter-sets=!!!!", "minptime=10;useinbandfec=1", "stereo=1;sprop-stereo=1", "maxplaybackrate=0", "111/111", "96/96/96",
		"x-google-start-bitrate=99999999", "max-fr=0;max-fs=0", "max-mbps=-1", "a=b;a=b;a=c", "=", "==;==", "a", "\"", "a=\"b", "a={1,2", long,
		"payload=96", "media=video", "encoding-name=VP8", "clock-rate=0", "ssrc=1", "a-setup=active", "a-mid=0",
	}
	feedback = []string{
		"* nack", "* nack pli", "* transport-cc", "96 nack", "96 nack pli", "96 ccm fir", "96 goog-remb", "96 transport-cc", "97 nack", "96", "",
		"96 ", "* ", "-1 nack", "4294967296 nack", "96 nack rpsi", "96 trr-int 0", "96 trr-int 4294967296", "96 ack rpsi", "96 " + long,
	}
	ports     = []string{"0", "1", "9", "9/2", "9/0", "65535", "65536", "-1", "4294967296", "", "a", "0/0"}
	protocols = []string{
		"UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP", "RTP/AVPF", "RTP/AVP", "TCP/TLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVPF",
		"UDP/DTLS/SCTP", "TCP/DTLS/SCTP", "DTLS/SCTP", "UDP", "", "udp/tls/rtp/savpf", "UDP/TLS/RTP/SAVPF/", long,
	}
	kinds        = []string{"audio", "video", "application", "text", "message", "image", "Audio", "VIDEO", "", "x", long}
	directions   = []string{"sendrecv", "sendonly", "recvonly", "inactive", "SendOnly", "", "sendrecv ", "sendonly:1"}
	setups       = []string{"active", "passive", "actpass", "holdconn", "ACTIVE", "", "none", "active passive", " active"}
	fingerprints = []string{
		"", "sha-256", "sha-256 ", "sha-256 00", "sha-256 9C:", "sha-256 " + strings.TrimSuffix(strings.Repeat("9c:", 32), ":"),
		"SHA-256 " + strings.TrimSuffix(strings.Repeat("9C:", 32), ":"), "sha-1 " + strings.TrimSuffix(strings.Repeat("9C:", 20), ":"),
		"sha-512 " + strings.TrimSuffix(strings.Repeat("9C:", 64), ":"), "md5 " + strings.TrimSuffix(strings.Repeat("9C:", 16), ":"),
		"none 00", "sha-256 zz:zz", "sha-256 " + strings.Repeat("9C:", 6000), strings.TrimSuffix(strings.Repeat("9C:", 32), ":"),
	}
	secrets = []string{
		"", " ", "a", "abc", "abcd", "zwpU", "abcdefghijklmnopqrstuv", "pJy7FYzDsPRo+6NAIkdhCWSw", strings.Repeat("a", 256), strings.Repeat("a", 257),
		long, "%s%n%s%n%s%n%s%n%s%n%s%n", "äöüäöüäöüäöüäöüäöüäöü", "a b c d e f g h i j k l m n", "\xff\xff\xff\xff\xff\xff", ":::::::::::::::::::::::",
	}
	extensions = []string{
		"", "1", "0 urn:x", "1 urn:ietf:params:rtp-hdrext:sdes:mid", "14 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
		"15 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01", "1 urn:ietf:params:rtp-hdrext:ssrc-audio-level vad=on",
		"16 urn:x", "255 urn:ietf:params:rtp-hdrext:sdes:mid", "256 urn:x", "4294967297 urn:ietf:params:rtp-hdrext:sdes:mid", "-1 urn:x",
		"3/sendonly http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01", "3/ urn:x", "a urn:x", "1 " + long,
		"3 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", "4 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id", "1 ", "1  urn:x",
	}
	sources = []string{
		"", "0", "1", "1 ", "0 cname:a", "4294967295 cname:a", "4294967296 cname:a", "-1 cname:a", "a cname:a", "1 cname:", "1 cname",
		"1 cname:" + long, "1 msid:a b", "1 cname:äöü", "1 %s%n",
	}
	addresses = []string{
		"", "IN IP4 0.0.0.0", "IN IP4 127.0.0.1", "IN IP4 255.255.255.255", "IN IP4 224.0.0.1/127", "IN IP4 a.local", "IN IP6 ::", "IN IP6 ::1",
		"IN IP4", "IN", "IN IP4 999.999.999.999", "IN IP4 " + long, "IN IP4 224.2.1.1/127/4294967295", "X Y Z",
	}
	origins = []string{
		"", "-", "- 0 0 IN IP4 0.0.0.0", "- 18446744073709551616 2 IN IP4 127.0.0.1", "- a b IN IP4 127.0.0.1", "- -1 -1 IN IP4 127.0.0.1",
		"a b 1 1 IN IP4 127.0.0.1", "- 1 1 IN IP6 ::1", long, "- 1 1 IN IP4 host.example",
	}
	extras = []string{
		"a=ice-lite", "a=ice-options:trickle renomination", "a=ice-options:", "a=ice-options:" + long, "a=rtcp-mux", "a=rtcp-mux-only", "a=rtcp-rsize",
		"a=rtcp:9 IN IP4 0.0.0.0", "a=rtcp:0", "a=rtcp:99999", "a=bundle-only", "a=end-of-candidates", "a=extmap-allow-mixed",
		"a=msid-semantic: WMS *", "a=rid:h send", "a=rid:h recv pt=96", "a=rid:", "a=simulcast:recv h;m;l", "a=simulcast:send h", "a=simulcast:",
		"a=ssrc-group:FID 1 2", "a=ssrc-group:FID 1", "a=ssrc-group:FID", "a=ssrc-group:SIM 1 2 3 4", "a=ssrc-group:FID 4294967296 1",
		"a=ssrc-group:X " + strings.Repeat("1 ", 2000), "a=ssrc:1 cname:a", "a=ssrc:2 msid:a b", "a=msid:a b", "a=msid:", "a=sctpmap:5000 webrtc-datachannel 1024",
		"a=sctpmap:0 x", "a=sctp-port:5000", "a=sctp-port:0", "a=max-message-size:0", "a=fmtp:webrtc-datachannel max-message-size=100000",
		"a=inactive", "a=recvonly", "a=sendonly", "a=sendrecv", "a=mid:0", "a=mid:x", "a=setup:active", "a=setup:passive", "a=connection:new",
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj", "a=crypto:", "a=key-mgmt:mikey x", "a=tls-id:1",
		"a=framerate:0", "a=framesize:96 0-0", "a=imageattr:96 send [x=0,y=0]", "a=ptime:0", "a=maxptime:4294967296", "a=rtcp-xr:rcvr-rtt=all",
		"a=rtpmap:96 VP8/90000", "a=rtpmap:97 rtx/90000", "a=rtpmap:111 opus/48000/2", "a=fmtp:97 apt=97", "a=fmtp:96 apt=97", "a=rtcp-fb:* nack",
		"b=AS:0", "b=AS:4294967296", "b=AS:-1", "b=TIAS:18446744073709551616", "b=RR:0", "b=RS:0", "b=X:1", "b=", "b=AS", "k=clear:x", "r=1 1 1",
		"i=" + long, "u=http://a", "e=a", "p=1", "z=1 1", "t=1 0", "t=", "v=1", "s=x", "c=IN IP4 1.2.3.4", "=", "a", "a=", "x=y", "a=" + long, ":",
		"a=source-filter: incl IN IP4 * 1.2.3.4", "a=control:*", "a=range:npt=0-", "a=candidate:", "a=remote-candidates:1 1.2.3.4 1", "m=", "m=video",
		"m=video 9 UDP/TLS/RTP/SAVPF 96", "m=video 0 UDP/TLS/RTP/SAVPF 96", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
	}
	candidates = []string{
		"a=candidate:1 1 UDP 2122252543 10.77.0.2 40000 typ host", "a=candidate:1 1 udp 2122252543 0.0.0.0 0 typ host",
		"a=candidate:1 2 UDP 1 10.77.0.2 40001 typ host", "a=candidate:1 3 UDP 1 10.77.0.2 40001 typ host", "a=candidate:1 0 UDP 1 10.77.0.2 1 typ host",
		"a=candidate:1 1 TCP 1 10.77.0.2 9 typ host tcptype active", "a=candidate:1 1 TCP 1 10.77.0.2 40000 typ host tcptype passive",
		"a=candidate:1 1 TCP 1 10.77.0.2 40000 typ host tcptype so", "a=candidate:1 1 TCP 1 10.77.0.2 40000 typ host",
		"a=candidate:1 1 UDP 1 ::1 1 typ host", "a=candidate:1 1 UDP 1 fe80::1%1 1 typ host", "a=candidate:1 1 UDP 1 nobody.local 1 typ host",
		"a=candidate:1 1 UDP 1 10.77.0.2 65536 typ host", "a=candidate:1 1 UDP 4294967296 10.77.0.2 1 typ host", "a=candidate:1 1 UDP -1 10.77.0.2 1 typ host",
		"a=candidate:1 1 UDP 1 10.77.0.2 1 typ srflx raddr 0.0.0.0 rport 0", "a=candidate:1 1 UDP 1 10.77.0.2 1 typ srflx",
		"a=candidate:1 1 UDP 1 10.77.0.2 1 typ relay raddr x rport y", "a=candidate:1 1 UDP 1 10.77.0.2 1 typ x", "a=candidate:1 1 UDP 1 10.77.0.2 1 typ",
		"a=candidate:1 1 UDP 1 10.77.0.2 1", "a=candidate:1 1 UDP 1 999.1.1.1 1 typ host", "a=candidate:1 1 UDP 1 255.255.255.255 1 typ host",
		"a=candidate:1 1 UDP 1 224.0.0.1 1 typ host", "a=candidate:1 1 UDP 1 127.0.0.1 1 typ host", "a=candidate:" + long + " 1 UDP 1 10.77.0.2 1 typ host",
		"a=candidate:1 1 UDP 1 10.77.0.2 1 typ host generation 0 ufrag zwpU network-id 1 network-cost 999", "a=candidate:1 1 UDP 1 " + long + " 1 typ host",
		"a=candidate:1 1 SCTP 1 10.77.0.2 1 typ host", "a=candidate:1 1  UDP 1 10.77.0.2 1 typ host", "a=candidate: 1 1 UDP 1 10.77.0.2 1 typ host",
	}
)
