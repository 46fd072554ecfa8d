package signalling

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// closeWait is how long Run waits for the connections to close once its context has ended. It is less than the program's own limit.
const closeWait = 2 * time.Second

// ServerOptions configure a [Server]. The zero value is usable.
type ServerOptions struct {
	Logger *slog.Logger // nil: nothing is logged
	Limits Limits
	// Origins are origins of web pages (scheme://host[:port], or the host alone) that may use the server besides its own; "*" is
	// all of them. A request without an Origin header does not come from a web page and is always let in.
	Origins []string
	// Hosts are the names at which a reverse proxy may serve this server by https. Only at these names an origin of https is the
	// server's own although the server itself speaks plain HTTP. "*" is any name.
	Hosts []string
	// Rights tells what the sender of a handshake may do. nil: every peer may do everything.
	Rights func(*http.Request) Rights
	// SameHost lets in pages of the server's own host at any port and scheme. A public server wants it: the web pages of this
	// protocol's peers come from another web server of the same host.
	SameHost bool
}

// Rights are what a peer may do. The zero value allows everything.
type Rights struct {
	// May tells whether the peer may call the peer of this id, or join the room of this name. nil: all of them.
	May func(id string) bool
	// Done is closed when the peer has to go: its connection is closed with [CloseLocked], its session ends. nil: never.
	Done <-chan struct{}
}

// CloseLocked is the code of the close frame for a peer whose rights have ended. The page knows it.
const CloseLocked = 4401

// Stats says what a server is doing. The counters only grow.
type Stats struct {
	Connections int    `json:"connections"` // sockets, registered or not
	Peers       int    `json:"peers"`       // registered peers, without the local ones
	InSession   int    `json:"in_session"`  // peers with a partner, local or not
	Viewers     int    `json:"viewers"`     // peers in a session with a local peer
	Rooms       int    `json:"rooms"`
	Refused     uint64 `json:"refused"`  // counter: connections over a limit
	Slow        uint64 `json:"slow"`     // counter: connections cut because they did not read
	Flooding    uint64 `json:"flooding"` // counter: connections closed because they sent too much
}

// Server is the signalling server: an http.Handler for its WebSocket path.
//
// # Concurrency
//
// All methods are safe for concurrent use. Each connection has a goroutine that reads (net/http's) and one that writes. All
// decisions about peers are made under one lock. It is never held while something is waited for, or while a Media or a Session
// is called.
type Server struct {
	visitors
	log       *slog.Logger
	limits    Limits
	upgrader  websocket.Upgrader
	admission *admission
	serves    atomic.Bool // there are local peers

	mu     sync.Mutex
	world  *world
	lastID connID
	conns  map[connID]*conn
	media  map[connID]Media // of the local peers
	stats  Stats            // Slow and Flooding
}

// visitors say who may connect, and what they may do.
type visitors struct {
	pages  originRules
	rights func(*http.Request) Rights // never nil
}

// NewServer returns a server that serves at once. It ends with Run.
func NewServer(opts ServerOptions) *Server {
	limits := opts.Limits.withDefaults()
	s := &Server{
		log: opts.Logger, limits: limits, admission: newAdmission(limits),
		visitors: visitors{originRules{opts.Origins, opts.Hosts, opts.SameHost}, opts.Rights}, world: newWorld(limits.ID), conns: make(map[connID]*conn), media: make(map[connID]Media),
	}
	if s.rights == nil {
		s.rights = func(*http.Request) Rights { return Rights{} }
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.upgrader = websocket.Upgrader{
		HandshakeTimeout: limits.Waits.Hello, WriteBufferPool: &sync.Pool{}, CheckOrigin: s.Allowed,
		ReadBufferSize: bufferSize, WriteBufferSize: bufferSize,
	}
	return s
}

// bufferSize is the size in bytes of a connection's buffers: most messages fit into it.
const bufferSize = 4096

// Register makes m callable as id. Many peers may have a session with m at once, each with a Session of its own. m stays
// registered for the server's life. The error wraps [ErrBadID] or [ErrTaken].
func (s *Server) Register(id string, m Media) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	if err := s.world.addLocal(s.lastID, id); err != nil {
		return fmt.Errorf("register %s: %w", quoteID(id, s.limits.ID), err)
	}
	s.media[s.lastID] = m
	s.serves.Store(true)
	return nil
}

// Run blocks until ctx ends. Then it closes every socket with 1001, waits for that, two seconds at most, and returns nil. A server
// that has ended takes no more connections. The sessions with local peers are detached, not closed.
func (s *Server) Run(ctx context.Context) error {
	<-ctx.Done()
	s.admission.close()
	s.mu.Lock()
	for _, c := range s.conns {
		c.finish(websocket.CloseGoingAway, "")
	}
	s.mu.Unlock()
	limit := time.NewTimer(closeWait)
	defer limit.Stop()
	select {
	case <-s.admission.empty:
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
	st.Refused = s.admission.refusals()
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

// ServeHTTP upgrades the request and serves the connection until it ends. A plain request is answered 426, a page of another site
// 403, one connection too many 429 (too many from this address) or 503.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !websocket.IsWebSocketUpgrade(r) {
		upgradeRequired(w)
		return
	}
	from := origin(r.RemoteAddr)
	if code := s.admission.admit(from); code != 0 {
		s.tellRefused(r, code)
		w.Header().Set("Retry-After", "5")
		http.Error(w, http.StatusText(code), code)
		return
	}
	defer s.admission.dismiss(from)
	ws, err := s.upgrader.Upgrade(metered{w, s.limits.Bytes}, r, nil)
	if err != nil { // Upgrade has answered
		s.tellNotUpgraded(r, err)
		return
	}
	s.serve(ws, r)
}
