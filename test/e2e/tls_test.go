//go:build e2e

package e2e

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var fingerprintLine = regexp.MustCompile(`^  the browser warns of this board's own certificate: its SHA-256 is ([0-9A-F:]{95})$`)

// TestOwnCertificate has the program make its certificate. A browser that opens the address by http arrives at https, plays, and may lend
// its microphone. The next start shows the same certificate, whose fingerprint is the printed one.
func TestOwnCertificate(t *testing.T) {
	args := []string{"--tls", "auto", "--width", "320", "--height", "240"}
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	program := StartBoardcast(t, args...)
	line, _ := program.WaitLine("stdout", fingerprintLine, callWithin)
	if got := servedBy(t, program); got != line[1] {
		t.Errorf("served is %s, printed is %s", got, line[1])
	}
	browser := browsers.Launch(t, Chromium, "--ignore-certificate-errors")
	defer browsers.Shut(browser)
	page := browser.Open(t, strings.Replace(program.Address, "https://", "http://", 1)+"/")
	page.WaitPlaying(30)
	var at struct {
		Protocol string
		Secure   bool
	}
	page.Eval("({ protocol: location.protocol, secure: isSecureContext })", &at)
	if at.Protocol != "https:" || !at.Secure {
		t.Errorf("the page is at %+v", at)
	}
	page.Close()
	program.Stop()
	again := StartBoardcast(t, args...)
	if got := servedBy(t, again); got != line[1] {
		t.Errorf("the next start serves %s, not %s", got, line[1])
	}
}

// TestTalkNeedsHTTPS: by http on another machine, the page says in a sentence what there is to do.
func TestTalkNeedsHTTPS(t *testing.T) {
	program := StartBoardcast(t, "--width", "320", "--height", "240")
	page := browsers.Launch(t, Chromium).Open(t, program.Address+"/")
	page.WaitPlaying(10)
	var tip string
	page.Eval(`document.getElementById("talk").dataset.tip`, &tip)
	if want := "Talking needs https: give the board the setting `tls: auto`, then open this page by https://"; tip != want {
		t.Errorf("the page says %q, want %q", tip, want)
	}
}

// TestCertificateChangesUnderViewer writes other files in the place of the certificate's while a viewer watches. New connections get the
// new certificate. The viewer's socket and picture go on.
func TestCertificateChangesUnderViewer(t *testing.T) {
	dir := t.TempDir()
	certificate, key := makeCertificate(t, dir)
	program := StartBoardcast(t, "--tls-cert", certificate, "--tls-key", key, "--width", "320", "--height", "240")
	browser := browsers.Launch(t, Chromium, "--ignore-certificate-errors")
	defer browsers.Shut(browser)
	page := browser.Open(t, program.Address+"/")
	page.WaitPlaying(30)
	page.Watch()
	before := servedBy(t, program)

	other := filepath.Join(dir, "other")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	newCertificate, newKey := makeCertificate(t, other)
	if err := os.Rename(newCertificate, certificate); err != nil {
		t.Fatal(err)
	}
	program.WaitLine("stderr", regexp.MustCompile(`level=WARN msg="changed TLS files cannot be used: the certificate before stays"`), callWithin)
	if got := servedBy(t, program); got != before {
		t.Error("half of a pair is served")
	}
	if err := os.Rename(newKey, key); err != nil {
		t.Fatal(err)
	}
	line, _ := program.WaitLine("stderr", regexp.MustCompile(`msg="changed TLS certificate taken up" .*fingerprint_sha256=(\S+)`), callWithin)
	if got := servedBy(t, program); got == before || got != line[1] {
		t.Errorf("served is %s, was %s, and the log says %s", got, before, line[1])
	}
	watched := page.WaitWatched(page.Watched().Frames + 30)
	if !watched.SamePC || watched.GapMS > 1000 {
		t.Errorf("the viewer's picture: %+v", watched)
	}
	var signalling string
	page.Eval("boardcast.signalling", &signalling)
	if signalling != "session" {
		t.Errorf("the viewer's signalling is %q", signalling)
	}
}

// servedBy is the SHA-256 of the certificate that a new connection is shown.
func servedBy(t *testing.T, program *Program) string {
	t.Helper()
	dialer := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // its fingerprint is what is looked at
	c, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(program.Address, "https://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	secure, ok := c.(*tls.Conn)
	if !ok {
		t.Fatalf("a connection of type %T", c)
	}
	shown := secure.ConnectionState().PeerCertificates[0]
	if time.Now().After(shown.NotAfter) {
		t.Errorf("it ended on %v", shown.NotAfter)
	}
	return strings.ReplaceAll(strings.ToUpper(fmt.Sprintf("% x", sha256.Sum256(shown.Raw))), " ", ":")
}
