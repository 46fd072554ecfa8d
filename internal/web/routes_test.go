package web

import (
	"bufio"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"boardcast/internal/access"
)

// board has real keys, one of each kind.
type board struct {
	keys                          *access.Keys
	viewer, owner, front, expired string
	oldViewer                     string // the viewer's before `boardcast key --new`
}

func newBoard(t *testing.T) board {
	t.Helper()
	keys, err := access.Open(t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	add := func(g access.Grant) string {
		key, err := keys.Add(g)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	b := board{keys: keys, oldViewer: keys.Key(access.Viewer)}
	if err := keys.Renew(access.Viewer); err != nil {
		t.Fatal(err)
	}
	b.viewer, b.owner = keys.Key(access.Viewer), keys.Key(access.Owner)
	b.front = add(access.Grant{Name: "kitchen", Role: access.Owner, Cameras: []string{"front"}})
	b.expired = add(access.Grant{Name: "guest", Role: access.Owner, Expires: time.Now().Add(-time.Hour)})
	return b
}

// site serves everything that there is, with fakes that answer whoever reaches them with 418. The one of WHEP asks for the camera, as
// package whip does.
func (b board) site() *Server {
	return New(Options{
		Access:     Access{Keys: b.keys, Pages: func(r *http.Request) bool { return r.Header.Get("Origin") == "http://"+r.Host }},
		Signalling: signalling,
		WHEP: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			camera, named := strings.CutPrefix(r.URL.Path, "/whep/")
			if named && r.Method != http.MethodOptions && !GrantOf(r.Context()).May(camera) {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			w.WriteHeader(http.StatusTeapot)
		}),
		Status: func() any { return map[string]string{} },
		Page:   Page{Peer: "rear", Cameras: []string{"rear", "front"}, States: func() []Camera { return nil }},
	})
}

// callers are the columns of the table: who asks, and what the browser says of it.
var callers = []struct {
	name string
	say  func(b board, r *http.Request)
}{
	{"no key", func(board, *http.Request) {}},
	{"wrong key", func(_ board, r *http.Request) { present(r, "0123456789abcdefghjkmnpqrs") }},
	{"expired", func(b board, r *http.Request) { present(r, b.expired) }},
	{"after --new", func(b board, r *http.Request) { present(r, b.oldViewer) }},
	{"viewer", func(b board, r *http.Request) { present(r, b.viewer) }},
	{"owner", func(b board, r *http.Request) { present(r, b.owner) }},
	{"for front", func(b board, r *http.Request) { present(r, b.front) }},
	{"Origin", func(b board, r *http.Request) {
		present(r, b.owner)
		r.Header.Set("Origin", "http://evil.example")
	}},
	{"null", func(b board, r *http.Request) {
		present(r, b.owner)
		r.Header.Set("Origin", "null")
	}},
	{"cross-site", func(b board, r *http.Request) {
		present(r, b.owner)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "no-cors")
	}},
	{"same-site", func(b board, r *http.Request) { // a page of the same host at another port
		present(r, b.owner)
		r.Header.Set("Sec-Fetch-Site", "same-site")
		r.Header.Set("Sec-Fetch-Mode", "cors")
	}},
	{"our page", func(b board, r *http.Request) {
		present(r, b.owner)
		r.Header.Set("Origin", "http://"+r.Host)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}},
	{"Host", func(b board, r *http.Request) {
		present(r, b.owner)
		r.Host = "evil.example"
	}},
}

// present puts a key where a browser would: into the form of the locked page, else into the cookie.
func present(r *http.Request, key string) {
	if r.URL.Path == "/key" {
		*r = *httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), strings.NewReader(url.Values{"key": {key}}.Encode()))
		r.Host = boardHost
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return
	}
	r.AddCookie(&http.Cookie{Name: cookieName(r.Host), Value: key})
}

const boardHost = "192.0.2.7:8080"

// answers are the rows of the table: what each caller gets of each route and method. A route is asked for the camera rear where it
// has cameras.
var answers = map[string][]int{
	//                        no   wrong expd old  view own  frnt Orig null cros same ours Host
	"GET a file":          {200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 421},
	"GET /health":         {200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 421},
	"POST /key":           {401, 401, 401, 401, 303, 303, 303, 403, 403, 403, 403, 303, 421},
	"GET /{$}":            {401, 401, 401, 401, 200, 200, 403, 403, 403, 403, 403, 200, 421},
	"GET /index.html":     {401, 401, 401, 401, 200, 200, 403, 403, 403, 403, 403, 200, 421},
	"GET /config.json":    {401, 401, 401, 401, 200, 200, 200, 403, 403, 403, 403, 200, 421},
	"GET /api/cameras":    {401, 401, 401, 401, 200, 200, 200, 403, 403, 403, 403, 200, 421},
	"GET /api/status":     {401, 401, 401, 401, 403, 200, 403, 403, 403, 403, 403, 200, 421},
	"GET /ws":             {401, 401, 401, 401, 426, 426, 426, 403, 403, 403, 403, 426, 421},
	"GET WebSocket":       {401, 401, 401, 401, 418, 418, 418, 403, 403, 403, 403, 418, 421},
	"OPTIONS /whep":       {418, 418, 418, 418, 418, 418, 418, 403, 403, 403, 403, 418, 421},
	"GET /whep":           {401, 401, 401, 401, 418, 418, 418, 403, 403, 403, 403, 418, 421},
	"another /whep":       {401, 401, 401, 401, 418, 418, 418, 403, 403, 403, 403, 418, 421},
	"OPTIONS /whep/":      {418, 418, 418, 418, 418, 418, 418, 403, 403, 403, 403, 418, 421},
	"GET /whep/":          {401, 401, 401, 401, 418, 418, 403, 403, 403, 403, 403, 418, 421},
	"another /whep/":      {401, 401, 401, 401, 418, 418, 403, 403, 403, 403, 403, 418, 421},
	"GET no such path":    {404, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404, 421},
	"DELETE /config.json": {405, 405, 405, 405, 405, 405, 405, 405, 405, 405, 405, 405, 421},
}

// paths are what is asked of a pattern where that is not the pattern itself.
var paths = map[string]string{
	"/{$}": "/?camera=rear", "/index.html": "/index.html?camera=rear", "/whep/": "/whep/rear", "WebSocket": "/ws", "no such path": "/admin",
}

// TestRoutes asks for every route of the router by every method as everybody who may come, and prints the table (-v). A route that
// the table has no row for fails, and so does a row without a route.
func TestRoutes(t *testing.T) {
	b := newBoard(t)
	asked := map[string][]string{"GET no such path": {"no such path"}, "DELETE /config.json": {"/config.json"}} // row: patterns
	s := b.site()
	for _, one := range append(s.table(), *s.socket()) {
		for _, row := range one.rows() {
			asked[row] = append(asked[row], one.pattern)
		}
	}
	for row := range answers {
		if asked[row] == nil {
			t.Errorf("the table has a row for %s, which is no route", row)
		}
	}
	t.Logf("%-22s%s", "", strings.Join(columns(), " "))
	for _, row := range slices.Sorted(maps.Keys(asked)) {
		want, ok := answers[row]
		if !ok {
			t.Errorf("the table has no row for the route %s", row)
			continue
		}
		for _, pattern := range asked[row] {
			for _, method := range methodsOf(row) {
				got := b.ask(t, method, pattern, row)
				t.Logf("%-7s %-14s%s", method, pattern, formatCodes(got, want))
				if !slices.Equal(got, want) {
					t.Errorf("%s %s: got %v, want %v", method, pattern, got, want)
				}
			}
		}
	}
}

// methodsOf are the methods by which a row of the table is asked.
func methodsOf(row string) []string {
	method, _, _ := strings.Cut(row, " ")
	switch {
	case method == "another":
		return []string{"POST", "PATCH", "DELETE", "PUT"}
	case method == "GET" && row != "GET WebSocket":
		return []string{"GET", "HEAD"}
	}
	return []string{method}
}

// rows are the rows of the table that are about a route.
func (r route) rows() []string {
	if name := strings.TrimPrefix(r.pattern, "/"); r.who == everybody && pageFiles()[name] != nil {
		return []string{"GET a file"}
	}
	var names []string
	for _, method := range r.methods {
		names = append(names, method+" "+r.pattern)
	}
	if r.methods == nil {
		names = append(names, "another "+r.pattern)
	}
	return names
}

// ask sends a request as each of the callers, each to a server of its own and by an address of its own.
func (b board) ask(t *testing.T, method, pattern, row string) []int {
	t.Helper()
	path := pattern
	if p, ok := paths[pattern]; ok {
		path = p
	}
	var codes []int
	for _, caller := range callers {
		r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
		r.Host = boardHost
		caller.say(b, r)
		if row == "GET WebSocket" {
			maps.Copy(r.Header, handshake())
		}
		w := httptest.NewRecorder()
		b.site().handler().ServeHTTP(w, r)
		codes = append(codes, w.Code)
		checkHeaders(t, w.Header())
		if w.Code == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") != Challenge {
			t.Errorf("%s %s: 401 with the challenge %q", method, path, w.Header().Values("WWW-Authenticate"))
		}
	}
	return codes
}

func columns() []string {
	var names []string
	for _, caller := range callers {
		names = append(names, fmt.Sprintf("%11s", caller.name))
	}
	return names
}

// formatCodes is a line of the table: what was got, and what was wanted where that is another.
func formatCodes(got, want []int) string {
	var line strings.Builder
	for i, code := range got {
		cell := fmt.Sprint(code)
		if code != want[i] {
			cell += fmt.Sprintf(" not %d", want[i])
		}
		fmt.Fprintf(&line, " %11s", cell)
	}
	return line.String()
}

// TestRouteWithoutDecision wants no router of a table with a row in which something was not thought of.
func TestRouteWithoutDecision(t *testing.T) {
	whole := route{pattern: "/a", methods: reading, who: viewers, by: byHeader, handler: serveHealth}
	for name, spoil := range map[string]func(*route){
		"nothing":                             func(*route) {},
		"who may":                             func(r *route) { r.who = 0 },
		"an unknown holder":                   func(r *route) { r.who = owners + 1 },
		"how a key comes":                     func(r *route) { r.by = 0 },
		"no key where everybody may":          func(r *route) { r.who = everybody },
		"that POST changes something":         func(r *route) { r.methods = []string{http.MethodPost} },
		"that any method may change anything": func(r *route) { r.methods = nil },
		"a handler":                           func(r *route) { r.handler = nil },
	} {
		one := whole
		spoil(&one)
		refused := func() (refused bool) {
			defer func() { refused = recover() != nil }()
			newRouter([]route{one}, nil)
			return false
		}()
		if refused == (name == "nothing") {
			t.Errorf("a row without %s: refused %t", name, refused)
		}
	}
}

// net/http answers no request in place of the routes.
func TestOptionsOfTheServer(t *testing.T) {
	addr, _ := start(t, New(Options{Access: Access{Keys: ring}, Listen: "127.0.0.1:0"}))
	for host, want := range map[string]string{"localhost": "HTTP/1.1 400", "evil.example": "HTTP/1.1 421"} {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintf(c, "OPTIONS * HTTP/1.1\r\nHost: %s\r\n\r\n", host) // what fails here is seen below
		line, err := bufio.NewReader(c).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, want) {
			t.Errorf("of %s: %q, %v; want %s", host, line, err, want)
		}
		_ = c.Close()
	}
}
