package pipeline

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// streamID is the one stream that the two tracks of a one-way session belong to: a player plays them in step.
const streamID = "boardcast"

// outgoing is a description of ours as the other side gets it.
func (v *Viewer) outgoing(text string) string {
	text = withoutSSRC(text)
	if !v.oneWay {
		return text
	}
	for slot := range v.ssrc {
		v.ssrc[slot] = 1 + rand.Uint32N(1<<32-1)
	}
	return withSources(text, v.ssrc, v.offering)
}

// fromSource makes a payloader send under the number that the description names, if it does.
func (v *Viewer) fromSource(slot Slot, payloader Graph) Graph {
	if v.ssrc[slot] == 0 {
		return payloader
	}
	const at = 1 // after the appsrc; what follows it filters
	out := slices.Clone(payloader)
	out[at].Props = append(slices.Clone(out[at].Props), Prop{"ssrc", fmt.Sprint(v.ssrc[slot])})
	return out
}

// slots are the slots by the kind of section that they go with.
var slots = map[string]Slot{"video": VideoSlot, "audio": AudioSlot}

// withSources names in each section that we send on its source and its stream. Offers ask for RTP and RTCP on one port
// too (a=rtcp-mux-only, RFC 9725 section 4.4.1); answers may not (RFC 8858 section 4.3).
func withSources(text string, ssrc [2]uint32, offer bool) string {
	var out strings.Builder
	for _, part := range splitSections(text) {
		out.WriteString(part)
		kind, _, _ := strings.Cut(strings.TrimPrefix(part, "m="), " ")
		slot, media := slots[kind]
		if !media || !strings.Contains(part, "\na=sendonly") && !strings.Contains(part, "\na=sendrecv") {
			continue
		}
		if !strings.Contains(part, "\na=msid:") {
			fmt.Fprintf(&out, "a=msid:%s %s\r\n", streamID, kind)
		}
		if offer && strings.Contains(part, "\na=rtcp-mux") {
			out.WriteString("a=rtcp-mux-only\r\n")
		}
		fmt.Fprintf(&out, "a=ssrc:%d cname:%s\r\na=ssrc:%d msid:%s %s\r\n", ssrc[slot], streamID, ssrc[slot], streamID, kind)
	}
	return out.String()
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
