package certificate

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// journal is what was logged since it was last taken.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

func (j *journal) take() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	defer j.text.Reset()
	return j.text.String()
}

// logged is a logger, and what is written with it.
func logged() (*slog.Logger, *journal) {
	out := &journal{}
	return slog.New(slog.NewTextHandler(out, nil)), out
}

// makePair makes a certificate and its key, in PEM.
func makePair(t *testing.T) (cert, key []byte) {
	t.Helper()
	c, err := selfSign(nil, Names{Hosts: []string{"cam.example"}}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// files are the two files of a pair.
type files struct{ cert, key string }

func newFiles(t *testing.T) files {
	dir := t.TempDir()
	f := files{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
	cert, key := makePair(t)
	f.write(t, cert, key)
	return f
}

// write replaces the files that are given. A new file takes the place of the old, so that no clock's grain can hide the change.
func (f files) write(t *testing.T, cert, key []byte) {
	t.Helper()
	for name, text := range map[string][]byte{f.cert: cert, f.key: key} {
		if text == nil {
			continue
		}
		if err := os.WriteFile(name+".new", text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(name+".new", name); err != nil {
			t.Fatal(err)
		}
	}
}

// shownBy is the certificate that is shown now, in PEM.
func shownBy(t *testing.T, s *Shown) string {
	t.Helper()
	c, err := s.Get(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}))
}

// TestFilesAreFollowed changes the two files one after the other, as a tool that renews them does. What fits together is shown soon
// after, and what does not is told once.
func TestFilesAreFollowed(t *testing.T) {
	f := newFiles(t)
	synctest.Test(t, func(t *testing.T) {
		log, out := logged()
		s, err := Follow(f.cert, f.key, log)
		if err != nil {
			t.Fatal(err)
		}
		ctx, end := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- s.Run(ctx) }()
		pass := func(d time.Duration) { // the clock of synctest stands still until all wait
			<-time.After(d)
			synctest.Wait()
		}
		first, fingerprint := shownBy(t, s), s.Fingerprint()
		pass(10 * followEvery)
		if told := out.take(); shownBy(t, s) != first || told != "" {
			t.Errorf("files that did not change: %s", told)
		}

		cert, key := makePair(t)
		f.write(t, cert, nil)
		pass(10 * followEvery)
		if shownBy(t, s) != first {
			t.Error("a certificate without its key is shown")
		}
		told := out.take()
		if n := strings.Count(told, "level=WARN"); n != 1 || !strings.Contains(told, "the key belongs to another certificate") {
			t.Errorf("told %d times, want once and with a hint: %s", n, told)
		}
		f.write(t, nil, key)
		pass(followEvery)
		if shownBy(t, s) != string(cert) || s.Fingerprint() == fingerprint {
			t.Error("the new certificate is not shown")
		}
		if told = out.take(); !strings.Contains(told, "level=INFO") || !strings.Contains(told, s.Fingerprint()) {
			t.Errorf("told: %s", told)
		}

		if err := os.Remove(f.key); err != nil {
			t.Fatal(err)
		}
		pass(10 * followEvery)
		told = out.take()
		if n := strings.Count(told, "level=WARN"); shownBy(t, s) != string(cert) || n != 1 {
			t.Errorf("without a key: told %d times: %s", n, told)
		}
		f.write(t, nil, key)
		pass(followEvery)
		if told = out.take(); !strings.Contains(told, "level=INFO") {
			t.Errorf("the key is back, and the log does not say so: %s", told)
		}
		end()
		if err := <-ran; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// A link may be pointed to another file, and a file may be written over with the same number of bytes at the same time of the clock.
func TestEachChangeOfFileIsSeen(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, f files, cert, key []byte){
		"link": func(t *testing.T, f files, cert, key []byte) {
			other := files{f.cert + ".2", f.key + ".2"}
			other.write(t, cert, key)
			for at, to := range map[string]string{f.cert: other.cert, f.key: other.key} {
				if err := errors.Join(os.Remove(at), os.Symlink(to, at)); err != nil {
					t.Fatal(err)
				}
			}
		},
		"copy with the old time": func(t *testing.T, f files, cert, key []byte) {
			for at, text := range map[string][]byte{f.cert: cert, f.key: key} {
				info, err := os.Stat(at)
				if err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(os.WriteFile(at, text, 0o600), os.Chtimes(at, info.ModTime(), info.ModTime())); err != nil {
					t.Fatal(err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, log := newFiles(t), slog.New(slog.DiscardHandler)
			p := &pair{certFile: f.cert, keyFile: f.key, show: func(*tls.Certificate) {}, log: log}
			p.seen = p.state()
			if p.look() != nil {
				t.Fatal("files that did not change are read")
			}
			cert, key := makePair(t)
			change(t, f, cert, key)
			next := p.look()
			if next == nil || !bytes.Equal(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: next.Certificate[0]}), cert) {
				t.Error("the change is not seen")
			}
		})
	}
}

// What the system refused for a moment (too many open files, say) is tried again, although no file changes.
func TestFailedFilesAreTriedAgain(t *testing.T) {
	f := newFiles(t)
	p := &pair{certFile: f.cert, keyFile: f.key, show: func(*tls.Certificate) {}, log: slog.New(slog.DiscardHandler), failed: true}
	p.seen = p.state()
	if p.look() == nil {
		t.Error("not tried again")
	}
	if p.look() != nil {
		t.Error("tried again after a success")
	}
}

func TestLoadErrors(t *testing.T) {
	one, other := newFiles(t), newFiles(t)
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, cert, key string
		wantIs          error
		wantText, hint  string
	}{
		{"certificate alone", "a.pem", "", nil, "only one", "--tls-key"},
		{"key alone", "", "a.pem", nil, "only one", "--tls-cert"},
		{"no such certificate", "a.pem", "b.pem", fs.ErrNotExist, "load TLS certificate a.pem and key b.pem: open a.pem", "PEM"},
		{"no such key", one.cert, "b.pem", fs.ErrNotExist, "open b.pem", "PEM"},
		{"empty", empty, one.key, nil, "PEM", "PEM"},
		{"of two makes", one.cert, other.key, nil, "does not match", "another certificate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, load := range []func() error{
				func() error { _, err := Load(tt.cert, tt.key); return err },
				func() error { _, err := Follow(tt.cert, tt.key, nil); return err },
			} {
				err := load()
				e, ok := errors.AsType[*Error](err)
				if !ok || !strings.Contains(err.Error(), tt.wantText) || !strings.Contains(e.Hint(), tt.hint) {
					t.Errorf("error %v, want %q and the hint %q", err, tt.wantText, tt.hint)
				}
				if tt.wantIs != nil && !errors.Is(err, tt.wantIs) {
					t.Errorf("error %v is not %v", err, tt.wantIs)
				}
			}
		})
	}
	if got := remedy(&fs.PathError{Op: "open", Path: "key.pem", Err: fs.ErrPermission}); !strings.Contains(got, "user") {
		t.Errorf("hint for a file of somebody else: %q", got)
	}
}

func TestGetNeedsNoHello(t *testing.T) {
	f := newFiles(t)
	s, err := Follow(f.cert, f.key, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(&tls.ClientHelloInfo{ServerName: "another.example"}); err != nil {
		t.Errorf("for another name: %v", err)
	}
}
