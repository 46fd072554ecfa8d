package signalling

import (
	"net/http"
	"net/url"
	"strings"
)

// Allowed keeps pages of other sites away: a browser sends their origin along. Let in are the origins of the options, our
// own, and requests without one, which are no browser's.
func (s *Server) Allowed(r *http.Request) bool {
	given := r.Header.Get("Origin")
	if given == "" {
		return true
	}
	u, err := url.Parse(given)
	if err != nil {
		u = &url.URL{}
	}
	for _, o := range s.origins {
		if o == "*" || strings.EqualFold(o, given) || u.Host != "" && (strings.EqualFold(o, u.Host) || strings.EqualFold(o, u.Hostname())) {
			return true
		}
	}
	return s.ownOrigin(r, u)
}

// ownOrigin tells whether a page is of the very scheme, host and port that the request is for, or of the host alone where
// that is enough. A proxy that ends TLS passes
// plain HTTP on: then the page's scheme is believed where the proxy's name is known. What the proxy says of it in a header is
// not, since anybody can say it.
func (s *Server) ownOrigin(r *http.Request, page *url.URL) bool {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	if page.Scheme == "https" && scheme == "http" && s.proxied(page.Hostname()) {
		scheme = page.Scheme
	}
	ours := &url.URL{Scheme: scheme, Host: r.Host}
	return page.Hostname() != "" && strings.EqualFold(page.Hostname(), ours.Hostname()) &&
		(s.sameHost || page.Scheme == scheme && portOf(page) == portOf(ours))
}

// proxied tells whether a reverse proxy may serve us at a name.
func (s *Server) proxied(name string) bool {
	for _, h := range s.hosts {
		if h == "*" || strings.EqualFold(h, name) {
			return true
		}
	}
	return false
}

// defaultPorts are left out of an origin and of a Host header.
var defaultPorts = map[string]string{"http": "80", "https": "443"}

func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	return defaultPorts[u.Scheme]
}
