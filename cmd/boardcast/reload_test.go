package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hangUp sends this process what a service manager's reload sends.
func hangUp(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

func TestReloadEndsTheContextOnceTheSettingsAreRight(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "nobody"))
	checked := make(chan struct{})
	wrong := errors.New("video.width is odd")
	answers := []error{wrong, nil}
	var logged bytes.Buffer
	ctx, stop := onReload(t.Context(), slog.New(slog.NewTextHandler(&logged, nil)), func() error {
		answer := answers[0]
		answers = answers[1:]
		checked <- struct{}{}
		return answer
	})
	hangUp(t)
	<-checked
	hangUp(t)
	select {
	case <-checked:
	case <-ctx.Done():
		t.Fatal("wrong settings ended the work")
	}
	<-ctx.Done()
	if err := reloadAsked(ctx); !errors.Is(err, errReload) {
		t.Errorf("reloadAsked = %v, want errReload", err)
	}
	stop()
	for _, want := range []string{
		`level=ERROR msg="reload refused: the settings in force stay" error="video.width is odd"`, `level=INFO msg="reload begun`,
	} {
		if got := logged.String(); strings.Count(got, want) != 1 {
			t.Errorf("log: %s\nwant %s in it once", got, want)
		}
	}
}

func TestAnOrderlyEndIsNoReload(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "nobody"))
	parent, cancel := context.WithCancel(t.Context())
	ctx, stop := onReload(parent, nil, nil)
	cancel()
	<-ctx.Done()
	if err := reloadAsked(ctx); err != nil {
		t.Errorf("reloadAsked = %v, want nil", err)
	}
	stop()
}

// TestReloadBeginsAgain runs the program under a service manager's socket: it is one process before and after, and says
// that it reloads.
func TestReloadBeginsAgain(t *testing.T) {
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	t.Setenv("NOTIFY_SOCKET", socket.LocalAddr().String())
	p := start(t, "reloads")
	if line := p.line(t); line != "begun" {
		t.Fatalf("line %q", line)
	}
	p.signal(t, syscall.SIGHUP)
	for _, want := range []string{"reload begun", "begun", "reload done"} {
		if line := p.line(t); !strings.Contains(line, want) {
			t.Fatalf("line %q after a reload, want %q in it", line, want)
		}
	}
	if err = socket.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	news := make([]byte, 100)
	n, err := socket.Read(news)
	if got := string(news[:n]); err != nil || got != "RELOADING=1\nWATCHDOG=1" {
		t.Errorf("told %q (%v)", got, err)
	}
	p.signal(t, syscall.SIGTERM)
	if code := p.exitCode(t); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}
