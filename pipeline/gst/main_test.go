//go:build !nogst

package gst

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// The tests run in a network namespace of their own: libnice gathers nothing on a machine whose only interface is lo,
// and no packet leaves.
const inside = "BOARDCAST_TEST_NETNS"

func TestMain(m *testing.M) {
	if os.Getenv(inside) == "" {
		os.Exit(reexec())
	}
	if err := network(); err != nil {
		fmt.Fprintln(os.Stderr, "gst tests:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func reexec() int {
	args := []string{"--net", "--kill-child"}
	if os.Geteuid() != 0 {
		args = append(args, "--map-root-user")
	}
	cmd := exec.CommandContext(context.Background(), "unshare", append(append(args, "--", os.Args[0]), os.Args[1:]...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), inside+"=1")
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "gst tests: run in a network namespace:", err)
		return 1
	}
	return 0
}

func network() error {
	for _, args := range [][]string{
		{"link", "set", "lo", "up"},
		{"link", "add", "bc0", "type", "veth", "peer", "name", "bc1"},
		{"addr", "add", "10.79.0.1/24", "dev", "bc0"},
		{"link", "set", "bc0", "up"},
		{"link", "set", "bc1", "up"},
	} {
		if out, err := exec.CommandContext(context.Background(), "ip", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %v: %w: %s", args, err, out)
		}
	}
	return nil
}
