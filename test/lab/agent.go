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
	"syscall"
)

// agentPort is where the guest's agent takes commands: POST /run with a bash script as the body. The answer's header
// names the script's process group, its body is what the script prints, as it prints it, and its trailer the exit
// status. Hanging up kills the script and all that it started in its process group.
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
	return http.Serve(l, mux)
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
