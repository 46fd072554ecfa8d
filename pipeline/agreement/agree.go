package agreement

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"boardcast/internal/sdp"
	"boardcast/pipeline"
)

// Terms are what we bring to an agreement.
type Terms struct {
	Codecs []pipeline.Codec // that we have a picture in, the preferred first
	Sliced bool             // H.264 can also be made in slices of a packet's size
	Sound  bool             // we have sound
	OneWay bool             // nothing is taken from the peer
	Format pipeline.VideoFormat
}

// Part is one section of an agreement. Its place in the list is that of webrtcbin's section.
type Part struct {
	section int           // of the peer's offer, or of ours
	Slot    pipeline.Slot // of what we send
	Sends   bool
	Codec   pipeline.Codec // that we send
	Type    int            // payload type that we send
	TWCCID  int            // id of the extension that numbers packets, 0 for none
	Takes   []int          // payload types that the peer may send
	mid     string
}

// Agreement is what both sides of a connection send and take. Served is empty where the offer was ours. The zero value is that of a
// connection on which nothing was agreed yet.
type Agreement struct {
	Parts   []Part
	Served  []sdp.Served
	bundled bool // all goes over the transport of webrtcbin's first section
	tag     int  // the section of the peer's offer whose transport that is
}

// Place is the section in the peer's description that a candidate of one of webrtcbin's belongs to. Chromium takes those of a bundle
// only with the section that has the transport.
func (a *Agreement) Place(section int) int {
	if a.bundled {
		return a.tag
	}
	if section >= 0 && section < len(a.Served) {
		return a.Served[section].Section
	}
	return section
}

// MLine is webrtcbin's section for a candidate of a section of the peer's; -1 for none.
func (a *Agreement) MLine(section int) int {
	at := slices.IndexFunc(a.Parts, func(p Part) bool { return p.section == section })
	if a.bundled && section >= 0 {
		return 0
	}
	return at
}

// errNothing refuses an offer in which nothing can be served.
var errNothing = errors.New("no section of the offer can be served: it must take video in H264 or VP8, or sound in opus/48000/2")

// Agree decides what of an offer is served. before is the agreement on an earlier offer of the same session, whose sections keep
// their places. The error names the section and the attribute for which the picture that is asked for would not flow.
func Agree(offer sdp.Description, t Terms, before Agreement) (Agreement, error) {
	out, err := before.again(offer)
	if err != nil {
		return out, err
	}
	var video error
	for _, kind := range []string{"video", "audio", "application"} {
		for i, s := range offer.Sections {
			if s.Kind != kind || s.Rejected() || out.hasKind(offer, kind) {
				continue
			}
			p, one, err := t.serve(offer, i)
			switch {
			case err == nil:
				p.section, p.mid = i, s.Mid
				out.add(p, one)
			case !errors.Is(err, errUnserved) && video == nil:
				video = err
			}
		}
	}
	switch {
	case video != nil && !out.hasKind(offer, "video"):
		return out, video
	case len(out.Parts) == 0:
		return out, errNothing
	}
	out.bundled, out.tag = offer.Bundled(out.Served), offer.Tag(out.Served)
	return out, nil
}

// again is the agreement as a later offer of the same session has it: what was served goes on as it was.
func (a *Agreement) again(offer sdp.Description) (Agreement, error) {
	var out Agreement
	for n, p := range a.Parts {
		at := slices.IndexFunc(offer.Sections, func(s sdp.Section) bool { return s.Mid == p.mid })
		if at < 0 || offer.Sections[at].Rejected() {
			return out, fmt.Errorf("section %q, which is served, is missing: begin a new session", p.mid)
		}
		one := a.Served[n]
		for _, pt := range one.Types {
			if _, has := offer.Sections[at].Format(pt); !has {
				return out, fmt.Errorf("section %q: payload type %d, which is served, is missing: begin a new session", p.mid, pt)
			}
		}
		p.section, one.Section = at, at
		out.add(p, one)
	}
	return out, nil
}

func (a *Agreement) add(p Part, one sdp.Served) {
	a.Parts, a.Served = append(a.Parts, p), append(a.Served, one)
}

func (a *Agreement) hasKind(offer sdp.Description, kind string) bool {
	return slices.ContainsFunc(a.Served, func(one sdp.Served) bool { return offer.Sections[one.Section].Kind == kind })
}

// errUnserved tells that a section is left out without anything missing: it asks for nothing that we have.
var errUnserved = errors.New("not served")

// serve decides about section i of an offer. An error other than errUnserved tells why a picture that is asked for is not sent.
func (t Terms) serve(offer sdp.Description, i int) (Part, sdp.Served, error) {
	s := offer.Sections[i]
	switch {
	case s.Kind == "application":
		if s.SCTPPort <= 0 || s.SCTPPort > 65535 || !strings.HasSuffix(s.Proto, "/DTLS/SCTP") || !slices.Contains(s.Words, "webrtc-datachannel") {
			return Part{}, sdp.Served{}, errUnserved // of an older form, or something else
		}
		return Part{}, sdp.Served{Section: i}, nil
	case s.Direction.Receives() && s.Kind == "video" && len(t.Codecs) > 0:
		codecs := t.Codecs
		if t.Sliced && slices.Contains(codecs, pipeline.H264) {
			codecs = append(slices.Clone(codecs), pipeline.H264Slices) // the last resort
		}
		return t.send(offer, i, pipeline.VideoSlot, codecs)
	case s.Direction.Receives() && s.Kind == "audio" && t.Sound:
		if p, one, err := t.send(offer, i, pipeline.AudioSlot, []pipeline.Codec{pipeline.Opus}); err == nil {
			return p, one, nil
		}
	}
	p := Part{Takes: receivable(s)}
	if t.OneWay || !s.Direction.Sends() || len(p.Takes) == 0 {
		return Part{}, sdp.Served{}, errUnserved
	}
	f, _ := s.Format(p.Takes[0])
	params := receivedParams(f)
	return p, sdp.Served{Section: i, Types: p.Takes, Direction: sdp.RecvOnly, Given: params, Reply: params}, nil
}

// received are the codecs that the peer may send where we send nothing. What GStreamer cannot decode is not played.
var received = []string{"OPUS/48000", "PCMU/8000", "PCMA/8000", "G722/8000", "VP8/90000", "VP9/90000", "H264/90000"}

// receivable are the payload types of a section that can be taken, a few of them, and those of their retransmissions.
func receivable(s sdp.Section) []int {
	const most = 8
	var out []int
	for _, f := range s.Formats {
		name := strings.ToUpper(f.Name) + "/" + strconv.Itoa(f.Clock)
		if slices.Contains(received, name) && len(out) < most {
			out = append(out, f.Type)
		}
	}
	for _, f := range s.Formats {
		if pt, ok := f.Repeats(); ok && slices.Contains(out, pt) && len(out) < 2*most {
			out = append(out, f.Type)
		}
	}
	return out
}

// receivedParams are what the peer sends of H.264 is like, as far as it matters to whoever unpacks it.
func receivedParams(f sdp.Format) []sdp.Param {
	if mode, _ := f.Param("packetization-mode"); mode == "1" && strings.EqualFold(f.Name, pipeline.H264.EncodingName()) {
		return []sdp.Param{{Name: "packetization-mode", Value: "1"}}
	}
	return nil
}

// send finds what we send in section i: the first of our codecs that the section takes, where there is a choice under a payload type
// that is not also another section's.
func (t Terms) send(offer sdp.Description, i int, slot pipeline.Slot, codecs []pipeline.Codec) (Part, sdp.Served, error) {
	s := offer.Sections[i]
	var fits []Part
	var lacks []string
	for _, c := range codecs {
		for _, f := range s.Formats {
			if !isCodec(f, c) {
				continue
			}
			if fault := unfit(f, c); fault != "" {
				if !slices.Contains(lacks, fault) {
					lacks = append(lacks, fault)
				}
				continue
			}
			fits = append(fits, Part{Slot: slot, Sends: true, Codec: c, Type: f.Type})
		}
	}
	if len(fits) == 0 {
		if len(lacks) == 0 {
			lacks = []string{"a=rtpmap: none of " + list(codecs) + ", which could be sent"}
		}
		return Part{}, sdp.Served{}, &sdp.Misfit{Section: i, Kind: s.Kind, Text: strings.Join(lacks, "; ")}
	}
	at := max(0, slices.IndexFunc(fits, func(p Part) bool { return !offer.Ambiguous(i, p.Type) }))
	p := fits[at]
	f, _ := s.Format(p.Type)
	direction := sdp.SendRecv
	if t.OneWay {
		direction = sdp.SendOnly
	}
	direction = s.Direction.Answered(direction)
	p.TWCCID = twccID(s, f)
	if direction.Receives() {
		p.Takes = []int{f.Type}
	}
	return p, t.served(s, i, f, p, direction), nil
}

// twccID is the id of the extension that twccID the packets of a format, 0 for none. Sound is not numbered: its bitrate does not
// follow the link.
func twccID(s sdp.Section, f sdp.Format) int {
	if s.Kind != "video" || !slices.Contains(f.Feedback, "transport-cc") {
		return 0
	}
	return s.Extension(TransportCC)
}

// list is codecs by their names.
func list(codecs []pipeline.Codec) string {
	var names []string
	for _, c := range codecs {
		if name := c.EncodingName(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " and ")
}

// served says how the format is written for webrtcbin and for the peer.
func (t Terms) served(s sdp.Section, i int, f sdp.Format, p Part, direction sdp.Direction) sdp.Served {
	one := sdp.Served{Section: i, Types: []int{f.Type}, Direction: direction, Stream: streamID + " " + s.Kind}
	for _, again := range s.Formats {
		if pt, ok := again.Repeats(); ok && pt == f.Type && p.Slot == pipeline.VideoSlot {
			one.Types = append(one.Types, again.Type)
			break
		}
	}
	if p.TWCCID != 0 {
		one.Extension = sdp.Extension{ID: p.TWCCID, URI: TransportCC}
	}
	switch p.Codec {
	case pipeline.H264, pipeline.H264Slices:
		one.Given = h264Params(t.Format.ProfileLevelID(), "1", true)
		one.Reply = replyParams(f, t.Format)
	case pipeline.Opus:
		one.Given = opusParams
		one.Reply = opusParams
	}
	return one
}

// opusParams are ours, as opusPreferences has them.
var opusParams = []sdp.Param{{Name: "minptime", Value: "10"}, {Name: "useinbandfec", Value: "1"}}

// h264Params are those of H.264, in the order that browsers have; an empty mode is not named.
func h264Params(profileLevelID, mode string, asymmetry bool) []sdp.Param {
	var out []sdp.Param
	if asymmetry {
		out = append(out, sdp.Param{Name: "level-asymmetry-allowed", Value: "1"})
	}
	if mode != "" {
		out = append(out, sdp.Param{Name: "packetization-mode", Value: mode})
	}
	return append(out, sdp.Param{Name: "profile-level-id", Value: profileLevelID})
}

// replyParams answer H.264 with the profile that was offered, in the same spelling, and with our level; where the level has to be the
// same for both (RFC 6184 section 8.2.2: no level-asymmetry-allowed), with the lower one.
func replyParams(f sdp.Format, v pipeline.VideoFormat) []sdp.Param {
	const standard = "42e01f" // what is meant where nothing is said
	id, _ := f.Param("profile-level-id")
	if _, err := strconv.ParseUint(id, 16, 32); err != nil || len(id) != len(standard) {
		id = standard
	}
	mode, _ := f.Param("packetization-mode") // one of those that are served
	asymmetry, _ := f.Param("level-asymmetry-allowed")
	level := v.ProfileLevelID()[4:]
	if theirs := strings.ToLower(id[4:]); asymmetry != "1" && theirs < level {
		level = theirs
	}
	return h264Params(id[:4]+level, mode, asymmetry == "1")
}

// isCodec tells whether a format is of a codec, by all that names it.
func isCodec(f sdp.Format, c pipeline.Codec) bool {
	if c == pipeline.Opus { // with two channels (RFC 7587), which some players leave out
		return strings.EqualFold(f.Name, "opus") && f.Clock == 48000 && f.Channels <= 2
	}
	return strings.EqualFold(f.Name, c.EncodingName()) && f.Clock == 90000
}

// modes are the packetization modes that a codec is served in; nothing said means 0.
var modes = map[pipeline.Codec][]string{pipeline.H264: {"1"}, pipeline.H264Slices: {"0", ""}}

// unfit says for what a format of the codec cannot be served; empty for nothing.
func unfit(f sdp.Format, c pipeline.Codec) string {
	served := modes[c]
	if served == nil {
		return ""
	}
	mode, _ := f.Param("packetization-mode")
	id, given := f.Param("profile-level-id")
	switch {
	case given && !constrainedBaseline(id):
		return fmt.Sprintf("a=fmtp:%d: profile-level-id is not that of constrained baseline, which is sent", f.Type)
	case !slices.Contains(served, mode):
		return fmt.Sprintf("a=fmtp:%d: packetization-mode %s is not served here", f.Type, cmp.Or(mode, "0"))
	}
	return ""
}

// constrainedBaseline reports whether a decoder of the profile decodes constrained baseline: of those that a profile-level-id names
// (RFC 6184, table 5) it is the baseline profile with constraint_set1.
func constrainedBaseline(profileLevelID string) bool {
	if len(profileLevelID) < 4 || profileLevelID[:2] != "42" {
		return false
	}
	constraints, err := strconv.ParseUint(profileLevelID[2:4], 16, 8)
	return err == nil && constraints&0x40 != 0
}

// Accepted is the agreement that a peer's answer to our offer makes. given is the answer as it was made to fit, codecs are ours with the
// preferred first, and sound tells that we have sound.
func Accepted(offer, given sdp.Description, codecs []pipeline.Codec, sound bool) Agreement {
	out := Agreement{bundled: true}
	for i, s := range given.Sections {
		p := Part{section: i, mid: offer.Sections[i].Mid}
		if !s.Rejected() && s.Direction.Sends() {
			for _, f := range s.Formats {
				p.Takes = append(p.Takes, f.Type)
			}
		}
		if !s.Rejected() && s.Direction.Receives() {
			p.choose(s, codecs, sound)
		}
		out.Parts = append(out.Parts, p)
	}
	return out
}

// choose takes the first of our codecs that the section has.
func (p *Part) choose(s sdp.Section, codecs []pipeline.Codec, sound bool) {
	switch s.Kind {
	case "video":
		p.Slot = pipeline.VideoSlot
	case "audio":
		if p.Slot, codecs = pipeline.AudioSlot, nil; sound {
			codecs = []pipeline.Codec{pipeline.Opus}
		}
	default:
		return
	}
	for _, c := range codecs {
		for _, f := range s.Formats {
			if isCodec(f, c) && !p.Sends {
				p.Sends, p.Codec, p.Type = true, c, f.Type
				p.TWCCID = twccID(s, f)
			}
		}
	}
}
