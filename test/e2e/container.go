//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"boardcast/test/namespace"
)

// The network of a container and its host, and the ports that the host publishes, as `docker run -p` does.
const (
	hostAddr      = "172.31.0.1" // of the host, which the tests run on; for browsers it is BoardAddr
	containerAddr = "172.31.0.2"
)

// Container is a network namespace behind the tests' own, which only the ports lead into that are published.
type Container struct {
	t      *testing.T
	holder *exec.Cmd
}

// NewContainer makes a container that ends with the test. published are rules of nftables that lead packets for the host into it:
// "udp dport 50000-50003", or "tcp dport 18080" with where to, ":8080".
func NewContainer(t *testing.T, published map[string]string) *Container {
	t.Helper()
	c := &Container{t: t, holder: exec.CommandContext(context.Background(), "cat")}
	c.holder.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	stdin, err := c.holder.StdinPipe()
	if err == nil {
		err = c.holder.Start()
	}
	if err != nil {
		t.Fatalf("start the container's namespace: %v", err)
	}
	t.Cleanup(func() { _ = stdin.Close(); _ = c.holder.Wait() })
	if err := namespace.IP(
		"link add container type veth peer name eth0 netns "+strconv.Itoa(c.holder.Process.Pid),
		"addr add "+hostAddr+"/24 dev container", "link set container up",
	); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ip(t, false, "link del container") })
	for _, line := range []string{"link set lo up", "addr add " + containerAddr + "/24 dev eth0", "link set eth0 up", "route add default via " + hostAddr} {
		if err := run(c.Inside(t.Context(), append([]string{"ip"}, strings.Fields(line)...)...)); err != nil {
			t.Fatal(err)
		}
	}
	c.publish(published)
	return c
}

// publish leads packets from the browsers into the container. What is not led goes neither way.
func (c *Container) publish(published map[string]string) {
	c.t.Helper()
	const forward = "/proc/sys/net/ipv4/ip_forward"
	if err := os.WriteFile(forward, []byte("1"), 0o644); err != nil {
		c.t.Fatalf("forward packets: %v", err)
	}
	c.t.Cleanup(func() { _ = os.WriteFile(forward, []byte("0"), 0o644) })
	var led strings.Builder
	for what, to := range published {
		fmt.Fprintf(&led, "iifname \"board\" ip daddr %s %s dnat to %s%s\n", BoardAddr, what, containerAddr, to)
	}
	firewall(c.t, "ip", "chain led {\ntype nat hook prerouting priority -100\n"+led.String()+"}\n"+
		"chain through {\ntype filter hook forward priority 0\npolicy drop\nct status dnat accept\n}")
}

// Inside is a command that will run in the container. It dies with the test binary.
func (c *Container) Inside(ctx context.Context, args ...string) *exec.Cmd {
	args = append([]string{"--target", strconv.Itoa(c.holder.Process.Pid), "--net", "--"}, args...)
	cmd := exec.CommandContext(ctx, "nsenter", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// Start runs the streamer in the container, as StartBoardcast does here.
func (c *Container) Start(args ...string) *Program {
	c.t.Helper()
	args = append([]string{binary(c.t)}, append(testSources(args), args...)...)
	return startCommand(c.t, c.Inside(context.WithoutCancel(c.t.Context()), args...))
}
