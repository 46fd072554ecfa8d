package web

import (
	"context"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"boardcast/internal/access"
)

// visit is a request of a board's page, and its answer.
func visit(t *testing.T, h http.Handler, method, path string, header http.Header, form ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	if form != nil {
		r = httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(url.Values{"key": form}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Host = boardHost
	maps.Copy(r.Header, header)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// kept is the cookie that an answer sets, nil for none.
func kept(w *httptest.ResponseRecorder) *http.Cookie {
	answer := w.Result()
	if cookies := answer.Cookies(); len(cookies) > 0 {
		return cookies[0]
	}
	return nil
}

// A link with a key leads to the page, and the key goes from the address into a cookie.
func TestLink(t *testing.T) {
	b := newBoard(t)
	h := b.site().handler()
	w := visit(t, h, "GET", "/?key="+b.viewer+"&camera=front", nil)
	if w.Code != 200 || !strings.Contains(w.Body.String(), `src="enter.js"`) {
		t.Fatalf("the link is answered %d %.300s", w.Code, w.Body)
	}
	cookie := kept(w)
	if cookie == nil || cookie.Name != "boardcast-8080" || cookie.Value != b.viewer || !cookie.HttpOnly || cookie.Secure ||
		cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "" || cookie.Domain != "" || cookie.MaxAge != 400*24*3600 {
		t.Fatalf("cookie %v", cookie)
	}
	back := http.Header{"Cookie": {cookie.Name + "=" + cookie.Value}}
	if w = visit(t, h, "GET", "/?camera=front", back); w.Code != 200 || !strings.Contains(w.Body.String(), `src="app.js"`) || kept(w) != nil {
		t.Errorf("the page is answered %d %.300s", w.Code, w.Body)
	}
	old := http.Header{"Cookie": {"boardcast-8080=" + b.oldViewer + "; boardcast-8080=" + b.viewer + "; boardcast=" + b.owner}}
	if w = visit(t, h, "GET", "/config.json", old); w.Code != 200 {
		t.Errorf("an old cookie of another folder hides the right one: %d", w.Code)
	}
	if w = visit(t, h, "GET", "/api/status", old); w.Code != 403 {
		t.Errorf("the cookie of another port counts: %d", w.Code)
	}
	if w = visit(t, h, "GET", "/?key="+b.oldViewer, back); w.Code != 200 || kept(w) != nil {
		t.Errorf("an old link with a right cookie is answered %d, cookie %v", w.Code, kept(w))
	}
}

// Over TLS the cookie is one that the browser sends over TLS alone; that of a key which ends ends with it.
func TestCookie(t *testing.T) {
	b := newBoard(t)
	guest, err := b.keys.Add(access.Grant{Name: "visitor", Role: access.Viewer, Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), "GET", "https://192.0.2.7/?key="+guest, nil)
	w := httptest.NewRecorder()
	b.site().handler().ServeHTTP(w, r)
	cookie := kept(w)
	if cookie == nil || cookie.Name != "boardcast" || !cookie.Secure || cookie.MaxAge < 3590 || cookie.MaxAge > 3600 {
		t.Errorf("cookie %v", cookie)
	}
}

// A browser does not send the cookie of https over http: there a key is asked for.
func TestCookieOverHTTP(t *testing.T) {
	b := newBoard(t)
	over := map[string]*httptest.Server{
		"https": httptest.NewTLSServer(b.site().handler()), "http": httptest.NewServer(b.site().handler()),
	}
	for _, s := range over {
		defer s.Close()
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := over["https"].Client()
	client.Jar = jar
	// Both are at one address: loopback would be as good as https to the cookie jar.
	transport := client.Transport.(*http.Transport)
	transport.TLSClientConfig.InsecureSkipVerify = true //nolint:gosec // the certificate is for other addresses
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		scheme := map[string]string{"192.0.2.7:443": "https", "192.0.2.7:80": "http"}[address]
		return new(net.Dialer).DialContext(ctx, network, over[scheme].Listener.Addr().String())
	}
	for _, step := range []struct {
		address string
		want    int
	}{
		{"https://192.0.2.7/?key=" + b.viewer, 200}, {"https://192.0.2.7/config.json", 200}, {"http://192.0.2.7/config.json", 401},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, step.address, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != step.want {
			t.Errorf("%s: %d, want %d", step.address, answer.StatusCode, step.want)
		}
	}
	client.CloseIdleConnections()
}

// Who comes without a right key sees a page that says so and takes one.
func TestLockedPage(t *testing.T) {
	b := newBoard(t)
	cookie := func(key string) http.Header { return http.Header{"Cookie": {"boardcast-8080=" + key}} }
	for _, c := range []struct {
		name, path string
		header     http.Header
		code       int
		want       string
	}{
		{"no key", "/", nil, 401, `action="key"`},
		{"the camera is kept", `/?camera=rear"><b>&key=x`, nil, 401, `action="key?camera=rear%22%3E%3Cb%3E"`},
		{"how to get one", "/", nil, 401, "boardcast key"},
		{"wrong", "/?key=x", nil, 401, "not right"},
		{"expired", "/", cookie(b.expired), 401, "expired"},
		{"another camera", "/?camera=rear", cookie(b.front), 403, "not for this camera"},
		{"another camera stays", "/?camera=rear", cookie(b.front), 403, "data-stays"},
	} {
		w := visit(t, b.site().handler(), "GET", c.path, c.header)
		if body := w.Body.String(); w.Code != c.code || !strings.Contains(body, c.want) || kept(w) != nil {
			t.Errorf("%s: %d, cookie %v, want %d and %q in\n%s", c.name, w.Code, kept(w), c.code, c.want, body)
		}
		if got := w.Header(); got.Get("Cache-Control") != "no-store" || got.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: headers %v", c.name, got)
		}
		if strings.Contains(w.Body.String(), "<b>") {
			t.Errorf("%s: the address is markup: %s", c.name, w.Body)
		}
	}
}

// The form of the locked page takes a key as a person types it, or a pasted link, and leads on to the page.
func TestForm(t *testing.T) {
	b := newBoard(t)
	spaced := strings.ToUpper(b.viewer[:5]) + "-" + b.viewer[5:]
	for _, c := range []struct {
		name, path, typed string
		code              int
		location          string
	}{
		{"the key", "/key", b.viewer, 303, "./"},
		{"the camera is kept", "/key?camera=front", b.viewer, 303, "./?camera=front"},
		{"typed in groups", "/key", " " + spaced + " ", 303, "./"},
		{"a pasted link", "/key", "http://192.0.2.7:8080/?camera=front&key=" + b.viewer, 303, "./"},
		{"nothing", "/key", "", 401, ""},
		{"wrong", "/key", b.oldViewer, 401, ""},
		{"too long", "/key", b.viewer + strings.Repeat(" ", longestForm), 401, ""},
		{"in the address", "/key?key=" + b.viewer, "", 401, ""},
	} {
		w := visit(t, b.site().handler(), "POST", c.path, http.Header{"Origin": {"http://" + boardHost}}, c.typed)
		if w.Code != c.code || w.Header().Get("Location") != c.location || (kept(w) != nil) != (c.code == 303) {
			t.Errorf("%s: %d to %q, cookie %v; want %d to %q", c.name, w.Code, w.Header().Get("Location"), kept(w), c.code, c.location)
		}
	}
}

// Where keys are turned off, the page says so, nothing is asked for, and a link with a key still leads to the page.
func TestOpen(t *testing.T) {
	h := New(Options{Access: open}).handler()
	if w := visit(t, h, "GET", "/config.json", nil); w.Code != 200 || !strings.Contains(w.Body.String(), `"open":true`) {
		t.Errorf("settings: %d %s", w.Code, w.Body)
	}
	if w := visit(t, h, "GET", "/?key=old", nil); w.Code != 200 || !strings.Contains(w.Body.String(), "enter.js") || kept(w) != nil {
		t.Errorf("a link: %d, cookie %v, %s", w.Code, kept(w), w.Body)
	}
}

// A key for some cameras is told of them alone.
func TestConfigOfSomeCameras(t *testing.T) {
	cameras := []Camera{{Name: "front", State: "live"}, {Name: "rear", State: "lost", Reason: "unplugged"}}
	states := func() []Camera { return cameras }
	for _, c := range []struct {
		name, key, path string
		page            Page
		code            int
		want            string
	}{
		{"front of two", frontKey, "/config.json", Page{Peer: "rear", Cameras: []string{"rear", "front"}}, 200, `"peer":"front","cameras":["front"]`},
		{"all of two", viewerKey, "/config.json", Page{Peer: "rear", Cameras: []string{"rear", "front"}}, 200, `"peer":"rear","cameras":["rear","front"]`},
		{"none of them", frontKey, "/config.json", Page{Peer: "rear", Cameras: []string{"rear"}, ICEServers: func() []ICEServer { return []ICEServer{{Credential: "s3cret"}} }}, 403, ""},
		{"a camera without a name", frontKey, "/config.json", Page{Peer: "camera"}, 403, ""},
		{"states of one", frontKey, "/api/cameras", Page{States: states}, 200, `{"cameras":[{"name":"front","state":"live"}]}`},
		{"states of all", viewerKey, "/api/cameras", Page{States: states}, 200, `{"name":"rear","state":"lost","reason":"unplugged"}]}`},
		{"states of a server", viewerKey, "/api/cameras", Page{}, 404, ""},
	} {
		h := New(Options{Access: Access{Keys: ring}, Page: c.page}).handler()
		w := visit(t, h, "GET", c.path, http.Header{"Authorization": {"Bearer " + c.key}})
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.want) || strings.Contains(w.Body.String(), "s3cret") {
			t.Errorf("%s: %d %s, want %d %s", c.name, w.Code, w.Body, c.code, c.want)
		}
	}
}
