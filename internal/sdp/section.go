package sdp

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	pion "github.com/pion/sdp/v3"
)

// readSection reads one m-line with its attributes, and the attributes that it inherits from the session level.
func readSection(m *pion.MediaDescription, session []pion.Attribute) (Section, error) {
	s := Section{
		Kind: m.MediaName.Media, Proto: strings.Join(m.MediaName.Protos, "/"), Port: m.MediaName.Port.Value, Direction: SendRecv,
	}
	r := reader{s: &s, byType: map[int]*Format{}}
	if err := r.formats(m.MediaName.Formats); err != nil {
		return s, err
	}
	own := map[string]bool{}
	for _, a := range m.Attributes {
		own[inherited(a.Key)] = true
	}
	for _, a := range session {
		if name := inherited(a.Key); name != "" && !own[name] {
			if err := r.attribute(a.Key, a.Value); err != nil {
				return s, err
			}
		}
	}
	for _, a := range m.Attributes {
		if err := r.attribute(a.Key, a.Value); err != nil {
			return s, err
		}
	}
	r.finish()
	return s, nil
}

// inherited names the attributes that a section inherits from the session level unless it has one of that name itself (RFC 8866,
// RFC 8839, RFC 8122). All directions have one name. The name of an attribute that is not inherited is empty.
func inherited(key string) string {
	switch key {
	case "sendrecv", "sendonly", "recvonly", "inactive":
		return "direction"
	case "setup", "ice-ufrag", "ice-pwd", "fingerprint", "extmap":
		return key
	}
	return ""
}

// reader collects what the attributes of a section say.
type reader struct {
	s      *Section
	byType map[int]*Format
	all    []string // feedback for every payload type ("a=rtcp-fb:*")
}

// formats reads the last part of the m-line: payload types, or other words where the section has no RTP.
func (r *reader) formats(words []string) error {
	if len(words) > maxFormats {
		return fmt.Errorf("%w: %d formats are more than %d", ErrMalformed, len(words), maxFormats)
	}
	rtp := strings.Contains(r.s.Proto, "RTP/")
	for _, w := range words {
		pt, err := strconv.Atoi(w)
		if !rtp || err != nil || pt < 0 || pt > 127 {
			r.s.Words = append(r.s.Words, w)
			continue
		}
		if r.byType[pt] != nil {
			return fmt.Errorf("m= line: payload type %d stands twice", pt)
		}
		r.byType[pt] = &Format{Type: pt, Channels: 1}
		r.s.Formats = append(r.s.Formats, Format{Type: pt})
	}
	return nil
}

// attribute reads one attribute. Unknown ones are left out.
func (r *reader) attribute(key, value string) error {
	s := r.s
	switch key {
	case "mid":
		return s.readMid(value)
	case "sendrecv", "sendonly", "recvonly", "inactive":
		s.Direction = Direction(slices.Index(directions[:], key))
	case "bundle-only":
		s.BundleOnly = true
	case "sctp-port":
		s.SCTPPort, _ = strconv.Atoi(value) // 0 when the value is no number
	case "setup", "ice-ufrag", "ice-pwd", "fingerprint", "candidate", "end-of-candidates":
		s.readTransport(key, value)
	case "rtcp-mux":
		s.Mux = true
	case "rtcp-mux-only":
		s.MuxOnly = true
	case "rtcp-rsize":
		s.Reduced = true
	case "extmap":
		s.readExtension(value)
	case "ssrc", "ssrc-group":
		s.readSource(key, value)
	case "rtpmap", "fmtp", "rtcp-fb":
		r.format(key, value)
	}
	return nil
}

// readTransport reads one attribute about the section's connection.
func (t *Transport) readTransport(key, value string) {
	switch key {
	case "setup":
		t.Setup = strings.ToLower(value)
	case "ice-ufrag":
		t.Credentials.Ufrag = value
	case "ice-pwd":
		t.Credentials.Pwd = value
	case "fingerprint":
		hash, digits, _ := strings.Cut(value, " ")
		t.Fingerprints = append(t.Fingerprints, Fingerprint{strings.ToLower(hash), strings.ToUpper(strings.TrimSpace(digits))})
	case "candidate":
		if c, ok := ParseCandidate("candidate:" + value); ok && len(t.Candidates) < MaxCandidates {
			t.Candidates = append(t.Candidates, c)
		}
	case "end-of-candidates":
		t.Gathered = true
	}
}

func (s *Section) readMid(value string) error {
	if value == "" || len(value) > maxMid || strings.ContainsFunc(value, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return fmt.Errorf("a=mid: %q is no token of at most %d characters", printable(value), maxMid)
	}
	s.Mid = value
	return nil
}

// readExtension reads "ID[/direction] URI [attributes]".
func (r *RTP) readExtension(value string) {
	number, rest, _ := strings.Cut(value, " ")
	number, direction, _ := strings.Cut(number, "/")
	uri, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	e := Extension{URI: uri, Direction: SendRecv}
	if at := slices.Index(directions[:], direction); at >= 0 {
		e.Direction = Direction(at)
	}
	id, err := strconv.Atoi(number)
	if err == nil && id > 0 && len(r.Extensions) < maxExtensions {
		e.ID = id
		r.Extensions = append(r.Extensions, e)
	}
}

// readSource reads "SSRC cname:NAME", and the group FID, which pairs the SSRC of a stream with the SSRC of its retransmissions.
func (s *Sending) readSource(key, value string) {
	words := strings.Fields(value)
	numbers := make([]uint32, 0, len(words))
	for _, w := range words {
		if n, err := strconv.ParseUint(w, 10, 32); err == nil {
			numbers = append(numbers, uint32(n))
		}
	}
	switch {
	case key == "ssrc-group":
		if len(words) == 3 && words[0] == "FID" && len(numbers) == 2 {
			s.Repair = [2]uint32(numbers)
		}
	case len(numbers) > 0 && len(words) > 1 && len(s.Sources) < maxSources:
		if cname, ok := strings.CutPrefix(words[1], "cname:"); ok {
			s.Sources = append(s.Sources, Source{numbers[0], cname})
		}
	}
}

// format reads an attribute of one payload type. Feedback may also be for all of them, by "*".
func (r *reader) format(key, value string) {
	number, rest, _ := strings.Cut(value, " ")
	rest = strings.TrimSpace(rest)
	if number == "*" && key == "rtcp-fb" {
		r.all = append(r.all, rest)
		return
	}
	pt, err := strconv.Atoi(number)
	f := r.byType[pt]
	if err != nil || f == nil {
		return
	}
	switch key {
	case "rtpmap":
		f.readMap(rest)
	case "fmtp":
		f.Params = append(f.Params, readParams(rest)...)
	case "rtcp-fb":
		f.addFeedback(rest)
	}
}

// readMap reads "NAME/CLOCK[/CHANNELS]".
func (f *Format) readMap(text string) {
	words := strings.Split(text, "/")
	f.Name = words[0]
	if len(words) > 1 {
		f.Clock, _ = strconv.Atoi(words[1])
	}
	if len(words) > 2 {
		f.Channels, _ = strconv.Atoi(words[2])
	}
}

func readParams(text string) []Param {
	var out []Param
	for p := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
			out = append(out, Param{name, strings.TrimSpace(value)})
		}
	}
	return out
}

func (f *Format) addFeedback(text string) {
	text = strings.Join(strings.Fields(text), " ")
	if text != "" && !slices.Contains(f.Feedback, text) {
		f.Feedback = append(f.Feedback, text)
	}
}

// finish gives each payload type of the m-line its attributes.
func (r *reader) finish() {
	for i, f := range r.s.Formats {
		f = *r.byType[f.Type]
		for _, text := range r.all {
			f.addFeedback(text)
		}
		r.s.Formats[i] = f
	}
}
