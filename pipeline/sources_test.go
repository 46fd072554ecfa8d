package pipeline

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

func TestOutgoing(t *testing.T) {
	in := sdpOf(
		"m=video 9 UDP/TLS/RTP/SAVPF 102\r\na=sendonly\r\na=fmtp:102 profile-level-id=42c01f;packetization-mode=1\r\n"+
			"a=ssrc-group:FID 7 8\r\na=ssrc:7 msid:user@host x\r\na=ssrc:7 cname:c\r\na=ssrc:8 cname:c\r\na=mid:0\r\n",
		"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=msid:other y\r\na=mid:1\r\na=ssrc-group:FID 7 9\r\na=ssrc:7 cname:c\r\n"+
			"a=ssrc:9 cname:c\r\na=sendrecv\r\n",
		"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:2\r\na=inactive\r\n", dataSection,
	)
	want := sdpOf(
		"m=video 9 UDP/TLS/RTP/SAVPF 102\r\na=sendonly\r\na=fmtp:102 profile-level-id=42e01f;packetization-mode=1\r\n"+
			"a=ssrc-group:FID 7 8\r\na=ssrc:7 cname:c\r\na=ssrc:8 cname:c\r\na=mid:0\r\na=msid:boardcast video\r\n",
		"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\na=ssrc:7 cname:c\r\na=sendrecv\r\na=msid:boardcast audio\r\n",
		"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:2\r\na=inactive\r\n", dataSection,
	)
	if diff := cmp.Diff(want, (&Viewer{oneWay: true}).outgoing(in)); diff != "" {
		t.Errorf("one-way (-want +got):\n%s", diff)
	}
	want = strings.ReplaceAll(want, "42e0", "42c0")
	if diff := cmp.Diff(want, (&Viewer{}).outgoing(in)); diff != "" {
		t.Errorf("both ways (-want +got):\n%s", diff)
	}
}

var ssrcOf = regexp.MustCompile(`ssrc=\(uint\)([1-9][0-9]*)`)

// A one-way offer has no data channel and takes no sound; what it promises of the sources is what the payloaders do.
func TestOneWayOffers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, e := startBroadcast(t, Options{})
		v, p, box := join(t, b, e)
		v.Receive(Message{OfferRequest: true, OneWay: true})
		synctest.Wait()
		events(p, PeerEvent{Kind: NegotiationNeeded}, PeerEvent{Kind: Described, Type: "offer"},
			PeerEvent{Kind: CandidateFound, Text: "ours"}, PeerEvent{Kind: GatheringChanged, State: 1},
			PeerEvent{Kind: GatheringChanged, State: GatheringComplete})
		v.Receive(Message{Type: "answer", SDP: sdpOf(chromiumVideo, opusAudio)})
		synctest.Wait()
		events(p, PeerEvent{Kind: DescriptionSet, Index: 1})
		want := []string{
			"media 0 at -1 sendonly", "media 1 at -1 sendonly", "open ", "offer", "local offer", "remote answer",
			"attach 0 rtph264pay", "attach 1 rtpopuspay",
		}
		if diff := cmp.Diff(want, p.said()); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"offer", "ours", "gathered"}, box.all()); diff != "" {
			t.Errorf("sent (-want +got):\n%s", diff)
		}
		for slot, prefs := range p.prefs {
			first, rest, _ := strings.Cut(prefs, ";")
			number := ssrcOf.FindStringSubmatch(first)
			if number == nil || ssrcOf.MatchString(rest) {
				t.Errorf("preferences %q, want a source in the first only", prefs)
				continue
			}
			if source := fmt.Sprint(p.packets[slot].Source); source != number[1] {
				t.Errorf("source %s, want %s", source, number[1])
			}
		}
	})
}

func TestOneWayAnswers(t *testing.T) {
	cases := []struct {
		name, offer string
		want        []string // what is added
		ends        bool
	}{
		{"receives", sdpOf(opusAudio, firefoxVideo), []string{"media 1 at 0 sendonly", "media 0 at 1 sendonly"}, false},
		{
			"would send too", strings.ReplaceAll(sdpOf(firefoxVideo, opusAudio), "recvonly", "sendrecv"),
			[]string{"media 0 at 0 sendonly", "media 1 at 1 sendonly"},
			false,
		},
		{"sound alone", sdpOf(opusAudio), []string{"media 1 at 0 sendonly"}, false},
		{"no codec of ours", sdpOf(opusAudio, strings.ReplaceAll(firefoxVideo, "VP8", "AV1")), []string{"media 1 at 0 sendonly"}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, e := startBroadcast(t, Options{})
				v, p, _ := join(t, b, e)
				v.Receive(Message{Type: "offer", SDP: c.offer, OneWay: true})
				synctest.Wait()
				var got []string
				for _, word := range p.said() {
					if strings.HasPrefix(word, "media") {
						got = append(got, word)
					}
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("added (-want +got):\n%s", diff)
				}
				select {
				case <-v.Done():
					if !c.ends {
						t.Error("the viewer ended")
					}
				default:
					if c.ends {
						t.Error("a viewer without a picture goes on")
					}
				}
			})
		})
	}
}
