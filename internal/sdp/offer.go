package sdp

import (
	"slices"
	"strconv"
	"strings"
)

// Served says what is done with one section of a peer's offer. The order of several is the order of webrtcbin's sections; those with
// media come first, since webrtcbin takes a source that it does not know for one of its first section.
type Served struct {
	Section   int       // of the offer
	Types     []int     // payload types, the one that is sent first; none for a data channel
	Direction Direction // ours
	Given     []Param   // of the first payload type, as webrtcbin is told
	Reply     []Param   // the same, as the peer is answered
	Extension Extension // of RTP, that is used; the zero value for none
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

// Bundled tells whether all that is served may go over one transport.
func (d Description) Bundled(served []Served) bool {
	for _, one := range served {
		if !slices.Contains(d.Bundle, d.Sections[one.Section].Mid) {
			return false
		}
	}
	return len(served) > 0
}

// Tag is the section whose transport a bundle uses: the first one of the group that is served; -1 without one.
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

// Normalise is the offer as webrtcbin is told it: the served sections, under names of our own, with what is used of them alone.
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
		if t.setup == "" {
			t.setup = "actpass"
		}
		given := d.given(one)
		given.Mid = strconv.Itoa(n)
		given.Setup, given.Credentials, given.Fingerprints = t.setup, t.Credentials, []Fingerprint{t.fingerprint}
		out.Sections = append(out.Sections, given)
		if bundled {
			out.Bundle = append(out.Bundle, given.Mid)
		}
	}
	return out, nil
}

// Continues refuses a normalised offer that would have the connection of an earlier one made anew: webrtcbin can do no such thing.
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

// given is what webrtcbin is told of a section besides its transport.
func (d Description) given(one Served) Section {
	s := d.Sections[one.Section]
	out := Section{Kind: s.Kind, Port: MediaPort, Mux: true, Direction: one.Direction.Mirrored()}
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
			f.Channels = 2 // there is no other Opus (RFC 7587), whatever a player writes
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
		out.Sources = ours(s.Sources)
	}
	return out
}

// Names of protocols and formats, as browsers have them.
const (
	mediaProto = "UDP/TLS/RTP/SAVPF"
	dataProto  = "UDP/DTLS/SCTP"
	dataFormat = "webrtc-datachannel"
)

// feedbacks are the kinds of feedback that mean something here.
var feedbacks = []string{"nack", "nack pli", "ccm fir", "transport-cc"}

// known keeps of a section's feedback what means something here. Reports on what arrived are of use with numbers alone.
func known(feedback []string, numbers Extension) []string {
	return slices.DeleteFunc(slices.Clone(feedback), func(text string) bool {
		return !slices.Contains(feedbacks, text) || text == "transport-cc" && numbers.ID == 0
	})
}

// repairs keeps of a format's parameters the payload type that it repeats.
func repairs(f Format) []Param {
	if apt, ok := f.Repeats(); ok {
		return []Param{{"apt", strconv.Itoa(apt)}}
	}
	return nil
}

// ours renames the owner of sources.
func ours(all []Source) []Source {
	out := slices.Clone(all)
	for i := range out {
		out[i].CNAME = "peer"
	}
	return out
}

// Answer is what the peer is answered: its own sections in its order, those that are served as webrtcbin made them, the rest
// rejected. made is webrtcbin's answer to the normalised offer.
func (d Description) Answer(served []Served, made Description) (Description, error) {
	var out Description
	for i, s := range d.Sections {
		reply := Section{Kind: s.Kind, Proto: s.Proto, Mid: s.Mid, Formats: bare(s.Formats), Words: s.Words}
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

// bare are payload types without a word about them, as a rejected section has them.
func bare(all []Format) []Format {
	out := make([]Format, len(all))
	for i, f := range all {
		out[i] = Format{Type: f.Type}
	}
	return out
}

// complete gives an answer's section the names that the offer has.
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
	if s.Kind == "audio" { // Chromium refuses sound with a source for retransmissions
		s.Repair, s.Sources = [2]uint32{}, s.Sources[:min(1, len(s.Sources))]
	}
}
