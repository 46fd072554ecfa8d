package signalling

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// closeWait bounds how long Run waits, once its context has ended, for the connections to go.
const closeWait = 2 * time.Second

// ServerOptions configure a [Server]. The zero value is usable.
type ServerOptions struct {
	Logger *slog.Logger // nil: nothing is logged
	Limits Limits
	// Origins are the Origin headers (scheme://host[:port], or the host alone) that browsers may come with besides the
	// server's own origin; "*" is all of them. A request without the header, from no browser, is always let in.
	Origins []string
	// Hosts are the names at which a reverse proxy may serve us by https: only there an origin of https is our own though we
	// serve plain HTTP. "*" is any name.
	Hosts []string
	// SameHost lets in pages of the server's own host at any port and scheme, as a public server wants it: the pages of this
	// protocol's family come from another web server of the same host.
	SameHost bool
}

// Stats says what a server is doing. The counters only grow.
type Stats struct {
	Connections int    `json:"connections"` // sockets, with or without a HELLO
	Peers       int    `json:"peers"`       // registered, local peers not counted
	InSession   int    `json:"in_session"`  // peers with a partner, local or not
	Viewers     int    `json:"viewers"`     // peers in a session with a local peer
	Rooms       int    `json:"rooms"`
	Refused     uint64 `json:"refused"` // connections over a limit
	Slow        uint64 `json:"slow"`    // connections cut because they did not read
	Flooding    uint64 `json:"flooding"`
}

// Server is the signalling server: an http.Handler for its WebSocket path.
//
// # Concurrency
//
// All methods are safe for concurrent use. Each connection has a goroutine that reads (net/http's) and one that writes;
// what they decide is decided under one lock, which is never held while anything is waited for or a Media or Session is
// called.
type Server struct {
	log      *slog.Logger
	limits   Limits
	origins  []string
	hosts    []string
	sameHost bool
	upgrader websocket.Upgrader

	mu      sync.Mutex
	world   *world
	lastID  connID
	conns   map[connID]*conn
	media   map[connID]Media
	perAddr map[string]int // admitted requests, by origin
	total   int            // their sum
	closed  bool
	empty   chan struct{} // closed when closed is set and total is 0
	stats   Stats         // the counters only
}

// NewServer returns a server that serves at once; Run is what ends it.
func NewServer(opts ServerOptions) *Server {
	limits := opts.Limits.withDefaults()
	s := &Server{
		log: opts.Logger, limits: limits, origins: opts.Origins, hosts: opts.Hosts, sameHost: opts.SameHost,
		world: newWorld(limits.ID), conns: make(map[connID]*conn), media: make(map[connID]Media),
		perAddr: make(map[string]int), empty: make(chan struct{}),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.upgrader = websocket.Upgrader{
		HandshakeTimeout: limits.Hello, WriteBufferPool: &sync.Pool{}, CheckOrigin: s.Allowed,
		ReadBufferSize: 4096, WriteBufferSize: 4096,
	}
	return s
}

// Register makes m callable as id: many peers may have a session with it at once, each with a Session of its own. It
// stays for the server's life. The error wraps [ErrBadID] or [ErrTaken].
func (s *Server) Register(id string, m Media) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	if err := s.world.addLocal(s.lastID, id); err != nil {
		return fmt.Errorf("register %s: %w", quoteID(id, s.limits.ID), err)
	}
	s.media[s.lastID] = m
	return nil
}

// Run blocks until ctx ends, then closes every socket with 1001, waits for them, two seconds at most, and returns nil. A
// server that has ended takes no more connections. The sessions with local peers are detached, not closed.
func (s *Server) Run(ctx context.Context) error {
	<-ctx.Done()
	s.mu.Lock()
	if s.closed = true; s.total == 0 {
		s.closeEmpty()
	}
	for _, c := range s.conns {
		c.finish(websocket.CloseGoingAway, "")
	}
	s.mu.Unlock()
	limit := time.NewTimer(closeWait)
	defer limit.Stop()
	select {
	case <-s.empty:
	case <-limit.C:
		s.log.Warn("connections are still closing", keyOpen, s.Stats().Connections)
	}
	return nil
}

// Stats returns what the server is doing now.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	st.Connections, st.Rooms = len(s.conns), len(s.world.rooms)
	for _, p := range s.world.peers {
		if p.local || p.uid == "" {
			continue
		}
		st.Peers++
		if p.status == inSession {
			st.InSession++
			if partner := s.world.peers[p.partner]; partner != nil && partner.local {
				st.Viewers++
			}
		}
	}
	return st
}

// ServeHTTP upgrades the request and serves the connection until it ends. A plain request is answered 426, a foreign
// Origin 403, one connection too many 429 (from this address) or 503.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !websocket.IsWebSocketUpgrade(r) {
		upgradeRequired(w)
		return
	}
	from := origin(r.RemoteAddr)
	if code := s.admit(from); code != 0 {
		w.Header().Set("Retry-After", "5")
		http.Error(w, http.StatusText(code), code)
		return
	}
	defer s.dismiss(from)
	ws, err := s.upgrader.Upgrade(metered{w, s.limits}, r, nil)
	if err != nil { // Upgrade has answered
		s.log.Debug("request refused", keyRemote, r.RemoteAddr, keyError, err)
		return
	}
	s.serve(ws, r)
}

// admit counts a request in, or says with which status to refuse it.
func (s *Server) admit(from string) (refusal int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return http.StatusServiceUnavailable
	case s.total >= s.limits.Connections:
		refusal = http.StatusServiceUnavailable
	case s.perAddr[from] >= s.limits.PerAddress:
		refusal = http.StatusTooManyRequests
	default:
		s.total++
		s.perAddr[from]++
		return 0
	}
	s.stats.Refused++
	return refusal
}

func (s *Server) dismiss(from string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.perAddr[from]--; s.perAddr[from] == 0 {
		delete(s.perAddr, from)
	}
	if s.total--; s.total == 0 && s.closed {
		s.closeEmpty()
	}
}

func (s *Server) closeEmpty() {
	select {
	case <-s.empty:
	default:
		close(s.empty)
	}
}
