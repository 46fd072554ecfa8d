package certificate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// board is a board's names, which a test changes.
type board struct{ Names }

func (b *board) now() Names { return b.Names }

func newBoard() *board {
	return &board{Names{Hosts: []string{"localhost", "cam", "cam.local"}, Addresses: of("127.0.0.1", "192.168.1.20", "fd00::20", "fe80::1")}}
}

func of(list ...string) []netip.Addr {
	var all []netip.Addr
	for _, a := range list {
		all = append(all, netip.MustParseAddr(a))
	}
	return all
}

// made starts with a folder, and returns the certificate that is shown and what was logged.
func made(t *testing.T, dir string, b *board) (leaf *x509.Certificate, s *Shown, log string) {
	t.Helper()
	logger, out := logged()
	s, err := SelfSigned(dir, b.now, logger)
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Get(nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.Leaf, s, out.take()
}

func TestSelfSigned(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	first, s, log := made(t, dir, newBoard())
	for _, name := range []string{"localhost", "cam", "cam.local", "127.0.0.1", "192.168.1.20", "fd00::20"} {
		if err := first.VerifyHostname(name); err != nil {
			t.Errorf("not for %s: %v", name, err)
		}
	}
	if err := first.VerifyHostname("fe80::1"); err == nil {
		t.Error("it is for an address that no browser opens")
	}
	if key, ok := first.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
		t.Errorf("key %T", first.PublicKey)
	}
	if first.IsCA || first.KeyUsage&x509.KeyUsageCertSign != 0 {
		t.Error("it may sign certificates for other names")
	}
	if lasts := first.NotAfter.Sub(first.NotBefore); lasts > 825*24*time.Hour || first.NotBefore.After(time.Now()) {
		t.Errorf("valid from %v to %v", first.NotBefore, first.NotAfter)
	}
	roots := x509.NewCertPool()
	roots.AddCert(first)
	if _, err := first.Verify(x509.VerifyOptions{Roots: roots, DNSName: "cam.local"}); err != nil {
		t.Errorf("who trusts it is refused: %v", err)
	}
	sum := sha256.Sum256(first.Raw)
	if got := strings.ToLower(strings.ReplaceAll(s.Fingerprint(), ":", "")); got != hex.EncodeToString(sum[:]) {
		t.Errorf("fingerprint %s of %x", s.Fingerprint(), sum)
	}
	if !strings.Contains(log, s.Fingerprint()) || strings.Contains(log, "level=WARN") {
		t.Errorf("log %q", log)
	}
	info, err := os.Stat(filepath.Join(dir, fileName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("kept as %v, %v", info, err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Errorf("in the folder: %v, %v", list, err)
	}
	if kept, err := Kept(dir); err != nil || !kept.Equal(first) {
		t.Errorf("kept: %v, %v", kept, err)
	}

	again, _, log := made(t, dir, newBoard())
	if !again.Equal(first) || log != "" {
		t.Errorf("the next start shows another: %q", log)
	}
}

// What makes the next start show another certificate, and what does not.
func TestSelfSignedIsMadeAnew(t *testing.T) {
	path := func(dir string) string { return filepath.Join(dir, fileName) }
	tests := []struct {
		name   string
		change func(t *testing.T, dir string, b *board)
		want   string // in the log; "" when the certificate stays
	}{
		{"nothing", func(*testing.T, string, *board) {}, ""},
		{"another name", func(_ *testing.T, _ string, b *board) { b.Hosts = append(b.Hosts, "Cam.example.org") }, "lacks the name cam.example.org"},
		{"a name less", func(_ *testing.T, _ string, b *board) { b.Hosts = b.Hosts[:2] }, ""},
		{"a name that no certificate can hold", func(_ *testing.T, _ string, b *board) { b.Hosts = append(b.Hosts, "kü che", "", ".") }, ""},
		{"another address", func(_ *testing.T, _ string, b *board) { b.Addresses = of("10.0.0.7") }, "lacks the address 10.0.0.7"},
		{"another address of IPv6", func(_ *testing.T, _ string, b *board) { b.Addresses = append(b.Addresses, of("fd00::99")...) }, ""},
		{"no network yet", func(_ *testing.T, _ string, b *board) { b.Addresses = of("127.0.0.1") }, ""},
		{"others may read it", func(t *testing.T, dir string, _ *board) {
			if err := os.Chmod(path(dir), 0o640); err != nil {
				t.Fatal(err)
			}
		}, "others may read the key"},
		{"damaged", func(t *testing.T, dir string, _ *board) {
			if err := os.Truncate(path(dir), 200); err != nil {
				t.Fatal(err)
			}
		}, "kept self-signed certificate cannot be used"},
		{"gone", func(t *testing.T, dir string, _ *board) {
			if err := os.Remove(path(dir)); err != nil {
				t.Fatal(err)
			}
		}, "there is none yet"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, b := t.TempDir(), newBoard()
			first, _, _ := made(t, dir, b)
			tt.change(t, dir, b)
			next, _, log := made(t, dir, b)
			if next.Equal(first) != (tt.want == "") || !strings.Contains(log, tt.want) || tt.want == "" && log != "" {
				t.Errorf("the same: %t, log %q, want %q in it", next.Equal(first), log, tt.want)
			}
			if info, err := os.Stat(path(dir)); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("kept as %v, %v", info, err)
			}
			if again, _, log := made(t, dir, b); !again.Equal(next) || log != "" {
				t.Errorf("the start after that makes another: %q", log)
			}
		})
	}
}

func newMaker(t *testing.T, b *board, clock *time.Time) *maker {
	t.Helper()
	logger, _ := logged()
	return &maker{
		file: newStore(t.TempDir()), names: b.now, now: func() time.Time { return *clock }, show: func(*tls.Certificate) {}, log: logger,
	}
}

// While the program runs the names and the clock are looked at again.
func TestSelfSignedWhileItRuns(t *testing.T) {
	b, clock := newBoard(), time.Now()
	m := newMaker(t, b, &clock)
	first := m.look()
	if first == nil || m.look() != nil {
		t.Fatal("not made, or made twice")
	}
	clock = first.Leaf.NotAfter.Add(-renewBefore - time.Minute)
	if m.look() != nil {
		t.Error("made anew too early")
	}
	clock = clock.Add(2 * time.Minute)
	second := m.look()
	if second == nil || second.Leaf.NotAfter.Before(clock.Add(validFor-2*backdated)) {
		t.Fatal("not made anew before it ends")
	}
	b.Addresses = of("10.0.0.7")
	third := m.look()
	if third == nil || !slices.Contains(addresses(third.Leaf), of("192.168.1.20")[0]) {
		t.Fatal("the address of the network before is lost")
	}
	b.Addresses = of("192.168.1.20")
	if m.look() != nil {
		t.Error("made anew for an address that it has")
	}
	for n := range byte(2 * maxIPv4) {
		b.Addresses = []netip.Addr{netip.AddrFrom4([4]byte{10, 0, 1, n})}
		if m.look() == nil {
			t.Fatal("not made anew for another address")
		}
	}
	if n := len(m.current.Leaf.IPAddresses); n != maxIPv4 {
		t.Errorf("%d addresses in it, want %d", n, maxIPv4)
	}
}

// A board without a battery starts in 1970. What it makes then holds once its clock is set.
func TestSelfSignedBeforeTheClockIsSet(t *testing.T) {
	b, clock := newBoard(), time.Unix(60, 0)
	m := newMaker(t, b, &clock)
	first := m.look()
	if first == nil || first.Leaf.NotAfter.Before(earliest.Add(validFor-2*backdated)) {
		t.Fatalf("made in 1970: %v", first)
	}
	clock = earliest.Add(300 * 24 * time.Hour)
	if m.look() != nil {
		t.Error("the clock is set, and another is made")
	}
	clock = time.Unix(60, 0)
	if m.look() != nil {
		t.Error("the clock is in 1970 again, and another is made")
	}
}

// Where nothing can be written, the certificate is for this run.
func TestSelfSignedWithoutPlace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	leaf, _, log := made(t, filepath.Join(file, "below"), newBoard())
	if leaf == nil || !strings.Contains(log, "cannot be kept") {
		t.Errorf("log %q", log)
	}
	t.Chdir(t.TempDir())
	if leaf, _, log = made(t, "", newBoard()); leaf == nil || strings.Contains(log, "level=WARN") {
		t.Errorf("without a place: %v, log %q", leaf, log)
	}
	if list, err := os.ReadDir("."); err != nil || len(list) > 0 {
		t.Errorf("left in the working directory: %v, %v", list, err)
	}
}
