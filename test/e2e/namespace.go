//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"boardcast/test/namespace"
)

// The two ends of the veth pair.
const (
	BoardAddr   = "10.77.0.1" // the program and the tests' own sockets
	BrowserAddr = "10.77.0.2" // the browsers
)

// Network is the pair of namespaces that a test binary runs in.
type Network struct {
	holder *exec.Cmd
	stdin  io.Closer
}

// Enter sets up the namespaces that this process was started in by namespace.Run, and the browsers' beside them. HOME is
// the folder for temporary files, so that browser profiles vanish with it. Close the network at the end.
func Enter() (*Network, error) {
	if err := namespace.SetUp(namespace.Temporary("e2e")); err != nil {
		return nil, err
	}
	if err := os.Setenv("HOME", os.TempDir()); err != nil {
		return nil, fmt.Errorf("set HOME: %w", err)
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
	if err := namespace.IP(
		"link add board type veth peer name browser netns "+pid,
		"link set board addrgenmode none",
		"addr add "+BoardAddr+"/24 dev board",
		"link set board up",
	); err != nil {
		return err
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
