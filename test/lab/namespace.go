//go:build lab

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
)

// The addresses of the tap device's two ends, and its name.
const (
	HostAddress  = "10.78.0.1"
	GuestAddress = "10.78.0.2"
	tapName      = "tap0"
)

// isolate runs this program again, with the same arguments and more environment, in network, mount and process
// namespaces of its own, and returns its exit code. Whatever it leaves running ends with it. Without root a user
// namespace stands in for it.
func isolate(env ...string) (int, error) {
	runtime.LockOSThread() // the child is killed when this thread ends
	cmd := exec.CommandContext(context.Background(), "/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 0, fmt.Errorf("enter namespaces: %w", err)
	}
	return 0, nil
}

// setUpNamespaces makes the new namespaces fit to live in: a /proc that shows its own processes, a directory for
// temporary files that goes when we go, loopback, the tap.
func setUpNamespaces(temporary string) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := os.MkdirAll(temporary, 0o755); err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", temporary, "tmpfs", 0, "size=1g"); err != nil {
		return fmt.Errorf("mount %s: %w", temporary, err)
	}
	if err := os.Setenv("TMPDIR", temporary); err != nil {
		return err
	}
	for _, args := range []string{
		"link set lo up",
		"tuntap add " + tapName + " mode tap",
		"addr add " + HostAddress + "/24 dev " + tapName,
		"link set " + tapName + " up",
	} {
		if out, err := exec.CommandContext(context.Background(), "ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", args, err, out)
		}
	}
	return nil
}
