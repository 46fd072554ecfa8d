package sdp

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// A Misfit is an error about one section of a well-formed description: what the section says, or leaves out, cannot be served.
type Misfit struct {
	Section int
	Kind    string // of the section
	Text    string // begins with the attribute at fault
}

// Error names the section and the attribute.
func (m *Misfit) Error() string { return fmt.Sprintf("section %d (%s): %s", m.Section, m.Kind, m.Text) }

// misfit makes a [Misfit] about section i.
func (d Description) misfit(i int, format string, args ...any) error {
	return &Misfit{i, printable(d.Sections[i].Kind), fmt.Sprintf(format, args...)}
}

// hashes are the hash functions that a fingerprint may name (RFC 8122), the preferred first, with the length of what they make.
var hashes = []struct {
	name  string
	bytes int
}{{"sha-256", 32}, {"sha-384", 48}, {"sha-512", 64}, {"sha-224", 28}, {"sha-1", 20}}

// best picks the well-formed fingerprint whose hash function is preferred.
func best(all []Fingerprint) (Fingerprint, bool) {
	for _, h := range hashes {
		for _, f := range all {
			raw, err := hex.DecodeString(strings.ReplaceAll(f.Value, ":", ""))
			if f.Hash == h.name && err == nil && len(raw) == h.bytes && len(f.Value) == 3*h.bytes-1 {
				return f, true
			}
		}
	}
	return Fingerprint{}, false
}

// Lengths of ICE's user name fragment and password, in characters (RFC 8839).
const (
	leastUfrag = 4
	leastPwd   = 22
	mostICE    = 256
)

// transport collects what it takes to connect section i: the ICE credentials, one fingerprint and the DTLS setup. All sections of
// a bundle share one transport, and only section tagged need describe it. Outside a bundle tagged is i.
func (d Description) transport(i, tagged int) (Transport, error) {
	s, tag := d.Sections[i], d.Sections[tagged]
	t := Transport{Credentials: s.Credentials, Setup: s.Setup}
	if t.Credentials == (Credentials{}) || tagged != i {
		t.Credentials = tag.Credentials
	}
	if t.Setup == "" {
		t.Setup = tag.Setup
	}
	fingerprint, ok := best(s.Fingerprints)
	if !ok && len(s.Fingerprints) == 0 {
		fingerprint, ok = best(tag.Fingerprints)
	}
	t.Fingerprints = []Fingerprint{fingerprint}
	switch {
	case !isICEText(t.Credentials.Ufrag, leastUfrag, mostICE):
		return t, d.misfit(i, "a=ice-ufrag: %s", missingOr(t.Credentials.Ufrag, "4 to 256 letters, digits, + and / are allowed"))
	case !isICEText(t.Credentials.Pwd, leastPwd, mostICE):
		return t, d.misfit(i, "a=ice-pwd: %s", missingOr(t.Credentials.Pwd, "22 to 256 letters, digits, + and / are allowed"))
	case !ok && len(s.Fingerprints)+len(tag.Fingerprints) == 0:
		return t, d.misfit(i, "a=fingerprint: missing")
	case !ok:
		return t, d.misfit(i, "a=fingerprint: none is well-formed and made by sha-256 or another known hash function")
	}
	return t, nil
}

func missingOr(value, otherwise string) string {
	if value == "" {
		return "missing"
	}
	return otherwise
}

// CheckOffer refuses an offer in which two sections have one name. Other faults of a section matter only when it is served.
func (d Description) CheckOffer() error {
	seen := map[string]int{}
	for i, s := range d.Sections {
		if at, double := seen[s.Mid]; double {
			return d.misfit(i, "a=mid: %q is the name of section %d too", s.Mid, at)
		}
		seen[s.Mid] = i
	}
	return nil
}

// setups are what an offer may say of the side that begins with DTLS. An offer that says nothing means "actpass", as browsers do.
var setups = []string{"", "actpass", "active", "passive"}

// checkServed refuses a section that is to be served and lacks what every served section needs.
func (d Description) checkServed(i int) error {
	s := d.Sections[i]
	switch {
	case !slices.Contains(setups, s.Setup):
		return d.misfit(i, "a=setup: %q is not actpass, active or passive", printable(s.Setup))
	case s.Kind != "application" && !s.Mux:
		return d.misfit(i, "a=rtcp-mux: missing; RTCP is only sent with RTP here")
	}
	return nil
}

// Ambiguous tells that another section of the same bundle uses a payload type of section i for another codec. A packet of that
// payload type could then be taken for either codec.
func (d Description) Ambiguous(i, pt int) bool {
	here, _ := d.Sections[i].Format(pt)
	bundled := func(s Section) bool { return slices.Contains(d.Bundle, s.Mid) }
	return bundled(d.Sections[i]) && slices.ContainsFunc(d.Sections, func(s Section) bool {
		other, has := s.Format(pt)
		return has && bundled(s) && !s.Rejected() && (!strings.EqualFold(other.Name, here.Name) || other.Clock != here.Clock)
	})
}
