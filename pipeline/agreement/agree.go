package agreement

import (
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
	Codecs []pipeline.Codec // of our video, the preferred one first
	Sliced bool             // H.264 can also be made in slices of a packet's size
	Sound  bool             // we have sound
	OneWay bool             // nothing is taken from the peer
	Silent bool             // no sound is taken from the peer
	Unseen bool             // no video is taken from the peer in a section in which we send ours
	Format pipeline.VideoFormat
}

// takes reports whether sections of a kind may bring something in.
func (t Terms) takes(kind string) bool { return !t.OneWay && (!t.Silent || kind != "audio") }

// Part is what was agreed on one section. The parts are in the order of webrtcbin's sections.
type Part struct {
	section int            // the index of the section in the peer's offer, or in ours
	Slot    pipeline.Slot  // of what we send
	Sends   bool           // we send something
	Codec   pipeline.Codec // that we send
	Type    int            // the payload type that we send
	TWCCID  int            // the TWCC extension id, 0 for none
	Takes   []int          // the payload types that the peer may send
	mid     string
}

// Agreement is what both sides of a connection send and take. The zero value is that of a connection on which nothing was agreed yet.
type Agreement struct {
	Parts   []Part
	Served  []sdp.Served // what is written of each part into descriptions; empty where the offer was ours
	bundled bool         // all parts share the transport of webrtcbin's first section
	tag     int          // the section of the peer's offer that has this transport
}

// PeerSection translates the number of a webrtcbin section into the section number that we send to the peer with one of our ICE
// candidates. In a bundle this is always the section that has the transport: Chromium ignores those for any other section.
func (a *Agreement) PeerSection(section int) int {
	if a.bundled {
		return a.tag
	}
	if section >= 0 && section < len(a.Served) {
		return a.Served[section].Section
	}
	return section
}

// GStreamerSection is webrtcbin's section for an ICE candidate of one of the peer's sections; -1 for none.
func (a *Agreement) GStreamerSection(section int) int {
	at := slices.IndexFunc(a.Parts, func(p Part) bool { return p.section == section })
	if a.bundled && section >= 0 {
		return 0
	}
	return at
}

// errNothing refuses an offer of which no section can be served.
var errNothing = errors.New("no section of the offer can be served: it must take video in H264 or VP8, or sound in opus/48000/2")

// Agree decides which sections of an offer are served, and how. before is the agreement on an earlier offer of the same session; its
// sections keep their places. Where the offer asks for video that cannot be sent, the error names the section and the attribute that are
// the reason.
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

// again is the agreement for a later offer of the same session: what was served goes on unchanged. The error tells that the later offer
// no longer has it.
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

// add takes a part, with what is written of it into descriptions.
func (a *Agreement) add(p Part, one sdp.Served) {
	a.Parts, a.Served = append(a.Parts, p), append(a.Served, one)
}

// hasKind reports whether a section of a kind is served.
func (a *Agreement) hasKind(offer sdp.Description, kind string) bool {
	return slices.ContainsFunc(a.Served, func(one sdp.Served) bool { return offer.Sections[one.Section].Kind == kind })
}

// errUnserved tells that a section is left out and nobody misses it: it asks for nothing that we have.
var errUnserved = errors.New("not served")

// serve decides about section i of an offer. An error other than errUnserved tells why the video that the section asks for is not sent.
func (t Terms) serve(offer sdp.Description, i int) (Part, sdp.Served, error) {
	s := offer.Sections[i]
	switch {
	case s.Kind == "application":
		if s.SCTPPort <= 0 || s.SCTPPort > 65535 || !strings.HasSuffix(s.Proto, "/DTLS/SCTP") || !slices.Contains(s.Words, "webrtc-datachannel") {
			return Part{}, sdp.Served{}, errUnserved // an older form of data channels, or something else
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
	if !t.takes(s.Kind) || !s.Direction.Sends() || len(p.Takes) == 0 {
		return Part{}, sdp.Served{}, errUnserved
	}
	f, _ := s.Format(p.Takes[0])
	params := receivedParams(f)
	return p, sdp.Served{Section: i, Types: p.Takes, Direction: sdp.RecvOnly, Given: params, Reply: params}, nil
}

// received are the codecs that the peer may send in a section in which we send nothing. Where GStreamer has no decoder, they are not
// played.
var received = []string{"OPUS/48000", "PCMU/8000", "PCMA/8000", "G722/8000", "VP8/90000", "VP9/90000", "H264/90000"}

// receivable are payload types of a section that the peer may send, eight at most, and those of their retransmissions.
func receivable(s sdp.Section) []int {
	const most = 8 // payload types without those of retransmissions: more than there are names in received
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

// receivedParams are the parameters of what the peer sends, as far as GStreamer's depayloader needs them: H.264's packetization mode.
func receivedParams(f sdp.Format) []sdp.Param {
	if mode, _ := f.Param("packetization-mode"); mode == "1" && strings.EqualFold(f.Name, pipeline.H264.EncodingName()) {
		return []sdp.Param{{Name: "packetization-mode", Value: "1"}}
	}
	return nil
}

// send finds what we send in section i: the first of our codecs that the section takes. A payload type that another section has too is
// avoided if there is another one.
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
	if !t.takes(s.Kind) || t.Unseen && s.Kind == "video" {
		direction = sdp.SendOnly
	}
	direction = s.Direction.Answered(direction)
	p.TWCCID = twccID(s, f)
	if direction.Receives() {
		p.Takes = []int{f.Type}
	}
	return p, t.served(s, i, f, p, direction), nil
}

// twccID is the TWCC extension id for a format, 0 for none. Sound has none, since its bitrate does not follow the link.
func twccID(s sdp.Section, f sdp.Format) int {
	if s.Kind != "video" || !slices.Contains(f.Feedback, "transport-cc") {
		return 0
	}
	return s.Extension(TransportCC)
}

// list names codecs for a person.
func list(codecs []pipeline.Codec) string {
	var names []string
	for _, c := range codecs {
		if name := c.EncodingName(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " and ")
}

// served is how section i with the format f is written for webrtcbin and for the peer.
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

// Accepted is the agreement that a peer's answer to our offer makes. given is the answer after it was made to fit the offer, codecs are
// ours, the preferred one first, and sound tells that we have sound.
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

// choose notes the first of our codecs that the section has, which is what we send.
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
