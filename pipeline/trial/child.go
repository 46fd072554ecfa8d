package trial

import (
	"bufio"
	"bytes"
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

// Child runs trials in processes of their own: Command makes one, which is to call [Serve]. What hangs is killed with
// its process group; what can't even be killed (a driver that sleeps in the kernel) is left behind.
type Child struct {
	Command func() *exec.Cmd // not started; standard input, output and error are set here
	Limit   time.Duration    // for the trial itself; 5 s when zero
}

// errStuck tells that a trial did not end in time.
var errStuck = errors.New("stuck")

// childLine is what a child says, one JSON object on a line; other lines are of libraries and drivers.
type childLine struct {
	Ready *bool        `json:"trial_ready,omitempty"` // GStreamer is up: now the limit counts
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
		over(ended, endLimit) // a camera daemon wants its session closed in order
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what is left of the group
	over(ended, endLimit)
	return seen, err
}

// endLimit is how long a child that has answered may take to end, and one that was killed to be gone.
const endLimit = 2 * time.Second

// over waits for a child's end, but not for ever: one that sleeps in the kernel is left behind.
func over(ended <-chan error, limit time.Duration) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-ended: //nolint:errcheck // how it ended was seen to, or is of no interest
	case <-timer.C:
	}
}

// watch follows a child to its end or its limit.
func (c Child) watch(ctx context.Context, lines <-chan childLine, ended <-chan error, complaint *tail) (Observation, error) {
	limit := c.Limit
	if limit == 0 {
		limit = trialLimit
	}
	timer := time.NewTimer(startLimit)
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
				timer.Reset(limit)
			}
		}
	}
}

// crashed words how a child ended without an answer.
func crashed(err error, complaint *tail) error {
	reason := "it ended without an answer"
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

// maxLine bounds what a child may say at once.
const maxLine = 64 << 10

// readLines hands on what is of ours and closes the channel at the end.
func readLines(r io.Reader, to chan<- childLine) {
	defer close(to)
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLine)
	for s.Scan() {
		var l childLine
		if json.Unmarshal(s.Bytes(), &l) == nil && (l.Ready != nil || l.Seen != nil) {
			select {
			case to <- l:
			default: // a child that says more than its two lines is not listened to
			}
		}
	}
	_, _ = io.Copy(io.Discard, r)
}

// tail keeps the end of what is written to it.
type tail struct{ buf []byte }

func (t *tail) Write(p []byte) (int, error) {
	const most = 64 << 10
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - most; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}

// last is the last line that says something, or, where the Go runtime wrote a crash's registers and stacks, what it says
// of the cause.
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

// Serve is the child's side: it reads a spec, runs it and writes what was seen. begin readies GStreamer and loads what
// the trial needs, which may take longer than the trial itself; run tries, and what it returns puts everything away when the
// answer is out.
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
