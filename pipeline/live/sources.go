package live

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"boardcast/pipeline"
)

// A description tells by number which source is which: a media server does not guess that from what arrives, and a browser
// takes retransmissions only from a source that it knows. webrtcbin only knows the numbers when they stand in the
// preferences (there is no payloader yet while the description is made; it then writes 0, or invents one, and browsers
// show nothing), and then names those of the retransmissions beside them.

// source adds to the preferences of a slot the number that it will send under.
func (v *Viewer) source(slot pipeline.Slot, preferences string) string {
	v.neg.ssrc[slot] = 1 + rand.Uint32N(1<<32-1)
	first, rest, more := strings.Cut(preferences, ";")
	first += fmt.Sprintf(",ssrc=(uint)%d", v.neg.ssrc[slot])
	if more {
		first += ";" + rest
	}
	return first
}
