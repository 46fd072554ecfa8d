package trial

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// childMode makes the test binary a trial's child that behaves as told.
const childMode = "BOARDCAST_TEST_CHILD"

// TestTrialChild is the child's side of the tests below.
func TestTrialChild(t *testing.T) {
	mode := os.Getenv(childMode)
	if mode == "" {
		t.Skip("runs in the child of another test")
	}
	// Without cgo the runtime ends a program in which everything waits for nothing. A timer is something to wait for.
	defer time.AfterFunc(24*time.Hour, func() {}).Stop()
	begin := func(Spec) error { return nil }
	run := func(s Spec) (Observation, func()) { return Observation{Frames: s.Frames}, func() {} }
	switch mode {
	case "is stuck":
		run = func(Spec) (Observation, func()) { select {} }
	case "is stuck at its end":
		run = func(s Spec) (Observation, func()) { return Observation{Frames: s.Frames}, func() { select {} } }
	case "leaves a child":
		run = func(Spec) (Observation, func()) {
			cmd := exec.Command("sleep", "1000") //nolint:noctx // to be killed with the group
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			_ = os.WriteFile(os.Getenv(childMode+"_PID"), fmt.Append(nil, cmd.Process.Pid), 0o600)
			select {}
		}
	case "crashes":
		run = func(Spec) (Observation, func()) {
			_ = syscall.Kill(os.Getpid(), syscall.SIGSEGV)
			select {}
		}
	case "is killed":
		run = func(Spec) (Observation, func()) { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} }
	case "does not begin":
		begin = func(Spec) error { return errors.New("no GStreamer") }
	case "prints":
		fmt.Fprintln(os.Stdout, "libencoder 1.0 ready\n{\"not\":\"ours\"}\n{broken") // as a library would
	}
	if err := Serve(os.Stdin, os.Stdout, begin, run); err != nil {
		fmt.Fprintln(os.Stderr, err)
		t.Fail()
	}
}

func fakeChild(mode string, limit time.Duration, more ...string) Child {
	return Child{Limit: limit, Command: func() *exec.Cmd {
		cmd := exec.Command(os.Args[0], "-test.run=^TestTrialChild$") //nolint:noctx // Run ends it
		cmd.Env = append(append(os.Environ(), childMode+"="+mode), more...)
		return cmd
	}}
}

func TestChild(t *testing.T) {
	cases := []struct {
		mode string
		want string // of the error, empty for none
	}{
		{"answers", ""},
		{"prints", ""},
		{"is stuck at its end", ""},
		{"is stuck", "no answer in 300ms"},
		{"crashes", "SIGSEGV: segmentation violation"},
		{"is killed", "crashed: killed"},
		{"does not begin", "no GStreamer"},
	}
	for _, c := range cases {
		t.Run(c.mode, func(t *testing.T) {
			began := time.Now()
			limit := 10 * time.Second
			if c.mode == "is stuck" {
				limit = 300 * time.Millisecond
			}
			o, err := fakeChild(c.mode, limit).Run(t.Context(), Spec{Frames: 7})
			if c.want == "" && (err != nil || o.Frames != 7) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%+v, %v; want %q", o, err, c.want)
			}
			if errors.Is(err, errStuck) != (c.mode == "is stuck") {
				t.Errorf("%v", err)
			}
			if took := time.Since(began); took > startLimit {
				t.Errorf("took %v", took)
			}
		})
	}
}

// What a child starts goes with it.
func TestChildDiesWithItsGroup(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	_, err := fakeChild("leaves a child", 2*time.Second, childMode+"_PID="+file).Run(t.Context(), Spec{})
	if !errors.Is(err, errStuck) {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(string(text), &pid); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(5 * time.Second)
	check := time.NewTicker(10 * time.Millisecond)
	defer check.Stop()
	for alive(pid) {
		select {
		case <-deadline:
			t.Fatalf("process %d is still there", pid)
		case <-check.C:
		}
	}
}

// alive reports whether a process runs; one that is dead and not yet reaped does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func TestChildEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := fakeChild("is stuck", time.Hour).Run(ctx, Spec{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestChildThatIsNotThere(t *testing.T) {
	c := Child{Command: func() *exec.Cmd { return exec.Command(filepath.Join(t.TempDir(), "none")) }} //nolint:noctx // does not start
	if _, err := c.Run(t.Context(), Spec{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
