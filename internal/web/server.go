// Package web answers "what do people and machines see over HTTP?": the page that plays the camera, the page's settings, the health
// check and the status. The signalling is on the same port.
//
// The package knows nothing of cameras or of the signalling protocol: the caller gives it a handler for the signalling, the status
// and the page's settings. It lets in whoever has a key. Each route is a row of a table ([Server.table]) that says who may use it.
//
//	srv := web.New(web.Options{Listen: ":8080", Access: web.Access{Keys: keys}, Signalling: hub, Status: status, Logger: logger})
//	if _, err := srv.Listen(); err != nil {
//		return err // a *ListenError names the port and the remedy
//	}
//	fmt.Fprintln(stdout, srv.URLs())
//	return srv.Run(ctx)
package web

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// Keys of this package's log attributes.
const (
	keyAddress = "address"
	keyDetail  = "detail"
	keyError   = "error"
	keyMethod  = "method"
	keyOrigin  = "origin"
	keyPath    = "path"
	keyTLS     = "tls"
)

const (
	readHeaderTimeout = 5 * time.Second  // a header is one or two packets
	transferTimeout   = 15 * time.Second // for one whole request, or one whole answer: all of them are small
	// How long a connection may be without a request. After an address has changed a browser tries each connection that it has
	// kept, in vain: so it should keep few.
	idleTimeout     = 5 * time.Second
	maxHeaderBytes  = 16 << 10        // bytes: a browser's header has 1 or 2 kB
	shutdownTimeout = 2 * time.Second // for requests that are being served at the end: less than the program's own limit
)

// Options say what a Server serves, and where. The zero value serves the page, without signalling, on the default HTTP port, to nobody.
type Options struct {
	Listen string // HOST:PORT or :PORT; port 0 lets the system choose
	// Certificate returns the certificate of the moment, for https; nil: plain http.
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// Proxies are the addresses of reverse proxies: what a proxy there tells of a request's client is believed.
	Proxies    []netip.Prefix
	Hosts      []string     // names by which the machine may be opened besides addresses, localhost and its own names; "*": any
	Signalling http.Handler // answers WebSocket handshakes; nil: they are not answered
	WHEP       http.Handler // answers /whep and the paths below; nil: they do not exist
	Status     func() any   // the value at /api/status, which marshals to a JSON object; nil: only the version
	Access     Access       // who may; the zero value lets nobody in
	Version    string       // of the program, for /config.json
	Page       Page         // settings of the page
	Speaker    func() bool  // whether there is a speaker now: without one the page does not offer to talk; nil: there is
	Logger     *slog.Logger // nil: silent
}

// Server is the HTTP side of the program. Make it with New, open the port with Listen, serve with Run.
//
// # Concurrency
//
// Listen and Run are called once each, Run after Listen has returned. URLs may be called from any goroutine after that.
type Server struct {
	opts     Options
	log      *slog.Logger
	status   *status
	cameras  *status
	files    map[string]*pageFile
	fresh    freshConns
	listener net.Listener
	conns    *connLimit
	grace    time.Duration // how long requests may go on at the end
}

// New returns a Server that holds no resources yet.
func New(opts Options) *Server {
	logger := opts.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &Server{
		opts: opts, log: logger, files: pageFiles(), grace: shutdownTimeout,
		status:  newStatus(opts.Status, opts.Version),
		cameras: newStatus(func() any { return cameraList{opts.Page.States()} }, opts.Version),
	}
}

// Listen opens the port. So the addresses that are printed afterwards are right: until Run serves them, connections wait in the
// system's queue. Every error is a *ListenError. The port is closed when Run returns.
func (s *Server) Listen() (net.Addr, error) {
	ln, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", s.opts.Listen)
	if err != nil {
		return nil, listenError(s.opts.Listen, err)
	}
	s.conns = limitConns(ln, maxConns, maxConnsPerClient)
	s.listener = s.conns
	if s.opts.Certificate != nil {
		s.listener = tls.NewListener(redirecting{s.conns, newHosts(s.opts), s.headers()}, &tls.Config{
			GetCertificate: s.opts.Certificate,
			MinVersion:     tls.VersionTLS12,
			NextProtos:     []string{"http/1.1"},
		})
	}
	return s.listener.Addr(), nil
}

// Run serves until ctx ends. Then it lets requests finish, for two seconds at most, and returns nil. The signalling handler closes the
// sockets that it took over. Run calls Listen if that has not been done.
func (s *Server) Run(ctx context.Context) error {
	if s.listener == nil {
		if _, err := s.Listen(); err != nil {
			return err
		}
	}
	srv := s.httpServer(ctx)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(s.listener) }()
	s.log.Debug("serving", slog.String(keyAddress, s.listener.Addr().String()), slog.Bool(keyTLS, s.opts.Certificate != nil))
	select {
	case err := <-served:
		_ = srv.Close()
		return fmt.Errorf("serve %s: %w", s.listener.Addr(), err)
	case <-ctx.Done():
	}
	s.shutDown(context.WithoutCancel(ctx), srv)
	<-served //nolint:errcheck // the error says that the server was shut down
	return nil
}

func (s *Server) httpServer(ctx context.Context) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true) // not HTTP/2, whose streams cannot become WebSockets
	return &http.Server{
		Handler:           proxies(s.opts.Proxies).believed(s.handler()),
		Protocols:         protocols,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       transferTimeout,
		WriteTimeout:      transferTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		// net/http would answer OPTIONS * by itself, to everybody, without our headers and limits.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     log.New(serverLog{s.log}, "", 0),
		BaseContext:                  func(net.Listener) context.Context { return ctx },
		ConnState: func(c net.Conn, state http.ConnState) {
			s.fresh.note(c, state)
			s.conns.note(c, state)
		},
	}
}

func (s *Server) shutDown(ctx context.Context, srv *http.Server) {
	ctx, cancel := context.WithTimeout(ctx, s.grace)
	defer cancel()
	s.fresh.closeAll()
	if err := srv.Shutdown(ctx); err != nil {
		s.log.Warn("requests cut short by shutdown", slog.Any(keyError, err))
		_ = srv.Close()
	}
	s.status.wait(ctx)
	s.cameras.wait(ctx)
}

// serverLog takes net/http's own log lines. A handler of ours that panics is an error. Other lines are about what strangers send, and
// are logged at debug.
type serverLog struct{ log *slog.Logger }

// Write logs one line of net/http.
func (l serverLog) Write(line []byte) (int, error) {
	detail := slog.String(keyDetail, strings.TrimSpace(string(line)))
	if strings.HasPrefix(string(line), "http: panic") {
		l.log.Error("request ended by a panic", detail)
	} else {
		l.log.Debug("request not served", detail)
	}
	return len(line), nil
}
