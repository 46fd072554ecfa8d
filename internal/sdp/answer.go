package sdp

import (
	"slices"
	"strconv"
	"strings"
)

// Repeats is the payload type whose packets a format of retransmissions (RTX) carries again.
func (f Format) Repeats() (pt int, ok bool) {
	text, found := f.Param("apt")
	pt, err := strconv.Atoi(text)
	return pt, found && err == nil && strings.EqualFold(f.Name, "rtx")
}

// Fit judges a peer's answer to this offer of ours, and returns the answer that webrtcbin is given: our own sections, payload types and
// parameters, as far as the peer accepts them, with the peer's transport. Fit refuses an answer whose sections are not those of the
// offer, and one whose BUNDLE group is not exactly the accepted sections: webrtcbin would go on with such an answer until an assertion
// ends the program.
func (d Description) Fit(answer Description) (Description, error) {
	if n := len(answer.Sections); n != len(d.Sections) {
		return Description{}, &Misfit{n, "answer", "m= lines: there are " + strconv.Itoa(n) + " where " + strconv.Itoa(len(d.Sections)) + " were offered"}
	}
	if err := answer.checkPlaces(d); err != nil {
		return Description{}, err
	}
	if err := answer.checkBundle(d); err != nil {
		return Description{}, err
	}
	tag := answer.firstAccepted()
	if tag < 0 {
		return Description{}, &Misfit{0, "answer", "m= lines: all are rejected"}
	}
	out := Description{Lite: answer.Lite, Bundle: d.Bundle}
	for i, s := range d.Sections {
		t, err := answer.transport(tag, tag)
		if err != nil {
			return Description{}, err
		}
		if t.Setup == "" {
			t.Setup = "active" // the default of an answer (RFC 4145)
		}
		given, err := answer.accepted(i, s)
		if err != nil {
			return Description{}, err
		}
		given.Transport = t
		out.Sections = append(out.Sections, given)
	}
	out.Bundle = slices.DeleteFunc(slices.Clone(out.Bundle), func(mid string) bool { return out.Sections[out.named(mid)].Rejected() })
	return out, nil
}

// checkPlaces refuses an answer whose sections are not in the order of the offer.
func (d Description) checkPlaces(offer Description) error {
	for i, s := range d.Sections {
		o := offer.Sections[i]
		switch {
		case s.Kind != o.Kind:
			return d.misfit(i, "m= line: %s was offered there", o.Kind)
		case s.Mid != o.Mid && !s.Unnamed:
			return d.misfit(i, "a=mid: %q was offered there", o.Mid)
		case s.Rejected():
		case s.Setup != "active" && s.Setup != "passive" && s.Setup != "":
			return d.misfit(i, "a=setup: %q is not active or passive", printable(s.Setup))
		}
	}
	return nil
}

// checkBundle refuses an answer whose BUNDLE group is not exactly the accepted sections. A single section needs no group.
func (d Description) checkBundle(offer Description) error {
	var accepted []string
	for i, s := range d.Sections {
		if !s.Rejected() {
			accepted = append(accepted, offer.Sections[i].Mid)
		}
	}
	if len(accepted) <= 1 && d.Bundle == nil {
		return nil
	}
	for _, mid := range d.Bundle {
		if !slices.Contains(accepted, mid) {
			return &Misfit{0, "answer", "a=group:BUNDLE: " + strconv.Quote(printable(mid)) + " is no accepted section, or stands twice"}
		}
		accepted = slices.DeleteFunc(accepted, func(m string) bool { return m == mid })
	}
	if len(accepted) > 0 {
		return &Misfit{0, "answer", "a=group:BUNDLE: section " + strconv.Quote(accepted[0]) + " is accepted and not in the group"}
	}
	return nil
}

func (d Description) firstAccepted() int {
	return slices.IndexFunc(d.Sections, func(s Section) bool { return !s.Rejected() })
}

// accepted is a section of our offer as far as the answer accepts it. webrtcbin takes the transport of all sections from the first one:
// a first section that is rejected stays, as inactive.
func (d Description) accepted(i int, offered Section) (Section, error) {
	s := d.Sections[i]
	out := offered
	out.Candidates, out.Gathered, out.Sending, out.BundleOnly = nil, false, Sending{}, false
	out.Port, out.Mux = MediaPort, true
	switch {
	case s.Rejected() && i > 0:
		out.Port = 0
		return out, nil
	case s.Rejected():
		out.Direction = Inactive
		return out, nil
	case offered.Kind == "application":
		return out, nil
	}
	if out.Direction = offered.Direction.Answered(s.Direction); out.Direction == Inactive && s.Direction != Inactive {
		return out, d.misfit(i, "a=%s: the offer is %s too", s.Direction, offered.Direction)
	}
	out.Formats = nil
	for _, f := range offered.Formats {
		if taken, ok := s.takes(f); ok {
			out.Formats = append(out.Formats, taken)
		}
	}
	if !slices.ContainsFunc(out.Formats, func(f Format) bool { _, again := f.Repeats(); return !again }) {
		return out, d.misfit(i, "m= line: none of the payload types that were offered is taken")
	}
	out.Extensions = slices.DeleteFunc(slices.Clone(offered.Extensions), func(e Extension) bool { return s.Extension(e.URI) != e.ID })
	if out.Direction.Sends() {
		out.Sources = anonymous(s.Sources)
	}
	return out, nil
}

// takes returns an offered format, with the kinds of feedback that the answer's section asks for. ok is false when the section does not
// accept the format.
func (r RTP) takes(f Format) (accepted Format, ok bool) {
	theirs, ok := r.Format(f.Type)
	if !ok || theirs.Name != "" && (!strings.EqualFold(theirs.Name, f.Name) || theirs.Clock != f.Clock) {
		return f, false
	}
	f.Feedback = slices.DeleteFunc(slices.Clone(f.Feedback), func(text string) bool { return !slices.Contains(theirs.Feedback, text) })
	return f, true
}
