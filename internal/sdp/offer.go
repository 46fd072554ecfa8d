package sdp

import (
	"slices"
	"strconv"
	"strings"
)

// Served says how one section of a peer's offer is served. The order of a list of them is the order of webrtcbin's sections. Sections
// with media come first: webrtcbin takes packets of an unknown SSRC for packets of its first section.
type Served struct {
	Section   int       // the number of the section in the offer
	Types     []int     // payload types, the one that we send first; none for a data channel
	Direction Direction // ours
	Given     []Param   // parameters of the first payload type in what webrtcbin is given
	Reply     []Param   // the same in the answer to the peer
	Extension Extension // the header extension of RTP that is used; the zero value for none
	Stream    string    // names of our stream and track
}

// ParseOffer reads an offer and refuses one that contradicts itself.
func ParseOffer(text string) (Description, error) {
	d, err := Parse(text)
	if err != nil {
		return d, err
	}
	return d, d.CheckOffer()
}

// Bundled tells whether all served sections may use one transport.
func (d Description) Bundled(served []Served) bool {
	for _, one := range served {
		if !slices.Contains(d.Bundle, d.Sections[one.Section].Mid) {
			return false
		}
	}
	return len(served) > 0
}

// Tag is the section whose transport a bundle uses: the first served one of the BUNDLE group; -1 without one.
func (d Description) Tag(served []Served) int {
	for _, mid := range d.Bundle {
		for _, one := range served {
			if d.Sections[one.Section].Mid == mid {
				return one.Section
			}
		}
	}
	return -1
}

// Normalise is the offer that webrtcbin is given: the served sections alone, under names of our own, reduced to what is used of them.
func (d Description) Normalise(served []Served) (Description, error) {
	out := Description{Lite: d.Lite}
	bundled := d.Bundled(served)
	for n, one := range served {
		from := one.Section
		if bundled {
			from = d.Tag(served)
		}
		s := d.Sections[one.Section]
		if s.Port == 0 && (!bundled || len(served) == 1) {
			return out, d.misfit(one.Section, "a=bundle-only: the group of this section leaves out another that is served")
		}
		if err := d.checkServed(one.Section); err != nil {
			return out, err
		}
		t, err := d.transport(one.Section, from)
		if err != nil {
			return out, err
		}
		if t.Setup == "" {
			t.Setup = "actpass"
		}
		given := d.given(one)
		given.Mid, given.Transport = strconv.Itoa(n), t
		out.Sections = append(out.Sections, given)
		if bundled {
			out.Bundle = append(out.Bundle, given.Mid)
		}
	}
	return out, nil
}

// Continues refuses a normalised offer of a later round if it asks for another connection than the offer before: webrtcbin cannot
// replace a connection.
func (d Description) Continues(before Description) error {
	for i, was := range before.Sections {
		is := d.Sections[i]
		switch {
		case is.Credentials != was.Credentials:
			return d.misfit(i, "a=ice-ufrag: ICE is not restarted here: begin a new session")
		case !slices.Equal(is.Fingerprints, was.Fingerprints):
			return d.misfit(i, "a=fingerprint: another than before: begin a new session")
		case is.Setup != was.Setup && is.Setup != "actpass":
			return d.misfit(i, "a=setup: another than before: begin a new session")
		case is.Kind != was.Kind, slices.Contains(d.Bundle, is.Mid) != slices.Contains(before.Bundle, was.Mid):
			return d.misfit(i, "a=group:BUNDLE: another than before: begin a new session")
		}
	}
	return nil
}

// given is a served section in what webrtcbin is given, without its name and its transport.
func (d Description) given(one Served) Section {
	s := d.Sections[one.Section]
	out := Section{Kind: s.Kind, Port: MediaPort, Direction: one.Direction.Mirrored()}
	out.Mux = true
	if s.Kind == "application" {
		out.Proto, out.Words, out.SCTPPort = dataProto, []string{dataFormat}, s.SCTPPort
		return out
	}
	out.Proto = mediaProto
	for n, pt := range one.Types {
		f, _ := s.Format(pt)
		f.Feedback = known(f.Feedback, one.Extension)
		f.Params = repairs(f)
		if f.Name = strings.ToUpper(f.Name); f.Params != nil {
			f.Name = "rtx"
		}
		if f.Name == "OPUS" {
			f.Channels = 2 // Opus always has two in SDP (RFC 7587), whatever a player writes
		}
		if n == 0 {
			f.Params = one.Given
		}
		out.Formats = append(out.Formats, f)
	}
	if one.Extension.ID != 0 {
		out.Extensions = []Extension{one.Extension}
	}
	if one.Direction.Receives() {
		out.Sources = anonymous(s.Sources)
	}
	return out
}

// Names of protocols and formats, as browsers have them.
const (
	mediaProto = "UDP/TLS/RTP/SAVPF"
	dataProto  = "UDP/DTLS/SCTP"
	dataFormat = "webrtc-datachannel"
)

// feedbacks are the kinds of feedback that are used.
var feedbacks = []string{"nack", "nack pli", "ccm fir", "transport-cc"}

// known keeps the kinds of feedback that are used. TWCC feedback needs the packets to be numbered by the TWCC extension.
func known(feedback []string, twcc Extension) []string {
	return slices.DeleteFunc(slices.Clone(feedback), func(text string) bool {
		return !slices.Contains(feedbacks, text) || text == "transport-cc" && twcc.ID == 0
	})
}

// repairs keeps one parameter of a format of retransmissions: the payload type whose packets it carries again.
func repairs(f Format) []Param {
	if apt, ok := f.Repeats(); ok {
		return []Param{{"apt", strconv.Itoa(apt)}}
	}
	return nil
}

// anonymous replaces the name of the sources' owner, which a peer wrote, by one of ours.
func anonymous(all []Source) []Source {
	out := slices.Clone(all)
	for i := range out {
		out[i].CNAME = "peer"
	}
	return out
}

// Answer is the answer that the peer gets: its own sections in its own order. Served sections are as webrtcbin made them, the others
// are rejected. made is webrtcbin's answer to the normalised offer.
func (d Description) Answer(served []Served, made Description) (Description, error) {
	var out Description
	for i, s := range d.Sections {
		reply := Section{Kind: s.Kind, Proto: s.Proto, Mid: s.Mid, RTP: RTP{Formats: bare(s.Formats)}, Words: s.Words}
		if n := slices.IndexFunc(served, func(one Served) bool { return one.Section == i }); n >= 0 {
			if n >= len(made.Sections) || made.Sections[n].Rejected() {
				return out, d.misfit(i, "m= line: GStreamer does not take it")
			}
			reply = made.Sections[n]
			reply.complete(s, served[n])
		}
		out.Sections = append(out.Sections, reply)
	}
	if d.Bundled(served) {
		for _, mid := range d.Bundle {
			if i := d.named(mid); i >= 0 && !out.Sections[i].Rejected() && !slices.Contains(out.Bundle, mid) {
				out.Bundle = append(out.Bundle, mid)
			}
		}
	}
	return out, nil
}

// named finds a section by its mid; -1 without one.
func (d Description) named(mid string) int {
	return slices.IndexFunc(d.Sections, func(s Section) bool { return s.Mid == mid })
}

// bare are payload types without attributes, as a rejected section has them.
func bare(all []Format) []Format {
	out := make([]Format, len(all))
	for i, f := range all {
		out[i] = Format{Type: f.Type}
	}
	return out
}

// complete gives a section that webrtcbin made the names of the peer's offer, and the parameters that the peer is answered.
func (s *Section) complete(offered Section, one Served) {
	s.Mid, s.Proto, s.Stream, s.Mux, s.Port, s.BundleOnly = offered.Mid, offered.Proto, one.Stream, true, MediaPort, false
	if offered.Kind == "application" {
		s.Words = offered.Words
		return
	}
	for i := range s.Formats {
		f := &s.Formats[i]
		f.Feedback = known(f.Feedback, one.Extension)
		if theirs, ok := offered.Format(f.Type); ok {
			f.Channels = theirs.Channels
		}
		if i == 0 {
			f.Params = one.Reply
		}
	}
	if s.Kind == "audio" { // Chromium refuses an audio section that names an SSRC for retransmissions
		s.Repair, s.Sources = [2]uint32{}, s.Sources[:min(1, len(s.Sources))]
	}
}
