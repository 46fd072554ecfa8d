//go:build lab

package lab

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// agentPort is where the guest's agent takes commands: POST /run with a bash script as the body. The answer's header
// names the script's process group, its body is what the script prints, as it prints it, and its trailer the exit
// status. Hanging up kills the script and all that it started in its process group. GET /late tells how many ms a timer in
// the guest was late at most since it was asked last.
const agentPort = "9"

const (
	groupHeader   = "Lab-Group"
	statusTrailer = "Lab-Status"
	markReady     = "LAB-READY"
)

// serveAgent is the agent's life. It says on the console when it can be reached, and returns only if it can't be.
func serveAgent(address string) error {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err != nil {
		return fmt.Errorf("listen for commands: %w", err)
	}
	_, _ = fmt.Fprintln(os.Stderr, markReady)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /run", runScript)
	late := &lateness{}
	go late.watch()
	mux.Handle("GET /late", late)
	return http.Serve(l, mux)
}

// lateness measures how late the guest's timers are: an emulated machine stands still when its host has other things to do.
type lateness struct {
	mu      sync.Mutex
	longest time.Duration
}

func (l *lateness) watch() {
	const every = 20 * time.Millisecond
	last := time.Now()
	for range time.Tick(every) {
		now := time.Now()
		l.mu.Lock()
		l.longest = max(l.longest, now.Sub(last)-every)
		l.mu.Unlock()
		last = now
	}
}

func (l *lateness) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	l.mu.Lock()
	longest := l.longest
	l.longest = 0
	l.mu.Unlock()
	_, _ = fmt.Fprint(w, longest.Milliseconds())
}

func runScript(w http.ResponseWriter, r *http.Request) {
	script, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	cmd, output, err := startScript(r.Context(), string(script))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer func() { _ = output.Close() }()
	w.Header().Set(groupHeader, strconv.Itoa(cmd.Process.Pid))
	w.Header().Set("Trailer", statusTrailer)
	out := &flushing{w: w, c: http.NewResponseController(w)}
	_ = out.c.Flush()
	_, _ = io.Copy(out, output)
	_ = cmd.Wait()
	w.Header().Set(statusTrailer, strconv.Itoa(cmd.ProcessState.ExitCode()))
}

// startScript starts a script in a process group of its own. What it prints is read from the file, which the caller
// closes.
func startScript(ctx context.Context, script string) (*exec.Cmd, *os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = w.Close() }()
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Stdout, cmd.Stderr = w, w
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if err := cmd.Start(); err != nil {
		_ = r.Close()
		return nil, nil, err
	}
	return cmd, r, nil
}

// flushing sends each write on at once: a test waits for a line that a program prints.
type flushing struct {
	w io.Writer
	c *http.ResponseController
}

func (f *flushing) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	if err != nil {
		return n, err
	}
	return n, f.c.Flush()
}

// Run runs a bash script in the guest to its end and returns what it printed on both streams. A status other than zero
// is an error; when ctx ends the script is killed.
func (m *Machine) Run(ctx context.Context, script string) (string, error) {
	p, err := m.Start(ctx, script)
	if err != nil {
		return "", err
	}
	status, err := p.Wait(ctx)
	if err == nil && status != 0 {
		err = fmt.Errorf("exit status %d", status)
	}
	return p.Output(), err
}

// Late is how late a timer in the guest was at most since the last call.
func (m *Machine) Late(ctx context.Context) (time.Duration, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(GuestAddress, agentPort)+"/late", nil)
	if err != nil {
		return 0, err
	}
	response, err := m.client.Do(request)
	if err != nil {
		return 0, fmt.Errorf("reach the agent: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	var late int64
	if _, err := fmt.Fscan(response.Body, &late); err != nil {
		return 0, fmt.Errorf("read how late the guest is: %w", err)
	}
	return time.Duration(late) * time.Millisecond, nil
}

// Start runs a bash script in the guest without waiting for it. It is killed when ctx ends; the caller stops it before.
func (m *Machine) Start(ctx context.Context, script string) (*Process, error) {
	ctx, cancel := context.WithCancel(ctx)
	url := "http://" + net.JoinHostPort(GuestAddress, agentPort) + "/run"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(script))
	if err != nil {
		cancel()
		return nil, err
	}
	response, err := m.client.Do(request)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("reach the agent: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		cancel()
		return nil, fmt.Errorf("start a script: %s", text)
	}
	p := &Process{
		machine: m, group: response.Header.Get(groupHeader), cancel: cancel,
		done: make(chan struct{}), grew: make(chan struct{}),
	}
	go p.read(response)
	return p, nil
}
