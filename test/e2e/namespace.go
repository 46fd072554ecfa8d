//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// The two ends of the veth pair.
const (
	BoardAddr   = "10.77.0.1" // the program and the tests' own sockets
	BrowserAddr = "10.77.0.2" // the browsers
)

const insideEnv = "BOARDCAST_E2E_INSIDE"

// Network is the pair of namespaces that a test binary runs in.
type Network struct {
	holder *exec.Cmd
	stdin  io.Closer
}

// Enter moves the test binary into its own namespaces by executing it anew, and there returns the network, set up. It
// needs unshare, nsenter and ip, and either root or unprivileged user namespaces. Close the network at the end.
func Enter() (*Network, error) {
	if os.Getenv(insideEnv) == "" {
		return nil, reexec()
	}
	if err := ownTemp(); err != nil {
		return nil, err
	}
	n := &Network{}
	if err := n.hold(); err != nil {
		return nil, err
	}
	if err := n.connect(); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// reexec only returns to say why it could not.
func reexec() error {
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		return fmt.Errorf("find unshare: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find own executable: %w", err)
	}
	args := []string{"unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"}
	if os.Geteuid() != 0 {
		args = append(args, "--map-root-user")
	}
	args = append(append(args, "--", self), os.Args[1:]...)
	return fmt.Errorf("execute %s: %w", unshare, syscall.Exec(unshare, args, append(os.Environ(), insideEnv+"=1")))
}

// ownTemp makes TMPDIR and HOME a tmpfs that only this binary's namespace has: browser profiles vanish with it.
func ownTemp() error {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("boardcast-e2e-%d", os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make %s: %w", dir, err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, ""); err != nil {
		return fmt.Errorf("mount tmpfs on %s: %w", dir, err)
	}
	return errors.Join(os.Setenv("TMPDIR", dir), os.Setenv("HOME", dir))
}

// hold starts a process whose only work is to keep the browsers' namespace; it ends with its stdin, or with us.
func (n *Network) hold() error {
	n.holder = exec.CommandContext(context.Background(), "cat")
	n.holder.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	stdin, err := n.holder.StdinPipe()
	if err != nil {
		return fmt.Errorf("make a pipe: %w", err)
	}
	n.stdin = stdin
	if err := n.holder.Start(); err != nil {
		return fmt.Errorf("start the browsers' namespace: %w", err)
	}
	return nil
}

func (n *Network) connect() error {
	pid := strconv.Itoa(n.holder.Process.Pid)
	for _, line := range []string{
		"ip link set lo up",
		"ip link add board type veth peer name browser netns " + pid,
		"ip link set board addrgenmode none",
		"ip addr add " + BoardAddr + "/24 dev board",
		"ip link set board up",
	} {
		if err := run(exec.CommandContext(context.Background(), "ip", strings.Fields(line)[1:]...)); err != nil {
			return err
		}
	}
	for _, line := range []string{
		"ip link set lo up",
		// An address of IPv6 would come seconds later, and a changed network makes Chromium drop what it loads.
		"ip link set browser addrgenmode none",
		"ip addr add " + BrowserAddr + "/24 dev browser",
		"ip link set browser up",
		// A browser that has not been given the microphone offers only the address of its default route.
		"ip route add default via " + BoardAddr,
	} {
		if err := run(n.BrowserSide(context.Background(), strings.Fields(line)...)); err != nil {
			return err
		}
	}
	return nil
}

// BrowserSide is a command that will run in the browsers' namespace; on a nil Network in that of the tests. It dies with
// the test binary.
func (n *Network) BrowserSide(ctx context.Context, args ...string) *exec.Cmd {
	if n != nil {
		args = append([]string{"nsenter", "--target", strconv.Itoa(n.holder.Process.Pid), "--net", "--"}, args...)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// Close ends the browsers' namespace.
func (n *Network) Close() {
	_ = n.stdin.Close()
	_ = n.holder.Wait()
}

func run(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("run %s: %w: %s", strings.Join(cmd.Args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
