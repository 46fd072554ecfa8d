//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// FarNetwork is the network of browsers behind a link of their own.
type FarNetwork struct {
	*Browsers
	*Link

	Board string // the address at this end of the link
	far   string
}

// lastFar numbers the links of a test binary.
var lastFar int

// NewFarNetwork makes a network for browsers behind a link, closed at the end of the test; it skips the test where there are
// no TUN devices. The same seed gives the same losses and jitter.
func NewFarNetwork(t testing.TB, toBrowser, toBoard Shape, seed uint64) *FarNetwork {
	t.Helper()
	lastFar++
	f, err := newFarNetwork(lastFar, toBrowser, toBoard, seed)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		t.Skipf("no links can be made here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Browsers.Close)
	return f
}

func newFarNetwork(number int, toBrowser, toBoard Shape, seed uint64) (*FarNetwork, error) {
	n := &Network{}
	if err := n.hold(); err != nil {
		return nil, err
	}
	board, browser := fmt.Sprintf("10.78.%d.1", number), fmt.Sprintf("10.78.%d.2", number)
	near, far := fmt.Sprintf("near%d", number), "far"
	devices, err := tunPair(n.holder.Process.Pid, near, far)
	if err != nil {
		n.Close()
		return nil, err
	}
	f := &FarNetwork{Browsers: NewBrowsers(n), Link: NewLink(devices[0], devices[1], toBrowser, toBoard, seed), Board: board, far: browser}
	f.ends = func() { f.Link.Close(); n.Close() }
	here := func(args ...string) *exec.Cmd { return exec.CommandContext(context.Background(), args[0], args[1:]...) }
	there := func(args ...string) *exec.Cmd { return n.BrowserSide(context.Background(), args...) }
	for _, step := range []struct {
		run  func(...string) *exec.Cmd
		line string
	}{
		{here, "ip addr add " + board + " peer " + browser + " dev " + near},
		{here, "ip link set " + near + " up"},
		{there, "ip link set lo up"},
		{there, "ip addr add " + browser + " peer " + board + " dev " + far},
		{there, "ip link set " + far + " up"},
		{there, "ip route add default via " + board},
	} {
		if err := run(step.run(strings.Fields(step.line)...)); err != nil {
			f.Browsers.Close()
			return nil, err
		}
	}
	return f, nil
}

// tunPair makes one device here and one in the network of another process.
func tunPair(pid int, near, far string) ([2]*os.File, error) {
	first, err := openTUN(near)
	if err != nil {
		return [2]*os.File{}, err
	}
	var second *os.File
	err = inNetworkOf(pid, func() (err error) {
		second, err = openTUN(far)
		return err
	})
	if err != nil {
		_ = first.Close()
		return [2]*os.File{}, err
	}
	return [2]*os.File{first, second}, nil
}

// openTUN makes a device of whole IP packets in the network of the calling thread.
func openTUN(name string) (*os.File, error) {
	const path = "/dev/net/tun"
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err == nil {
		err = unix.SetNonblock(fd, true) // so that Close ends a Read
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("make the device %s: %w", name, err)
	}
	return os.NewFile(uintptr(fd), path), nil
}

// inNetworkOf runs f in the network of another process.
func inNetworkOf(pid int, f func() error) error {
	// The thread must go on afterwards: with it would end the processes that it started.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer func() { _ = home.Close() }()
	away, err := os.Open("/proc/" + strconv.Itoa(pid) + "/ns/net")
	if err != nil {
		return err
	}
	defer func() { _ = away.Close() }()
	if err := unix.Setns(int(away.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter the network of process %d: %w", pid, err)
	}
	defer func() {
		if err := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); err != nil {
			panic(fmt.Errorf("return from the network of process %d: %w", pid, err)) // else anything might run there
		}
	}()
	return f()
}
