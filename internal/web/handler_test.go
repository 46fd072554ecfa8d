package web

import (
	"bufio"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// signalling is a fake handler that answers that it was reached.
var signalling = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusTeapot)
	_, _ = w.Write([]byte("signalling " + r.URL.Path))
})

// open is for tests that are not about keys.
var open = Access{Open: true}

// anyHost is for requests of httptest, which are for example.com.
var anyHost = []string{"*"}

func handshake() http.Header {
	return http.Header{"Upgrade": {"WebSocket"}, "Connection": {"Upgrade"}}
}

func TestHandler(t *testing.T) {
	const js, html, text, object = "text/javascript; charset=utf-8", "text/html; charset=utf-8", "text/plain", "application/json"
	tests := []struct {
		name, method, path string
		header             http.Header
		wantCode           int
		wantType           string
		wantBody           string // a part of it
	}{
		{"page", "GET", "/", nil, 200, html, "<!doctype html>"},
		{"page, head only", "HEAD", "/", nil, 200, html, ""},
		{"page by name", "GET", "/index.html", nil, 200, html, "<!doctype html>"},
		{"module", "GET", "/app.js", nil, 200, js, "window.boardcast"},
		{"style", "GET", "/style.css", nil, 200, "text/css; charset=utf-8", "#stage"},
		{"icon", "GET", "/favicon.svg", nil, 200, "image/svg+xml", "<svg"},
		{"health", "GET", "/health", nil, 200, text, "OK\n"},
		{"settings", "GET", "/config.json", nil, 200, object, `"peer":"porch"`},
		{"status", "GET", "/api/status", nil, 200, object, `{"viewers":2}`},
		{"post to the page", "POST", "/", nil, 405, "", ""},
		{"put status", "PUT", "/api/status", nil, 405, "", ""},
		{"delete health", "DELETE", "/health", nil, 405, "", ""},
		{"options", "OPTIONS", "/config.json", nil, 405, "", ""},
		{"unknown path", "GET", "/admin", nil, 404, "", ""},
		{"longer health", "GET", "/healthz", nil, 404, "", ""},
		{"folder of the page", "GET", "/page/", nil, 404, "", ""},
		{"not of the page", "GET", "/package.json", nil, 404, "", ""},
		{"out of the page", "GET", "/..%2fserver.go", nil, 404, "", ""},
		{"socket without handshake", "GET", "/ws", nil, 426, "", "WebSocket"},
		{"socket", "GET", "/ws", handshake(), 418, "", "signalling /ws"},
		{"socket of the family's peers", "GET", "/", handshake(), 418, "", "signalling /"},
		{"socket at any path", "GET", "/a/b", handshake(), 418, "", "signalling /a/b"},
		{"handshake at health", "GET", "/health", handshake(), 200, text, "OK\n"},
		{"handshake at the api", "GET", "/api/status", handshake(), 200, object, "viewers"},
		{"handshake by post", "POST", "/ws", handshake(), 405, "", ""},
	}
	h := New(Options{
		Access:     open,
		Hosts:      anyHost,
		Signalling: signalling,
		Page:       Page{Peer: "porch"},
		Status:     func() any { return map[string]int{"viewers": 2} },
	}).handler()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), tt.method, tt.path, nil)
			maps.Copy(r.Header, tt.header)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tt.wantCode {
				t.Fatalf("code %d, want %d", w.Code, tt.wantCode)
			}
			if got := w.Header().Get("Content-Type"); tt.wantType != "" && got != tt.wantType {
				t.Errorf("type %q, want %q", got, tt.wantType)
			}
			if !strings.Contains(w.Body.String(), tt.wantBody) {
				t.Errorf("body %q lacks %q", w.Body, tt.wantBody)
			}
			if tt.method == http.MethodHead && w.Body.Len() > 0 {
				t.Errorf("HEAD got a body of %d bytes", w.Body.Len())
			}
			if tt.wantCode == 405 && w.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("Allow %q", w.Header().Get("Allow"))
			}
			checkHeaders(t, w.Header())
		})
	}
}

// checkHeaders checks the headers that every answer must have, errors too.
func checkHeaders(t *testing.T, got http.Header) {
	t.Helper()
	for name, want := range map[string][]string{
		"Content-Security-Policy": {"default-src 'self'", "connect-src 'self' ws: wss:", "frame-ancestors 'self'"},
		"X-Content-Type-Options":  {"nosniff"},
		"Referrer-Policy":         {"no-referrer"},
		"Permissions-Policy":      {"microphone=(self)", "fullscreen=(self)"},
	} {
		for _, part := range want {
			if !strings.Contains(got.Get(name), part) {
				t.Errorf("%s is %q, without %q", name, got.Get(name), part)
			}
		}
	}
	if strings.Contains(got.Get("Content-Security-Policy"), "unsafe") {
		t.Error("the policy allows inline code")
	}
}

func TestHandlerWithoutSignalling(t *testing.T) {
	h := New(Options{Access: open, Hosts: anyHost}).handler()
	for _, path := range []string{"/ws", "/ws/"} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
		r.Header = handshake()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 404 {
			t.Errorf("%s: code %d, want 404", path, w.Code)
		}
	}
}

func TestConfig(t *testing.T) {
	tests := []struct {
		name string
		opts Options
		want string
	}{
		{"empty", Options{}, `{"version":"","peer":"","iceServers":[],"talkback":false}`},
		{"full", Options{Version: "1.2", Page: Page{Peer: "porch", Talkback: true, ICEServers: func() []ICEServer {
			return []ICEServer{{URLs: []string{"stun:a:3478"}}, {URLs: []string{"turn:b", "turns:b"}, Username: "u", Credential: "c"}}
		}}}, `{"version":"1.2","peer":"porch","iceServers":[{"urls":["stun:a:3478"]},` +
			`{"urls":["turn:b","turns:b"],"username":"u","credential":"c"}],"talkback":true}`},
		{
			"a speaker",
			Options{Page: Page{Talkback: true}, Speaker: func() bool { return true }},
			`{"version":"","peer":"","iceServers":[],"talkback":true}`,
		},
		{
			"no speaker",
			Options{Page: Page{Talkback: true}, Speaker: func() bool { return false }},
			`{"version":"","peer":"","iceServers":[],"talkback":false}`,
		},
		{
			"a speaker that is not wanted",
			Options{Speaker: func() bool { return true }},
			`{"version":"","peer":"","iceServers":[],"talkback":false}`,
		},
		{
			"several cameras",
			Options{Page: Page{Peer: "front", Cameras: []string{"front", "rear"}}},
			`{"version":"","peer":"front","cameras":["front","rear"],"iceServers":[],"talkback":false}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.opts.Hosts, tt.opts.Access = anyHost, Access{Keys: ring}
			w := get(t, New(tt.opts).handler(), "/config.json")
			if got := strings.TrimSpace(w.Body.String()); got != tt.want {
				t.Errorf("got %s\nwant %s", got, tt.want)
			}
			if got := w.Header().Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control %q", got)
			}
		})
	}
}

func get(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
	r.Header.Set("Authorization", "Bearer "+viewerKey)
	h.ServeHTTP(w, r)
	return w
}

func TestPageIsRevalidated(t *testing.T) {
	h := New(Options{Access: open, Hosts: anyHost}).handler()
	first := get(t, h, "/app.js")
	etag := first.Header().Get("ETag")
	if len(etag) < 10 || first.Header().Get("Cache-Control") != "no-cache" {
		t.Fatalf("ETag %q, Cache-Control %q", etag, first.Header().Get("Cache-Control"))
	}
	if other := get(t, h, "/style.css").Header().Get("ETag"); other == etag {
		t.Error("two files share an ETag")
	}
	for wantCode, sent := range map[int]string{304: etag, 200: `"older"`} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/app.js", nil)
		r.Header.Set("If-None-Match", sent)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != wantCode || (w.Code == 304) != (w.Body.Len() == 0) {
			t.Errorf("If-None-Match %s: code %d with %d bytes, want %d", sent, w.Code, w.Body.Len(), wantCode)
		}
	}
}

func TestRequestsAreLimitedByAddress(t *testing.T) {
	h := New(Options{Access: open, Hosts: anyHost}).handler()
	ask := func(remote string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/health", nil)
		r.RemoteAddr = remote
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	refused := 0
	var last *httptest.ResponseRecorder
	for range 2 * requestBurst {
		if w := ask("192.0.2.1:4000"); w.Code == http.StatusTooManyRequests {
			refused++
			last = w
		}
	}
	if refused == 0 || last.Header().Get("Retry-After") != "1" {
		t.Fatalf("%d of %d requests refused, last answer %v", refused, 2*requestBurst, last)
	}
	checkHeaders(t, last.Header())
	if w := ask("192.0.2.2:4000"); w.Code != 200 {
		t.Errorf("another address got %d", w.Code)
	}
}

func TestStatus(t *testing.T) {
	tests := []struct {
		name     string
		status   func() any
		wantCode int
		want     any
	}{
		{"object", func() any { return map[string]any{"codec": "H264"} }, 200, map[string]any{"codec": "H264"}},
		{"none", nil, 200, map[string]any{"version": "1.2"}},
		{"list", func() any { return []int{1} }, 500, map[string]any{"error": "the status cannot be shown"}},
		{"nil", func() any { return nil }, 500, map[string]any{"error": "the status cannot be shown"}},
		{"not for JSON", func() any { return make(chan int) }, 500, map[string]any{"error": "the status cannot be shown"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := get(t, New(Options{Access: open, Hosts: anyHost, Status: tt.status, Version: "1.2"}).handler(), "/api/status")
			if w.Code != tt.wantCode {
				t.Errorf("code %d, want %d", w.Code, tt.wantCode)
			}
			var got any
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestStatusThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var asked atomic.Int32
		h := New(Options{Access: open, Hosts: anyHost, Status: func() any {
			n := asked.Add(1)
			<-release
			return map[string]int32{"asked": n}
		}}).handler()
		for range 3 {
			start := time.Now()
			w := get(t, h, "/api/status")
			if took := time.Since(start); w.Code != 503 || took > statusTimeout {
				t.Errorf("code %d after %v, want 503 within %v", w.Code, took, statusTimeout)
			}
			if !json.Valid(w.Body.Bytes()) || !bufio.NewScanner(w.Body).Scan() {
				t.Errorf("not a line of JSON: %q", w.Body)
			}
		}
		if n := asked.Load(); n != 1 {
			t.Errorf("asked %d times at once", n)
		}
		close(release)
		synctest.Wait()
		if w := get(t, h, "/api/status"); w.Code != 200 || strings.TrimSpace(w.Body.String()) != `{"asked":2}` {
			t.Errorf("after recovery: %d %s", w.Code, w.Body)
		}
	})
}

// Offers of WHEP are limited more strictly than other requests. Requests about their sessions are not.
func TestWHEPIsMounted(t *testing.T) {
	endpoint := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte(r.Method + " " + r.URL.Path))
	})
	h := New(Options{Access: open, Hosts: anyHost, Signalling: signalling, WHEP: endpoint}).handler()
	ask := func(method, path, remote string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
		r.RemoteAddr = remote
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	for _, path := range []string{"/whep", "/whep/x"} {
		for _, method := range []string{"GET", "POST", "PATCH", "DELETE", "OPTIONS", "PUT"} {
			w := ask(method, path, "192.0.2.1:1")
			if w.Code != http.StatusTeapot || w.Body.String() != method+" "+path {
				t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
			}
			checkHeaders(t, w.Header())
		}
	}
	limited := 0
	for n := range 2 * offerBurst {
		if w := ask("POST", []string{"/whep", "/whep/rear"}[n%2], "192.0.2.2:1"); w.Code == http.StatusTooManyRequests && w.Header().Get("Retry-After") == "1" {
			limited++
		}
	}
	if limited < offerBurst-offersPerSecond || limited > offerBurst {
		t.Errorf("%d of %d offers refused", limited, 2*offerBurst)
	}
	if w := ask("DELETE", "/whep/x", "192.0.2.2:1"); w.Code != http.StatusTeapot {
		t.Errorf("hanging up is answered %d", w.Code)
	}
	if w := get(t, New(Options{Access: open, Hosts: anyHost}).handler(), "/whep"); w.Code != http.StatusNotFound {
		t.Errorf("without an endpoint: %d", w.Code)
	}
}
