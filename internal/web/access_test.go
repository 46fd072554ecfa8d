package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"boardcast/internal/access"
)

// The keys of the fake ring.
const (
	viewerKey  = "viewer-key"
	ownerKey   = "owner-key"
	frontKey   = "front-key"   // a viewer's, for the camera front
	expiredOne = "expired-key" // it was right once
)

// keyRing is a fake of the keys: what each allows.
type keyRing map[string]access.Grant

// Check implements Access.Keys.
func (k keyRing) Check(name, key string) (access.Grant, error) {
	grant, known := k[key]
	switch {
	case !known, name != "" && name != grant.Name:
		return access.Grant{}, access.ErrUnknown
	case key == expiredOne:
		return access.Grant{}, access.ErrExpired
	}
	return grant, nil
}

var ring = keyRing{
	viewerKey:  {Name: "viewer", Role: access.Viewer},
	ownerKey:   {Name: "owner", Role: access.Owner},
	frontKey:   {Name: "kitchen", Role: access.Viewer, Cameras: []string{"front"}},
	expiredOne: {Name: "old", Role: access.Owner},
}

// TestWays asks for a route by each way of a key, and by keys that look like one.
func TestWays(t *testing.T) {
	h := New(Options{Access: Access{Keys: ring}, WHEP: signalling, Status: func() any { return map[string]int{} }}).handler()
	basic := func(name, key string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(name, key) }
	}
	authorization := func(text string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", text) }
	}
	cookie := func(text string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Cookie", text) }
	}
	for _, c := range []struct {
		name string
		path string
		say  func(*http.Request)
		want int
	}{
		{"bearer", "/config.json", authorization("Bearer " + viewerKey), 200},
		{"bearer, as some write it", "/config.json", authorization("bearer  " + viewerKey + " "), 200},
		{"no scheme", "/config.json", authorization(viewerKey), 401},
		{"another scheme", "/config.json", authorization("Digest " + viewerKey), 401},
		{"basic by the role", "/config.json", basic("viewer", viewerKey), 200},
		{"basic by the key's name", "/config.json", basic("kitchen", frontKey), 403}, // which is for a camera that is not here
		{"basic without a name", "/config.json", basic("", viewerKey), 200},
		{"basic by another name", "/config.json", basic("owner", viewerKey), 401},
		{"basic that is none", "/config.json", authorization("Basic " + viewerKey), 401},
		{"cookie", "/config.json", cookie("boardcast-8080=" + viewerKey), 200},
		{"cookie of another port", "/config.json", cookie("boardcast-80=" + viewerKey + "; boardcast=" + viewerKey), 401},
		{"the fifth cookie", "/config.json", cookie(strings.Repeat("boardcast-8080=x; ", mostCookies) + "boardcast-8080=" + viewerKey), 401},
		{"the address of the page", "/?key=" + viewerKey, nil, 200},
		{"the address of anything else", "/config.json?key=" + viewerKey, nil, 401},
		{"the address of the status", "/api/status?key=" + ownerKey, nil, 401},
		{"the address of WHEP", "/whep?key=" + viewerKey, nil, 401},
		{"a wrong token and a right cookie", "/config.json", func(r *http.Request) {
			authorization("Bearer x")(r)
			cookie("boardcast-8080=" + viewerKey)(r)
		}, 200},
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", c.path, nil)
		r.Host = boardHost
		if c.say != nil {
			c.say(r)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: %d, want %d", c.name, w.Code, c.want)
		}
		basicToo := strings.Contains(strings.Join(w.Header().Values("WWW-Authenticate"), ","), `Basic realm="boardcast"`)
		if w.Code == 401 && basicToo != strings.HasPrefix(c.path, "/whep") {
			t.Errorf("%s: challenges %q", c.name, w.Header().Values("WWW-Authenticate"))
		}
	}
}

// A browser adds Basic and cookies by itself, so a page of another site could have it do so: that is refused on every route, but for
// following a link. A bearer token is the asker's own.
func TestFetchMetadata(t *testing.T) {
	b := newBoard(t)
	h := b.site().handler()
	for _, c := range []struct {
		path, way, site, mode string
		want                  int
	}{
		{"/config.json", "cookie", "same-origin", "cors", 200},
		{"/config.json", "cookie", "none", "navigate", 200},
		{"/config.json", "cookie", "cross-site", "no-cors", 403},
		{"/config.json", "basic", "same-site", "no-cors", 403},
		{"/config.json", "bearer", "cross-site", "cors", 200},
		{"/", "cookie", "cross-site", "navigate", 200},
		{"/", "cookie", "cross-site", "no-cors", 403},
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", c.path, nil)
		r.Host = boardHost
		r.Header.Set("Sec-Fetch-Site", c.site)
		r.Header.Set("Sec-Fetch-Mode", c.mode)
		switch c.way {
		case "cookie":
			present(r, b.viewer)
		case "basic":
			r.SetBasicAuth("viewer", b.viewer)
		default:
			r.Header.Set("Authorization", "Bearer "+b.viewer)
		}
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != c.want {
			t.Errorf("%+v: got %d", c, w.Code)
		}
	}
}

// TestGuessing has 10,000 wrong keys come in a minute from one address. A right key from the same address is let in at any time, nobody
// is asked to wait for the guesses of another address, and the log stays short.
func TestGuessing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged strings.Builder
		h := New(Options{Access: Access{Keys: ring}, Logger: slog.New(slog.NewTextHandler(&logged, nil))}).handler()
		ask := func(key, from string) int {
			r := httptest.NewRequestWithContext(t.Context(), "GET", "/config.json", nil)
			r.Host, r.RemoteAddr = boardHost, from
			r.Header.Set("Authorization", "Bearer "+key)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code == 429 && w.Header().Get("Retry-After") == "" {
				t.Error("429 without Retry-After")
			}
			return w.Code
		}
		const guesses = 10_000
		codes := map[int]int{}
		for n := range guesses {
			codes[ask(fmt.Sprint("guess", n), "192.0.2.9:1")]++
			if n%100 == 0 {
				if code := ask(viewerKey, "192.0.2.9:2"); code != 200 {
					t.Fatalf("after %d guesses the right key is answered %d", n, code)
				}
			}
			<-time.After(time.Minute / guesses) // of the bubble's clock
		}
		if code := ask("stale", "192.0.2.10:1"); code != 401 {
			t.Errorf("a wrong key of another address is answered %d", code)
		}
		lines := strings.Count(logged.String(), "\n")
		t.Logf("of %d guesses: %v; %d lines of the log", guesses, codes, lines)
		if codes[401] > 40 || codes[401]+codes[429] != guesses {
			t.Errorf("guesses are answered %v", codes)
		}
		if lines > 6 || lines == 0 || strings.Contains(logged.String(), "guess1") {
			t.Errorf("the log:\n%s", &logged)
		}
	})
}

// The page may be shown in frames of the origins that the settings name.
func TestEmbed(t *testing.T) {
	for want, embed := range map[string][]string{
		"frame-ancestors 'self'":                           nil,
		"frame-ancestors 'self' https://ha.example:8123":   {"https://ha.example:8123"},
		"frame-ancestors 'self' http://a.example http://b": {"http://a.example", "http://b"},
	} {
		w := get(t, New(Options{Hosts: anyHost, Access: Access{Keys: ring, Embed: embed}}).handler(), "/")
		if got := w.Header().Get("Content-Security-Policy"); !strings.HasSuffix(got, "; "+want) {
			t.Errorf("policy %q, want %q at its end", got, want)
		}
	}
}

// A request whose grant is asked for elsewhere, after it was made, has it; any other context has none.
func TestGrantOf(t *testing.T) {
	var got access.Grant
	h := New(Options{Hosts: anyHost, Access: Access{Keys: ring}, WHEP: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		got = GrantOf(ctx)
	})}).handler()
	get(t, h, "/whep")
	if got.Name != "viewer" || GrantOf(t.Context()).May("front") {
		t.Errorf("grant %+v, and of no request %+v", got, GrantOf(t.Context()))
	}
}

// A page of another site that may play may read why it is refused, and one that may not is told nothing; the log has its origin.
func TestRefusedPlayer(t *testing.T) {
	var logged strings.Builder
	h := New(Options{
		Access: Access{Keys: ring, Pages: func(r *http.Request) bool { return r.Header.Get("Origin") == "https://friend.example" }},
		WHEP:   signalling, Hosts: anyHost, Logger: slog.New(slog.NewTextHandler(&logged, nil)),
	}).handler()
	for _, c := range []struct {
		origin, readable string
		code             int
	}{{"https://friend.example", "https://friend.example", 401}, {"https://evil.example", "", 403}, {"", "", 401}} {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/whep", nil)
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := w.Header().Get("Access-Control-Allow-Origin"); w.Code != c.code || got != c.readable {
			t.Errorf("%q: %d, readable by %q", c.origin, w.Code, got)
		}
	}
	if want := `msg="page of another site refused" address=192.0.2.1 origin=https://evil.example`; !strings.Contains(logged.String(), want) {
		t.Errorf("the log:\n%s", &logged)
	}
}
