package certificate

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"time"
)

// followEvery is the time between two looks at the user's files. A look is two calls of stat. A renewed certificate need not be shown
// sooner.
const followEvery = 2 * time.Second

// Load reads a certificate and its key. Every error is an *[Error].
func Load(certFile, keyFile string) (*tls.Certificate, error) {
	if certFile == "" || keyFile == "" {
		return nil, &Error{
			Err:    errors.New("TLS needs a certificate and a key, only one of them is set"),
			Remedy: "set both --tls-cert and --tls-key, or neither",
		}
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, &Error{fmt.Errorf("load TLS certificate %s and key %s: %w", certFile, keyFile, err), remedy(err)}
	}
	return &pair, nil
}

// remedy is what helps against an error of [tls.LoadX509KeyPair].
func remedy(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "let the user that boardcast runs as read both files: the Debian package's user is called boardcast"
	case strings.Contains(err.Error(), "does not match"): // crypto/tls has no value for this error
		return "the key belongs to another certificate: --tls-cert and --tls-key take the two files that were made together"
	default:
		return "--tls-cert and --tls-key each take a PEM file that this user may read"
	}
}

// Follow shows the certificate of two PEM files. A certificate in files that have changed is shown once both can be read and fit together.
// Until then the one before is shown, and the log says so once. Every error is an *[Error].
func Follow(certFile, keyFile string, logger *slog.Logger) (*Shown, error) {
	s := &Shown{every: followEvery}
	p := &pair{certFile: certFile, keyFile: keyFile, show: s.current.Store, log: logger}
	s.look, p.seen = p.look, p.state()
	first, err := Load(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	s.current.Store(first)
	return s, nil
}

// pair is the user's certificate and its key.
type pair struct {
	certFile, keyFile string
	show              func(*tls.Certificate)
	log               *slog.Logger

	seen   [2]fileState // of the two files, before they were last read
	failed bool         // they could not be used when they were last read
}

// fileState tells a file from what it was before. The zero state is that of a file that is not there.
type fileState struct {
	inode   uint64
	size    int64
	changed syscall.Timespec // when its contents or its permissions last changed: a copy may keep the contents' own time
}

// state follows symbolic links: the tools that renew certificates let a link point to another file.
func (p *pair) state() [2]fileState {
	var both [2]fileState
	for i, name := range []string{p.certFile, p.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			continue
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			both[i] = fileState{stat.Ino, stat.Size, stat.Ctim}
		}
	}
	return both
}

// look reads the files when they have changed, or could not be used the last time.
func (p *pair) look() *tls.Certificate {
	now := p.state()
	if now == p.seen && !p.failed {
		return nil
	}
	p.seen = now // taken before the files are read: the next look sees what is written meanwhile
	next, err := Load(p.certFile, p.keyFile)
	if err != nil {
		p.complain(err)
		return nil
	}
	p.failed = false
	p.show(next)
	p.log.Info("changed TLS certificate taken up", slog.String(keyFile, p.certFile),
		slog.String(keyFingerprint, Fingerprint(next.Leaf)), slog.Time(keyEnds, next.Leaf.NotAfter))
	return next
}

// complain logs why changed files cannot be used, once until they can.
func (p *pair) complain(err error) {
	if p.failed {
		return
	}
	p.failed = true
	attrs := []any{slog.Any(keyError, err)}
	if e, ok := errors.AsType[*Error](err); ok {
		attrs = append(attrs, slog.String(keyHint, e.Remedy))
	}
	p.log.Warn("changed TLS files cannot be used: the certificate before stays", attrs...)
}
