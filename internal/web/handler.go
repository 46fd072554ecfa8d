package web

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// Page is what /config.json tells the page. Everybody who can open the page can read it, TURN credentials included.
type Page struct {
	Peer       string      // id of the peer that the page calls, unless the page's address names another
	Cameras    []string    // ids of the cameras that the page offers a choice of; may be empty
	ICEServers []ICEServer // STUN and TURN for the browser; may be empty
	Talkback   bool        // whether the page offers to send the microphone
}

// ICEServer is one entry of a browser's RTCConfiguration.iceServers.
type ICEServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// headers are sent with every answer of this package. The page has no inline script or style. ws: and wss: are allowed because the
// page may be told to use another signalling server.
var headers = map[string]string{
	"Content-Security-Policy": "default-src 'self'; connect-src 'self' ws: wss:; object-src 'none'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
	"Permissions-Policy":           "microphone=(self), fullscreen=(self), autoplay=(self), camera=(), geolocation=()",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
	"Cross-Origin-Resource-Policy": "same-origin",
}

// handler serves every request. It sets the headers, refuses clients that ask too often, and refuses host names that are not this
// machine's. WebSocket handshakes then go to the signalling, and all other requests to the routes.
func (s *Server) handler() http.Handler {
	routes := s.routes()
	clients := newLimiter(requestsPerSecond, requestBurst, time.Now)
	known := newHosts(s.opts)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		if !clients.allow(client(r.RemoteAddr)) {
			tooMany(w)
			return
		}
		s.log.Debug("request", slog.String(keyMethod, r.Method), slog.String(keyPath, r.URL.Path),
			slog.String(keyAddress, r.RemoteAddr))
		if !known.allowed(r) {
			misdirected(w)
			return
		}
		if s.isSignalling(r) {
			s.opts.Signalling.ServeHTTP(w, r)
			return
		}
		routes.ServeHTTP(w, r)
	})
}

// routes are the paths that are served. The mux answers 404 to other paths, and 405 with Allow to other methods.
func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for path, f := range pageFiles() {
		mux.Handle("GET "+path, f)
	}
	mux.HandleFunc("GET /config.json", s.serveConfig)
	mux.HandleFunc("GET /health", serveHealth)
	mux.HandleFunc("GET /api/status", s.serveStatus)
	if s.opts.Signalling != nil {
		mux.HandleFunc("GET /ws", serveUpgradeRequired)
	}
	if s.opts.WHEP != nil {
		players := newLimiter(offersPerSecond, offerBurst, time.Now)
		for _, path := range []string{"/whep", "/whep/"} {
			mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost && !players.allow(client(r.RemoteAddr)) {
					tooMany(w)
					return
				}
				s.opts.WHEP.ServeHTTP(w, r)
			})
		}
	}
	return mux
}

func tooMany(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	http.Error(w, "too many requests", http.StatusTooManyRequests)
}

// isSignalling tells whether a request is a WebSocket handshake for the signalling. The page uses /ws. Other peers of the protocol
// connect to any path, mostly "/". Only /health and /api/ are not for them.
func (s *Server) isSignalling(r *http.Request) bool {
	return s.opts.Signalling != nil && r.Method == http.MethodGet &&
		strings.EqualFold(r.Header.Get("Upgrade"), "websocket") &&
		r.URL.Path != "/health" && !strings.HasPrefix(r.URL.Path, "/api/")
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

// serveConfig answers with the page's settings.
func (s *Server) serveConfig(w http.ResponseWriter, _ *http.Request) {
	talkback := s.opts.Page.Talkback && (s.opts.Speaker == nil || s.opts.Speaker())
	config := struct {
		Version    string      `json:"version"`
		Peer       string      `json:"peer"`
		Cameras    []string    `json:"cameras,omitempty"`
		ICEServers []ICEServer `json:"iceServers"`
		Talkback   bool        `json:"talkback"`
	}{s.opts.Version, s.opts.Page.Peer, s.opts.Page.Cameras, s.opts.Page.ICEServers, talkback}
	if config.ICEServers == nil {
		config.ICEServers = []ICEServer{} // the browser wants an array, not null
	}
	body, err := json.Marshal(config)
	if err != nil {
		http.Error(w, "settings cannot be shown", http.StatusInternalServerError)
		return
	}
	writeJSON(w, http.StatusOK, body)
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
