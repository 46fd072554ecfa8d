package sdp

// Types of a description, as a [Message] has them.
const (
	TypeOffer  = "offer"
	TypeAnswer = "answer"
)

// Message is one message between a viewer, or a media server, and us while a connection is made. It is the same for every way in
// which a session begins. Exactly one of OfferRequest, Type, Candidate, Gathered and Error is set.
type Message struct {
	OfferRequest bool   // the receiver is to make the offer
	Type         string // of SDP: TypeOffer or TypeAnswer
	SDP          string // the description's text
	Candidate    string // an ICE candidate: "candidate:..."
	Section      int    // the section that Candidate belongs to, counted from 0
	Gathered     bool   // the sender has no more ICE candidates
	Error        string // why the sender refuses the receiver's description, in words for a person; the session ends
	// OneWay goes with an offer, or a request for one, that begins a session of WHEP or WHIP. We send media and receive none:
	// there is no talkback and no data channel of ours. Our description then names the SSRCs, because media servers, unlike
	// browsers, do not find them out by themselves.
	OneWay bool
}

// Opens tells whether the message can begin a session: the receiver makes an offer, or answers one.
func (m Message) Opens() bool { return m.OfferRequest || m.Type == TypeOffer }
