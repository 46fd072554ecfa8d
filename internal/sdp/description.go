// Package sdp answers "what does a session description say, and does it fit?".
//
// A peer's text is read into values by [Parse], judged, and written anew by [Description.String], so that no word of a peer reaches
// webrtcbin or another peer. Everything that a section may inherit from the session level stands in the section afterwards. The
// package knows nothing of cameras or encoders: which codec is served is decided elsewhere and handed in.
//
//	offer, err := sdp.ParseOffer(text)      // an error names the section and the attribute at fault
//	given := offer.Normalise(served)        // what webrtcbin is told
//	answer := offer.Answer(served, made)    // what the peer is answered, from what webrtcbin made
package sdp

// Sizes beyond which a description is refused.
const (
	MaxBytes      = 128 << 10 // of a whole text; a browser's is under 20 kB
	maxSections   = 32        // webrtcbin makes something of each
	maxFormats    = 128       // as many as there are payload types
	maxMid        = 64        // bytes
	maxExtensions = 64        // header extensions of a section
	maxSources    = 4         // SSRCs of a section
)

// Description is a session description.
type Description struct {
	Session  int64 // id in the origin; 0 in what was read
	Version  int   // in the origin, which grows with each description of a session; 0 in what was read
	Sections []Section
	Bundle   []string // mids of the first BUNDLE group, nil without one
	Lite     bool     // the peer does ICE lite
}

// Section is one m-line and what belongs to it.
type Section struct {
	Kind         string // "video", "audio", "application"
	Proto        string
	Port         int
	Mid          string
	Unnamed      bool // the mid is made up: the peer wrote none
	BundleOnly   bool
	Direction    Direction
	Setup        string // "actpass", "active", "passive"; empty where nothing is said
	Credentials  Credentials
	Fingerprints []Fingerprint
	Mux          bool // RTCP goes with RTP
	MuxOnly      bool // and there is no other way (RFC 8858)
	Reduced      bool // RTCP of reduced size is taken
	Formats      []Format
	Extensions   []Extension
	Stream       string   // of a sending section: names of the stream and the track (msid)
	Sources      []Source // of a sending section
	Repair       [2]uint32
	SCTPPort     int
	Candidates   []Candidate
	Gathered     bool     // no more candidates follow
	Words        []string // formats that are no payload types, as an application section has them
}

// Credentials are those of an ICE session.
type Credentials struct{ Ufrag, Pwd string }

// Fingerprint is that of a DTLS certificate.
type Fingerprint struct{ Hash, Value string }

// Format is one payload type of a section.
type Format struct {
	Type     int
	Name     string // of the codec, as it is written; empty without rtpmap
	Clock    int    // Hz
	Channels int    // 1 unless said otherwise
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

// Source is one SSRC of a section.
type Source struct {
	SSRC  uint32
	CNAME string
}

// Rejected tells that nothing flows in the section: its port is 0, for another reason than that it is only to be bundled.
func (s Section) Rejected() bool { return s.Port == 0 && !s.BundleOnly }

// Format finds a payload type.
func (s Section) Format(pt int) (Format, bool) {
	for _, f := range s.Formats {
		if f.Type == pt {
			return f, true
		}
	}
	return Format{}, false
}

// Extension is the number of a header extension that the other side takes, 0 without. Numbers from 15 on would need headers of two
// bytes, which webrtcbin does not write.
func (s Section) Extension(uri string) int {
	const most = 14
	for _, e := range s.Extensions {
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

// Direction says who sends in a section, as its side of the description sees it.
type Direction int

// The directions.
const (
	Inactive Direction = 0
	SendOnly Direction = 1
	RecvOnly Direction = 2
	SendRecv Direction = SendOnly | RecvOnly
)

var directions = [...]string{"inactive", "sendonly", "recvonly", "sendrecv"}

// String is the direction as a description has it.
func (d Direction) String() string { return directions[d&SendRecv] }

// Sends tells that the side sends.
func (d Direction) Sends() bool { return d&SendOnly != 0 }

// Receives tells that the side receives.
func (d Direction) Receives() bool { return d&RecvOnly != 0 }

// Mirrored is the direction of a section as the other side sees it.
func (d Direction) Mirrored() Direction { return d>>1&SendOnly | d<<1&RecvOnly }

// Answered is the direction of an answer to the section, by a side that would like to do as much as wish.
func (d Direction) Answered(wish Direction) Direction {
	var out Direction
	if d.Receives() && wish.Sends() {
		out |= SendOnly
	}
	if d.Sends() && wish.Receives() {
		out |= RecvOnly
	}
	return out
}
