//go:build e2e

package e2e

import (
	"bufio"
	"context"
	endian "encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The size of a screen, which is that of the picture on it.
const screenWidth, screenHeight = 320, 240

// screen is an X server without a monitor.
type screen struct {
	t    testing.TB
	name string // as in DISPLAY
	file string // where it keeps its pixels
}

// startScreen starts a screen that ends with the test.
func startScreen(t testing.TB) *screen {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	dir := t.TempDir()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "Xvfb", "-displayfd", "3", "-screen", "0", "320x240x24",
		"-fbdir", dir, "-nolisten", "tcp", "-ac", "-noreset")
	cmd.ExtraFiles = []*os.File{w}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err = cmd.Start(); err != nil {
		t.Fatalf("start a screen: %v (hint: apt install xvfb)", err)
	}
	_ = w.Close()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // so that it removes its lock
		_ = cmd.Wait()
	})
	_ = r.SetReadDeadline(time.Now().Add(startWithin))
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("the screen does not say its number: %v", err)
	}
	return &screen{t: t, name: ":" + strings.TrimSpace(number), file: filepath.Join(dir, "Xvfb_screen0")}
}

// pixels are those that the screen shows now, four bytes each. The file is a dump as xwd makes them.
func (s *screen) pixels() []byte {
	s.t.Helper()
	dump, err := os.ReadFile(s.file)
	if err != nil {
		s.t.Fatal(err)
	}
	const length, colours, colourSize = 0, 19, 12 // places of numbers in the header; bytes
	at := func(field int) int { return int(endian.BigEndian.Uint32(dump[4*field:])) }
	begin, size := at(length)+at(colours)*colourSize, 4*screenWidth*screenHeight
	if begin+size > len(dump) {
		s.t.Fatalf("the screen has %d bytes, want %d after byte %d", len(dump), size, begin)
	}
	return dump[begin : begin+size]
}

// changed counts the pixels in which two pictures differ.
func changed(a, b []byte) (n int) {
	for i := 0; i < len(a); i += 4 {
		if [4]byte(a[i:]) != [4]byte(b[i:]) {
			n++
		}
	}
	return n
}

// moving waits until the screen shows a picture, and then another one ten times.
func (s *screen) moving(blank []byte, whose string) {
	s.t.Helper()
	last := s.pixels()
	waitFor(s.t, "a picture on the screen of "+whose, func() bool {
		last = s.pixels()
		return changed(blank, last) > screenWidth*screenHeight/2
	})
	var moved []int
	for range 10 {
		waitFor(s.t, "another picture on the screen of "+whose, func() bool {
			next := s.pixels()
			n := changed(last, next)
			if n == 0 {
				return false
			}
			moved, last = append(moved, n), next
			return true
		})
	}
	s.t.Logf("%s shows a picture; pixels changed from one to the next: %v", whose, moved)
}

// display has the programs that are started from now on show video on a screen; "" is none.
func display(t *testing.T, name string) {
	t.Helper()
	t.Setenv("DISPLAY", name)
	t.Setenv("WAYLAND_DISPLAY", "")
}

// TestDisplay has one board call another, each with a screen: both show the other's picture, whichever of them makes the offer.
func TestDisplay(t *testing.T) {
	for name, args := range map[string][]string{"the caller offers": nil, "the called board offers": {"--remote-offerer"}} {
		t.Run(name, func(t *testing.T) {
			here, there := startScreen(t), startScreen(t)
			blank := here.pixels()
			display(t, here.name)
			called := startSmall(t, "--display")
			display(t, there.name)
			startSmall(t, append(args, "--display", "--server", webSocket(called), "--peer", "camera")...)
			here.moving(blank, "the called board")
			there.moving(blank, "the caller")
		})
	}
}

// TestDisplayWithoutAScreen has a board that cannot show what another sends: it says so, and the other's picture goes on.
func TestDisplayWithoutAScreen(t *testing.T) {
	for name, args := range map[string][]string{"the caller offers": nil, "the called board offers": {"--remote-offerer"}} {
		t.Run(name, func(t *testing.T) {
			there := startScreen(t)
			blank := there.pixels()
			display(t, "")
			called := startSmall(t, "--display")
			display(t, there.name)
			startSmall(t, append(args, "--display", "--server", webSocket(called), "--peer", "camera")...)
			line, _ := called.WaitLine("stderr", regexp.MustCompile(`.*incoming media dropped.*media=video.*`), playWithin)
			t.Log(line[0])
			there.moving(blank, "the caller")
		})
	}
}
