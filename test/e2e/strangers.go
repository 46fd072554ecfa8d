//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"boardcast/test/hostile"
)

// strangersNetwork are the addresses that hostile peers come from. All of them are at the browsers' side of the network.
const strangersNetwork = "10.78.0.0/16"

// openStrangers makes the strangers' addresses usable, once for all tests.
var openStrangers = sync.OnceValue(func() error {
	ctx := context.Background()
	if err := run(browsers.network.BrowserSide(ctx, "ip", "route", "add", "local", strangersNetwork, "dev", "lo")); err != nil {
		return err
	}
	return run(exec.CommandContext(ctx, "ip", "route", "add", strangersNetwork, "via", BrowserAddr))
})

// stranger is the n-th address of the strangers' network.
func stranger(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 78, byte(1 + n/250%250), byte(1 + n%250)})
}

// door is where the n-th stranger finds the program. Its sockets are made in the browsers' namespace by the test's own
// process.
func door(program *Program, n int) hostile.Door {
	return hostile.Door{
		Program: strings.TrimPrefix(program.Address, "http://"), From: stranger(n),
		Enter: browsers.network.within,
	}
}

// within runs a function on a thread that is in the browsers' namespace. A function that can't be run there panics, for
// what it would do elsewhere is another test.
func (n *Network) within(f func()) {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		fd, err := unix.Open(fmt.Sprintf("/proc/%d/ns/net", n.holder.Process.Pid), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			done <- fmt.Errorf("open the browsers' namespace: %w", err)
			return
		}
		defer func() { _ = unix.Close(fd) }()
		if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("enter the browsers' namespace: %w", err)
			return
		}
		f()
		done <- nil
	}()
	if err := <-done; err != nil {
		panic(err)
	}
}
