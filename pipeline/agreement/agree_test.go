package agreement

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"boardcast/internal/sdp"
	"boardcast/pipeline"
)

const head = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\na=setup:actpass\r\n" +
	"a=fingerprint:sha-256 0B:30:55:7A:9F:C4:E9:0E:33:58:7D:A2:C7:EC:11:36:5B:80:A5:CA:EF:14:39:5E:83:A8:CD:F2:17:3C:61:86\r\n"

// Sections of offers; each names itself.
const (
	vp8 = "m=video 9 UDP/TLS/RTP/SAVPF 120\r\na=mid:v\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:120 VP8/90000\r\na=rtcp-fb:120 transport-cc\r\n" +
		"a=extmap:5 " + TransportCC + "\r\n"
	both = "m=video 9 UDP/TLS/RTP/SAVPF 120 102\r\na=mid:v\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:120 VP8/90000\r\na=rtpmap:102 H264/90000\r\n" +
		"a=fmtp:102 packetization-mode=1;profile-level-id=42e01f;level-asymmetry-allowed=1\r\n"
	whole   = "m=video 9 UDP/TLS/RTP/SAVPF 102\r\na=mid:v\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:102 H264/90000\r\na=fmtp:102 profile-level-id=42e01f\r\n"
	speaks  = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:a\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"
	calls   = "m=video 9 UDP/TLS/RTP/SAVPF 120\r\na=mid:v\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:120 VP8/90000\r\n"
	shows   = "m=video 9 UDP/TLS/RTP/SAVPF 120\r\na=mid:v\r\na=sendonly\r\na=rtcp-mux\r\na=rtpmap:120 VP8/90000\r\n"
	listens = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:a\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"
)

var ours = []pipeline.Codec{pipeline.H264, pipeline.VP8}

func parsed(t *testing.T, sections ...string) sdp.Description {
	t.Helper()
	d, err := sdp.ParseOffer(head + strings.Join(sections, ""))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// An agreement follows from an offer and from what we have, without a viewer or a connection.
func TestAgree(t *testing.T) {
	for _, c := range []struct {
		name  string
		offer []string
		terms Terms
		want  []string // of each part: codec, payload type, extension, payload types taken
	}{
		{"our preferred codec", []string{both}, Terms{Codecs: ours}, []string{"h264 102 0 []"}},
		{"the codec that it takes, numbered", []string{vp8}, Terms{Codecs: ours}, []string{"vp8 120 5 []"}},
		{"mode 0, where slices are made", []string{whole}, Terms{Codecs: ours, Sliced: true}, []string{"h264-slices 102 0 []"}},
		{"mode 0, where none are", []string{whole}, Terms{Codecs: ours}, nil},
		{"talkback", []string{vp8, speaks}, Terms{Codecs: ours, Sound: true}, []string{"vp8 120 5 []", "opus 111 0 [111]"}},
		{"one-way", []string{vp8, speaks}, Terms{Codecs: ours, Sound: true, OneWay: true}, []string{"vp8 120 5 []", "opus 111 0 []"}},
		{"talkback to a camera without sound", []string{speaks}, Terms{Codecs: ours}, []string{" 0 0 [111]"}},
		{"no talkback", []string{vp8, speaks}, Terms{Codecs: ours, Sound: true, Silent: true}, []string{"vp8 120 5 []", "opus 111 0 []"}},
		{"no talkback and no sound", []string{vp8, speaks}, Terms{Codecs: ours, Silent: true}, []string{"vp8 120 5 []"}},
		{"video both ways", []string{calls}, Terms{Codecs: ours}, []string{"vp8 120 0 [120]"}},
		{"video that nobody sees", []string{calls}, Terms{Codecs: ours, Unseen: true}, []string{"vp8 120 0 []"}},
		{"video that nobody sees, of a peer that takes none", []string{shows}, Terms{Codecs: ours, Unseen: true}, []string{" 0 0 [120]"}},
		{"sound that nobody has", []string{listens}, Terms{Codecs: ours}, nil},
		{"talkback where nothing is taken", []string{speaks}, Terms{Codecs: ours, OneWay: true}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := Agree(parsed(t, c.offer...), c.terms, Agreement{})
			if (err != nil) != (c.want == nil) {
				t.Fatal(err)
			}
			var got []string
			for _, p := range a.Parts {
				got = append(got, fmt.Sprint(string(p.Codec), " ", p.Type, " ", p.TWCCID, " ", p.Takes))
			}
			if diff := cmp.Diff(c.want, got); err == nil && diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What was agreed keeps its place in a later offer of the same session, and is refused where it is missing.
func TestAgreeAgain(t *testing.T) {
	terms := Terms{Codecs: ours, Sound: true}
	first, err := Agree(parsed(t, vp8), terms, Agreement{})
	if err != nil {
		t.Fatal(err)
	}
	second, err := Agree(parsed(t, listens, vp8), terms, first)
	if err != nil || len(second.Parts) != 2 || second.GStreamerSection(1) != 0 || second.PeerSection(0) != 1 {
		t.Errorf("%+v, %v", second, err)
	}
	if _, err := Agree(parsed(t, listens), terms, first); err == nil || !strings.Contains(err.Error(), `"v"`) {
		t.Errorf("what is served is missing: %v", err)
	}
}

// The preferences of an offer of ours name each codec once, and what a part sends is made by the payloader of its codec.
func TestPreferences(t *testing.T) {
	f := pipeline.VideoFormat{Width: 640, Height: 480, FPSNum: 30, FPSDen: 1, Bitrate: 1_500_000}
	video := VideoPreferences(ours, f)
	for _, want := range []string{"encoding-name=H264,payload=102", ";application/x-rtp,media=video,encoding-name=VP8,payload=96", "extmap-3=(string)" + TransportCC} {
		if !strings.Contains(video, want) {
			t.Errorf("preferences lack %q: %s", want, video)
		}
	}
	if sound := AudioPreferences(); !strings.Contains(sound, "payload=111") || !strings.Contains(sound, "payload=97") {
		t.Errorf("preferences of sound: %s", sound)
	}
	p := Part{Slot: pipeline.VideoSlot, Codec: pipeline.VP8, Type: 120, TWCCID: 5}
	if k := p.Packets(); k.Payloader.Factory != "rtpvp8pay" || k.Type != 120 || k.TWCCID != 5 {
		t.Errorf("%+v", k)
	}
	if got := p.Preferences(f); !strings.Contains(got, "payload=120") || !strings.Contains(got, "extmap-5=") {
		t.Errorf("preferences of a part: %s", got)
	}
}
