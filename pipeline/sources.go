package pipeline

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A description tells by number which source is which: a media server does not guess that from what arrives, and a browser
// takes retransmissions only from a source that it knows. webrtcbin only knows the numbers when they stand in the
// preferences (there is no payloader yet while the description is made; it then writes 0, or invents one, and browsers
// show nothing), and then names those of the retransmissions beside them.

// source adds to the preferences of a slot the number that it will send under.
func (v *Viewer) source(slot Slot, preferences string) string {
	v.ssrc[slot] = 1 + rand.Uint32N(1<<32-1)
	first, rest, more := strings.Cut(preferences, ";")
	first += fmt.Sprintf(",ssrc=(uint)%d", v.ssrc[slot])
	if more {
		first += ";" + rest
	}
	return first
}

// outgoing is a description of ours as the other side gets it: both tracks in one stream, and each section's name of it where
// standard parsers look (RFC 8830), not with the source. Chromium refuses sound with a source for retransmissions, so it
// gets none named. 42c0 and 42e0 are the same constrained baseline (RFC 6184, table 5), but servers that compare the text
// know the one that browsers write; it goes out where the session is one-way.
func (v *Viewer) outgoing(text string) string {
	baseline := "42c0"
	if v.oneWay {
		baseline = "42e0"
	}
	var out strings.Builder
	for _, part := range splitSections(text) {
		kind, _, _ := strings.Cut(strings.TrimPrefix(part, "m="), " ")
		again, _, _ := strings.Cut(after(part, "\na=ssrc-group:FID "), "\r\n") // "SOURCE RETRANSMISSIONS"
		_, again, _ = strings.Cut(again, " ")
		sends := false
		for line := range strings.Lines(part) {
			switch {
			case strings.HasPrefix(line, "a=msid:"), strings.HasPrefix(line, "a=ssrc:") && strings.Contains(line, " msid:"):
				continue
			case kind == "audio" && (strings.HasPrefix(line, "a=ssrc-group:") || strings.HasPrefix(line, "a=ssrc:"+again+" ")):
				continue
			case strings.HasPrefix(line, "a=sendonly"), strings.HasPrefix(line, "a=sendrecv"):
				sends = true
			}
			out.WriteString(strings.ReplaceAll(line, "profile-level-id=42c0", "profile-level-id="+baseline))
		}
		if sends {
			fmt.Fprintf(&out, "a=msid:%s %s\r\n", streamID, kind)
		}
	}
	return out.String()
}

// after returns what follows the first mark, "" where there is none.
func after(text, mark string) string {
	_, rest, _ := strings.Cut(text, mark)
	return rest
}

// splitSections cuts a description before each m-line: what is said of the whole session comes first.
func splitSections(text string) []string {
	parts := []string{""}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "m=") {
			parts = append(parts, "")
		}
		parts[len(parts)-1] += line
	}
	return parts
}

// streamID is the one stream that our tracks belong to: they are played in step.
const streamID = "boardcast"
