package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

const (
	fileName = "tls.pem" // the certificate and its key, so that they cannot be of two makes
	private  = 0o077     // bits of a file's mode that let others use it
	ownDir   = 0o700     // mode of the folder, if it has to be made
)

// store is the file in which a self-signed certificate is kept. Without a path nothing is kept.
type store struct{ path string }

func newStore(dir string) store {
	if dir == "" {
		return store{}
	}
	return store{filepath.Join(dir, fileName)}
}

// errOthers means that the key is not secret any more.
var errOthers = errors.New("others may read the key")

// Kept returns the self-signed certificate that is kept in dir, and changes nothing. The error is [fs.ErrNotExist] when there is none.
func Kept(dir string) (*x509.Certificate, error) {
	kept, err := newStore(dir).load()
	if err != nil {
		return nil, err
	}
	return kept.Leaf, nil
}

// read returns the certificate that is kept; nil when there is none that can be used. A file that is damaged, or that others may read, is
// made anew: the user has written nothing in it.
func (s store) read(log *slog.Logger) *tls.Certificate {
	kept, err := s.load()
	switch {
	case s.path == "":
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		log.Warn("kept self-signed certificate cannot be used: another is made", slog.Any(keyError, err), slog.String(keyFile, s.path))
		return nil
	}
	return kept
}

func (s store) load() (*tls.Certificate, error) {
	f, err := os.Open(s.path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read from
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&private != 0 {
		return nil, errOthers
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	kept, err := tls.X509KeyPair(text, text)
	if err != nil {
		return nil, err
	}
	return &kept, nil
}

// write keeps a certificate. A program that is killed meanwhile leaves the file that was there.
func (s store) write(c *tls.Certificate, log *slog.Logger) {
	if s.path == "" {
		return
	}
	if err := s.replace(c); err != nil {
		log.Warn("self-signed certificate cannot be kept: the next start makes another, which browsers warn of again",
			slog.Any(keyError, err), slog.String(keyFile, s.path))
	}
}

func (s store) replace(c *tls.Certificate) error {
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		return fmt.Errorf("marshal the key: %w", err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	dir := filepath.Dir(s.path)
	if err = os.MkdirAll(dir, ownDir); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, fileName+".*") // with mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // once it is renamed there is nothing to remove
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), s.path)
}
