package live

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"boardcast/internal/sdp"
	"boardcast/pipeline"
	"boardcast/pipeline/agreement"
	"boardcast/pipeline/media"
)

// refusals are offers of a viewer, some made after another that was served, and what the refusal names.
var refusals = []struct {
	name, first, offer string
	words              string // empty where it is served
}{
	{"one that fits", "", sdpOf(firefoxVideo, opusAudio), ""},
	{"nothing to serve", "", sdpOf(strings.ReplaceAll(opusAudio, "opus/48000/2", "PCMU/8000")), "no section"},
	{"a codec that nobody makes", "", sdpOf(strings.ReplaceAll(firefoxVideo, "VP8", "AV1")), "section 0 (video): a=rtpmap"},
	{"a profile that is not sent", "", sdpOf(strings.ReplaceAll(h264Video, "42c01f", "64001f")), "section 0 (video): a=fmtp:102: profile-level-id"},
	{"an unknown mode", "", sdpOf(strings.ReplaceAll(h264Video, "mode=1", "mode=2")), "section 0 (video): a=fmtp:102: packetization-mode 2"},
	{"mode 0", "", sdpOf(strings.ReplaceAll(h264Video, "mode=1", "mode=0")), ""},
	{"two sections of one name", "", sdpOf(firefoxVideo, strings.ReplaceAll(opusAudio, "mid:1", "mid:0")), "section 1 (audio): a=mid"},
	{"no password", "", strings.ReplaceAll(sdpOf(firefoxVideo), "a=ice-pwd", "a=x"), "section 0 (video): a=ice-pwd: missing"},
	{"a password of three characters", "", strings.ReplaceAll(sdpOf(firefoxVideo), "pwd:abcdefghijklmnopqrstuv", "pwd:abc"), "a=ice-pwd"},
	{"no fingerprint", "", strings.ReplaceAll(sdpOf(firefoxVideo), "a=fingerprint", "a=x"), "a=fingerprint: missing"},
	{"a short fingerprint", "", strings.ReplaceAll(sdpOf(firefoxVideo), ":3C:61:86", ""), "a=fingerprint"},
	{"no rtcp-mux", "", strings.ReplaceAll(sdpOf(firefoxVideo), "a=rtcp-mux", "a=x"), "a=rtcp-mux"},
	{"an unknown setup", "", strings.ReplaceAll(sdpOf(firefoxVideo), "setup:active", "setup:holdconn"), "a=setup"},
	{"bundle-only without its bundle", "", strings.ReplaceAll(sdpOf(firefoxVideo, strings.Replace(opusAudio, " 9 ", " 0 ", 1)+"a=bundle-only\r\n"), "BUNDLE 0 1", "BUNDLE 0"), "section 1 (audio): a=bundle-only"},
	{"a second offer with sound too", sdpOf(firefoxVideo), sdpOf(firefoxVideo, opusAudio), ""},
	{"a second one without what was served", sdpOf(firefoxVideo), sdpOf(opusAudio), `section "0", which is served, is missing`},
	{"a second one that rejects what was served", sdpOf(firefoxVideo, opusAudio), sdpOf(strings.Replace(firefoxVideo, " 9 ", " 0 ", 1), opusAudio), `section "0", which is served, is missing`},
	{"a second one with other credentials", sdpOf(firefoxVideo), strings.ReplaceAll(sdpOf(firefoxVideo), "ufrag:abcd", "ufrag:dcba"), "a=ice-ufrag"},
	{"a second one with another setup", sdpOf(firefoxVideo), strings.ReplaceAll(sdpOf(firefoxVideo), "setup:active", "setup:passive"), "a=setup"},
	{"a second one with another certificate", sdpOf(firefoxVideo), strings.ReplaceAll(sdpOf(firefoxVideo), "0B:30", "30:0B"), "a=fingerprint"},
	{"a second one without the bundle", sdpOf(firefoxVideo, opusAudio), strings.ReplaceAll(sdpOf(firefoxVideo, opusAudio), "a=group", "a=x"), "a=group"},
	{"a second one of other payload types", sdpOf(firefoxVideo), strings.ReplaceAll(sdpOf(firefoxVideo), "120", "121"), "payload type 120"},
}

const h264Video = "m=video 9 UDP/TLS/RTP/SAVPF 102\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:102 H264/90000\r\n" +
	"a=fmtp:102 packetization-mode=1;profile-level-id=42c01f\r\n"

// An offer that cannot be served is refused with a reason, and webrtcbin is not told of it.
func TestOffersAreRefusedInWords(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, e := startBroadcast(t, Options{})
				v, p, box := join(t, b, e)
				remotes := 1
				if c.first != "" {
					v.Receive(Message{Type: "offer", SDP: c.first})
					synctest.Wait()
					events(p, media.PeerEvent{Kind: media.DescriptionSet, Index: 1}, described(p, "answer"))
					remotes++
				}
				v.Receive(Message{Type: "offer", SDP: c.offer})
				synctest.Wait()
				said := box.all()
				got := strings.Count(strings.Join(p.Said(), "\n"), "remote offer")
				switch {
				case c.words == "" && got != remotes:
					t.Errorf("webrtcbin heard %d offers, want %d; said %q", got, remotes, said)
				case c.words != "" && (got != remotes-1 || len(said) == 0 || !strings.Contains(said[len(said)-1], c.words)):
					t.Errorf("webrtcbin heard %d offers, want %d; said %q, want %q", got, remotes-1, said, c.words)
				}
			})
		})
	}
}

// misfits are answers to an offer of video, audio and data, and what the refusal names.
var misfits = []struct{ name, answer, words string }{
	{"one that fits", answerOf(chromiumVideo, opusAudio, dataSection), ""},
	{"no setup, which means active", strings.Replace(answerOf(chromiumVideo, opusAudio, dataSection), "a=setup:active", "a=x", 1), ""},
	{"a group that leaves a section out", strings.Replace(answerOf(chromiumVideo, opusAudio, dataSection), "BUNDLE 0 1 2", "BUNDLE 0 2", 1), "a=group:BUNDLE"},
	{"a group that names a stranger", strings.Replace(answerOf(chromiumVideo, opusAudio, dataSection), "BUNDLE 0 1 2", "BUNDLE 0 1 2 3", 1), "a=group:BUNDLE"},
	{"a group with one section twice", strings.Replace(answerOf(chromiumVideo, opusAudio, dataSection), "BUNDLE 0 1 2", "BUNDLE 0 1 2 2", 1), "a=group:BUNDLE"},
	{"no group", strings.Replace(answerOf(chromiumVideo, opusAudio, dataSection), "a=group", "a=x", 1), "a=group:BUNDLE"},
	{"a section too few", sdpOf(chromiumVideo, opusAudio), "m= lines"},
	{"sections in another order", sdpOf(opusAudio, chromiumVideo, dataSection), "section 0 (audio): m= line"},
	{"names in another order", strings.NewReplacer("mid:0", "mid:1", "mid:1", "mid:0").Replace(answerOf(chromiumVideo, opusAudio, dataSection)), "a=mid"},
	{"a huge name", strings.Replace(answerOf(chromiumVideo, opusAudio, dataSection), "a=mid:0", "a=mid:18446744073709551616", 1), "a=mid"},
	{"payload types that were not offered", answerOf(strings.NewReplacer("102", "33", "96", "34").Replace(chromiumVideo), opusAudio), "section 0 (video): m= line"},
	{"another codec under our payload types", answerOf(strings.NewReplacer("H264", "AV1", "VP8", "AV1").Replace(chromiumVideo), opusAudio), "section 0 (video): m= line"},
	{"setup as an offer has it", strings.ReplaceAll(answerOf(chromiumVideo), "setup:active", "setup:actpass"), "a=setup"},
	{"no credentials", strings.ReplaceAll(answerOf(chromiumVideo), "a=ice-ufrag", "a=x"), "a=ice-ufrag"},
	{"no fingerprint", strings.ReplaceAll(answerOf(chromiumVideo), "a=fingerprint", "a=x"), "a=fingerprint"},
	{"all rejected", answerOf(), "all are rejected"},
	{"no description", "hello", "malformed"},
}

// An answer that does not fit the offer is refused with a reason, and webrtcbin is not told of it.
func TestAnswersAreRefusedInWords(t *testing.T) {
	for _, c := range misfits {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, e := startBroadcast(t, Options{})
				v, p, box := join(t, b, e)
				v.Receive(Message{OfferRequest: true})
				synctest.Wait()
				events(p, media.PeerEvent{Kind: media.NegotiationNeeded}, described(p, "offer"))
				v.Receive(Message{Type: "answer", SDP: c.answer})
				synctest.Wait()
				said := box.all()
				heard := strings.Contains(strings.Join(p.Said(), "\n"), "remote answer")
				if last := said[len(said)-1]; heard != (c.words == "") || c.words != "" && !strings.Contains(last, c.words) {
					t.Errorf("webrtcbin heard of it: %t; said %q, want %q", heard, last, c.words)
				}
				p.Mu.Lock()
				defer p.Mu.Unlock()
				if heard && strings.Count(p.Remote, "a=setup:active\r\n") != 3 {
					t.Errorf("webrtcbin was told:\n%s", p.Remote)
				}
			})
		})
	}
}

// webrtcbin is told a description that we wrote: it holds no text of the viewer's that was not checked.
func TestNoWordOfAPeerReachesWebrtcbin(t *testing.T) {
	const mark = "x8z"
	offer := strings.NewReplacer("a=mid:0", "a=mid:"+mark, "BUNDLE 0", "BUNDLE "+mark, "s=-", "s="+mark).Replace(sdpOf(
		h264Video+"a=fmtp:102 "+mark+"=1\r\na=rtcp-fb:102 "+mark+"\r\na=extmap:5 urn:"+mark+"\r\na="+mark+":1\r\na=ssrc:7 cname:"+mark+
			"\r\na=msid:"+mark+" "+mark+"\r\na=rid:"+mark+" recv\r\nb="+mark+":1\r\ni="+mark+"\r\n", opusAudio))
	synctest.Test(t, func(t *testing.T) {
		b, e := startBroadcast(t, Options{})
		v, p, _ := join(t, b, e)
		v.Receive(Message{Type: "offer", SDP: offer})
		v.Receive(Message{Candidate: earlyCandidate + " " + mark + " " + mark})
		synctest.Wait()
		events(p, media.PeerEvent{Kind: media.DescriptionSet, Index: 1}, described(p, "answer"))
		p.Mu.Lock()
		defer p.Mu.Unlock()
		if text := p.Remote + strings.Join(p.Calls, "\n"); text == "" || strings.Contains(text, mark) {
			t.Errorf("webrtcbin was told:\n%s", text)
		}
		if _, err := sdp.Parse(p.Remote); err != nil {
			t.Error(err)
		}
	})
}

// choices are offers that are served, and what is chosen: the payload types that are sent, and the TWCC extension id.
var choices = []struct {
	name, offer          string
	video, twcc, audio   int
	codec                pipeline.Codec
	takesVideo, takesAll bool
}{
	{"our order of codecs", sdpOf(chromiumVideo, opusAudio), 102, 0, 111, pipeline.H264, false, false},
	{"the first Opus of 48 kHz", sdpOf(chromiumVideo, strings.Replace(opusAudio, " 111\r\n", " 109 111\r\na=rtpmap:109 opus/16000/2\r\n", 1)), 102, 0, 111, pipeline.H264, false, false},
	{"a payload type that no other section of the bundle has", sdpOf(chromiumVideo, strings.Replace(noAudio, " 0 UDP/TLS/RTP/SAVPF 0", " 9 UDP/TLS/RTP/SAVPF 102\r\na=rtpmap:102 telephone-event/8000", 1)), 96, 0, 0, pipeline.VP8, false, false},
	{"numbers for the picture alone", sdpOf(numbered(chromiumVideo, 102), numbered(opusAudio, 111)), 102, 5, 111, pipeline.H264, false, false},
	{"what the other side sends too", strings.ReplaceAll(sdpOf(chromiumVideo, opusAudio), "recvonly", "sendrecv"), 102, 0, 111, pipeline.H264, true, true},
	{"slices of a packet's size as the last resort", sdpOf(strings.ReplaceAll(h264Video, "packetization-mode=1;", "")), 102, 0, 0, pipeline.H264Slices, false, false},
}

// numbered is a section that asks for TWCC.
func numbered(section string, pt int) string {
	return section + fmt.Sprintf("a=rtcp-fb:%d transport-cc\r\na=extmap:5 %s\r\n", pt, agreement.TransportCC)
}

func TestAgree(t *testing.T) {
	all := agreement.Terms{Codecs: []pipeline.Codec{pipeline.H264, pipeline.VP8}, Sliced: true, Sound: true, Format: pipeline.VideoFormat{Width: 640, Height: 480, FPSNum: 30, FPSDen: 1}}
	for _, c := range choices {
		t.Run(c.name, func(t *testing.T) {
			offer, err := sdp.ParseOffer(c.offer)
			if err != nil {
				t.Fatal(err)
			}
			agreed, err := agreement.Agree(offer, all, agreement.Agreement{})
			if err != nil {
				t.Fatal(err)
			}
			var video, audio agreement.Part
			for _, p := range agreed.Parts {
				switch {
				case p.Sends && p.Slot == pipeline.VideoSlot:
					video = p
				case p.Sends:
					audio = p
				}
			}
			if video.Type != c.video || video.Codec != c.codec || video.TWCCID != c.twcc || audio.Type != c.audio || audio.TWCCID != 0 {
				t.Errorf("picture %+v, sound %+v; want %+v", video, audio, c)
			}
			if (len(video.Takes) > 0) != c.takesVideo || (len(audio.Takes) > 0) != c.takesAll {
				t.Errorf("takes %v and %v", video.Takes, audio.Takes)
			}
		})
	}
}

// A viewer that is served goes on when it sends a description that does not fit. It is ended when it sends them without end, and when it
// refuses our description itself.
func TestBadDescriptionsOfAViewer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, e := startBroadcast(t, Options{})
		v, p, box := join(t, b, e)
		v.Receive(Message{Type: "offer", SDP: sdpOf(firefoxVideo)})
		synctest.Wait()
		events(p, media.PeerEvent{Kind: media.DescriptionSet, Index: 1}, described(p, "answer"), media.PeerEvent{Kind: media.ConnectionChanged, State: media.ConnectionConnected})
		ended := func() bool {
			select {
			case <-v.Done():
				return true
			default:
				return false
			}
		}
		for n := range maxDescriptions {
			if ended() {
				t.Fatalf("a viewer that is served is ended by its bad description %d: %q", n, box.all())
			}
			v.Receive(Message{Type: "offer", SDP: "rubbish"})
			synctest.Wait()
		}
		if !ended() {
			t.Error("a viewer that sends descriptions without end goes on")
		}
	})
	synctest.Test(t, func(t *testing.T) {
		b, e := startBroadcast(t, Options{})
		v, p, _ := join(t, b, e)
		v.Receive(Message{OfferRequest: true})
		synctest.Wait()
		events(p, media.PeerEvent{Kind: media.NegotiationNeeded}, described(p, "offer"))
		v.Receive(Message{Error: "no such codec"})
		synctest.Wait()
		select {
		case <-v.Done():
		default:
			t.Error("a viewer that refuses our offer stays")
		}
	})
}
