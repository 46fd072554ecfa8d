package configs

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longestName is more than any device, file or peer needs, in bytes.
const (
	longestName = 4096
	longestPeer = 256
	longestHost = 253 // DNS allows no more
)

// unprintable says what no name may hold, "" when text has none of it.
func unprintable(text string) string {
	switch {
	case !utf8.ValidString(text):
		return "is not UTF-8"
	case strings.ContainsFunc(text, unicode.IsControl):
		return "holds a control character"
	case len(text) > longestName:
		return fmt.Sprintf("is longer than %d bytes", longestName)
	default:
		return ""
	}
}

// off are words by which people mean none; no device has such a name.
var off = []string{"off", "no", "false", "null", "disabled"}

func parseDevice(k Key, text string) (any, *fault) {
	switch lower := strings.ToLower(text); {
	case slices.Contains(k.Words, lower) && lower != text:
		return nil, &fault{reason: fmt.Sprintf("%q is not written in lower case", text), nearest: lower}
	case slices.Contains(off, lower):
		return nil, &fault{reason: fmt.Sprintf("%q names no device", text), nearest: None}
	case strings.TrimSpace(text) == "":
		return nil, &fault{reason: "is empty", nearest: k.Default()}
	}
	if why := unprintable(text); why != "" {
		return nil, &fault{reason: why}
	}
	return text, nil
}

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

func parseName(_ Key, text string) (any, *fault) {
	if nameForm.MatchString(text) {
		return text, nil
	}
	nearest := strings.ToLower(strings.TrimSpace(text))
	if !nameForm.MatchString(nearest) {
		nearest = ""
	}
	return nil, &fault{
		reason:  fmt.Sprintf("%.70q is not a name of lower-case letters, digits, - and _", text),
		nearest: nearest, hint: "`boardcast encoders` lists the encoders",
	}
}

func parsePeer(k Key, text string) (any, *fault) {
	why := notPeer(text)
	if why == "" && slices.Contains(k.Words, text) {
		return nil, &fault{reason: fmt.Sprintf("%q is a word of the protocol", text), nearest: text + "-1"}
	}
	if why == "" {
		return text, nil
	}
	nearest := strings.Join(strings.Fields(text), "-")
	if notPeer(nearest) != "" {
		nearest = ""
	}
	return nil, &fault{reason: why, nearest: nearest}
}

func notPeer(text string) string {
	switch {
	case strings.ContainsFunc(text, unicode.IsSpace):
		return fmt.Sprintf("%q holds a blank", text)
	case len(text) > longestPeer:
		return fmt.Sprintf("is longer than %d bytes", longestPeer)
	default:
		return unprintable(text)
	}
}

func parsePath(_ Key, text string) (any, *fault) {
	if why := unprintable(text); why != "" {
		return nil, &fault{reason: why}
	}
	return text, nil
}

var hostForm = regexp.MustCompile(`^[A-Za-z0-9_.-]{0,253}$`)

// parseAddress takes host:port with an empty host, a name, or an IP address.
func parseAddress(k Key, text string) (any, *fault) {
	if why := unprintable(text); why != "" {
		return nil, &fault{reason: why}
	}
	if validAddress(text) {
		return text, nil
	}
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return nil, &fault{reason: fmt.Sprintf("%.80q is not address:port", text), nearest: nearestAddress(k, text)}
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return nil, &fault{reason: fmt.Sprintf("port %.40q is not a number from 0 to 65535", port), nearest: nearestAddress(k, text)}
	}
	return nil, &fault{reason: fmt.Sprintf("%.80q has no valid address before the port", text), nearest: nearestAddress(k, text)}
}

func validAddress(text string) bool {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return false
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return false
	}
	bare, _, _ := strings.Cut(host, "%") // the zone of a link-local address
	return hostForm.MatchString(host) || net.ParseIP(bare) != nil
}

// nearestAddress adds what was left out: "8080" is :8080, "::1" is [::1]:8080.
// It returns "" for what it cannot mend.
func nearestAddress(k Key, text string) string {
	_, port, _ := net.SplitHostPort(k.Default())
	bare := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(text, "http://"), "https://"), "/")
	for _, try := range []string{bare, ":" + bare, net.JoinHostPort(strings.Trim(bare, "[]"), port), bare + port} {
		if validAddress(try) {
			return try
		}
	}
	return ""
}

// dnsName is a name of letters, digits and hyphens between dots; some networks have underscores too.
var dnsName = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$`)

// parseHost takes "*" or the name of a host, without scheme and port; its value is in lower case.
func parseHost(_ Key, text string) (any, *fault) {
	if name := strings.TrimSuffix(strings.ToLower(text), "."); text == "*" || dnsName.MatchString(name) && len(name) <= longestHost {
		return name, nil
	}
	_, bare, found := strings.Cut(strings.ToLower(text), "://")
	if !found {
		bare = strings.ToLower(text)
	}
	bare, _, _ = strings.Cut(bare, "/")
	bare, _, _ = strings.Cut(bare, ":")
	if bare = strings.TrimSpace(bare); !dnsName.MatchString(bare) || len(bare) > longestHost {
		bare = ""
	}
	return nil, &fault{reason: fmt.Sprintf("%.100q is not the name of a host, such as cam.example.org", text), nearest: bare}
}

// parseNetwork takes an IP address or a range of them in CIDR notation. Its value is a [netip.Prefix].
func parseNetwork(_ Key, text string) (any, *fault) {
	f := &fault{
		reason: fmt.Sprintf("%.80q is neither an IP address nor a range of them, such as 10.0.0.0/24", text),
		hint:   "write the address by which the proxy connects to this board: 127.0.0.1 where it is on the board itself",
	}
	bare := strings.TrimSpace(text)
	network, err := netip.ParsePrefix(bare)
	if one, oneErr := netip.ParseAddr(strings.Trim(bare, "[]")); oneErr == nil {
		one = one.Unmap().WithZone("")
		network, err = netip.PrefixFrom(one, one.BitLen()), nil
	}
	switch {
	case strings.EqualFold(bare, "localhost"):
		f.nearest = "127.0.0.1/32"
		return nil, f
	case err != nil:
		return nil, f
	case network.Bits() == 0:
		return nil, &fault{reason: fmt.Sprintf("%.80q are all addresses: everybody would be believed", text), hint: f.hint}
	case network != network.Masked():
		return nil, &fault{reason: fmt.Sprintf("%.80q is an address in a range, not a range", text), nearest: network.Masked().String()}
	}
	return network, nil
}
