//go:build e2e

package e2e

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	startWithin = 20 * time.Second // a loaded machine's margin: what the start may take is TestStartup's business
	stopWithin  = 3 * time.Second  // promised
)

var addressLine = regexp.MustCompile(`^boardcast \S+: open (https?://\S+)/ in a browser`)

// Program is one run of the boardcast binary. Unless the test ended it by Kill, or by Signal and Wait, it gets SIGTERM at
// the end of the test and must exit with 0 within 3 s. If the test failed, its output is printed.
type Program struct {
	Address string    // "http://10.77.0.1:8080", as its first line says
	Started time.Time // just before it was executed
	Ready   time.Time // when its first line was read

	t      testing.TB
	cmd    *exec.Cmd
	exited chan struct{}
	ended  bool // the test ended it itself
	keys   *keys

	output
}

// StartBoardcast runs the streamer, with a test picture and sound unless args say otherwise, and waits for its address.
func StartBoardcast(t testing.TB, args ...string) *Program {
	t.Helper()
	return start(t, append(testSources(args), args...)...)
}

// StartServer runs "boardcast server" and waits for its address.
func StartServer(t testing.TB, args ...string) *Program {
	t.Helper()
	return start(t, append([]string{"server"}, args...)...)
}

func testSources(args []string) []string {
	var sources []string
	for _, flag := range []string{"--camera", "--microphone"} {
		if !slices.Contains(args, flag) {
			sources = append(sources, flag, "test")
		}
	}
	return sources
}

// StartServerBrowserSide runs "boardcast server" where the browsers are.
func StartServerBrowserSide(t testing.TB, args ...string) *Program {
	t.Helper()
	args = append([]string{binary(t), "server"}, args...)
	return startCommand(t, browsers.network.BrowserSide(context.WithoutCancel(t.Context()), args...))
}

func start(t testing.TB, args ...string) *Program {
	t.Helper()
	return startCommand(t, exec.CommandContext(context.WithoutCancel(t.Context()), binary(t), args...))
}

func startCommand(t testing.TB, cmd *exec.Cmd) *Program {
	t.Helper()
	p := &Program{t: t, cmd: cmd, exited: make(chan struct{}), output: output{changed: make(chan struct{})}}
	p.cmd.Dir = t.TempDir() // no ./boardcast.yaml
	if p.cmd.Env == nil {
		p.cmd.Env = environ()
	}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.cmd.WaitDelay = stopWithin
	p.cmd.Stdout, p.cmd.Stderr = &lineWriter{to: &p.output, from: "stdout"}, &lineWriter{to: &p.output, from: "stderr"}
	p.Started = time.Now()
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start boardcast: %v", err)
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // the exit code is read from ProcessState
	}()
	t.Cleanup(p.cleanup)
	match, at := p.WaitLine("stdout", addressLine, startWithin)
	p.Address, p.Ready = match[1], at
	return p
}

// environ is ours without what the tests are told by it: the program refuses a name that is no setting of its own. Keys are turned off,
// but for the tests that are about them: see StartLocked.
func environ() []string { return append(withoutSettings(os.Environ()), "BOARDCAST_OPEN=true") }

// binary is the program under test.
func binary(t testing.TB) string {
	t.Helper()
	path := os.Getenv("BOARDCAST_BIN")
	if path == "" {
		path = "../../bin/boardcast"
	}
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatalf("find the binary: %v", err)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("no %s: make build, or set BOARDCAST_BIN", path)
	}
	return path
}

// PID is the process id in the tests' own namespace.
func (p *Program) PID() int { return p.cmd.Process.Pid }

// WaitLine waits for a line of the named stream ("stdout", "stderr") that matches, past ones included, and returns its
// submatches and when it was read.
func (p *Program) WaitLine(from string, pattern *regexp.Regexp, within time.Duration) ([]string, time.Time) {
	p.t.Helper()
	timer := time.NewTimer(within)
	defer timer.Stop()
	for exited := false; ; {
		match, at, changed := p.find(from, pattern)
		if match != nil {
			return match, at
		}
		if exited {
			p.t.Fatalf("boardcast ended (%v) without a line %q on %s", p.cmd.ProcessState, pattern, from)
		}
		select {
		case <-changed:
		case <-p.exited:
			exited = true // one more look: its last lines are in by now
		case <-timer.C:
			p.t.Fatalf("no line %q on %s within %v", pattern, from, within)
		}
	}
}

// Signal sends a signal; from here on the end of the program is the test's to check.
func (p *Program) Signal(sig syscall.Signal) {
	p.t.Helper()
	p.ended = true
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatalf("send %v: %v", sig, err)
	}
}

// Wait waits for the end and returns the exit code (-1: by a signal) and whether it came in time.
func (p *Program) Wait(within time.Duration) (code int, inTime bool) {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode(), true
	case <-timer.C:
		return 0, false
	}
}

// Kill ends the program by SIGKILL and waits for it.
func (p *Program) Kill() {
	p.t.Helper()
	p.Signal(syscall.SIGKILL)
	<-p.exited
}

// Stop ends the program by SIGTERM and checks that it exits with 0 within 3 s.
func (p *Program) Stop() {
	p.t.Helper()
	p.Signal(syscall.SIGTERM)
	begin := time.Now()
	code, inTime := p.Wait(stopWithin)
	switch {
	case !inTime:
		p.t.Errorf("boardcast still runs %v after SIGTERM", stopWithin)
	case code != 0:
		p.t.Errorf("boardcast exited with %d after SIGTERM, want 0", code)
	default:
		p.t.Logf("boardcast ended %v after SIGTERM", time.Since(begin).Round(time.Millisecond))
	}
}

// Running reports whether the program has not ended yet.
func (p *Program) Running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

func (p *Program) cleanup() {
	switch {
	case p.ended:
	case !p.Running():
		p.t.Errorf("boardcast ended by itself: %v", p.cmd.ProcessState)
	default:
		p.Stop()
	}
	_ = p.cmd.Process.Kill() // an error means that it has ended
	<-p.exited
	if line, found := p.disaster(); found {
		p.t.Errorf("boardcast wrote %q", line)
	}
	if key := p.keys.in(p.whole()); key != "" {
		p.t.Errorf("the program wrote the key %s", key)
	}
	if p.t.Failed() {
		p.t.Logf("%s:\n%s", strings.Join(p.cmd.Args, " "), p.text(p.Started))
	}
}
