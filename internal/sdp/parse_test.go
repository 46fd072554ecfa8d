package sdp

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	top         = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
	fingerprint = "a=fingerprint:sha-256 0B:30:55:7A:9F:C4:E9:0E:33:58:7D:A2:C7:EC:11:36:5B:80:A5:CA:EF:14:39:5E:83:A8:CD:F2:17:3C:61:86\r\n"
	connect     = "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n" + fingerprint
	video       = "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n" +
		"a=rtcp-fb:96 nack\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
	audio = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\na=rtcp-mux\r\na=sendrecv\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10; useinbandfec=1 ;\r\n"
)

// texts are seeds of the fuzzing too.
var texts = []struct {
	name, text string
	wrong      string // a part of the error, empty where it is taken
}{
	{"one section", top + connect + video, ""},
	{"line feeds alone", strings.ReplaceAll(top+connect+video, "\r\n", "\n"), ""},
	{"blanks at line ends", strings.ReplaceAll(top+connect+video, "\r\n", " \t\r\n"), ""},
	{"no end of the last line", strings.TrimSuffix(top+connect+video, "\r\n"), ""},
	{"empty lines", "\r\n" + strings.ReplaceAll(top+connect+video, "\r\n", "\r\n\r\n"), ""},
	{"lines out of their order", top + "a=x\r\nb=AS:5\r\nt=1\r\no=x\r\n" + video + "b=AS:100\r\nk=prompt\r\n", ""},
	{"no origin, no time", "v=0\r\n" + video, ""},
	{"nothing", "", "no v=0"},
	{"JSON", `{"type":"offer"}`, "line 1"},
	{"byte order mark", "\ufeff" + top + video, "line 1"},
	{"carriage returns alone", strings.ReplaceAll(top+video, "\r\n", "\r"), "control character"},
	{"indented", "  v=0\r\n" + video, "line 1"},
	{"no version", strings.TrimPrefix(top, "v=0\r\n") + video, "no v=0"},
	{"no section", top + connect, "no media section"},
	{"33 sections", top + strings.Repeat(video, 33), "33 media sections"},
	{"rubbish between", top + "rubbish\r\n" + video, "line 5"},
	{"half a media line", top + "m=video 9\r\n", "malformed"},
	{"NUL", top + "a=x\x00\r\n" + video, "line 5"},
	{"a payload type twice", top + "m=video 9 UDP/TLS/RTP/SAVPF 96 96\r\n", "section 0 (video): m= line: payload type 96 stands twice"},
	{"a mid with a blank", top + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:a b\r\n", "a=mid"},
	{"a mid of 65 characters", top + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:" + strings.Repeat("x", 65) + "\r\n", "a=mid"},
	{"too long", top + video + strings.Repeat("a=x\r\n", MaxBytes/5), "more than"},
}

func TestParse(t *testing.T) {
	for _, c := range texts {
		_, err := Parse(c.text)
		if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.wrong)
		}
	}
}

func TestParseReads(t *testing.T) {
	d, err := Parse(top + "a=group:BUNDLE 0 x\r\na=ice-lite\r\na=setup:actpass\r\n" + connect + "a=sendonly\r\n" +
		strings.ReplaceAll(video, "a=recvonly\r\n", "") + "a=rtcp-fb:* transport-cc\r\na=extmap:5/recvonly urn:x attributes\r\n" +
		"a=ssrc:7 cname:peer\r\na=candidate:1 1 UDP 1 192.0.2.1 5 typ host\r\n" + strings.ReplaceAll(audio, "a=mid:1\r\n", "") +
		"m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\na=sctp-port:5000\r\na=bundle-only\r\n")
	if err != nil {
		t.Fatal(err)
	}
	certificate := Fingerprint{"sha-256", strings.TrimSpace(strings.TrimPrefix(fingerprint, "a=fingerprint:sha-256 "))}
	keys := Credentials{"abcd", "abcdefghijklmnopqrstuv"}
	c, _ := ParseCandidate("candidate:1 1 UDP 1 192.0.2.1 5 typ host")
	want := Description{Bundle: []string{"0", "x"}, Lite: true, Sections: []Section{{
		Kind: "video", Proto: mediaProto, Port: 9, Mid: "0", Direction: SendOnly,
		Transport: Transport{Setup: "actpass", Credentials: keys, Fingerprints: []Fingerprint{certificate}, Candidates: []Candidate{c}},
		RTP: RTP{
			Formats: []Format{
				{Type: 96, Name: "VP8", Clock: 90000, Channels: 1, Feedback: []string{"nack", "transport-cc"}},
				{Type: 97, Name: "rtx", Clock: 90000, Channels: 1, Params: []Param{{"apt", "96"}}, Feedback: []string{"transport-cc"}},
			},
			Extensions: []Extension{{5, "urn:x", RecvOnly}}, Mux: true,
		},
		Sending: Sending{Sources: []Source{{7, "peer"}}},
	}, {
		Kind: "audio", Proto: mediaProto, Port: 9, Mid: "1", Unnamed: true, Direction: SendRecv,
		Transport: Transport{Setup: "actpass", Credentials: keys, Fingerprints: []Fingerprint{certificate}},
		RTP: RTP{Mux: true, Formats: []Format{{
			Type: 111, Name: "opus", Clock: 48000, Channels: 2, Params: []Param{{"minptime", "10"}, {"useinbandfec", "1"}},
		}}},
	}, {
		Kind: "application", Proto: dataProto, Mid: "2", Unnamed: true, BundleOnly: true, Direction: SendOnly,
		Transport: Transport{Setup: "actpass", Credentials: keys, Fingerprints: []Fingerprint{certificate}}, SCTPPort: 5000, Words: []string{dataFormat},
	}}}
	if diff := cmp.Diff(want, d, cmp.Comparer(func(a, b Candidate) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

var candidates = []struct {
	text  string
	read  bool
	takes bool // something may be sent there
}{
	{"candidate:1 1 UDP 2015363327 192.0.2.1 50000 typ host", true, true},
	{"a=candidate:1 1 udp 2015363327 fd00::1 50000 typ srflx raddr 10.0.0.1 rport 9 generation 0 ufrag x network-id 1", true, true},
	{"candidate:2 1 TCP 1015021823 192.0.2.1 9 typ host tcptype active", true, true},
	{"candidate:2 1 tcp 1015021823 192.0.2.1 22 typ host tcptype passive", true, false},
	{"candidate:1 1 udp 1 a1b2-c3.local 50000 typ host", true, true},
	{"candidate:1 1 udp 1 127.0.0.1 50000 typ host", true, false},
	{"candidate:1 1 udp 1 ::1 50000 typ host", true, false},
	{"candidate:1 1 udp 1 ::ffff:127.0.0.1 50000 typ host", true, false},
	{"candidate:1 1 udp 1 0.0.0.0 50000 typ host", true, false},
	{"candidate:1 1 udp 1 224.0.0.251 5353 typ host", true, false},
	{"candidate:1 1 udp 1 255.255.255.255 5353 typ host", true, false},
	{"candidate:1 1 udp 1 192.0.2.1 0 typ host", true, false},
	{"candidate:1 2 UDP 2015363327 192.0.2.1 50000 typ host", false, false},
	{"candidate:1 1 UDP 2015363327 192.0.2.1 99999 typ host", false, false},
	{"candidate:1 1 UDP 99999999999 192.0.2.1 1 typ host", false, false},
	{"candidate:1 1 UDP 1 example.org 1 typ host", false, false},
	{"candidate:1 1 UDP 1 .local 1 typ host", false, false},
	{"candidate:1 1 UDP 1 x.y.local 1 typ host", false, false},
	{"candidate:1 1 UDP 1 fe80::1%eth0 1 typ host", false, false},
	{"candidate:1 1 UDP 1 192.0.2.1 1 typ home", false, false},
	{"candidate:1 1 TCP 1 192.0.2.1 1 typ host", false, false},
	{"candidate:1;2 1 UDP 1 192.0.2.1 1 typ host", false, false},
	{"candidate:", false, false},
	{"", false, false},
}

func TestCandidates(t *testing.T) {
	for _, c := range candidates {
		got, ok := ParseCandidate(c.text)
		if ok != c.read || got.Usable() != c.takes && ok {
			t.Errorf("%q: read %t, usable %t; want %t, %t", c.text, ok, got.Usable(), c.read, c.takes)
		}
		if again, _ := ParseCandidate(got.String()); ok && again != got {
			t.Errorf("%q is written as %q", c.text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range texts {
		if len(c.text) < MaxBytes/2 {
			f.Add(c.text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse(text)
		if err != nil {
			if len(err.Error()) > 300 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		fits := d.CheckOffer()
		if given, err := d.Normalise(servedAll(d)); err == nil && fits == nil {
			if _, err := Parse(given.String()); err != nil {
				t.Errorf("what is written cannot be read: %v\n%s", err, given)
			}
			if _, err := given.Fit(given); err != nil && !errors.As(err, new(*Misfit)) {
				t.Error(err)
			}
		}
	})
}

// servedAll serves all that a description has, with every payload type.
func servedAll(d Description) []Served {
	var out []Served
	for i, s := range d.Sections {
		one := Served{Section: i, Direction: SendRecv}
		for _, f := range s.Formats {
			one.Types = append(one.Types, f.Type)
		}
		out = append(out, one)
	}
	return out
}

func FuzzParseCandidate(f *testing.F) {
	for _, c := range candidates {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if c, ok := ParseCandidate(text); ok {
			if again, ok := ParseCandidate(c.String()); !ok || again != c {
				t.Errorf("%q is written as %q", text, c)
			}
		}
	})
}
