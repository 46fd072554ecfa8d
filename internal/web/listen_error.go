package web

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// ListenError says why the server cannot start. It wraps the system's error: errors.Is(err, syscall.EADDRINUSE) is true for a port
// that is in use.
type ListenError struct {
	Listen string // the address as it was asked for
	Err    error  // the cause, in words for the user
	Remedy string // what the user can do about it; empty when nothing is known
}

// Error names the address and the cause.
func (e *ListenError) Error() string { return fmt.Sprintf("listen on %s: %v", e.Listen, e.Err) }

// Unwrap returns the cause.
func (e *ListenError) Unwrap() error { return e.Err }

// Hint returns the remedy.
func (e *ListenError) Hint() string { return e.Remedy }

func listenError(listen string, err error) *ListenError {
	host, port, splitErr := net.SplitHostPort(listen)
	e := &ListenError{Listen: listen, Err: err}
	switch {
	case splitErr != nil:
		e.Remedy = "--listen takes HOST:PORT or :PORT, for example --listen :8080"
	case errors.Is(err, syscall.EADDRINUSE):
		e.Err = fmt.Errorf("port %s is in use by another program: %w", port, syscall.EADDRINUSE)
		e.Remedy = "end that program, or choose another port, for example --listen " + net.JoinHostPort(host, nextPort(port))
	case errors.Is(err, syscall.EACCES):
		e.Err = fmt.Errorf("port %s may not be opened by this user: %w", port, syscall.EACCES)
		e.Remedy = "choose a port above 1023, for example --listen " + net.JoinHostPort(host, "8080")
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		e.Err = fmt.Errorf("%s is no address of this machine: %w", host, syscall.EADDRNOTAVAIL)
		e.Remedy = "listen on every address with --listen :" + port
	default:
		e.Remedy = "--listen takes HOST:PORT or :PORT, with a port from 0 to 65535"
	}
	return e
}

// nextPort is the port after one that is in use.
func nextPort(port string) string {
	n, err := strconv.Atoi(port)
	if err != nil || n < 1 || n >= 65535 {
		return "8081"
	}
	return strconv.Itoa(n + 1)
}
