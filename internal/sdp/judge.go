package sdp

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// A Misfit is an error about one section of a description that is read well: what stands there, or lacks, cannot be served.
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

// transport is what a section needs of its peer to be connected to.
type transport struct {
	Credentials
	fingerprint Fingerprint
	setup       string
}

// hashes are the functions of a fingerprint that may be named (RFC 8122), by the bytes they make, the preferred first.
var hashes = []struct {
	name  string
	bytes int
}{{"sha-256", 32}, {"sha-384", 48}, {"sha-512", 64}, {"sha-224", 28}, {"sha-1", 20}}

// best is the best of a section's fingerprints that are well-formed.
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

// Lengths of the user name fragment and the password of ICE (RFC 8839).
const (
	leastUfrag = 4
	leastPwd   = 22
	mostICE    = 256
)

// transport finds what connects section i; in a bundle it may stand with the section from alone.
func (d Description) transport(i, from int) (transport, error) {
	s, tag := d.Sections[i], d.Sections[from]
	t := transport{Credentials: s.Credentials, setup: s.Setup}
	if t.Credentials == (Credentials{}) || from != i {
		t.Credentials = tag.Credentials
	}
	if t.setup == "" {
		t.setup = tag.Setup
	}
	fingerprint, ok := best(s.Fingerprints)
	if !ok && len(s.Fingerprints) == 0 {
		fingerprint, ok = best(tag.Fingerprints)
	}
	t.fingerprint = fingerprint
	switch {
	case !isICEText(t.Ufrag, leastUfrag, mostICE):
		return t, d.misfit(i, "a=ice-ufrag: %s", missingOr(t.Ufrag, "4 to 256 letters, digits, + and / are allowed"))
	case !isICEText(t.Pwd, leastPwd, mostICE):
		return t, d.misfit(i, "a=ice-pwd: %s", missingOr(t.Pwd, "22 to 256 letters, digits, + and / are allowed"))
	case !ok && len(s.Fingerprints)+len(tag.Fingerprints) == 0:
		return t, d.misfit(i, "a=fingerprint: missing")
	case !ok:
		return t, d.misfit(i, "a=fingerprint: none is well-formed, of sha-256 or another known function")
	}
	return t, nil
}

func missingOr(value, otherwise string) string {
	if value == "" {
		return "missing"
	}
	return otherwise
}

// CheckOffer refuses an offer that contradicts itself. What else is wrong with single sections matters only where they are served.
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

// setups are what an offer may say of who begins with DTLS. Nothing said counts as the browsers' "actpass".
var setups = []string{"", "actpass", "active", "passive"}

// checkServed refuses a section of an offer that lacks what every served one needs.
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

// Ambiguous tells that a payload type of section i stands, for another codec, in a section of the same bundle too: what arrives under
// it may be taken for either.
func (d Description) Ambiguous(i, pt int) bool {
	here, _ := d.Sections[i].Format(pt)
	bundled := func(s Section) bool { return slices.Contains(d.Bundle, s.Mid) }
	return bundled(d.Sections[i]) && slices.ContainsFunc(d.Sections, func(s Section) bool {
		other, has := s.Format(pt)
		return has && bundled(s) && !s.Rejected() && (!strings.EqualFold(other.Name, here.Name) || other.Clock != here.Clock)
	})
}
