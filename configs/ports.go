package configs

import (
	"fmt"
	"net/netip"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// Ports are the ports from First to Last. The zero value means any port.
type Ports struct{ First, Last int }

// Count is how many ports there are, 0 for any.
func (p Ports) Count() int {
	if p.First == 0 {
		return 0
	}
	return p.Last - p.First + 1
}

// Has tells whether a port is one of them.
func (p Ports) Has(port int) bool { return p.First > 0 && port >= p.First && port <= p.Last }

// String is FIRST-LAST, the port where there is one, and "" for any.
func (p Ports) String() string {
	switch p.First {
	case 0:
		return ""
	case p.Last:
		return strconv.Itoa(p.First)
	}
	return fmt.Sprintf("%d-%d", p.First, p.Last)
}

var (
	portsForm = regexp.MustCompile(`^([0-9]{1,6})(?:-([0-9]{1,6}))?$`)
	// portsLike is how other programs write ports: 1:2, 1..2, 1 to 2, :1, 1-2/udp.
	portsLike = regexp.MustCompile(`^[: ]*([0-9]{1,6})(?: *(?:-|–|:|\.\.+|to) *([0-9]{1,6}))? *(?:/(?:udp|tcp))?$`)
)

func parsePorts(_ Key, text string) (any, *fault) {
	if text == "" {
		return Ports{}, nil
	}
	if p, ok := portsOf(portsForm.FindStringSubmatch(text)); ok {
		return p, nil
	}
	f := &fault{reason: fmt.Sprintf("%.40q is neither a port from 1 to 65535 nor two of them such as 50000-50015", text)}
	m := portsLike.FindStringSubmatch(strings.ToLower(text))
	p, ok := portsOf(m)
	if !ok && m != nil {
		p, ok = portsOf([]string{"", m[2], m[1]}) // the wrong way round
	}
	if ok {
		f.nearest = p.String()
	}
	return nil, f
}

// portsOf reads the two numbers of a match; the second may be empty.
func portsOf(m []string) (Ports, bool) {
	if m == nil {
		return Ports{}, false
	}
	if m[2] == "" {
		m = []string{"", m[1], m[1]}
	}
	first, err := strconv.ParseUint(m[1], 10, 16)
	if err != nil {
		return Ports{}, false
	}
	last, err := strconv.ParseUint(m[2], 10, 16)
	if err != nil || first == 0 || first > last {
		return Ports{}, false
	}
	return Ports{int(first), int(last)}, true
}

// parseIP takes an address that other machines can have.
func parseIP(_ Key, text string) (any, *fault) {
	if a, ok := outside(text); ok {
		return a, nil
	}
	f := &fault{reason: fmt.Sprintf("%.80q is not an IP address by which others reach this board", text)}
	bare := text
	if _, rest, found := strings.Cut(bare, "://"); found {
		bare = rest
	}
	bare, _, _ = strings.Cut(bare, "/")
	if ap, err := netip.ParseAddrPort(bare); err == nil {
		bare = ap.Addr().String()
	}
	if a, ok := outside(strings.Trim(strings.TrimSpace(bare), "[]")); ok {
		f.nearest = a.String()
	}
	return nil, f
}

// outside reads an address that is neither this machine's alone nor many machines'.
func outside(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return a, false
	}
	a = a.Unmap()
	return a, !a.IsUnspecified() && !a.IsLoopback() && !a.IsMulticast() && !a.IsLinkLocalUnicast()
}

// longestPattern is some more than the longest name of an interface, 15 bytes.
const longestPattern = 40

func parsePattern(_ Key, text string) (any, *fault) {
	if validPattern(text) {
		return text, nil
	}
	f := &fault{reason: fmt.Sprintf("%.60q is neither the name of an interface nor a pattern such as eth*", text)}
	if strings.HasPrefix(text, "!") || strings.HasPrefix(text, "-") {
		f.hint = "interfaces that are not to be used stand in ice.leave-out"
	}
	return nil, f
}

func validPattern(text string) bool {
	_, err := path.Match(text, "")
	return err == nil && text != "" && text[0] != '-' && len(text) <= longestPattern && !strings.ContainsAny(text, "/ ,!\\") && unprintable(text) == ""
}
