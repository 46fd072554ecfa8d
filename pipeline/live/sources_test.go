package live

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"boardcast/internal/sdp"
	"boardcast/pipeline/agreement"
	"boardcast/pipeline/media"
)

// Our offer names both tracks as one stream, before it names their SSRCs, and has no retransmissions of sound.
func TestOfferNamesTracks(t *testing.T) {
	for oneWay, baseline := range map[bool]string{true: "42e01f", false: "42c01f"} {
		offer, err := sdp.Parse(offered3)
		if err != nil {
			t.Fatal(err)
		}
		agreement.NameTracks(offer, oneWay)
		text := offer.String()
		for _, want := range []string{
			"a=msid:boardcast video\r\na=ssrc-group:FID 7 8\r\na=ssrc:7 cname:c\r\na=ssrc:8 cname:c\r\n",
			"a=msid:boardcast audio\r\na=ssrc:9 cname:c\r\nm=application", "profile-level-id=" + baseline,
		} {
			if !strings.Contains(text, want) {
				t.Errorf("one-way %t: the offer lacks %q:\n%s", oneWay, want, text)
			}
		}
	}
}

var ssrcOf = regexp.MustCompile(`ssrc=\(uint\)([1-9][0-9]*)`)

// A one-way offer has no data channel and takes no sound. The payloaders send by the SSRCs that the offer names.
func TestOneWayOffers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, e := startBroadcast(t, Options{})
		v, p, box := join(t, b, e)
		v.Receive(Message{OfferRequest: true, OneWay: true})
		synctest.Wait()
		events(p, media.PeerEvent{Kind: media.NegotiationNeeded}, described(p, "offer"),
			media.PeerEvent{Kind: media.CandidateFound, Text: "ours"}, media.PeerEvent{Kind: media.GatheringChanged, State: 1},
			media.PeerEvent{Kind: media.GatheringChanged, State: media.GatheringComplete})
		v.Receive(Message{Type: "answer", SDP: sdpOf(chromiumVideo, opusAudio)})
		synctest.Wait()
		events(p, media.PeerEvent{Kind: media.DescriptionSet, Index: 1})
		want := []string{
			"media 0 at -1 sendonly", "media 1 at -1 sendonly", "open ", "offer", "local offer", "take []", "remote answer",
			"attach 0 rtph264pay", "attach 1 rtpopuspay",
		}
		if diff := cmp.Diff(want, p.Said()); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"offer", "ours", "gathered"}, box.all()); diff != "" {
			t.Errorf("sent (-want +got):\n%s", diff)
		}
		for slot, prefs := range p.Preferences {
			first, rest, _ := strings.Cut(prefs, ";")
			number := ssrcOf.FindStringSubmatch(first)
			if number == nil || ssrcOf.MatchString(rest) {
				t.Errorf("preferences %q, want a source in the first only", prefs)
				continue
			}
			if source := fmt.Sprint(p.Packets[slot].Source); source != number[1] {
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
		{"receives", sdpOf(opusAudio, firefoxVideo), []string{"media 0 at 0 sendonly", "media 1 at 1 sendonly"}, false},
		{
			"would send too", strings.ReplaceAll(sdpOf(firefoxVideo, opusAudio), "recvonly", "sendrecv"),
			[]string{"media 0 at 0 sendonly", "media 1 at 1 sendonly"},
			false,
		},
		{"sound alone", sdpOf(opusAudio), []string{"media 1 at 0 sendonly"}, false},
		{"no codec of ours", sdpOf(opusAudio, strings.ReplaceAll(firefoxVideo, "VP8", "AV1")), nil, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, e := startBroadcast(t, Options{})
				v, p, _ := join(t, b, e)
				v.Receive(Message{Type: "offer", SDP: c.offer, OneWay: true})
				synctest.Wait()
				var got []string
				for _, word := range p.Said() {
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
