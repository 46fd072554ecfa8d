package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"boardcast/internal/access"
)

// holders says who may use a route. The zero value is no decision, with which no route may be.
type holders int

// The holders of keys that there are.
const (
	everybody holders = iota + 1 // also without a key: what is answered is no secret
	viewers                      // with any key
	owners                       // with an owner's key that is for all cameras
)

// roles are the roles that they need. everybody needs none.
var roles = map[holders]access.Role{viewers: access.Viewer, owners: access.Owner}

// ways by which a key may come, as a set.
type ways int

// The ways.
const (
	byCookie ways = 1 << iota // set by the page's link or form
	byBearer                  // Authorization: Bearer KEY
	byBasic                   // Authorization: Basic, the role or the key's name as user and the key as password
	byQuery                   // ?key=KEY, which is for links that a person opens
	byForm                    // key=KEY in the body, from the form of the locked page

	byHeader = byCookie | byBearer | byBasic
)

// reading are the methods of a route that changes nothing. A pattern with GET answers HEAD too.
var reading = []string{http.MethodGet}

// route is a row of the router's table: a decision on one path, for some methods.
type route struct {
	pattern string   // of http.ServeMux, without a method
	methods []string // that the row is about; nil for all that no other row of the pattern is about
	who     holders
	by      ways // a key may come; none where everybody may
	// changes tells that the route changes something, or opens something that pages of other sites may not have. Then the origin of
	// the page is checked that had the browser send the request.
	changes bool
	// dialog tells that a browser may ask for a name and a password. On what our own page asks for, that would cover the page.
	dialog  bool
	refuse  func(http.ResponseWriter, *http.Request, refusal) // nil: in plain text
	handler http.HandlerFunc
}

// table is every route of the server. A path that no row is about is answered 404, another method 405, by the mux.
func (s *Server) table() []route {
	rows := []route{
		{pattern: "/health", methods: reading, who: everybody, handler: serveHealth},
		{
			pattern: "/key", methods: []string{http.MethodPost}, who: viewers, by: byForm, changes: true,
			refuse: s.locked, handler: takeKey,
		},
		{pattern: "/config.json", methods: reading, who: viewers, by: byHeader, handler: s.serveConfig},
		{pattern: "/api/status", methods: reading, who: owners, by: byHeader, handler: s.serveStatus},
	}
	for _, pattern := range []string{"/{$}", "/index.html"} {
		rows = append(rows, route{
			pattern: pattern, methods: reading, who: viewers, by: byHeader | byQuery, refuse: s.locked, handler: s.servePage,
		})
	}
	for name, file := range s.files {
		if !slices.Contains(documents, name) {
			rows = append(rows, route{pattern: "/" + name, methods: reading, who: everybody, handler: file.ServeHTTP})
		}
	}
	if s.opts.Page.States != nil {
		rows = append(rows, route{pattern: "/api/cameras", methods: reading, who: viewers, by: byHeader, handler: s.serveCameras})
	}
	if s.opts.Signalling != nil {
		rows = append(rows, route{pattern: "/ws", methods: reading, who: viewers, by: byHeader, handler: serveUpgradeRequired})
	}
	if s.opts.WHEP != nil {
		rows = append(rows, s.playerRoutes()...)
	}
	return rows
}

// playerRoutes are those of WHEP: what takes offers, and the sessions below. A browser asks by OPTIONS, without a key, whether a page
// of another site may send one.
func (s *Server) playerRoutes() []route {
	limit := newLimiter(offersPerSecond, offerBurst, time.Now)
	play := func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && !limit.allow(client(r.RemoteAddr)) {
			tooMany(w)
			return
		}
		s.opts.WHEP.ServeHTTP(w, r)
	}
	var rows []route
	for _, pattern := range []string{"/whep", "/whep/"} {
		rows = append(rows,
			route{pattern: pattern, methods: []string{http.MethodOptions}, who: everybody, changes: true, handler: play},
			route{pattern: pattern, methods: reading, who: viewers, by: byHeader, dialog: true, refuse: s.refusePlayer, handler: play},
			route{pattern: pattern, who: viewers, by: byHeader, changes: true, dialog: true, refuse: s.refusePlayer, handler: play})
	}
	return rows
}

// refusePlayer refuses a request in plain text. A page of another site that may play here may read why.
func (s *Server) refusePlayer(w http.ResponseWriter, r *http.Request, no refusal) {
	w.Header().Add("Vary", "Origin")
	if origin := r.Header.Get("Origin"); origin != "" && s.opts.Access.ownPage(r) {
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Set("Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate")
	}
	http.Error(w, no.text, no.code)
}

// socket is the route of WebSocket handshakes, which peers send to any path. It is nil without signalling.
func (s *Server) socket() *route {
	if s.opts.Signalling == nil {
		return nil
	}
	return &route{pattern: "WebSocket", methods: reading, who: viewers, by: byHeader, changes: true, handler: s.opts.Signalling.ServeHTTP}
}

// router finds the row of a request.
type router struct {
	mux    *http.ServeMux // its handlers are rows
	socket *row           // nil without signalling
}

// row is a route as the mux has it.
type row struct{ route }

// ServeHTTP is never called: the router takes the row out of the mux, and decides before it answers.
func (*row) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "no decision was made on this request", http.StatusInternalServerError)
}

// newRouter makes a router of the table. It panics for a row without a decision.
func newRouter(rows []route, socket *route) router {
	found := router{mux: http.NewServeMux()}
	if socket != nil {
		socket.mustBeWhole()
		found.socket = &row{*socket}
	}
	for _, r := range rows {
		r.mustBeWhole()
		if r.methods == nil {
			found.mux.Handle(r.pattern, &row{r})
		}
		for _, method := range r.methods {
			found.mux.Handle(method+" "+r.pattern, &row{r})
		}
	}
	return found
}

func (r route) mustBeWhole() {
	if flaw := r.flaw(); flaw != "" {
		panic("web: route " + r.pattern + ": " + flaw)
	}
}

// flaw says what is missing in a row, "" for nothing.
func (r route) flaw() string {
	reads := len(r.methods) > 0 && !slices.ContainsFunc(r.methods, func(m string) bool { return m != http.MethodGet && m != http.MethodOptions })
	switch {
	case r.who < everybody || r.who > owners:
		return "it does not say who may use it"
	case r.who == everybody && r.by != 0, r.who != everybody && r.by == 0:
		return "the ways of a key do not fit who may use it"
	case !reads && !r.changes:
		return "a method that changes something has to be marked so"
	case r.handler == nil:
		return "it has no handler"
	}
	return ""
}

// find returns the row of a request, nil where there is none.
func (o router) find(r *http.Request) *row {
	if o.socket != nil && isHandshake(r) {
		return o.socket
	}
	handler, _ := o.mux.Handler(r)
	found, _ := handler.(*row)
	return found
}

// isHandshake tells whether a request is a WebSocket handshake for the signalling. The page uses /ws. Other peers of the protocol
// connect to any path, mostly "/". Only /health and /api/ are not for them.
func isHandshake(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket") &&
		r.URL.Path != "/health" && !strings.HasPrefix(r.URL.Path, "/api/")
}
