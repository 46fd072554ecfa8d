//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Terminal is a run of the boardcast binary in a terminal, as a person has one. At the end of the test it is interrupted as by
// Ctrl-C.
type Terminal struct {
	t      testing.TB
	cmd    *exec.Cmd
	exited chan struct{}

	output
}

// StartInTerminal runs the program in a terminal. env is added to an environment without any of the program's own variables.
func StartInTerminal(t testing.TB, env []string, args ...string) *Terminal {
	t.Helper()
	ours, theirs := openTerminal(t)
	p := &Terminal{t: t, exited: make(chan struct{}), output: output{changed: make(chan struct{})}}
	p.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), binary(t), args...)
	p.cmd.Dir, p.cmd.Env = t.TempDir(), append(withoutSettings(os.Environ()), append(env, "TERM=xterm-256color")...)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = theirs, theirs, theirs
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start boardcast in a terminal: %v", err)
	}
	_ = theirs.Close() // the program has it
	go func() {
		defer close(p.exited)
		lines := &lineWriter{to: &p.output, from: "terminal"}
		data := make([]byte, 4096)
		for {
			n, err := ours.Read(data) // fails once the program has ended
			_, _ = lines.Write(data[:n])
			if err != nil {
				break
			}
		}
		_ = p.cmd.Wait()
		_ = ours.Close()
	}()
	t.Cleanup(p.end)
	return p
}

// withoutSettings is an environment in which nothing is said to the program.
func withoutSettings(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(e string) bool {
		return strings.HasPrefix(e, "BOARDCAST_") || strings.HasPrefix(e, "STATE_DIRECTORY=")
	})
}

// openTerminal opens both sides of a new terminal, of eighty columns.
func openTerminal(t testing.TB) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatalf("open a terminal: %v", err)
	}
	number, err := unix.IoctlGetInt(int(ours.Fd()), unix.TIOCGPTN)
	err = errors.Join(err, unix.IoctlSetPointerInt(int(ours.Fd()), unix.TIOCSPTLCK, 0),
		unix.IoctlSetWinsize(int(ours.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}))
	if err != nil {
		t.Fatalf("set up a terminal: %v", err)
	}
	theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatalf("open the other side of a terminal: %v", err)
	}
	return ours, theirs
}

// end interrupts the program, and waits for it.
func (p *Terminal) end() {
	if err := p.cmd.Process.Signal(os.Interrupt); err == nil {
		select {
		case <-p.exited:
		case <-time.After(stopWithin):
			p.t.Errorf("boardcast still runs %v after SIGINT", stopWithin)
		}
	}
	_ = p.cmd.Process.Kill() // an error means that it has ended
	<-p.exited
	if p.t.Failed() {
		p.t.Logf("%s:\n%s", strings.Join(p.cmd.Args, " "), p.text(time.Now()))
	}
}

// WaitLine waits for a line that matches, and returns its submatches.
func (p *Terminal) WaitLine(pattern *regexp.Regexp) []string {
	p.t.Helper()
	timer := time.NewTimer(startWithin)
	defer timer.Stop()
	for exited := false; ; {
		match, _, changed := p.find("terminal", pattern)
		switch {
		case match != nil:
			return match
		case exited:
			p.t.Fatalf("boardcast ended (%v) without a line %q", p.cmd.ProcessState, pattern)
		}
		select {
		case <-changed:
		case <-p.exited:
			exited = true // one more look: its last lines are in by now
		case <-timer.C:
			p.t.Fatalf("no line %q within %v", pattern, startWithin)
		}
	}
}

// Shown is everything that stands in the terminal.
func (p *Terminal) Shown() string { return p.text(time.Now()) }

// codeLine is a line of a QR code: white on black, two modules in each character.
var codeLine = regexp.MustCompile(`\x1b\[97(?:;40)?m([ █▀▄]+)\x1b\[0m`)

// halves are the upper and the lower module that a character stands for; true is white.
var halves = map[rune][2]bool{' ': {false, false}, '█': {true, true}, '▀': {true, false}, '▄': {false, true}}

// Codes reads the QR codes in the terminal as a telephone would: it draws what the terminal shows, and has it decoded.
func (p *Terminal) Codes() []string {
	p.t.Helper()
	const scale = 6 // pixels for each module
	var rows [][]rune
	for line := range strings.Lines(p.Shown()) {
		if m := codeLine.FindStringSubmatch(line); m != nil {
			rows = append(rows, []rune(m[1]))
		}
	}
	if len(rows) == 0 {
		return nil
	}
	picture := image.NewGray(image.Rect(0, 0, len(rows[0])*scale, 2*len(rows)*scale))
	for y := range picture.Rect.Dy() {
		row := rows[y/scale/2]
		for x := range min(len(row)*scale, picture.Rect.Dx()) {
			if halves[row[x/scale]][y/scale%2] {
				picture.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	path := filepath.Join(p.t.TempDir(), "codes.png")
	file, err := os.Create(path)
	if err != nil {
		p.t.Fatal(err)
	}
	if err = errors.Join(png.Encode(file, picture), file.Close()); err != nil {
		p.t.Fatal(err)
	}
	decoder := exec.CommandContext(p.t.Context(), "zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", path)
	var complaints strings.Builder
	decoder.Stderr = &complaints // it misses a D-Bus too, which it could tell what it reads
	out, err := decoder.Output()
	if err != nil {
		p.t.Fatalf("zbarimg: %v: %s", err, &complaints)
	}
	return strings.Fields(string(out))
}
