package web

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"boardcast/internal/access"
)

// FuzzWithoutKey sends requests without a right key, whatever else they hold. None may reach what is behind a key, and none may panic.
func FuzzWithoutKey(f *testing.F) {
	for _, seed := range [][6]string{
		{"GET", "/?key=abc&camera=front", "", "", "", ""},
		{"GET", "/config.json", "Bearer abc", "", "192.0.2.7:8080", ""},
		{"GET", "/ws", "Basic dmlld2VyOmFiYw==", "boardcast-8080=abc; boardcast=abc", "192.0.2.7:8080", ""},
		{"POST", "/key?camera=%22%3E", "", "", "[::1]:8080", "key=http%3A%2F%2Fboard%2F%3Fkey%3Dabc"},
		{"PATCH", "/whep/../whep/x", "bearer  abc ", "boardcast-=;;", "localhost", "a=b"},
		{"GET", "//api/status", "Basic ====", "boardcast-8080=\"abc\"", "a:b:c", "%zz"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], seed[4], seed[5])
	}
	secret := keyRing{"0123456789abcdefghjkmnpqrs": {Name: "owner", Role: access.Owner}}
	reached := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	h := New(Options{
		Access: Access{Keys: secret, Pages: func(*http.Request) bool { return true }}, Hosts: anyHost, Signalling: reached, WHEP: reached,
		Page: Page{States: func() []Camera { return nil }},
	}).handler()
	asked := 0
	f.Fuzz(func(t *testing.T, method, target, authorization, cookie, host, form string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || !slices.Contains([]string{"GET", "HEAD", "POST", "PATCH", "DELETE", "PUT", "CONNECT"}, method) {
			return // net/http does not come so far
		}
		r := &http.Request{Method: method, URL: u, Host: host, Body: io.NopCloser(strings.NewReader(form)), Header: http.Header{}}
		maps.Copy(r.Header, http.Header{
			"Authorization": {authorization}, "Cookie": {cookie}, "Content-Type": {"application/x-www-form-urlencoded"},
		})
		for _, upgrade := range []string{"", "websocket"} {
			r.Header.Set("Upgrade", upgrade)
			asked++
			r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1", asked>>16&255, asked>>8&255, asked&255) // each address may ask for so much alone
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r.WithContext(t.Context()))
			public := w.Code < 400 && pageFiles()[strings.TrimPrefix(u.Path, "/")] != nil && !slices.Contains(documents, strings.TrimPrefix(u.Path, "/"))
			healthy := w.Code < 400 && u.Path == "/health"
			tidies := w.Code == http.StatusTemporaryRedirect || w.Code == http.StatusMovedPermanently // the mux writes the path anew
			if (w.Code < 400 || w.Code == http.StatusTeapot || w.Code == http.StatusUpgradeRequired) && !public && !healthy && !tidies {
				t.Errorf("%s %s (upgrade %q) is answered %d", method, target, upgrade, w.Code)
			}
			if kept(w) != nil {
				t.Errorf("a cookie is set: %v", kept(w))
			}
		}
	})
}
