package signalling

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"

	"boardcast/internal/sdp"
)

// Sizes beyond which a payload is refused. The largest permitted payload is still shorter than maxMessage when it is written.
const (
	maxMessage   = 1 << 20   // bytes of one WebSocket message: the reference server's limit
	maxSDP       = 128 << 10 // bytes of a description: a browser's is under 20 kB
	maxCandidate = 4 << 10   // bytes of an ICE candidate: a browser's is under 200
	maxMid       = 256       // bytes of a section's name: a browser's has one or two
	maxMLine     = 1023      // number of a section: far more than a description may have
	maxError     = 512       // bytes of an error's words: two lines on a screen, which a person reads
)

const offerRequest = "OFFER_REQUEST"

// ErrPayload is wrapped by every error of [ParsePayload].
var ErrPayload = errors.New("not a payload")

// ParsePayload reads what a peer says inside a session, in any of the forms that peers of this protocol use:
//
//	OFFER_REQUEST
//	{"sdp":{"type","sdp"}}                   or {"type","sdp"}, of old pages
//	{"ice":{"candidate","sdpMLineIndex"}}    or {"candidate","sdpMLineIndex"}, of old pages
//	ERROR and words
//
// An empty ICE candidate means that no more follow. JSON members are found by name, and unknown ones are ignored. Sizes and types
// are checked. The error wraps [ErrPayload] and never quotes the text.
func ParsePayload(text string) (sdp.Message, error) {
	if len(text) > maxMessage {
		return sdp.Message{}, fmt.Errorf("%w: %d bytes", ErrPayload, len(text))
	}
	if strings.TrimFunc(text, isSpace) == offerRequest {
		return sdp.Message{OfferRequest: true}, nil
	}
	if word, rest := cutWord(text); word == wordError {
		return sdp.Message{Error: errorWords(rest)}, nil
	}
	var m struct{ SDP, ICE, Candidate json.RawMessage }
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return sdp.Message{}, fmt.Errorf("%w: no JSON object", ErrPayload)
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
	return sdp.Message{}, fmt.Errorf("%w: neither sdp nor ice", ErrPayload)
}

// present tells whether a JSON member is there and not null.
func present(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// errorWords makes a peer's text fit to be shown to people: one line without control characters, of 1 to maxError bytes.
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

func parseDescription(text string) (sdp.Message, error) {
	var d struct{ Type, SDP string }
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return sdp.Message{}, fmt.Errorf("%w: sdp has a wrong type", ErrPayload)
	}
	switch {
	case d.Type != sdp.TypeOffer && d.Type != sdp.TypeAnswer:
		return sdp.Message{}, fmt.Errorf("%w: sdp is neither offer nor answer", ErrPayload)
	case d.SDP == "":
		return sdp.Message{}, fmt.Errorf("%w: sdp is empty", ErrPayload)
	case len(d.SDP) > maxSDP:
		return sdp.Message{}, fmt.Errorf("%w: sdp of %d bytes", ErrPayload, len(d.SDP))
	}
	return sdp.Message{Type: d.Type, SDP: d.SDP}, nil
}

func parseCandidate(raw json.RawMessage) (sdp.Message, error) {
	var c struct { // null leaves a member as it is: a browser means "not known" by it
		Candidate     string
		SDPMLineIndex float64
		SDPMid        string // not used: the reference peer, too, goes by the index
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return sdp.Message{}, fmt.Errorf("%w: ice has a wrong type", ErrPayload)
	}
	switch {
	case c.SDPMLineIndex < 0 || c.SDPMLineIndex > maxMLine || c.SDPMLineIndex != math.Trunc(c.SDPMLineIndex):
		return sdp.Message{}, fmt.Errorf("%w: sdpMLineIndex is out of range", ErrPayload)
	case len(c.Candidate) > maxCandidate || len(c.SDPMid) > maxMid:
		return sdp.Message{}, fmt.Errorf("%w: candidate of %d bytes", ErrPayload, len(c.Candidate)+len(c.SDPMid))
	case c.Candidate == "":
		return sdp.Message{Gathered: true}, nil
	}
	return sdp.Message{Candidate: c.Candidate, Section: int(c.SDPMLineIndex)}, nil
}

// payloadText writes a message as it goes over the wire. An empty one is "{}", which every peer ignores.
func payloadText(m sdp.Message) string {
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
	case m.OfferRequest:
		return offerRequest
	case m.Error != "":
		return Message{Kind: KindError, Text: errorWords(m.Error)}.String()
	case m.Type != "":
		out.SDP = &description{m.Type, m.SDP}
	case m.Candidate != "" || m.Gathered:
		out.ICE = &candidate{m.Candidate, m.Section}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil { // strings and an int always encode
		return "{}"
	}
	return strings.TrimSuffix(b.String(), "\n")
}
