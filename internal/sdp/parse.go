package sdp

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	pion "github.com/pion/sdp/v3"
)

// ErrMalformed is wrapped by every error about a text that is no session description.
var ErrMalformed = errors.New("malformed")

// head takes the place of a text's first lines. The origin, the name and the time of a session mean nothing to WebRTC, and honest
// players write odd ones. So those of the peer are not read.
const head = "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"

// Parse reads a description (RFC 8866). It is as patient as players need it to be: blanks at the ends of lines, empty lines, a last
// line without a line end, unknown lines and unknown attributes are no errors. Parse does not judge what the description says.
func Parse(text string) (Description, error) {
	lines, err := Lines(text, MaxBytes)
	if err != nil {
		return Description{}, err
	}
	if len(lines) == 0 || lines[0] != "v=0" {
		return Description{}, fmt.Errorf("%w: no v=0 at the beginning", ErrMalformed)
	}
	var kept strings.Builder
	kept.WriteString(head)
	for _, line := range lines[1:] {
		if line[0] == 'a' || line[0] == 'm' {
			kept.WriteString(line + "\r\n")
		}
	}
	var d pion.SessionDescription
	if err := d.UnmarshalString(kept.String()); err != nil {
		return Description{}, fmt.Errorf("%w: %s", ErrMalformed, printable(err.Error()))
	}
	switch n := len(d.MediaDescriptions); {
	case n == 0:
		return Description{}, fmt.Errorf("%w: no media section", ErrMalformed)
	case n > maxSections:
		return Description{}, fmt.Errorf("%w: %d media sections are more than %d", ErrMalformed, n, maxSections)
	}
	return read(&d)
}

// read makes values of a description whose grammar is right.
func read(d *pion.SessionDescription) (Description, error) {
	var out Description
	_, out.Lite = d.Attribute("ice-lite")
	for _, a := range d.Attributes {
		if group, ok := strings.CutPrefix(a.Value, "BUNDLE"); ok && a.Key == "group" && out.Bundle == nil {
			out.Bundle = strings.Fields(group)
		}
	}
	for i, m := range d.MediaDescriptions {
		s, err := readSection(m, d.Attributes)
		if err != nil {
			return Description{}, fmt.Errorf("section %d (%s): %w", i, printable(m.MediaName.Media), err)
		}
		out.Sections = append(out.Sections, s)
	}
	out.nameSections()
	return out, nil
}

// nameSections makes up a mid for each section without one: the section's number, as browsers do it. Where another section has that
// name, letters "m" go before the number.
func (d *Description) nameSections() {
	taken := func(mid string) bool {
		return slices.ContainsFunc(d.Sections, func(s Section) bool { return s.Mid == mid })
	}
	for i := range d.Sections {
		if d.Sections[i].Mid != "" {
			continue
		}
		mid := strconv.Itoa(i)
		for taken(mid) {
			mid = "m" + mid
		}
		d.Sections[i].Mid, d.Sections[i].Unnamed = mid, true
	}
}

// Lines cuts a text into lines of the form x=value. Blanks at the ends of lines, and empty lines, are left out. The text may be a
// whole description, or a part of one as trickle ICE sends it.
func Lines(text string, most int) ([]string, error) {
	if len(text) > most {
		return nil, fmt.Errorf("%w: %d bytes are more than %d", ErrMalformed, len(text), most)
	}
	var lines []string
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		line = strings.TrimRight(line, "\r \t")
		switch {
		case line == "":
			continue
		case len(line) < 2 || line[0] < 'a' || line[0] > 'z' || line[1] != '=':
			return nil, fmt.Errorf("%w: line %d is not of the form x=value", ErrMalformed, n)
		case strings.ContainsFunc(line, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }):
			return nil, fmt.Errorf("%w: line %d holds a control character", ErrMalformed, n)
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// printable makes a peer's text fit for an error: short, on one line, in ASCII.
func printable(text string) string {
	const most = 80 // characters: about half a line of a log
	clean := strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '?'
		}
		return c
	}, text)
	if len(clean) > most {
		clean = clean[:most] + "..."
	}
	return clean
}
