package sdp

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// MaxCandidates is how many ICE candidates of one session are used. A browser on a laptop with a virtual machine has some twenty.
const MaxCandidates = 30

const maxCandidate = 512 // bytes of one ICE candidate: a browser's are under 200

// Candidate is an ICE candidate (RFC 8839). Other attributes of it are not used and left out.
type Candidate struct {
	Foundation string
	TCP        bool
	Priority   uint32
	Address    netip.Addr
	Name       string // in place of an address: a name by mDNS, which ends in ".local"
	Port       uint16
	Type       string // "host", "srflx", "prflx", "relay"
	TCPType    string // "active", "passive", "so"; of TCP only
}

var candidateTypes = []string{"host", "srflx", "prflx", "relay"}

// ParseCandidate reads "candidate:..." or "a=candidate:...". An ICE candidate of component 2 is not read: it would be for RTCP alone, and
// RTCP uses the transport of RTP.
func ParseCandidate(text string) (Candidate, bool) {
	var c Candidate
	text, ok := strings.CutPrefix(strings.TrimPrefix(text, "a="), "candidate:")
	words := strings.Fields(text)
	if !ok || len(text) > maxCandidate || len(words) < 8 || words[1] != "1" || words[6] != "typ" {
		return c, false
	}
	priority, err := strconv.ParseUint(words[3], 10, 32)
	if err != nil {
		return c, false
	}
	port, err := strconv.ParseUint(words[5], 10, 16)
	if err != nil {
		return c, false
	}
	c = Candidate{
		Foundation: words[0], TCP: strings.EqualFold(words[2], "tcp"), Priority: uint32(priority), Port: uint16(port), Type: words[7],
	}
	if !isICEText(c.Foundation, 1, 32) || !c.TCP && !strings.EqualFold(words[2], "udp") || !slices.Contains(candidateTypes, c.Type) {
		return c, false
	}
	for i := 8; i+1 < len(words); i += 2 {
		if words[i] == "tcptype" {
			c.TCPType = words[i+1]
		}
	}
	if c.TCP != slices.Contains([]string{"active", "passive", "so"}, c.TCPType) {
		return c, false
	}
	return c, c.locate(words[4])
}

// locate reads the address, or the name of mDNS in its place.
func (c *Candidate) locate(text string) bool {
	if a, err := netip.ParseAddr(text); err == nil {
		c.Address = a.Unmap()
		return a.Zone() == ""
	}
	label, ok := strings.CutSuffix(text, ".local")
	if !ok || label == "" || len(text) > 64 || strings.ContainsFunc(label, func(r rune) bool { return !isLetterOrDigit(r) && r != '-' }) {
		return false
	}
	c.Name = text
	return true
}

// Usable tells that packets may be sent to the ICE candidate's address, although nobody but the peer vouches for it. Not usable are
// addresses of this machine, of no machine and of many machines, and ICE candidates of TCP that wait for us to connect. With these a peer
// could make this machine try ports in a network that the peer itself cannot reach.
func (c Candidate) Usable() bool {
	if c.TCP && c.TCPType != "active" {
		return false
	}
	if c.Name != "" {
		return c.Port != 0
	}
	a := c.Address
	broadcast := a.Is4() && a.As4() == [4]byte{255, 255, 255, 255}
	return c.Port != 0 && a.IsValid() && !a.IsUnspecified() && !a.IsLoopback() && !a.IsMulticast() && !broadcast
}

// At is the ICE candidate with an address in the place of its name.
func (c Candidate) At(a netip.Addr) Candidate {
	c.Name, c.Address = "", a.Unmap().WithZone("")
	return c
}

// String is the ICE candidate as "candidate:...".
func (c Candidate) String() string {
	transport, where, tail := "UDP", c.Name, ""
	if where == "" {
		where = c.Address.String()
	}
	if c.TCP {
		transport, tail = "TCP", " tcptype "+c.TCPType
	}
	if c.Type != "host" { // webrtcbin wants a related address in the text, and does not use it
		tail = " raddr 0.0.0.0 rport 0" + tail
	}
	return fmt.Sprintf("candidate:%s 1 %s %d %s %d typ %s%s", c.Foundation, transport, c.Priority, where, c.Port, c.Type, tail)
}

func isLetterOrDigit(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// isICEText tells whether a text has a permitted length and only characters that ICE allows (RFC 8839, ice-char).
func isICEText(text string, least, most int) bool {
	bad := func(r rune) bool { return !isLetterOrDigit(r) && r != '+' && r != '/' }
	return len(text) >= least && len(text) <= most && !strings.ContainsFunc(text, bad)
}
