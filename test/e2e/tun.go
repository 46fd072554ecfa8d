//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// Links are the links of a test: one device here, at which the program serves, and behind each link a network of browsers.
type Links struct {
	Address string // of the program, for the browsers behind the links

	t    testing.TB
	near *os.File
	mu   sync.Mutex
	far  []*FarNetwork
}

// FarNetwork is the network of browsers behind a link of their own.
type FarNetwork struct {
	*Browsers
	*Link

	address netip.Addr
}

// nearAddress is the program's address in tests with links. Each UDP socket of the program uses only the device that has the socket's
// address. All links therefore share this one address and its device.
var nearAddress = netip.MustParseAddr("10.78.0.1")

// NewLinks makes the device here, which goes at the end of the test; it skips the test where there are no TUN devices.
func NewLinks(t testing.TB) *Links {
	t.Helper()
	near, err := openTUN("near")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		t.Skipf("no links can be made here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	l := &Links{Address: nearAddress.String(), t: t, near: near}
	var wg sync.WaitGroup
	wg.Go(func() { readPackets(near, l.dispatch) })
	t.Cleanup(func() { _ = near.Close(); wg.Wait() })
	here := func(args ...string) *exec.Cmd { return exec.CommandContext(context.Background(), args[0], args[1:]...) }
	l.must(run(here("ip", "addr", "add", l.Address+"/16", "dev", "near")))
	l.must(run(here("ip", "link", "set", "near", "up")))
	return l
}

func (l *Links) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// dispatch gives a packet to the link of its destination.
func (l *Links) dispatch(data []byte) {
	const version4, destination, length = 4, 16, 20
	if len(data) < length || data[0]>>4 != version4 {
		return
	}
	to := netip.AddrFrom4([4]byte(data[destination:length]))
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.far {
		if f.address == to {
			f.take(ToBrowser, data)
		}
	}
}

// Network makes a network behind a link, both ended with the test. The same seed gives the same losses and jitter.
func (l *Links) Network(toBrowser, toBoard Shape, seed uint64) *FarNetwork {
	l.t.Helper()
	n := &Network{}
	l.must(n.hold())
	l.t.Cleanup(n.Close)
	var device *os.File
	l.must(inNetworkOf(n.holder.Process.Pid, func() (err error) {
		device, err = openTUN("far")
		return err
	}))
	l.mu.Lock()
	address := nearAddress
	for range len(l.far) + 1 {
		address = address.Next()
	}
	f := &FarNetwork{Browsers: NewBrowsers(n), Link: newLink(l.near, device, toBrowser, toBoard, seed), address: address}
	l.far = append(l.far, f)
	l.mu.Unlock()
	l.t.Cleanup(f.close)
	for _, line := range []string{
		"ip link set lo up",
		"ip addr add " + address.String() + "/16 dev far",
		"ip link set far up",
		"ip route add default dev far",
	} {
		l.must(run(n.BrowserSide(context.Background(), strings.Fields(line)...)))
	}
	l.t.Cleanup(f.Close)
	return f
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
