package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// watched runs watch in a bubble of its own time and records what it did.
type watched struct {
	signals chan os.Signal
	stopped chan struct{}
	done    chan struct{}
	cancels int
	codes   []int
	stderr  bytes.Buffer
}

func startWatch() *watched {
	w := &watched{signals: make(chan os.Signal, 2), stopped: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		watch(w.signals, w.stopped, func() { w.cancels++ }, &w.stderr, func(code int) { w.codes = append(w.codes, code) })
	}()
	return w
}

func TestWatch(t *testing.T) {
	tests := []struct {
		name    string
		drive   func(*watched)
		cancels int
		codes   []int
		took    time.Duration
	}{
		{"no signal", func(w *watched) { close(w.stopped) }, 0, nil, 0},
		{"one signal and an orderly end", func(w *watched) {
			w.signals <- syscall.SIGTERM
			synctest.Wait()
			close(w.stopped)
		}, 1, nil, 0},
		{"second signal", func(w *watched) {
			w.signals <- syscall.SIGTERM
			w.signals <- syscall.SIGINT
		}, 1, []int{130}, 0},
		{"something hangs", func(w *watched) { w.signals <- syscall.SIGINT }, 1, []int{1}, shutdownLimit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				w := startWatch()
				tt.drive(w)
				<-w.done
				if w.cancels != tt.cancels || len(w.codes) != len(tt.codes) || (len(w.codes) > 0 && w.codes[0] != tt.codes[0]) {
					t.Errorf("cancelled %d times, exit codes %v; want %d, %v", w.cancels, w.codes, tt.cancels, tt.codes)
				}
				if took := time.Since(start); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				if said := strings.Contains(w.stderr.String(), "something hangs"); said != (tt.took > 0) {
					t.Errorf("stderr: %q", &w.stderr)
				}
			})
		})
	}
	if shutdownLimit >= 3*time.Second {
		t.Errorf("shutdownLimit = %v, promised under 3 s", shutdownLimit)
	}
}

func TestStopGivesTheSignalsBack(t *testing.T) {
	ctx, stop := onSignals(context.Background(), nil, nil)
	if err := ctx.Err(); err != nil {
		t.Errorf("ended before any signal: %v", err)
	}
	stop()
	if ctx.Err() == nil {
		t.Error("the context outlives stop")
	}
}

// process is the program, run for real.
type process struct {
	*exec.Cmd
	lines *bufio.Scanner
}

func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	const limit = 30 * time.Second // ends a program whose next line does not come, so that the test fails and does not hang
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = t.TempDir()
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &process{cmd, bufio.NewScanner(out)}
}

func (p *process) line(t *testing.T) string {
	t.Helper()
	if !p.lines.Scan() {
		t.Fatalf("%s: output ended: %v", p.Path, p.lines.Err())
	}
	return p.lines.Text()
}

func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// exitCode waits for the end.
func (p *process) exitCode(t *testing.T) int {
	t.Helper()
	for p.lines.Scan() { // Wait wants the output read
	}
	var exit *exec.ExitError
	if err := p.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return p.ProcessState.ExitCode()
}

func TestFirstSignalEndsInOrder(t *testing.T) {
	for _, s := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(s.String(), func(t *testing.T) {
			p := start(t, "boardcast", "server", "--listen", "127.0.0.1:0")
			if line := p.line(t); !strings.HasPrefix(line, "boardcast ") || !strings.Contains(line, ": open http://127.0.0.1:") {
				t.Errorf("first line: %s", line)
			}
			p.signal(t, s)
			if code := p.exitCode(t); code != 0 {
				t.Errorf("exit code %d, want 0", code)
			}
		})
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	for s, want := range map[os.Signal]int{syscall.SIGTERM: 143, syscall.SIGINT: 130} {
		t.Run(s.String(), func(t *testing.T) {
			p := start(t, "hang")
			for _, want := range []string{"ready", "asked to stop"} {
				if line := p.line(t); line != want {
					t.Fatalf("line %q, want %q", line, want)
				}
				p.signal(t, s)
			}
			if code := p.exitCode(t); code != want {
				t.Errorf("exit code %d, want %d", code, want)
			}
		})
	}
}
