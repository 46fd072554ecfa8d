package signalling

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"
)

// Sizes beyond which a payload is refused. The largest that passes still prints in less than maxMessage bytes.
const (
	maxMessage   = 1 << 20 // bytes of one WebSocket message
	maxSDP       = 128 << 10
	maxCandidate = 4 << 10
	maxMid       = 256
	maxMLine     = 1023
	maxError     = 512 // bytes of an error's words: two lines of a screen, which is what a person reads
)

const offerRequest = "OFFER_REQUEST"

// Types of a [Description].
const (
	TypeOffer  = "offer"
	TypeAnswer = "answer"
)

// Payload is what two peers of a session say to one another; exactly one field is set.
type Payload struct {
	OfferRequest bool         // "you make the offer"
	SDP          *Description // an offer or an answer
	ICE          *Candidate   // one candidate, or the end of them
	Error        string       // why an offer or an answer is refused, in words; at most maxError bytes on the wire
}

// Description is a session description. Type is [TypeOffer] or [TypeAnswer].
type Description struct {
	Type, SDP string
}

// Candidate is an ICE candidate; an empty text means that there are no more. SDPMid is filled when a browser sent it and
// is never written: the reference peer reads the index alone.
type Candidate struct {
	Candidate     string
	SDPMLineIndex int
	SDPMid        string
}

// ErrPayload is in every error of [ParsePayload].
var ErrPayload = errors.New("not a payload")

// ParsePayload reads what a peer says inside a session: OFFER_REQUEST, {"sdp":{"type","sdp"}}, {"ice":{"candidate",
// "sdpMLineIndex"}}, the flat {"type","sdp"} and {"candidate","sdpMLineIndex"} of old pages, or ERROR and words. Members
// are found by name, others are ignored; sizes and types are checked. The error wraps [ErrPayload] and never quotes the
// text.
func ParsePayload(text string) (Payload, error) {
	if len(text) > maxMessage {
		return Payload{}, fmt.Errorf("%w: %d bytes", ErrPayload, len(text))
	}
	if strings.TrimFunc(text, isSpace) == offerRequest {
		return Payload{OfferRequest: true}, nil
	}
	if word, rest := cutWord(text); word == wordError {
		return Payload{Error: errorWords(rest)}, nil
	}
	var m struct{ SDP, ICE, Candidate json.RawMessage }
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return Payload{}, fmt.Errorf("%w: no JSON object", ErrPayload)
	}
	switch {
	case present(m.SDP) && m.SDP[0] == '"':
		return parseDescription(text)
	case present(m.SDP):
		return parseDescription(string(m.SDP))
	case m.ICE != nil:
		return parseCandidate(m.ICE)
	case present(m.Candidate):
		return parseCandidate(json.RawMessage(text))
	}
	return Payload{}, fmt.Errorf("%w: neither sdp nor ice", ErrPayload)
}

func present(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// errorWords makes one line of what may be shown to people: no control characters, maxError bytes at most, never empty.
func errorWords(text string) string {
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' { // the last two end a line as well
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, " ")))
	if text == "" {
		return "no reason given"
	}
	return strings.TrimSpace(cutText(text, maxError))
}

func parseDescription(text string) (Payload, error) {
	var d Description
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return Payload{}, fmt.Errorf("%w: sdp has a wrong type", ErrPayload)
	}
	switch {
	case d.Type != TypeOffer && d.Type != TypeAnswer:
		return Payload{}, fmt.Errorf("%w: sdp is neither offer nor answer", ErrPayload)
	case d.SDP == "":
		return Payload{}, fmt.Errorf("%w: sdp is empty", ErrPayload)
	case len(d.SDP) > maxSDP:
		return Payload{}, fmt.Errorf("%w: sdp of %d bytes", ErrPayload, len(d.SDP))
	}
	return Payload{SDP: &d}, nil
}

func parseCandidate(raw json.RawMessage) (Payload, error) {
	var c struct { // null leaves a field as it is, which is what a browser means by it
		Candidate     string
		SDPMLineIndex float64
		SDPMid        string
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return Payload{}, fmt.Errorf("%w: ice has a wrong type", ErrPayload)
	}
	switch {
	case c.SDPMLineIndex < 0 || c.SDPMLineIndex > maxMLine || c.SDPMLineIndex != math.Trunc(c.SDPMLineIndex):
		return Payload{}, fmt.Errorf("%w: sdpMLineIndex is out of range", ErrPayload)
	case len(c.Candidate) > maxCandidate || len(c.SDPMid) > maxMid:
		return Payload{}, fmt.Errorf("%w: candidate of %d bytes", ErrPayload, len(c.Candidate)+len(c.SDPMid))
	}
	return Payload{ICE: &Candidate{c.Candidate, int(c.SDPMLineIndex), c.SDPMid}}, nil
}

// String writes the payload as it goes over the wire; an empty Payload is "{}", which every peer ignores.
func (p Payload) String() string {
	type description struct {
		Type string `json:"type"`
		SDP  string `json:"sdp"`
	}
	type candidate struct {
		Candidate     string `json:"candidate"`
		SDPMLineIndex int    `json:"sdpMLineIndex"`
	}
	var out struct {
		SDP *description `json:"sdp,omitempty"`
		ICE *candidate   `json:"ice,omitempty"`
	}
	switch {
	case p.OfferRequest:
		return offerRequest
	case p.Error != "":
		return Message{Kind: KindError, Text: errorWords(p.Error)}.String()
	case p.SDP != nil:
		out.SDP = &description{p.SDP.Type, p.SDP.SDP}
	case p.ICE != nil:
		out.ICE = &candidate{p.ICE.Candidate, p.ICE.SDPMLineIndex}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil { // strings and an int always encode
		return "{}"
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// opens reports whether p begins a call: whoever gets it makes or answers an offer.
func (p Payload) opens() bool {
	return p.OfferRequest || p.SDP != nil && p.SDP.Type == TypeOffer
}
