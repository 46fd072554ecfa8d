package web

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
)

// hosts answers "may this machine be opened by this name?". A foreign site can have its own name resolve to this machine's address
// (DNS rebinding). To the browser its page is then of our origin. But the Host header of its requests has the site's name.
type hosts struct {
	listed []string        // names of the settings; "*" allows every name
	own    func() []string // names of the machine
}

func newHosts(opts Options) hosts {
	listed := make([]string, 0, len(opts.Hosts)+1)
	for _, name := range opts.Hosts {
		listed = append(listed, bareName(name))
	}
	if host, _, err := net.SplitHostPort(opts.Listen); err == nil {
		listed = append(listed, bareName(host)) // "" where it listens on all addresses
	}
	return hosts{listed, ownNames}
}

// allowed tells whether a request is answered: its Host is an IP address, localhost, a listed name, or one of the machine's names. A
// request without a Host does not come from a browser, and is answered.
func (h hosts) allowed(r *http.Request) bool {
	name := bareName((&url.URL{Host: r.Host}).Hostname())
	_, err := netip.ParseAddr(name)
	return err == nil || name == "" || name == "localhost" || slices.Contains(h.listed, "*") || slices.Contains(h.listed, name) ||
		slices.Contains(h.own(), name)
}

// bareName is the form in which names are compared: in lower case, without a dot at the end.
func bareName(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// ownNames are the names of this machine now, also in multicast DNS.
func ownNames() []string {
	var given []string
	if name, err := os.Hostname(); err == nil {
		given = append(given, name)
	}
	if text, err := os.ReadFile("/etc/hostname"); err == nil {
		given = append(given, string(text))
	}
	return namesFrom(given)
}

// namesFrom are the names that follow from a host name: the name itself, its first label, and that label with ".local".
func namesFrom(given []string) []string {
	var names []string
	for _, name := range given {
		name = bareName(strings.TrimSpace(name))
		if name == "" {
			continue
		}
		label, _, _ := strings.Cut(name, ".")
		names = append(names, name, label, label+".local")
	}
	return names
}

// strangeName is the answer to a request by a name that is not the machine's.
const strangeName = "boardcast does not know the name by which it was opened. Open it by its IP address, or list the name in " +
	"`hosts` (in boardcast.yaml, as BOARDCAST_HOSTS or as --host)."

// misdirected refuses a request because of its Host, and says what to do about that.
func misdirected(w http.ResponseWriter) {
	http.Error(w, strangeName, http.StatusMisdirectedRequest)
}
