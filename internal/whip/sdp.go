package whip

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// description is what matters here of a session description: its sections and the credentials of its ICE session.
type description struct {
	sections    []section
	credentials credentials
}

type section struct {
	media     string // the m-line without "m="
	mid       string
	direction string // "sendrecv" unless said otherwise
}

// kind is "audio", "video" or "application".
func (s section) kind() string {
	kind, _, _ := strings.Cut(s.media, " ")
	return kind
}

// credentials are passwords by user name fragment.
type credentials map[string]string

var errMalformed = errors.New("malformed")

var (
	sdpLine   = regexp.MustCompile(`^[a-z]=[^\x00]*$`)
	mediaLine = regexp.MustCompile(`^[a-z]+ [0-9]+(/[0-9]+)? \S+( \S+)+$`)
)

// parseDescription reads a description. That it has what WebRTC needs is checked; what the media make of it is theirs.
func parseDescription(text string) (description, error) {
	var d description
	lines, err := splitLines(text)
	if err != nil {
		return d, err
	}
	if len(lines) == 0 || lines[0] != "v=0" {
		return d, fmt.Errorf("%w: no v=0 at the beginning", errMalformed)
	}
	var found iceLines
	secured := false
	for _, line := range lines {
		switch name, value, _ := strings.Cut(line, "="); name {
		case "m":
			if !mediaLine.MatchString(value) {
				return d, fmt.Errorf("%w: media line", errMalformed)
			}
			d.sections = append(d.sections, section{media: value, direction: "sendrecv"})
		case "a":
			secured = secured || strings.HasPrefix(value, "fingerprint:")
			found.note(value)
			d.attribute(value)
		}
	}
	d.credentials = found.pairs()
	switch {
	case len(d.sections) == 0:
		return d, fmt.Errorf("%w: no media section", errMalformed)
	case len(d.credentials) == 0:
		return d, fmt.Errorf("%w: no ice-ufrag and ice-pwd", errMalformed)
	case !secured:
		return d, fmt.Errorf("%w: no fingerprint", errMalformed)
	}
	return d, nil
}

// splitLines cuts a text into lines of the form x=value.
func splitLines(text string) ([]string, error) {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		if !sdpLine.MatchString(line) {
			return nil, fmt.Errorf("%w: line %d", errMalformed, len(lines)+1)
		}
		lines = append(lines, line)
	}
	return lines, nil
}

func (d *description) attribute(value string) {
	if len(d.sections) == 0 {
		return
	}
	last := &d.sections[len(d.sections)-1]
	switch name, rest, _ := strings.Cut(value, ":"); name {
	case "mid":
		last.mid = rest
	case "sendrecv", "sendonly", "recvonly", "inactive":
		last.direction = name
	}
}

// iceLines are the user name fragments and passwords of a text; the n-th of one goes with the n-th of the other.
type iceLines struct{ ufrags, pwds []string }

func (i *iceLines) note(value string) {
	switch name, rest, _ := strings.Cut(value, ":"); name {
	case "ice-ufrag":
		i.ufrags = append(i.ufrags, rest)
	case "ice-pwd":
		i.pwds = append(i.pwds, rest)
	}
}

func (i *iceLines) pairs() credentials {
	found := credentials{}
	for n := range min(len(i.ufrags), len(i.pwds)) {
		found[i.ufrags[n]] = i.pwds[n]
	}
	return found
}

// withCandidates puts each candidate into its section.
func withCandidates(text string, candidates []Message, gathered bool) string {
	if len(text) > 0 && !strings.HasSuffix(text, "\n") {
		text += "\r\n"
	}
	var out strings.Builder
	at := -1
	flush := func() {
		found := false
		for _, c := range candidates {
			if c.MLine == at {
				found = true
				out.WriteString("a=" + c.Candidate + "\r\n")
			}
		}
		if gathered && (found || at == 0) {
			out.WriteString("a=end-of-candidates\r\n")
		}
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "m=") {
			flush()
			at++
		}
		out.WriteString(line)
	}
	flush()
	return out.String()
}
