// Package namespace gives a test binary namespaces of its own: a network that no packet leaves, process numbers, so that
// all that the tests have started ends with them, and mounts. It answers one question: where may a test do what it likes
// to the network. It does not know what stands in that network; each test binary sets that up by IP.
//
// It wants either root or user namespaces that any user may make, and the command ip. Where the system refuses, the error
// says what to do. A TestMain uses it so:
//
//	if !namespace.Inside() {
//		code, err := namespace.Run()
//		...
//		os.Exit(code)
//	}
//	err := namespace.SetUp(dir)
package namespace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// Env is set in the environment of a process that Run has started, and of those that it starts. A test that starts its own
// binary without it gets one in namespaces of its own.
const Env = "BOARDCAST_TEST_INSIDE"

// hint is what to do where the system refuses namespaces.
const hint = "run the tests as root, or let users make namespaces: sysctl -w kernel.unprivileged_userns_clone=1 (Debian), " +
	"kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu 24.04), user.max_user_namespaces=10000; " +
	"a container needs --privileged"

// refusals are the errors by which a kernel refuses namespaces, or what is done in them.
var refusals = []error{syscall.EPERM, syscall.EACCES, syscall.ENOSPC, syscall.EUSERS}

// explained adds the hint to an error by which the kernel refuses; any other it returns as it is.
func explained(err error) error {
	for _, refusal := range refusals {
		if errors.Is(err, refusal) {
			return fmt.Errorf("%w (hint: %s)", err, hint)
		}
	}
	return err
}

// Inside says whether this process runs in namespaces that Run has made.
func Inside() bool { return os.Getenv(Env) != "" }

// Run runs this program again, with the same arguments and more environment, in network, mount and process namespaces of
// its own, and returns its exit code. Whatever the program leaves running ends with it. Without root a user namespace
// stands in for root.
func Run(env ...string) (int, error) {
	runtime.LockOSThread() // the child is killed when this thread ends
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(context.Background(), "/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(append(os.Environ(), Env+"=1"), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = attributes(os.Geteuid())
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 0, fmt.Errorf("enter namespaces: %w", explained(err))
	}
	return 0, nil
}

// attributes are the namespaces for a user; only root may do without one for users.
func attributes(user int) *syscall.SysProcAttr {
	wanted := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	if user != 0 {
		wanted.Cloneflags |= syscall.CLONE_NEWUSER
		wanted.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		wanted.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	return wanted
}

// SetUp makes the new namespaces fit to live in: a /proc that shows their own processes, loopback, and a folder for
// temporary files, which becomes TMPDIR and is gone when the namespaces are. Call it first, and only inside.
func SetUp(temporary string) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", explained(err))
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", explained(err))
	}
	if err := os.MkdirAll(temporary, 0o700); err != nil {
		return fmt.Errorf("make the folder for temporary files: %w", err)
	}
	if err := syscall.Mount("tmpfs", temporary, "tmpfs", 0, ""); err != nil {
		return fmt.Errorf("mount tmpfs on %s: %w", temporary, explained(err))
	}
	if err := os.Setenv("TMPDIR", temporary); err != nil {
		return fmt.Errorf("set TMPDIR: %w", err)
	}
	return IP("link set lo up")
}

// Temporary is a folder for SetUp that no other user's tests have: NAME is the test binary's.
func Temporary(name string) string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("boardcast-%s-%d", name, os.Getuid()))
}

// IP runs the command ip once for each line, which is its arguments, and stops at the first that fails.
func IP(lines ...string) error {
	for _, line := range lines {
		out, err := exec.CommandContext(context.Background(), "ip", strings.Fields(line)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("ip %s: %w: %s", line, err, strings.TrimSpace(string(out)))
		}
	}
	return nil
}
