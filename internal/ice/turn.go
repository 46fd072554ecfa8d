package ice

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what TURN servers expect
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Server is one STUN or TURN server as a browser is told it.
type Server struct {
	URL        string // stun:host:port, turn:host:port?transport=tcp
	Username   string
	Credential string // it must not be logged
}

// Servers are the servers for one session of a browser's. What they hold of the secret ends after the lifetime.
func (p *Paths) Servers() []Server {
	var out []Server
	for _, text := range append([]string{p.opts.STUN}, append(p.opts.TURN, p.withCredentials(p.opts.Shared)...)...) {
		u, err := url.Parse(text)
		if err != nil || text == "" {
			continue
		}
		s := Server{URL: u.Scheme + ":" + u.Host}
		if u.RawQuery != "" {
			s.URL += "?" + u.RawQuery
		}
		if u.User != nil {
			s.Username = u.User.Username()
			s.Credential, _ = u.User.Password()
		}
		out = append(out, s)
	}
	return out
}

// turn are the TURN servers for one viewer's agent, those with TLS by their tunnels.
func (p *Paths) turn() []string {
	var out []string
	for _, text := range slices.Concat(p.opts.TURN, p.withCredentials(p.opts.Shared)) {
		out = append(out, p.tunnels.instead(text))
	}
	return out
}

// withCredentials puts new credentials into URLs without a user.
func (p *Paths) withCredentials(urls []string) []string {
	user, password := credentials(p.opts.Secret, p.opts.now().Add(p.opts.Lifetime))
	var out []string
	for _, text := range urls {
		if u, err := url.Parse(text); err == nil {
			u.User = url.UserPassword(user, password)
			out = append(out, u.String())
		}
	}
	return out
}

// userOfTURN stands in the user name, for the TURN server's log.
const userOfTURN = "boardcast"

// credentials are what TURN servers take that share the secret, up to the given time (draft-uberti-behave-turn-rest-00).
func credentials(secret string, until time.Time) (user, password string) {
	user = strconv.FormatInt(until.Unix(), 10) + ":" + userOfTURN
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(user))
	return user, base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
