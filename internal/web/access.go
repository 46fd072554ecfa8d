package web

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"boardcast/internal/access"
)

// Access says who may. The zero value lets nobody in: there is no key that would be right.
type Access struct {
	Keys interface {
		Check(name, key string) (access.Grant, error)
	}
	// Open turns keys off: everybody who reaches the port may do everything.
	Open bool
	// Pages tells whether the page that had a browser send a request may use the server, by its Origin header. nil refuses all
	// requests that have the header.
	Pages func(*http.Request) bool
	// Embed are the origins whose pages may show our page in a frame, besides our own; "*" is all of them.
	Embed []string
}

// Challenge is the WWW-Authenticate header of each answer that asks for a key.
const Challenge = `Bearer realm="boardcast"`

// refusal is why a request is not answered.
type refusal struct {
	code int
	text string
}

// The refusals.
var (
	noKey       = refusal{http.StatusUnauthorized, "a key is needed: `boardcast key` on the board shows the link"}
	wrongKey    = refusal{http.StatusUnauthorized, "the key is not right; it may have been changed: `boardcast key` on the board shows the link"}
	expiredKey  = refusal{http.StatusUnauthorized, "the key has expired: `boardcast key` on the board makes another"}
	tooManyKeys = refusal{http.StatusTooManyRequests, "too many wrong keys came from this network lately; a right one is taken at any time"}
	lesserRole  = refusal{http.StatusForbidden, "this key may watch only; an owner's key is needed"}
	otherCamera = refusal{http.StatusForbidden, "this key is for other cameras"}
	otherSite   = refusal{http.StatusForbidden, "pages of this origin may not use this board; signalling.origins lists those that may"}
)

const (
	// Refusals of one address are logged at first and then once a minute, so that guessing fills no log.
	refusalLinesPerSecond = 1.0 / 60
	refusalLines          = 3 // at once
	// longestOrigin is how many bytes of an Origin header are logged: a host name has at most 253.
	longestOrigin = 300
	// retryAfter is when another wrong key of an address is answered as such, in seconds: package access lets one in six pass.
	retryAfter = "6"
)

// guard decides on requests by the rows of the router.
type guard struct {
	access   *Access
	log      *slog.Logger
	failures *access.Failures
	lines    *limiter // of the log, about refusals
}

func newGuard(a *Access, log *slog.Logger) *guard {
	return &guard{a, log, access.NewFailures(), newLimiter(refusalLinesPerSecond, refusalLines, time.Now)}
}

// decide returns why a request may not have what the row answers, nil when it may.
func (g *guard) decide(r *http.Request, to *row, v visitor) *refusal {
	switch {
	case (to.changes || v.ambient()) && !g.access.ownPage(r):
		g.tellOrigin(r)
		return &otherSite
	case to.who == everybody:
		return nil
	case !v.known():
		return g.refuse(client(r.RemoteAddr), v.err)
	case v.grant.Role < roles[to.who]:
		return &lesserRole
	case to.who == owners && v.grant.Cameras != nil:
		return &otherCamera
	}
	return nil
}

// refuse says why a visitor without a right key is refused, and counts a wrong one.
func (g *guard) refuse(from netip.Addr, err error) *refusal {
	switch {
	case err == nil:
		return &noKey
	case !g.failures.Fail(from):
		return &tooManyKeys
	}
	if g.lines.allow(from) {
		g.log.Info("request refused", slog.String(keyAddress, from.String()), slog.Any(keyError, err))
	}
	if errors.Is(err, access.ErrExpired) {
		return &expiredKey
	}
	return &wrongKey
}

// tellOrigin logs that a page of another site was refused, unless too many refusals of the address were logged lately.
func (g *guard) tellOrigin(r *http.Request) {
	if from := client(r.RemoteAddr); g.lines.allow(from) {
		origin := r.Header.Get("Origin")
		g.log.Info("page of another site refused", slog.String(keyAddress, from.String()),
			slog.String(keyOrigin, origin[:min(len(origin), longestOrigin)]))
	}
}

// ownPage tells whether a request comes from a page that may use the server, or from no page.
func (a *Access) ownPage(r *http.Request) bool {
	if r.Header.Get("Origin") != "" {
		return a.Pages != nil && a.Pages(r)
	}
	return !foreign(r)
}

// ambient tells whether the browser added the key by itself, so that a page of another site could have it do so.
func (v visitor) ambient() bool { return v.by&(byCookie|byBasic) != 0 }

// foreign tells whether the browser says that a page of another origin made the request. That does not count where the browser goes to
// what it asks for: there a person follows a link, or a page shows ours in a frame, which frameAncestors decides.
func foreign(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	goes := r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate"
	return slices.Contains([]string{"cross-site", "same-site"}, site) && !goes
}

// answer refuses a request, in the row's own way or in plain text.
func (g *guard) answer(w http.ResponseWriter, r *http.Request, to *row, no refusal) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	switch no.code {
	case http.StatusUnauthorized:
		h.Add("WWW-Authenticate", Challenge)
		if to.dialog {
			h.Add("WWW-Authenticate", `Basic realm="boardcast", charset="UTF-8"`)
		}
	case http.StatusTooManyRequests:
		h.Set("Retry-After", retryAfter)
		h.Set("Connection", "close")
	}
	if to.refuse != nil {
		to.refuse(w, r, no)
		return
	}
	http.Error(w, no.text, no.code)
}

// frameAncestors is the directive of the policy that says whose pages may show ours in a frame.
func (a *Access) frameAncestors() string {
	return "frame-ancestors " + strings.Join(append([]string{"'self'"}, a.Embed...), " ")
}
