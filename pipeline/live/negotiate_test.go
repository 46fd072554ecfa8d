package live

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"boardcast/pipeline/media"
)

// One side makes the offers. What the other side sends that does not fit its role changes nothing, and ends no viewer.
func TestOneSideOffers(t *testing.T) {
	ask := Message{OfferRequest: true, OneWay: true}
	offer := Message{Type: "offer", SDP: sdpOf(firefoxVideo)}
	answer := Message{Type: "answer", SDP: sdpOf(chromiumVideo, opusAudio)}
	ours := []string{"media 0 at -1 sendonly", "media 1 at -1 sendonly", "open ", "offer", "local offer"}
	theirs := []string{"media 0 at 0 sendonly", "open ", "take []", "remote offer"}
	for _, c := range []struct {
		name string
		sent []Message
		want []string
	}{
		{"we are asked twice", []Message{ask, ask}, ours},
		{"two answers", []Message{ask, answer, answer}, append(slices.Clone(ours), "take []", "remote answer")},
		{"an offer crosses ours", []Message{ask, offer}, ours},
		{"we are asked after an offer", []Message{offer, ask}, theirs},
		{"an answer to nothing", []Message{answer}, []string{}},
		{"an answer after an offer", []Message{offer, answer}, theirs},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, e := startBroadcast(t, Options{})
				v, p, _ := join(t, b, e)
				for i, m := range c.sent {
					v.Receive(m)
					synctest.Wait()
					if i == 0 && m.OfferRequest {
						events(p, media.PeerEvent{Kind: media.NegotiationNeeded}, described(p, "offer"))
					}
				}
				if diff := cmp.Diff(c.want, p.Said()); diff != "" {
					t.Errorf("calls (-want +got):\n%s", diff)
				}
				select {
				case <-v.Done():
					t.Error("the viewer ended")
				default:
				}
			})
		})
	}
}
