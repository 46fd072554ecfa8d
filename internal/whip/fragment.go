package whip

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"boardcast/internal/sdp"
)

// fragment is the body of a PATCH (RFC 8840 section 9): ICE candidates, each under the mid of its section.
type fragment struct {
	credentials credentials // empty when the fragment has none
	sections    []fragmentSection
}

type fragmentSection struct {
	media      string // the m-line without "m="
	mid        string
	candidates []string // "candidate:..."
	end        bool     // no more ICE candidates follow
}

// maxCandidates is how many ICE candidates a fragment may hold, and how many sections: more than twice what is used of a session.
const maxCandidates = 64

const (
	maxCandidate = 512 // bytes of one ICE candidate: a browser's are under 200
	maxMid       = 64  // bytes of a section's name: a browser's has one or two
)

var number = regexp.MustCompile(`^[0-9]+$`)

// isCandidate reports whether the value of an attribute has the form of an ICE candidate (RFC 8839 section 5.1): foundation,
// component, transport, priority, address, port, "typ", type, and perhaps more.
func isCandidate(value string) bool {
	words := strings.Split(value, " ")
	if len(value) > maxCandidate || len(words) < 8 || slices.Contains(words, "") || !visible(value) {
		return false
	}
	return number.MatchString(words[1]) && number.MatchString(words[3]) && number.MatchString(words[5]) && words[6] == "typ"
}

// visible reports whether a text is of printable ASCII alone.
func visible(text string) bool {
	return strings.IndexFunc(text, func(c rune) bool { return c < ' ' || c > '~' }) < 0
}

func isMid(text string) bool {
	return text != "" && len(text) <= maxMid && visible(text) && !strings.Contains(text, " ")
}

// parseFragment reads a fragment. Every error wraps errMalformed. Unknown attributes are left out.
func parseFragment(text string) (fragment, error) {
	var f fragment
	lines, err := sdp.Lines(text, maxFragment)
	if err != nil {
		return f, err
	}
	var found iceLines
	total := 0
	for n, line := range lines {
		name, value, _ := strings.Cut(line, "=")
		switch {
		case name == "m" && mediaLine.MatchString(value):
			f.sections = append(f.sections, fragmentSection{media: value})
		case name == "a":
			found.note(value)
			err = f.attribute(value)
		default:
			return f, fmt.Errorf("%w: line %d", errMalformed, n+1)
		}
		if err != nil {
			return f, fmt.Errorf("%w: line %d", err, n+1)
		}
	}
	f.credentials = found.pairs()
	if len(found.ufrags) != len(found.pwds) {
		return f, fmt.Errorf("%w: ice-ufrag and ice-pwd come in pairs", errMalformed)
	}
	for _, s := range f.sections {
		if s.mid == "" {
			return f, fmt.Errorf("%w: a section without a mid", errMalformed)
		}
		total += len(s.candidates)
	}
	if total > maxCandidates || len(f.sections) > maxCandidates {
		return f, fmt.Errorf("%w: more than %d candidates", errMalformed, maxCandidates)
	}
	return f, nil
}

// attribute reads one attribute of the newest section.
func (f *fragment) attribute(value string) error {
	name, rest, _ := strings.Cut(value, ":")
	var last *fragmentSection
	if len(f.sections) > 0 {
		last = &f.sections[len(f.sections)-1]
	}
	switch {
	case name == "candidate" && last != nil && isCandidate(value):
		last.candidates = append(last.candidates, value)
	case name == "candidate":
		return errMalformed
	case name == "mid" && last != nil && isMid(rest):
		last.mid = rest
	case name == "mid":
		return errMalformed
	case name == "end-of-candidates" && last != nil:
		last.end = true
	}
	return nil
}

// String writes the fragment, with the credentials in each section.
func (f fragment) String() string {
	var out strings.Builder
	put := func(format string, args ...any) { fmt.Fprintf(&out, format+"\r\n", args...) }
	secrets := func() {
		for _, ufrag := range sortedKeys(f.credentials) {
			put("a=ice-ufrag:%s", ufrag)
			put("a=ice-pwd:%s", f.credentials[ufrag])
		}
	}
	if len(f.sections) == 0 {
		secrets()
	}
	for _, s := range f.sections {
		put("m=%s", s.media)
		put("a=mid:%s", s.mid)
		secrets()
		for _, c := range s.candidates {
			put("a=%s", c)
		}
		if s.end {
			put("a=end-of-candidates")
		}
	}
	return out.String()
}

// restarts says whether the fragment is of another ICE session than the credentials.
func (f fragment) restarts(of credentials) bool {
	for ufrag, pwd := range f.credentials {
		if current, known := of[ufrag]; !known || current != pwd {
			return true
		}
	}
	return false
}

// messages are the ICE candidates as messages to a session. A candidate of a section that the description lacks is left out.
func (f fragment) messages(d sdp.Description) []sdp.Message {
	var out []sdp.Message
	for _, s := range f.sections {
		for section, known := range d.Sections {
			if known.Mid != s.mid {
				continue
			}
			for _, c := range s.candidates {
				out = append(out, sdp.Message{Candidate: c, Section: section})
			}
			break
		}
	}
	return out
}

// fragmentOf makes a fragment of ICE candidates that came after our description was sent.
func fragmentOf(d sdp.Description, candidates []sdp.Message, end bool) fragment {
	f := fragment{credentials: credentialsOf(d)}
	for section, s := range d.Sections {
		part := fragmentSection{media: s.Media(), mid: s.Mid, end: end}
		for _, c := range candidates {
			if c.Section == section {
				part.candidates = append(part.candidates, c.Candidate)
			}
		}
		if len(part.candidates) > 0 {
			f.sections = append(f.sections, part)
		}
	}
	return f
}
