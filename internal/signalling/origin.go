package signalling

import (
	"net/http"
	"net/url"
	"strings"
)

// originRules say which web pages may use a [Server]. See [ServerOptions] for the fields.
type originRules struct {
	origins  []string
	hosts    []string
	sameHost bool
}

// Allowed refuses requests from pages of other sites. A browser sends the origin of the page along. Allowed are the origins of
// the options, the server's own origin, and requests without an origin, since those do not come from a page.
func (s *Server) Allowed(r *http.Request) bool { return s.pages.allow(r) }

func (o originRules) allow(r *http.Request) bool {
	given := r.Header.Get("Origin")
	if given == "" {
		return true
	}
	page, err := url.Parse(given)
	if err != nil {
		page = &url.URL{}
	}
	for _, one := range o.origins {
		if one == "*" || strings.EqualFold(one, given) ||
			page.Host != "" && (strings.EqualFold(one, page.Host) || strings.EqualFold(one, page.Hostname())) {
			return true
		}
	}
	return o.own(r, page)
}

// own tells whether a page has the scheme, the host and the port that the request is for, or the host alone where sameHost is
// set. A proxy that ends TLS passes plain HTTP on: the page's https is then believed at the names that such a proxy may have. A
// header in which a proxy tells the scheme is not believed here, since anybody can send it. (Where the proxy is trusted, the web server
// has made TLS of it.)
func (o originRules) own(r *http.Request, page *url.URL) bool {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	if page.Scheme == "https" && scheme == "http" && o.proxied(page.Hostname()) {
		scheme = page.Scheme
	}
	ours := &url.URL{Scheme: scheme, Host: r.Host}
	return page.Hostname() != "" && strings.EqualFold(page.Hostname(), ours.Hostname()) &&
		(o.sameHost || page.Scheme == scheme && portOf(page) == portOf(ours))
}

// proxied tells whether a reverse proxy may serve this server at a name.
func (o originRules) proxied(name string) bool {
	for _, h := range o.hosts {
		if h == "*" || strings.EqualFold(h, name) {
			return true
		}
	}
	return false
}

// defaultPorts are the ports that an origin and a Host header leave out.
var defaultPorts = map[string]string{"http": "80", "https": "443"}

func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	return defaultPorts[u.Scheme]
}
