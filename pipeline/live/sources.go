package live

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"boardcast/internal/sdp"
)

// A description tells by number which source is which: a media server does not guess that from what arrives, and a browser
// takes retransmissions only from a source that it knows. webrtcbin only knows the numbers when they stand in the
// preferences (there is no payloader yet while the description is made; it then writes 0, or invents one, and browsers
// show nothing), and then names those of the retransmissions beside them.

// source adds to the preferences of a slot the number that it will send under.
func (v *Viewer) source(slot Slot, preferences string) string {
	v.neg.ssrc[slot] = 1 + rand.Uint32N(1<<32-1)
	first, rest, more := strings.Cut(preferences, ";")
	first += fmt.Sprintf(",ssrc=(uint)%d", v.neg.ssrc[slot])
	if more {
		first += ";" + rest
	}
	return first
}

// nameTracks completes an offer of ours: both tracks are in one stream. 42c0 and 42e0 are the same constrained baseline (RFC 6184, table
// 5), but servers that compare the text know the one that browsers write; it goes out where the session is one-way. Chromium refuses
// sound with a source for retransmissions, so it gets none named.
func (v *Viewer) nameTracks(offer sdp.Description) {
	for i := range offer.Sections {
		s := &offer.Sections[i]
		s.Stream = streamID + " " + s.Kind
		if s.Kind == "audio" {
			s.Repair, s.Sources = [2]uint32{}, s.Sources[:min(1, len(s.Sources))]
		}
		for _, f := range s.Formats {
			for n, p := range f.Params {
				if id, ok := strings.CutPrefix(p.Value, "42c0"); ok && p.Name == "profile-level-id" && v.neg.oneWay {
					f.Params[n].Value = "42e0" + id
				}
			}
		}
	}
}

// streamID is the one stream that our tracks belong to: they are played in step.
const streamID = "boardcast"
