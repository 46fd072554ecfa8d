//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"boardcast/test/hostile"
)

// strangersNetwork are the addresses that hostile peers come from. All of them are at the browsers' side of the network.
const strangersNetwork = "10.200.0.0/16"

// openStrangers makes the strangers' addresses usable. A test that takes an address away takes the routes with it, so each test that
// needs them sets them.
func openStrangers() error {
	ctx := context.Background()
	if err := run(browsers.network.BrowserSide(ctx, "ip", "route", "replace", "local", strangersNetwork, "dev", "lo")); err != nil {
		return err
	}
	return run(exec.CommandContext(ctx, "ip", "route", "replace", strangersNetwork, "via", BrowserAddr))
}

// stranger is the n-th address of the strangers' network.
func stranger(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 200, byte(1 + n/250%250), byte(1 + n%250)})
}

// door is where the n-th stranger finds the program. Its sockets are made in the browsers' namespace by the test's own
// process.
func door(program *Program, n int) hostile.Door {
	d := hostile.Door{
		Program: strings.TrimPrefix(program.Address, "http://"), From: stranger(n),
		Enter: browsers.network.within,
	}
	if program.keys != nil {
		d.Key = program.keys.viewer
	}
	return d
}

// within runs a function on a thread that is in the browsers' namespace meanwhile. What can't be run there panics, for
// elsewhere it would do something else. The thread goes back and lives on: processes that it has started die with it.
func (n *Network) within(f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	own := must(openNamespace("thread-self"))
	defer func() { _ = unix.Close(own) }()
	theirs := must(openNamespace(strconv.Itoa(n.holder.Process.Pid)))
	defer func() { _ = unix.Close(theirs) }()
	_ = must(0, unix.Setns(theirs, unix.CLONE_NEWNET))
	defer func() { _ = must(0, unix.Setns(own, unix.CLONE_NEWNET)) }()
	f()
}

func openNamespace(process string) (int, error) {
	return unix.Open("/proc/"+process+"/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
}

func must(n int, err error) int {
	if err != nil {
		panic(fmt.Errorf("enter the browsers' namespace: %w", err))
	}
	return n
}
