package configs

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// URL is the address of a server, which may hold a password. However it is
// printed, logged or marshalled, the password and what looks like a token show
// as ***; only Full tells them. The zero URL means none.
type URL struct{ full string }

// Full returns the whole URL with its secrets, percent-encoded. It must not be
// logged.
func (u URL) Full() string { return u.full }

// IsZero reports whether no URL was given.
func (u URL) IsZero() bool { return u.full == "" }

// Equal reports whether both are the same URL, secrets included.
func (u URL) Equal(v URL) bool { return u == v }

// String returns the URL without its secrets.
func (u URL) String() string { return mask(u.full) }

// Format writes the URL without its secrets, whatever the verb.
func (u URL) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, u.String()) }

// LogValue returns the URL without its secrets.
func (u URL) LogValue() slog.Value { return slog.StringValue(u.String()) }

// MarshalText returns the URL without its secrets, for JSON among others.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

const masked = "***"

// mask hides everything after the user's name and every parameter but transport.
func mask(full string) string {
	u, err := url.Parse(full)
	if err != nil {
		return masked
	}
	user, query := u.User, u.Query()
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	text := u.String()
	if user != nil {
		text = strings.Replace(text, "//", "//"+url.User(user.Username()).String()+":"+masked+"@", 1)
	}
	for i, name := range slices.Sorted(maps.Keys(query)) {
		text += string("?&"[min(i, 1)]) + url.QueryEscape(name) + "="
		if name == "transport" {
			text += url.QueryEscape(query.Get(name))
		} else {
			text += masked
		}
	}
	return text
}
