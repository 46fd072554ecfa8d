package whip

import (
	"regexp"
	"strings"

	"boardcast/internal/sdp"
)

// credentials are ICE passwords by user name fragment.
type credentials map[string]string

// credentialsOf are the ICE credentials in a description.
func credentialsOf(d sdp.Description) credentials {
	found := credentials{}
	for _, s := range d.Sections {
		if s.Credentials.Ufrag != "" {
			found[s.Credentials.Ufrag] = s.Credentials.Pwd
		}
	}
	return found
}

var errMalformed = sdp.ErrMalformed

var mediaLine = regexp.MustCompile(`^[a-z]+ [0-9]+(/[0-9]+)? \S+( \S+)+$`)

// iceLines are the ICE user name fragments and passwords of a text. The n-th fragment goes with the n-th password.
type iceLines struct{ ufrags, pwds []string }

// note takes one attribute of the text.
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

// withCandidates puts each ICE candidate into its section of a description.
func withCandidates(text string, candidates []sdp.Message, gathered bool) string {
	if len(text) > 0 && !strings.HasSuffix(text, "\n") {
		text += "\r\n"
	}
	var out strings.Builder
	at := -1
	flush := func() {
		found := false
		for _, c := range candidates {
			if c.Section == at {
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
