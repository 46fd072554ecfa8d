package hostile

import (
	"regexp"
	"slices"
	"strings"
)

// Description is a session description cut into its lines, without judging them: what comes before the first m= line, and
// one list for each section, which begins with its m= line. Lines have no ends.
type Description struct {
	Session  []string
	Sections [][]string
}

// Read cuts a text. Any text has a Description.
func Read(text string) Description {
	var d Description
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		switch last := len(d.Sections) - 1; {
		case strings.HasPrefix(line, "m="):
			d.Sections = append(d.Sections, []string{line})
		case last < 0:
			d.Session = append(d.Session, line)
		default:
			d.Sections[last] = append(d.Sections[last], line)
		}
	}
	return d
}

// Text puts the lines together again.
func (d Description) Text() string {
	var b strings.Builder
	for _, line := range slices.Concat(d.Session, slices.Concat(d.Sections...)) {
		b.WriteString(line + "\r\n")
	}
	return b.String()
}

// Values are what all attributes of that name say in a list of lines: of "mid", what follows "a=mid:".
func Values(lines []string, name string) []string {
	var out []string
	for _, line := range lines {
		if value, ok := strings.CutPrefix(line, "a="+name+":"); ok {
			out = append(out, value)
		}
	}
	return out
}

// Mids are the names of the sections, an empty one for a section that has none.
func (d Description) Mids() []string {
	out := make([]string, len(d.Sections))
	for i, lines := range d.Sections {
		if mids := Values(lines, "mid"); len(mids) > 0 {
			out[i] = mids[0]
		}
	}
	return out
}

// bundleOnly is the port of a section that is offered only within a bundle; an answer that takes it has another.
var bundleOnly = regexp.MustCompile(`^(m=\S+) 0 `)

// Answer is the nearest answer to an offer: its own text, each section turned round, with other credentials. It takes all
// that is offered.
func Answer(offer string, credentials []string) string {
	d := Read(offer)
	turned := map[string]string{"a=sendonly": "a=recvonly", "a=recvonly": "a=sendonly", "a=setup:actpass": "a=setup:active"}
	dropped := []string{"a=candidate", "a=ssrc", "a=msid:", "a=ice-ufrag", "a=ice-pwd", "a=fingerprint", "a=end-of-candidates", "a=bundle-only"}
	for i, lines := range d.Sections {
		kept := []string{bundleOnly.ReplaceAllString(lines[0], "$1 9 ")}
		for _, line := range lines[1:] {
			if other, ok := turned[line]; ok {
				line = other
			}
			if !slices.ContainsFunc(dropped, func(p string) bool { return strings.HasPrefix(line, p) }) {
				kept = append(kept, line)
			}
		}
		d.Sections[i] = append(kept, credentials...)
	}
	return d.Text()
}

// Credentials are lines of ICE and DTLS that are well-formed and belong to nobody.
func Credentials() []string {
	return []string{
		"a=ice-ufrag:zwpU", "a=ice-pwd:pJy7FYzDsPRo+6NAIkdhCWSw", "a=fingerprint:sha-256 " + strings.TrimSuffix(strings.Repeat("9C:", 32), ":"),
	}
}

// Fit gives the sections of a recorded answer the names of an offer's, in their order.
func Fit(recorded, offer string) string {
	d, mids := Read(recorded), Read(offer).Mids()
	d.Sections = d.Sections[:min(len(d.Sections), len(mids))]
	var group []string
	for i, lines := range d.Sections {
		for j, line := range lines {
			if strings.HasPrefix(line, "a=mid:") {
				lines[j] = "a=mid:" + mids[i]
			}
		}
		group = append(group, mids[i])
	}
	for i, line := range d.Session {
		if strings.HasPrefix(line, "a=group:BUNDLE") {
			d.Session[i] = "a=group:BUNDLE " + strings.Join(group, " ")
		}
	}
	return d.Text()
}
