// Package sdp answers "what does a session description say, and does it fit?".
//
// [Parse] reads a peer's text into values. The values are judged, and [Description.String] writes them anew. So no text that a
// peer wrote reaches webrtcbin or another peer. A section may inherit attributes from the session level: after reading they stand
// in the section itself. The package knows nothing of cameras or encoders: the caller decides which codec is served.
//
//	offer, err := sdp.ParseOffer(text)      // an error names the section and the attribute at fault
//	given := offer.Normalise(served)        // the offer that webrtcbin is given
//	answer := offer.Answer(served, made)    // the answer that the peer gets; made is webrtcbin's answer
//
// [Message] is what the two sides of a session say to one another: descriptions, ICE candidates and refusals.
package sdp

// Sizes beyond which a description is refused.
const (
	MaxBytes      = 128 << 10 // bytes of a whole text: a browser's is under 20 kB
	maxSections   = 32        // m-lines: webrtcbin makes something of each, and a browser's offer has three
	maxFormats    = 128       // payload types of a section: RTP has no more
	maxMid        = 64        // bytes of a mid: a browser's has one or two
	maxExtensions = 64        // header extensions of a section: a browser names some fifteen
	maxSources    = 4         // SSRCs of a section: one stream with its retransmissions has two
)

// Description is a session description.
type Description struct {
	Session  int64 // id in the origin line; 0 in a description that was read
	Version  int   // number in the origin line, which grows with each description of a session; 0 in one that was read
	Sections []Section
	Bundle   []string // mids of the first BUNDLE group, nil without one
	Lite     bool     // the peer does ICE lite
}

// Section is one m-line and what belongs to it.
type Section struct {
	Kind       string // "video", "audio", "application"
	Proto      string // of the m-line, such as "UDP/TLS/RTP/SAVPF"
	Port       int    // of the m-line; 0 in a section that is rejected
	Mid        string // the section's name
	Unnamed    bool   // the peer wrote no mid: Mid is made up
	BundleOnly bool   // the port is 0 because the section is only to flow in a bundle
	Direction  Direction
	Transport
	RTP
	Sending
	SCTPPort int      // of an application section
	Words    []string // formats of the m-line that are no payload types, as an application section has them
}

// Transport is what a section says of the connection that its packets take.
type Transport struct {
	Setup        string // which side begins with DTLS: "actpass", "active" or "passive"; empty where nothing is said
	Credentials  Credentials
	Fingerprints []Fingerprint
	Candidates   []Candidate // ICE candidates that came within the description
	Gathered     bool        // no more ICE candidates follow
}

// RTP is what a section of video or audio says of its packets.
type RTP struct {
	Formats    []Format
	Extensions []Extension
	Mux        bool // RTCP uses the transport of RTP
	MuxOnly    bool // RTCP can use no other transport (RFC 8858)
	Reduced    bool // RTCP of reduced size is accepted (RFC 5506)
}

// Sending is what a sending section says of its stream.
type Sending struct {
	Stream  string // names of the stream and the track (msid)
	Sources []Source
	Repair  [2]uint32 // SSRCs of the media and of their retransmissions; zeros for none
}

// Credentials are those of an ICE session.
type Credentials struct{ Ufrag, Pwd string }

// Fingerprint is that of a DTLS certificate.
type Fingerprint struct{ Hash, Value string }

// Format is one payload type of a section.
type Format struct {
	Type     int
	Name     string // of the codec, as the peer spells it; empty without an rtpmap line
	Clock    int    // Hz
	Channels int    // 1 unless the rtpmap line has another number
	Params   []Param
	Feedback []string // "nack", "nack pli", ...
}

// Param is one parameter of a format (fmtp). One without "=" has no value.
type Param struct{ Name, Value string }

// Extension is one header extension of RTP.
type Extension struct {
	ID        int
	URI       string
	Direction Direction
}

// Source is one SSRC of a section, with the name of its owner.
type Source struct {
	SSRC  uint32
	CNAME string
}

// Rejected tells that nothing flows in the section: its port is 0, and not because the section is only to be bundled.
func (s Section) Rejected() bool { return s.Port == 0 && !s.BundleOnly }

// Format finds a payload type.
func (r RTP) Format(pt int) (Format, bool) {
	for _, f := range r.Formats {
		if f.Type == pt {
			return f, true
		}
	}
	return Format{}, false
}

// Extension is the id of a header extension that the other side accepts, 0 when it accepts none. Ids from 15 on would need RTP
// headers of the two-byte form, which webrtcbin does not write.
func (r RTP) Extension(uri string) int {
	const most = 14
	for _, e := range r.Extensions {
		if e.URI == uri && e.ID <= most && e.Direction != Inactive {
			return e.ID
		}
	}
	return 0
}

// Param finds a parameter by its name in lower case.
func (f Format) Param(name string) (string, bool) {
	for _, p := range f.Params {
		if p.Name == name {
			return p.Value, true
		}
	}
	return "", false
}

// Direction says who sends in a section, as the side that wrote the description sees it.
type Direction int

// The directions. SendOnly and RecvOnly are bits.
const (
	Inactive Direction = 0
	SendOnly Direction = 1
	RecvOnly Direction = 2
	SendRecv Direction = SendOnly | RecvOnly
)

var directions = [...]string{"inactive", "sendonly", "recvonly", "sendrecv"}

// String is the direction as a description has it.
func (d Direction) String() string { return directions[d&SendRecv] }

// Sends tells that the side that wrote the description sends.
func (d Direction) Sends() bool { return d&SendOnly != 0 }

// Receives tells that the side that wrote the description receives.
func (d Direction) Receives() bool { return d&RecvOnly != 0 }

// Mirrored is the same direction as the other side sees it.
func (d Direction) Mirrored() Direction { return d>>1&SendOnly | d<<1&RecvOnly }

// Answered is the direction in an answer to a section of direction d. The answering side would like to do what wanted says, and
// does as much of that as the offer allows.
func (d Direction) Answered(wanted Direction) Direction {
	var out Direction
	if d.Receives() && wanted.Sends() {
		out |= SendOnly
	}
	if d.Sends() && wanted.Receives() {
		out |= RecvOnly
	}
	return out
}
