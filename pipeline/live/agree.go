package live

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

// An agreement is what both sides of a connection send and take. It is worked out from values alone: what a peer offers, or answers
// to our offer, and what we have.

// terms are what we bring to an agreement.
type terms struct {
	codecs []pipeline.Codec // that we have a picture in, the preferred first
	sliced bool             // H.264 can also be made in slices of a packet's size
	sound  bool             // we have sound
	oneWay bool             // nothing is taken from the peer
	format pipeline.VideoFormat
}

// part is one section of an agreement. Its place in the list is that of webrtcbin's section.
type part struct {
	section int  // of the peer's offer, or of ours
	slot    Slot // of what we send
	sends   bool
	codec   pipeline.Codec // that we send
	pt      int            // payload type that we send
	twcc    int            // id of the extension that numbers packets, 0 for none
	takes   []int          // payload types that the peer may send
	mid     string
}

// agreement is the whole. served is empty where the offer was ours.
type agreement struct {
	parts   []part
	served  []sdp.Served
	bundled bool // all goes over the transport of webrtcbin's first section
	tag     int  // the section of the peer's offer whose transport that is
}

// place is the section in the peer's description that a candidate of one of webrtcbin's belongs to. Chromium takes those of a bundle
// only with the section that has the transport.
func (a *agreement) place(mline int) int {
	if a.bundled {
		return a.tag
	}
	if mline >= 0 && mline < len(a.served) {
		return a.served[mline].Section
	}
	return mline
}

// mline is webrtcbin's section for a candidate of a section of the peer's; -1 for none.
func (a *agreement) mline(section int) int {
	at := slices.IndexFunc(a.parts, func(p part) bool { return p.section == section })
	if a.bundled && section >= 0 {
		return 0
	}
	return at
}

// errNothing refuses an offer in which nothing can be served.
var errNothing = errors.New("no section of the offer can be served: it must take video in H264 or VP8, or sound in opus/48000/2")

// agree decides what of an offer is served. before is the agreement on an earlier offer of the same session, whose sections keep
// their places. The error names the section and the attribute for which the picture that is asked for would not flow.
func agree(offer sdp.Description, t terms, before agreement) (agreement, error) {
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
	case len(out.parts) == 0:
		return out, errNothing
	}
	out.bundled, out.tag = offer.Bundled(out.served), offer.Tag(out.served)
	return out, nil
}

// again is the agreement as a later offer of the same session has it: what was served goes on as it was.
func (a *agreement) again(offer sdp.Description) (agreement, error) {
	var out agreement
	for n, p := range a.parts {
		at := slices.IndexFunc(offer.Sections, func(s sdp.Section) bool { return s.Mid == p.mid })
		if at < 0 || offer.Sections[at].Rejected() {
			return out, fmt.Errorf("section %q, which is served, is missing: begin a new session", p.mid)
		}
		one := a.served[n]
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

func (a *agreement) add(p part, one sdp.Served) {
	a.parts, a.served = append(a.parts, p), append(a.served, one)
}

func (a *agreement) hasKind(offer sdp.Description, kind string) bool {
	return slices.ContainsFunc(a.served, func(one sdp.Served) bool { return offer.Sections[one.Section].Kind == kind })
}

// errUnserved tells that a section is left out without anything missing: it asks for nothing that we have.
var errUnserved = errors.New("not served")

// serve decides about section i of an offer. An error other than errUnserved tells why a picture that is asked for is not sent.
func (t terms) serve(offer sdp.Description, i int) (part, sdp.Served, error) {
	s := offer.Sections[i]
	switch {
	case s.Kind == "application":
		if s.SCTPPort <= 0 || s.SCTPPort > 65535 || !strings.HasSuffix(s.Proto, "/DTLS/SCTP") || !slices.Contains(s.Words, "webrtc-datachannel") {
			return part{}, sdp.Served{}, errUnserved // of an older form, or something else
		}
		return part{}, sdp.Served{Section: i}, nil
	case s.Direction.Receives() && s.Kind == "video" && len(t.codecs) > 0:
		codecs := t.codecs
		if t.sliced && slices.Contains(codecs, pipeline.H264) {
			codecs = append(slices.Clone(codecs), pipeline.H264Slices) // the last resort
		}
		return t.send(offer, i, VideoSlot, codecs)
	case s.Direction.Receives() && s.Kind == "audio" && t.sound:
		if p, one, err := t.send(offer, i, AudioSlot, []pipeline.Codec{pipeline.Opus}); err == nil {
			return p, one, nil
		}
	}
	p := part{takes: receivable(s)}
	if t.oneWay || !s.Direction.Sends() || len(p.takes) == 0 {
		return part{}, sdp.Served{}, errUnserved
	}
	f, _ := s.Format(p.takes[0])
	params := receivedParams(f)
	return p, sdp.Served{Section: i, Types: p.takes, Direction: sdp.RecvOnly, Given: params, Reply: params}, nil
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
func (t terms) send(offer sdp.Description, i int, slot Slot, codecs []pipeline.Codec) (part, sdp.Served, error) {
	s := offer.Sections[i]
	var fits []part
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
			fits = append(fits, part{slot: slot, sends: true, codec: c, pt: f.Type})
		}
	}
	if len(fits) == 0 {
		if len(lacks) == 0 {
			lacks = []string{"a=rtpmap: none of " + list(codecs) + ", which could be sent"}
		}
		return part{}, sdp.Served{}, &sdp.Misfit{Section: i, Kind: s.Kind, Text: strings.Join(lacks, "; ")}
	}
	at := max(0, slices.IndexFunc(fits, func(p part) bool { return !offer.Ambiguous(i, p.pt) }))
	p := fits[at]
	f, _ := s.Format(p.pt)
	direction := sdp.SendRecv
	if t.oneWay {
		direction = sdp.SendOnly
	}
	direction = s.Direction.Answered(direction)
	p.twcc = numbers(s, f)
	if direction.Receives() {
		p.takes = []int{f.Type}
	}
	return p, t.served(s, i, f, p, direction), nil
}

// numbers is the id of the extension that numbers the packets of a format, 0 for none. Sound is not numbered: its bitrate does not
// follow the link.
func numbers(s sdp.Section, f sdp.Format) int {
	if s.Kind != "video" || !slices.Contains(f.Feedback, "transport-cc") {
		return 0
	}
	return s.Extension(transportCC)
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
func (t terms) served(s sdp.Section, i int, f sdp.Format, p part, direction sdp.Direction) sdp.Served {
	one := sdp.Served{Section: i, Types: []int{f.Type}, Direction: direction, Stream: streamID + " " + s.Kind}
	for _, again := range s.Formats {
		if pt, ok := again.Repeats(); ok && pt == f.Type && p.slot == VideoSlot {
			one.Types = append(one.Types, again.Type)
			break
		}
	}
	if p.twcc != 0 {
		one.Extension = sdp.Extension{ID: p.twcc, URI: transportCC}
	}
	switch p.codec {
	case pipeline.H264, pipeline.H264Slices:
		one.Given = h264Params(t.format.ProfileLevelID(), "1", true)
		one.Reply = replyParams(f, t.format)
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

// accepted is the agreement that a peer's answer to our offer makes. given is the answer as it was made to fit.
func accepted(offer, given sdp.Description, codecs []pipeline.Codec, sound bool) agreement {
	out := agreement{bundled: true}
	for i, s := range given.Sections {
		p := part{section: i, mid: offer.Sections[i].Mid}
		if !s.Rejected() && s.Direction.Sends() {
			for _, f := range s.Formats {
				p.takes = append(p.takes, f.Type)
			}
		}
		if !s.Rejected() && s.Direction.Receives() {
			p.choose(s, codecs, sound)
		}
		out.parts = append(out.parts, p)
	}
	return out
}

// choose takes the first of our codecs that the section has.
func (p *part) choose(s sdp.Section, codecs []pipeline.Codec, sound bool) {
	switch s.Kind {
	case "video":
		p.slot = VideoSlot
	case "audio":
		if p.slot, codecs = AudioSlot, nil; sound {
			codecs = []pipeline.Codec{pipeline.Opus}
		}
	default:
		return
	}
	for _, c := range codecs {
		for _, f := range s.Formats {
			if isCodec(f, c) && !p.sends {
				p.sends, p.codec, p.pt = true, c, f.Type
				p.twcc = numbers(s, f)
			}
		}
	}
}
