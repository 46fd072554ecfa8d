package whip

import (
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"boardcast/internal/sdp"
)

// Path is where an [Endpoint] takes offers. Its sessions are below, and so are the media that have names.
const Path = "/whep"

// Time limits of an offer. Together they are less than the 15 s that the HTTP server gives an answer.
const (
	openLimit   = 5 * time.Second // for the media to open a session: the program may be starting
	answerLimit = 7 * time.Second // for the answer with its ICE candidates
)

// maxOffers is how many offers are answered at once. Each costs a pipeline; the others are asked to come again a second later.
const maxOffers = 16

// EndpointOptions configure an [Endpoint].
type EndpointOptions struct {
	Media      Media
	Named      map[string]Media   // by name, which is of lower-case letters, digits and "-"; may be nil
	ICEServers func() []ICEServer // for a player's next session; nil where there are none
	// Allowed tells whether a request with an Origin header is served. Browsers send that header. nil refuses all such requests.
	Allowed func(*http.Request) bool
	// May tells whether the sender of a request may play the media of this name, "" for Media. nil: everybody may.
	May func(r *http.Request, name string) bool
	// Address is the address that a request came from, the zero Addr where that is not known. nil means that it never is.
	Address func(*http.Request) netip.Addr
	Logger  *slog.Logger // nil: silent
}

// Endpoint answers players of WHEP at [Path] and below. A POST with an offer makes a session. The session has a path of its own
// until it is deleted or its media end. Its name cannot be guessed. Who may ask at all is decided before the Endpoint is asked.
//
// # Concurrency
//
// Safe for concurrent use. An Endpoint has no goroutine of its own: a request makes it forget the sessions whose media have ended.
type Endpoint struct {
	opts   EndpointOptions
	log    *slog.Logger
	offers chan struct{} // holds one value for each offer that is being answered

	mu       sync.Mutex
	sessions map[string]resource
	players  int
}

// resource is a session that has a path.
type resource struct {
	session Session
	etag    string
	offer   sdp.Description
}

// NewEndpoint returns an endpoint without sessions.
func NewEndpoint(o EndpointOptions) *Endpoint {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Allowed == nil {
		o.Allowed = func(*http.Request) bool { return false }
	}
	if o.May == nil {
		o.May = func(*http.Request, string) bool { return true }
	}
	if o.Address == nil {
		o.Address = func(*http.Request) netip.Addr { return netip.Addr{} }
	}
	return &Endpoint{opts: o, log: o.Logger, offers: make(chan struct{}, maxOffers), sessions: map[string]resource{}}
}

// methods are the HTTP methods that a path answers. GET answers 204: there is nothing to show (section 4.1 of the draft).
type methods map[string]http.HandlerFunc

func (m methods) allow() string { return strings.Join(slices.Sorted(maps.Keys(m)), ", ") }

func empty(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

// ServeHTTP implements [http.Handler].
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if !e.admit(w, r) {
		http.Error(w, "pages of this origin may not play here; signalling.origins lists those that may", http.StatusForbidden)
		return
	}
	var known methods
	id := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, Path), "/")
	media, may := e.mediaOf(r, id)
	if !may {
		http.Error(w, "this key is for other cameras", http.StatusForbidden)
		return
	}
	switch {
	case media != nil:
		w.Header().Set("Accept-Post", sdpType)
		known = methods{
			http.MethodGet: empty, http.MethodHead: empty,
			http.MethodPost: func(w http.ResponseWriter, r *http.Request) { e.create(w, r, media) },
		}
	case id != "" && r.Method == http.MethodOptions || e.alive(id):
		w.Header().Set("Accept-Patch", fragmentType)
		known = methods{
			http.MethodGet: empty, http.MethodHead: empty,
			http.MethodPatch:  func(w http.ResponseWriter, r *http.Request) { e.patch(w, r, id) },
			http.MethodDelete: func(w http.ResponseWriter, _ *http.Request) { e.remove(w, id) },
		}
	default:
		http.Error(w, "no such session", http.StatusNotFound)
		return
	}
	known[http.MethodOptions] = func(w http.ResponseWriter, r *http.Request) { options(w, r, known.allow()) }
	answer, ok := known[r.Method]
	if !ok {
		w.Header().Set("Allow", known.allow())
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	answer(w, r)
}

// mediaOf finds the media of a name, nil where there are none, and tells whether the sender of a request may play them. A browser asks
// by OPTIONS without a key: it is answered, but not told which names there are.
func (e *Endpoint) mediaOf(r *http.Request, name string) (media Media, may bool) {
	media = e.opts.Named[name]
	if name == "" {
		media = e.opts.Media
	}
	switch {
	case media == nil || e.opts.May(r, name):
		return media, true
	case r.Method != http.MethodOptions:
		return nil, false
	case name != "":
		return nil, true
	}
	return media, true
}

// admit refuses pages of other sites. Pages that are allowed may read the answer.
func (e *Endpoint) admit(w http.ResponseWriter, r *http.Request) bool {
	w.Header().Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true // not from a browser
	}
	if !e.opts.Allowed(r) {
		return false
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	w.Header().Set("Access-Control-Expose-Headers", "Accept-Patch, ETag, Link, Location, Retry-After")
	return true
}

// options answers OPTIONS with 200, as the draft says. A browser that asks before it sends is told what it may send.
func options(w http.ResponseWriter, r *http.Request, allow string) {
	w.Header().Set("Allow", allow)
	if r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != "" {
		w.Header().Set("Access-Control-Allow-Methods", allow)
		w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match")
		w.Header().Set("Access-Control-Max-Age", "600")
	}
	w.WriteHeader(http.StatusOK)
}

// alive says whether there is such a session.
func (e *Endpoint) alive(id string) bool {
	_, ok := e.find(id)
	return ok
}

// find finds a session. It first forgets those whose media have ended.
func (e *Endpoint) find(id string) (resource, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.forgetEndedLocked()
	res, ok := e.sessions[id]
	return res, ok
}

func (e *Endpoint) forgetEndedLocked() {
	maps.DeleteFunc(e.sessions, func(_ string, r resource) bool {
		select {
		case <-r.session.Done():
			return true
		default:
			return false
		}
	})
}

// remove answers DELETE: the player has hung up.
func (e *Endpoint) remove(w http.ResponseWriter, id string) {
	e.mu.Lock()
	res, ok := e.sessions[id]
	delete(e.sessions, id)
	e.mu.Unlock()
	if !ok {
		http.Error(w, "no such session", http.StatusNotFound)
		return
	}
	res.session.Close()
	w.WriteHeader(http.StatusOK)
}
