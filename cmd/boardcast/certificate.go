package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"

	"boardcast/configs"
	"boardcast/internal/certificate"
	"boardcast/internal/doctor"
	"boardcast/internal/web"
)

// pageCertificate is the certificate of https; nil for plain http.
func pageCertificate(cfg *configs.Config, log *slog.Logger) (*certificate.Shown, error) {
	files, log := cfg.Page.TLS, log.With("component", "certificate")
	switch {
	case files.Mode == configs.Auto:
		names := func() certificate.Names {
			return certificate.Names{
				Hosts:     web.Options{Listen: cfg.Page.Listen, Hosts: cfg.Page.Hosts}.Names(),
				Addresses: web.OwnAddresses(),
			}
		}
		dir, err := stateDir(os.Getenv)
		if err != nil {
			log.Warn("self-signed certificate is for this run alone: it cannot be kept", "error", err)
		}
		return certificate.SelfSigned(dir, names, log)
	case files.Cert != "":
		return certificate.Follow(files.Cert, files.Key, log)
	default:
		return nil, nil
	}
}

// handshake is what TLS asks for the certificate; nil for plain http.
func handshake(shown *certificate.Shown) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if shown == nil {
		return nil
	}
	return shown.Get
}

// writeFingerprint prints what a certificate of our own can be told by. No authority has signed it: a browser warns of it, and shows the
// fingerprint to compare.
func writeFingerprint(stdout io.Writer, cfg *configs.Config, shown *certificate.Shown) {
	if cfg.Page.TLS.Mode == configs.Auto {
		fmt.Fprintf(stdout, fingerprintLine, shown.Fingerprint())
	}
}

const fingerprintLine = "  the browser warns of this board's own certificate: its SHA-256 is %s\n"

// keptFingerprint is that of the certificate of our own that a start has made; "" where there is none, or another is shown.
func keptFingerprint(cfg *configs.Config, dir string) string {
	if cfg.Page.TLS.Mode != configs.Auto {
		return ""
	}
	leaf, err := certificate.Kept(dir)
	if err != nil {
		return "" // the next start makes one, and prints its fingerprint
	}
	return certificate.Fingerprint(leaf)
}

// doctorCertificate is the doctor's look at the certificate that would be shown. It makes none.
func doctorCertificate(cfg *configs.Config) doctor.Certificate {
	files := cfg.Page.TLS
	var c doctor.Certificate
	var leaf *x509.Certificate
	switch {
	case files.Mode == configs.Auto:
		c.Own = true
		var at place
		if at, c.Err = findKeys(os.Getenv, io.Discard); c.Err == nil { // the certificate lies beside the keys
			leaf, c.Err = certificate.Kept(at.dir)
		}
		if errors.Is(c.Err, fs.ErrNotExist) || errors.Is(c.Err, errServicesKeys) {
			c.Err = nil // it is not made yet, or is not to be seen by this user
		}
	case files.Cert != "":
		var pair *tls.Certificate
		if pair, c.Err = certificate.Load(files.Cert, files.Key); c.Err == nil {
			leaf = pair.Leaf
		}
	default:
		return doctor.Certificate{None: true}
	}
	if leaf != nil {
		c.Begins, c.Ends = leaf.NotBefore, leaf.NotAfter
	}
	return c
}
