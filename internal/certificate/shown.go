// Package certificate answers "which certificate does the page show?".
//
// A certificate comes from files of the user's own, or boardcast makes one that it signs itself. Both change while the program runs:
// files are written anew when their certificate is renewed, and one of our own is made anew when the board has another name or address.
// Connections that are open are not touched: each new connection is shown the certificate of that moment.
//
//	shown, err := certificate.Follow("cert.pem", "key.pem", logger)
//	if err != nil {
//		return err // a *Error names the remedy
//	}
//	config := &tls.Config{GetCertificate: shown.Get}
//	return shown.Run(ctx) // takes up changes
//
// The package opens no port, and asks no authority for a certificate.
package certificate

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// Keys of this package's log attributes.
const (
	keyEnds        = "ends"
	keyError       = "error"
	keyFile        = "file"
	keyFingerprint = "fingerprint_sha256"
	keyHint        = "hint"
	keyReason      = "reason"
)

// Shown is the certificate that a server shows now. [Follow] and [SelfSigned] make one.
//
// # Concurrency
//
// Run is called once. The other methods are safe for concurrent use.
type Shown struct {
	current atomic.Pointer[tls.Certificate]
	look    func() *tls.Certificate // shows another certificate if there is to be one, and returns it
	every   time.Duration           // between two looks
}

// Get returns the certificate, as [tls.Config].GetCertificate does.
func (s *Shown) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.current.Load(), nil }

// Fingerprint is the certificate's SHA-256 in the form in which browsers show it.
func (s *Shown) Fingerprint() string { return Fingerprint(s.current.Load().Leaf) }

// Run takes up changes until ctx ends, and then returns nil.
func (s *Shown) Run(ctx context.Context) error {
	ticker := time.NewTicker(s.every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		s.look()
	}
}

// Error says why a certificate cannot be shown. It wraps the system's error.
type Error struct {
	Err    error
	Remedy string // what the user can do about it
}

// Error names what was tried, and the cause.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Hint returns the remedy.
func (e *Error) Hint() string { return e.Remedy }

// Fingerprint is the SHA-256 of a certificate, as pairs of capital digits.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	pairs := make([]string, len(sum))
	for i, b := range sum {
		pairs[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(pairs, ":")
}
