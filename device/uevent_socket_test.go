package device

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/sys/unix"
)

// soon bounds what takes milliseconds.
const soon = 10 * time.Second

// listenFor runs a watcher on a socket until the test ends and hands on its calls but for the first.
func listenFor(t *testing.T, socket *ueventSocket, subsystems ...string) <-chan []Change {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	calls := make(chan []Change, 8)
	done := make(chan struct{})
	w := watcher{
		root: fstest.MapFS{}, log: slog.New(slog.DiscardHandler), subsystems: subsystems,
		changed: func(c []Change) { calls <- c },
	}
	go func() {
		defer close(done)
		w.run(ctx, socket, "")
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case <-done:
		case <-time.After(soon):
			t.Error("run does not end with ctx")
		}
		if err := socket.Close(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("run left its socket open: closing it again gives %v", err)
		}
	})
	next(t, calls)
	return calls
}

// next is the next call.
func next(t *testing.T, calls <-chan []Change) []Change {
	t.Helper()
	select {
	case c := <-calls:
		return c
	case <-time.After(soon):
		t.Fatal("no call")
		return nil
	}
}

// The kernel says on request that something is up with a device: a real message, through a real socket. Devices that
// don't count are not heard of.
func TestWatchHearsTheKernel(t *testing.T) {
	if inUserNamespace(os.DirFS("/")) {
		t.Skip("the kernel doesn't tell a user namespace")
	}
	socket, err := openUevents()
	if err != nil {
		t.Skipf("this machine has no uevents: %v", err)
	}
	calls := listenFor(t, socket, "mem")
	for _, request := range []struct{ file, action string }{
		{"/sys/class/tty/tty/uevent", "change"},
		{"/sys/class/mem/null/uevent", "change"},
		{"/sys/class/mem/null/uevent", "add"},
	} {
		err := os.WriteFile(request.file, []byte(request.action), 0)
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS) {
			t.Skipf("needs root and a writable sysfs: %v", err)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var got []Change
	for len(got) < 2 {
		got = append(got, next(t, calls)...)
	}
	want := []Change{{"change", "mem", "/dev/null"}, {"add", "mem", "/dev/null"}}
	if !slices.Equal(got, want) {
		t.Errorf("heard %v, want %v", got, want)
	}
}

// On this machine as it is, whether it tells or not.
func TestWatchEnds(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	calls := 0
	err := Watch(ctx, Options{}, func(c []Change) {
		if calls++; calls == 1 && c != nil {
			t.Errorf("the first call says %v", c)
		}
		cancel()
	})
	if err != nil || calls == 0 || !errors.Is(ctx.Err(), context.Canceled) {
		t.Errorf("err = %v after %d calls, ctx %v", err, calls, ctx.Err())
	}
}

// ownNetwork puts the rest of the test in a network namespace where nobody else sends or listens.
func ownNetwork(t *testing.T) {
	t.Helper()
	if inUserNamespace(os.DirFS("/")) {
		t.Skip("in a user namespace nobody can send as another user")
	}
	runtime.LockOSThread() // and never unlocked: the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("needs root: %v", err)
	}
}

// send sends to udev's group as the given user.
func send(t *testing.T, uid uint32, message []byte) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	credentials := unix.UnixCredentials(&unix.Ucred{Pid: int32(os.Getpid()), Uid: uid})
	err = unix.Sendmsg(fd, message, credentials, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groupUdev}, 0)
	if err != nil && !errors.Is(err, unix.ENOBUFS) { // which means that someone's queue is full
		t.Fatal(err)
	}
}

func TestWatchHearsUdev(t *testing.T) {
	ownNetwork(t)
	socket, err := openUevents()
	if err != nil {
		t.Fatal(err)
	}
	calls := listenFor(t, socket, "video4linux", "sound")
	const someone = 1000
	send(t, 0, make([]byte, maxUevent+1))
	if got, want := next(t, calls), []Change{{}}; !slices.Equal(got, want) {
		t.Errorf("of a message too long: heard %v, want %v", got, want)
	}
	send(t, someone, udevMessage("ACTION=remove", "SUBSYSTEM=sound"))
	send(t, 0, udevMessage("ACTION=add", "SUBSYSTEM=block", "DEVNAME=/dev/sda"))
	send(t, 0, []byte("not a message"))
	send(t, 0, udevMessage(addedByUdev...))
	if got, want := next(t, calls), []Change{{"add", "video4linux", "/dev/video0"}}; !slices.Equal(got, want) {
		t.Errorf("heard %v, want %v", got, want)
	}
}

// A message too many or too long is told as "something happened", and the next is heard as before.
func TestSocketSurvivesLosses(t *testing.T) {
	ownNetwork(t)
	socket, err := openUevents()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	receive := func() (string, error) {
		m, err := socket.receive()
		c, _ := parseUevent(m)
		return c.Action, err
	}

	send(t, 0, make([]byte, maxUevent+1))
	send(t, 0, udevMessage(addedByUdev...))
	if _, err := receive(); !errors.Is(err, errLost) {
		t.Errorf("too long: err = %v", err)
	}
	if action, err := receive(); action != "add" || err != nil {
		t.Errorf("after one too long: %q, %v", action, err)
	}

	for range 1000 {
		send(t, 0, udevMessage(append(addedByUdev, "X="+string(make([]byte, 2000)))...))
	}
	if _, err := receive(); !errors.Is(err, errLost) {
		t.Errorf("too many: err = %v", err)
	}
	if action, err := receive(); action != "add" || err != nil {
		t.Errorf("after too many: %q, %v", action, err)
	}

	socket.interrupt()
	for {
		if _, err := receive(); err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("interrupted: %v", err)
			}
			return
		}
	}
}
