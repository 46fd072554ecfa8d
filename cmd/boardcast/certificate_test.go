package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fingerprintForm is how the program writes a fingerprint.
var fingerprintForm = regexp.MustCompile(`SHA-256 is ([0-9A-F]{2}(:[0-9A-F]{2}){31})\n`)

// TestOwnCertificate serves with --tls auto twice. Both times it is the same certificate, which is kept where others cannot read it, and
// whose fingerprint `boardcast key` prints. boardcast doctor knows it too.
func TestOwnCertificate(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("STATE_DIRECTORY", dir)
	first := served(t, serve(t, "--tls", "auto"))
	if again := served(t, serve(t, "--tls", "auto")); again != first {
		t.Errorf("the second start shows another certificate: %s, then %s", first, again)
	}
	if info, err := os.Stat(filepath.Join(dir, "tls.pem")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("kept as %v, %v", info, err)
	}
	told := func(args ...string) string {
		var out bytes.Buffer
		_ = run(t.Context(), args, &out, t.Output()) // doctor fails on a machine without GStreamer
		return out.String()
	}
	out := told("key", "--tls", "auto")
	if m := fingerprintForm.FindStringSubmatch(out); m == nil || m[1] != first || strings.Count(out, "https://") < 2 {
		t.Errorf("boardcast key prints %s, want links by https and %s", out, first)
	}
	if out := told("key"); strings.Contains(out, "SHA-256") || !strings.Contains(out, "http://") {
		t.Errorf("without https it prints: %s", out)
	}
	if out := told("doctor", "--tls", "auto", "--listen", "127.0.0.1:0"); !strings.Contains(out, "certificate: boardcast's own, renewed by itself; this one ends on ") {
		t.Errorf("boardcast doctor prints: %s", out)
	}
}

// served is the SHA-256 of the certificate that is shown at an address.
func served(t *testing.T, base string) string {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // its fingerprint is looked at
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/health", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	text := fmt.Sprintf("% X", sha256.Sum256(resp.TLS.PeerCertificates[0].Raw))
	return strings.ReplaceAll(text, " ", ":")
}
