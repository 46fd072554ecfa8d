package live

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A description has to name the SSRC of each stream: a media server does not guess which is which from what arrives, and a browser
// takes retransmissions only of an SSRC that it knows. webrtcbin knows an SSRC only when it stands in the preferences, since there is
// no payloader yet while the description is made. Otherwise webrtcbin writes 0 or invents one, and browsers show nothing. With an SSRC
// in the preferences, webrtcbin also names the SSRC of the retransmissions.

// newSSRC is a random one, never 0.
func newSSRC() uint32 { return 1 + rand.Uint32N(1<<32-1) }

// withSSRC adds to preferences the SSRC that will be sent.
func withSSRC(preferences string, ssrc uint32) string {
	first, rest, more := strings.Cut(preferences, ";")
	first += fmt.Sprintf(",ssrc=(uint)%d", ssrc)
	if more {
		first += ";" + rest
	}
	return first
}
