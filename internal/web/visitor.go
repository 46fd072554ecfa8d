package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"boardcast/internal/access"
)

const (
	// mostCookies is how many cookies of our name are looked at. A browser sends several where a proxy serves boards below paths of
	// one host.
	mostCookies = 4
	// longestForm is how many bytes of the locked page's form are read: a link that was pasted may be long.
	longestForm = 4 << 10
	// cookieAge is how long a browser keeps a key that never ends: as long as browsers allow, 400 days.
	cookieAge = 400 * 24 * time.Hour
)

// keyWord is the name of the key in a link and in the form.
const keyWord = "key"

// credential is a key as it stands in a request.
type credential struct {
	name string // that the sender gives the key; "" for none
	key  string
}

// visitor is the sender of a request, as far as its keys tell.
type visitor struct {
	grant access.Grant // the zero Grant for nobody
	by    ways         // the one by which the right key came
	key   string       // the right key; it must not be logged
	err   error        // why the keys that came are wrong; nil where none came, or one is right
}

// known reports whether the visitor has a right key, or needs none.
func (v visitor) known() bool { return v.grant.Role > 0 }

// sources read the keys of a request, in the order in which they are tried. A link that a person opens counts before what the
// browser kept.
var sources = []struct {
	by   ways
	read func(*http.Request) []credential
}{
	{byForm, fromForm},
	{byQuery, fromQuery},
	{byBearer, fromBearer},
	{byBasic, fromBasic},
	{byCookie, fromCookies},
}

// identify tries the keys of a request that may come so, until one is right.
func (a *Access) identify(r *http.Request, allowed ways) visitor {
	if a.Open {
		return visitor{grant: access.Grant{Role: access.Owner}}
	}
	var v visitor
	for _, source := range sources {
		if allowed&source.by == 0 {
			continue
		}
		for _, c := range source.read(r) {
			grant, err := a.check(c)
			if err == nil {
				return visitor{grant: grant, by: source.by, key: c.key}
			}
			if v.err == nil || errors.Is(err, access.ErrExpired) {
				v.err = err
			}
		}
	}
	return v
}

func (a *Access) check(c credential) (access.Grant, error) {
	if a.Keys == nil {
		return access.Grant{}, access.ErrUnknown
	}
	return a.Keys.Check(c.name, c.key)
}

// fromForm reads a body of at most longestForm bytes.
func fromForm(r *http.Request) []credential {
	r.Body = http.MaxBytesReader(nil, r.Body, longestForm)
	if key := keyIn(r.PostFormValue(keyWord)); key != "" {
		return []credential{{key: key}}
	}
	return nil
}

// keyIn is the key in what a person typed or pasted: the key itself, or a link with it.
func keyIn(text string) string {
	if _, query, isLink := strings.Cut(text, "?"); isLink {
		values, _ := url.ParseQuery(query) // what cannot be read is left out
		return values.Get(keyWord)
	}
	return strings.TrimSpace(text)
}

func fromQuery(r *http.Request) []credential {
	if key := r.URL.Query().Get(keyWord); key != "" {
		return []credential{{key: key}}
	}
	return nil
}

func fromBearer(r *http.Request) []credential {
	if key := bearer(r.Header.Get("Authorization")); key != "" {
		return []credential{{key: key}}
	}
	return nil
}

// bearer is the token in an Authorization header, "" where there is none.
func bearer(header string) string {
	scheme, token, _ := strings.Cut(header, " ")
	token = strings.Trim(token, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}

func fromBasic(r *http.Request) []credential {
	if name, key, ok := r.BasicAuth(); ok {
		return []credential{{name, key}}
	}
	return nil
}

func fromCookies(r *http.Request) []credential {
	var found []credential
	for _, c := range r.CookiesNamed(cookieName(r.Host)) {
		if len(found) < mostCookies {
			found = append(found, credential{key: c.Value})
		}
	}
	return found
}

// cookieName is the name of the cookie that holds the key. A browser sends a cookie to all ports of a host, so the port is in the name.
func cookieName(host string) string {
	if port := (&url.URL{Host: host}).Port(); port != "" {
		return "boardcast-" + port
	}
	return "boardcast"
}

// keepKey has the browser keep the visitor's key until it ends, for the folder of the request's path. Below a path of a proxy that
// folder is the board's own.
func (v visitor) keepKey(w http.ResponseWriter, r *http.Request) {
	age := cookieAge
	if !v.grant.Expires.IsZero() {
		age = min(age, time.Until(v.grant.Expires))
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName(r.Host), Value: v.key, MaxAge: max(1, int(age.Seconds())),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil,
	})
}

// visitorKey is the key of a request's visitor in its context.
type visitorKey struct{}

// GrantOf is what the sender of a request may do, by the context of the request or one that was made of it. The zero Grant, which
// allows nothing, stands for any other context.
func GrantOf(ctx context.Context) access.Grant { return visitorOf(ctx).grant }

func visitorOf(ctx context.Context) visitor {
	v, _ := ctx.Value(visitorKey{}).(visitor)
	return v
}

func (v visitor) in(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), visitorKey{}, v))
}
