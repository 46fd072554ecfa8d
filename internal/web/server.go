// Package web answers "what do people and machines see over HTTP?": the page that plays the camera, its settings, the
// health check and the status, with the signalling handler mounted beside them on one port.
//
// It knows nothing of cameras or of the signalling protocol: the handler, the status and the page's settings are given
// to it. It authenticates nobody; whoever reaches the port may watch.
//
//	srv := web.New(web.Options{Listen: ":8080", Signalling: hub, Status: status, Logger: logger})
//	if _, err := srv.Listen(); err != nil {
//		return err // a *ListenError names the port and the remedy
//	}
//	fmt.Fprintln(stdout, srv.URLs())
//	return srv.Run(ctx)
package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
)

// Attribute keys of this package's log lines.
const (
	keyAddress = "address"
	keyDetail  = "detail"
	keyError   = "error"
	keyMethod  = "method"
	keyPath    = "path"
	keyTLS     = "tls"
)

const (
	readHeaderTimeout = 5 * time.Second
	transferTimeout   = 15 * time.Second // one whole request, one whole answer: all of them are small
	idleTimeout       = 5 * time.Second  // after an address has changed a browser asks in vain on each connection that it kept
	maxHeaderBytes    = 16 << 10
	shutdownTimeout   = 2 * time.Second
)

// Options says what a Server serves and where. The zero value serves the page, without signalling, on the default
// HTTP port.
type Options struct {
	Listen     string       // HOST:PORT or :PORT; port 0 lets the system choose
	TLSCert    string       // PEM file of the certificate chain; serves https when set, and then TLSKey must be set too
	TLSKey     string       // PEM file of the private key
	Hosts      []string     // names it may be opened by besides addresses, localhost and the machine's own; "*": any
	Signalling http.Handler // answers every WebSocket handshake; nil: there are none
	WHEP       http.Handler // answers /whep and what is below; nil: there is none
	Status     func() any   // what /api/status shows, a value that marshals to a JSON object; nil: only the version
	Version    string       // the program's, for /config.json
	Page       Page         // settings handed to the page
	Logger     *slog.Logger // nil: silent
}

// Server is the HTTP side of the program. Make it with New, claim the port with Listen, serve with Run.
//
// # Concurrency
//
// Listen and Run are called once each, in this order, by one goroutine (or one after the other); URLs may be called by
// anyone once Listen has returned.
type Server struct {
	opts     Options
	log      *slog.Logger
	status   *status
	fresh    freshConns
	listener net.Listener
	conns    *connLimit
	grace    time.Duration // how long requests in flight may go on at the end
}

// New returns a Server that holds no resources yet.
func New(opts Options) *Server {
	logger := opts.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &Server{opts: opts, log: logger, status: newStatus(opts.Status, opts.Version), grace: shutdownTimeout}
}

// Listen claims the port and reads the TLS files, so that an address printed afterwards is one that answers: until Run
// serves them, connections wait in the system's queue. Every error is a *ListenError.
// The port is given back when Run returns.
func (s *Server) Listen() (net.Addr, error) {
	certificates, err := s.certificates()
	if err != nil {
		return nil, err
	}
	ln, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", s.opts.Listen)
	if err != nil {
		return nil, listenError(s.opts.Listen, err)
	}
	s.conns = limitConns(ln, maxConns, maxConnsPerClient)
	s.listener = s.conns
	if len(certificates) > 0 {
		s.listener = tls.NewListener(s.listener, &tls.Config{
			Certificates: certificates,
			MinVersion:   tls.VersionTLS12,
			NextProtos:   []string{"http/1.1"},
		})
	}
	return s.listener.Addr(), nil
}

// certificates is empty for plain HTTP.
func (s *Server) certificates() ([]tls.Certificate, error) {
	if s.opts.TLSCert == "" && s.opts.TLSKey == "" {
		return nil, nil
	}
	if s.opts.TLSCert == "" || s.opts.TLSKey == "" {
		return nil, &ListenError{
			Listen: s.opts.Listen,
			Err:    errors.New("TLS needs a certificate and a key, only one of them is set"),
			Remedy: "set both --tls-cert and --tls-key, or neither",
		}
	}
	cert, err := tls.LoadX509KeyPair(s.opts.TLSCert, s.opts.TLSKey)
	if err != nil {
		return nil, &ListenError{
			Listen: s.opts.Listen,
			Err:    fmt.Errorf("load TLS certificate %s and key %s: %w", s.opts.TLSCert, s.opts.TLSKey, err),
			Remedy: "--tls-cert and --tls-key each take a PEM file that this user may read",
		}
	}
	return []tls.Certificate{cert}, nil
}

// Run serves until ctx ends, then lets requests in flight finish for at most two seconds and returns nil. Sockets that
// the signalling handler took over are its own to close. Run calls Listen if nobody has.
func (s *Server) Run(ctx context.Context) error {
	if s.listener == nil {
		if _, err := s.Listen(); err != nil {
			return err
		}
	}
	srv := s.httpServer(ctx)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(s.listener) }()
	s.log.Debug("serving", slog.String(keyAddress, s.listener.Addr().String()), slog.Bool(keyTLS, s.opts.TLSCert != ""))
	select {
	case err := <-served:
		_ = srv.Close()
		return fmt.Errorf("serve %s: %w", s.listener.Addr(), err)
	case <-ctx.Done():
	}
	s.shutDown(context.WithoutCancel(ctx), srv)
	<-served //nolint:errcheck // that it was shut down
	return nil
}

func (s *Server) httpServer(ctx context.Context) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true) // a WebSocket handshake cannot be taken over from an HTTP/2 stream
	return &http.Server{
		Handler:           s.handler(),
		Protocols:         protocols,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       transferTimeout,
		WriteTimeout:      transferTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          log.New(serverLog{s.log}, "", 0),
		BaseContext:       func(net.Listener) context.Context { return ctx },
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
}

// serverLog takes net/http's own lines: what strangers send is no news, a handler of ours that panics is.
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
