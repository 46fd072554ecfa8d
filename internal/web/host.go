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

// hosts answers "is this a name that this machine is opened by?". A page of another site can have its own name stand for
// our address (DNS rebinding), and is then of the same origin to its browser. The Host header still tells the name.
type hosts struct {
	listed []string // "*": every name is taken
	own    func() []string
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

// allowed tells whether a request's Host may be answered: an address, localhost, a listed name, or one of the machine's own.
// A request without a Host is no browser's.
func (h hosts) allowed(r *http.Request) bool {
	name := bareName((&url.URL{Host: r.Host}).Hostname())
	_, err := netip.ParseAddr(name)
	return err == nil || name == "" || name == "localhost" || slices.Contains(h.listed, "*") || slices.Contains(h.listed, name) ||
		slices.Contains(h.own(), name)
}

// bareName is a name as names are compared: without case, and without the dot that ends a full one.
func bareName(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// ownNames are what this machine calls itself, now, and the same in multicast DNS.
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

// misdirected says what to do about a name that is refused.
func misdirected(w http.ResponseWriter) {
	http.Error(w, "boardcast does not know the name by which it was opened. Open it by its IP address, or list the name in "+
		"`hosts` (in boardcast.yaml, as BOARDCAST_HOSTS or as --host).", http.StatusMisdirectedRequest)
}
