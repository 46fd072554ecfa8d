package web

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"boardcast/internal/access"
)

// Page is what the page is told. Every viewer can read it, TURN credentials included.
type Page struct {
	Peer       string             // id of the peer that the page calls, unless the page's address names another
	Cameras    []string           // ids of the cameras that the page offers a choice of; may be empty
	ICEServers func() []ICEServer // STUN and TURN for a browser's next session; nil where there are none
	Talkback   bool               // whether the page offers to send the microphone
	// States tells how each of the cameras does; nil where that is not known.
	States func() []Camera
}

// Camera is how a camera does, for viewers; the status says more, to owners.
type Camera struct {
	Name   string `json:"name"`
	State  string `json:"state"`            // in a word
	Reason string `json:"reason,omitempty"` // why there is no picture, where that is known
}

// ICEServer is one entry of a browser's RTCConfiguration.iceServers.
type ICEServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// headers are sent with every answer of this package. The page has no inline script or style. ws: and wss: are allowed because the
// page may be told to use another signalling server.
func (s *Server) headers() map[string]string {
	return map[string]string{
		"Content-Security-Policy": "default-src 'self'; connect-src 'self' ws: wss:; object-src 'none'; " +
			"base-uri 'none'; form-action 'self'; " + s.opts.Access.frameAncestors(),
		"Permissions-Policy":           "microphone=(self), fullscreen=(self), autoplay=(self), camera=(), geolocation=()",
		"Referrer-Policy":              "no-referrer",
		"X-Content-Type-Options":       "nosniff",
		"Cross-Origin-Resource-Policy": "same-origin",
	}
}

// handler serves every request. It sets the headers, refuses addresses that ask too often, and refuses host names that are not this
// machine's. Then the row of the request decides, and answers. Requests with a right key and those without are limited apart: who
// guesses keys does not keep out the holder of one, even at the same address.
func (s *Server) handler() http.Handler {
	headers := s.headers()
	routes := newRouter(s.table(), s.socket())
	decisions := newGuard(&s.opts.Access, s.log)
	limits := map[bool]*limiter{} // by whether the key is right
	for _, known := range []bool{true, false} {
		limits[known] = newLimiter(requestsPerSecond, requestBurst, time.Now)
	}
	names := newHosts(s.opts)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		to, v := routes.find(r), visitor{}
		if to != nil {
			v = s.opts.Access.identify(r, to.by)
		}
		if !limits[v.known()].allow(client(r.RemoteAddr)) {
			tooMany(w)
			return
		}
		s.log.Debug("request", slog.String(keyMethod, r.Method), slog.String(keyPath, r.URL.Path),
			slog.String(keyAddress, r.RemoteAddr))
		if !names.allowed(r) {
			misdirected(w)
			return
		}
		if to == nil {
			routes.mux.ServeHTTP(w, r) // which answers 404, or 405 with Allow
			return
		}
		if no := decisions.decide(r, to, v); no != nil {
			decisions.answer(w, r, to, *no)
			return
		}
		to.handler(w, v.in(r))
	})
}

func tooMany(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	http.Error(w, "too many requests", http.StatusTooManyRequests)
}

// serveUpgradeRequired answers a plain request at the path of the signalling.
func serveUpgradeRequired(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Upgrade", "websocket")
	w.Header().Set("Connection", "Upgrade")
	http.Error(w, "this address speaks WebSocket", http.StatusUpgradeRequired)
}

// serveHealth answers as the reference signalling server does, with the same body.
func serveHealth(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Connection", "close")
	_, _ = w.Write([]byte("OK\n"))
}

// serveConfig answers with the page's settings, as far as they are for the cameras that the visitor's key is for.
func (s *Server) serveConfig(w http.ResponseWriter, r *http.Request) {
	grant := GrantOf(r.Context())
	page := s.opts.Page.of(grant)
	if page.Peer == "" && grant.Cameras != nil {
		http.Error(w, otherCamera.text, otherCamera.code)
		return
	}
	talkback := page.Talkback && (s.opts.Speaker == nil || s.opts.Speaker())
	config := struct {
		Version    string      `json:"version"`
		Peer       string      `json:"peer"`
		Cameras    []string    `json:"cameras,omitempty"`
		ICEServers []ICEServer `json:"iceServers"`
		Talkback   bool        `json:"talkback"`
		Open       bool        `json:"open,omitempty"`
	}{s.opts.Version, page.Peer, page.Cameras, []ICEServer{}, talkback, s.opts.Access.Open}
	if page.ICEServers != nil {
		config.ICEServers = append(config.ICEServers, page.ICEServers()...) // never null: the browser wants an array
	}
	body, err := json.Marshal(config)
	if err != nil {
		http.Error(w, "settings cannot be shown", http.StatusInternalServerError)
		return
	}
	writeJSON(w, http.StatusOK, body)
}

// of is the page for a grant: it offers the cameras that the grant is for, and plays the first of them where it may not play Peer.
func (p Page) of(grant access.Grant) Page {
	if grant.Cameras == nil {
		return p
	}
	p.Cameras = slices.DeleteFunc(slices.Clone(p.Cameras), func(name string) bool { return !grant.May(name) })
	switch {
	case grant.May(p.Peer):
	case len(p.Cameras) > 0:
		p.Peer = p.Cameras[0]
	default:
		p.Peer = ""
	}
	return p
}

func writeJSON(w http.ResponseWriter, code int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = w.Write(append(body, '\n'))
}

// client is the address by which limits count a client. An IPv6 host may have a whole /64, which therefore counts as one client. All
// link-local hosts share one /64, but each has only one address there, which counts.
func client(remote string) netip.Addr {
	addr, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	ip := addr.Addr().Unmap().WithZone("")
	if ip.Is6() && !ip.IsLinkLocalUnicast() {
		if prefix, err := ip.Prefix(64); err == nil {
			return prefix.Addr()
		}
	}
	return ip
}
