package trial

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Child runs each trial in a process of its own: Command makes one, which is to call [Serve]. A process that is stuck is killed with
// its process group. A process that cannot be killed either, since its driver sleeps in the kernel, is left behind.
type Child struct {
	Command func() *exec.Cmd // must not have been started; Run sets its standard input, output and error
	Limit   time.Duration    // for the trial, once GStreamer is loaded; 5 s when zero
}

// errStuck tells that a trial did not end in time.
var errStuck = errors.New("stuck")

// childLine is what a child tells, one JSON object on a line. Other lines are those of libraries and drivers.
type childLine struct {
	Ready *bool        `json:"trial_ready,omitempty"` // GStreamer is loaded: from now on the limit counts
	Seen  *Observation `json:"trial_seen,omitempty"`
}

// Run is a [Runner].
func (c Child) Run(ctx context.Context, spec Spec) (Observation, error) {
	in, err := json.Marshal(spec)
	if err != nil {
		return Observation{}, fmt.Errorf("write trial: %w", err)
	}
	cmd := c.Command()
	var complaint tail
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &complaint
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return Observation{}, fmt.Errorf("start trial: %w", err)
	}
	if err = cmd.Start(); err != nil {
		return Observation{}, fmt.Errorf("start trial: %w", err)
	}
	lines := make(chan childLine, 4)
	ended := make(chan error, 1)
	go func() {
		defer close(ended)
		readLines(out, lines)
		ended <- cmd.Wait()
	}()
	seen, err := c.watch(ctx, lines, ended, &complaint)
	if err == nil {
		over(ended, endLimit) // the child ends by itself, as a camera daemon wants its session to be closed in order
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what is left of the group
	over(ended, endLimit)
	return seen, err
}

// endLimit is how long a child that has answered may take to end, and one that was killed to be gone.
const endLimit = 2 * time.Second

// over waits for a child's end, but not longer than the limit: a child that sleeps in the kernel is left behind.
func over(ended <-chan error, limit time.Duration) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-ended: //nolint:errcheck // watch has told how the child ended, or the child was killed
	case <-timer.C:
	}
}

// watch waits for a child's answer, or its end, or the limit.
func (c Child) watch(ctx context.Context, lines <-chan childLine, ended <-chan error, complaint *tail) (Observation, error) {
	limit := startLimit
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return Observation{}, ctx.Err()
		case <-timer.C:
			return Observation{}, fmt.Errorf("%w: no answer in %v", errStuck, limit)
		case l, ok := <-lines:
			switch {
			case !ok:
				return Observation{}, crashed(<-ended, complaint)
			case l.Seen != nil:
				return *l.Seen, nil
			case l.Ready != nil:
				limit = cmp.Or(c.Limit, trialLimit)
				timer.Reset(limit)
			}
		}
	}
}

// crashed tells how a child ended that gave no answer.
func crashed(err error, complaint *tail) error {
	reason := "the trial's process ended without an answer"
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if s, ok := exit.Sys().(syscall.WaitStatus); ok && s.Signaled() {
			reason = "crashed: " + s.Signal().String()
		}
	}
	if last := complaint.last(); last != "" {
		reason += " (" + last + ")"
	}
	return errors.New(reason)
}

// mostOutput is how many bytes are kept of what a child tells: of one line, and of its errors. An answer has some hundreds.
const mostOutput = 64 << 10

// readLines hands on the lines that are for us, and closes the channel at the end.
func readLines(r io.Reader, to chan<- childLine) {
	defer close(to)
	s := bufio.NewScanner(r)
	s.Buffer(nil, mostOutput)
	for s.Scan() {
		var l childLine
		if json.Unmarshal(s.Bytes(), &l) == nil && (l.Ready != nil || l.Seen != nil) {
			select {
			case to <- l:
			default: // the channel has room for the two lines of a child; what is beyond them is dropped
			}
		}
	}
	_, _ = io.Copy(io.Discard, r)
}

// tail keeps the end of what is written to it.
type tail struct{ buf []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - mostOutput; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}

// last is the last line that is not empty. Where the Go runtime has written the registers and stacks of a crash, it is the line with
// the cause.
func (t *tail) last() string {
	text := strings.ToValidUTF8(strings.TrimSpace(string(t.buf)), "")
	lines := strings.Split(text, "\n")
	for _, l := range lines {
		for _, cause := range []string{"SIG", "fatal error: ", "panic: "} {
			if strings.HasPrefix(l, cause) {
				return strings.TrimSpace(l)
			}
		}
	}
	return strings.TrimSpace(lines[len(lines)-1])
}

// Serve is the child's side: it reads a spec, runs the trial and writes what was seen. begin loads GStreamer and what the trial needs,
// which may take longer than the trial. run tries; the function that it returns closes everything, and is called once the answer is
// written.
func Serve(in io.Reader, out io.Writer, begin func(Spec) error, run func(Spec) (Observation, func())) error {
	var spec Spec
	if err := json.NewDecoder(io.LimitReader(in, 1<<20)).Decode(&spec); err != nil {
		return fmt.Errorf("read trial: %w", err)
	}
	if err := begin(spec); err != nil {
		return fmt.Errorf("begin trial: %w", err)
	}
	enc := json.NewEncoder(out)
	ready := true
	if err := enc.Encode(childLine{Ready: &ready}); err != nil {
		return fmt.Errorf("write ready: %w", err)
	}
	seen, end := run(spec)
	defer end()
	if err := enc.Encode(childLine{Seen: &seen}); err != nil {
		return fmt.Errorf("write observation: %w", err)
	}
	return nil
}
