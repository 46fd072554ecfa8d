package device

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The multicast groups of NETLINK_KOBJECT_UEVENT. A node is there with the kernel's message, but has its permissions
// and its stable names only with udev's.
const (
	groupKernel = 1
	groupUdev   = 2
)

// maxUevent bounds a message in bytes: the kernel's are 2 KiB at most, udev's seldom twice that.
const maxUevent = 32 << 10

// errLost says that messages did not fit: into the socket's queue, or one into its buffer.
var errLost = errors.New("messages were lost")

// ueventSocket hears what the kernel and udev tell of devices. One goroutine reads from it.
type ueventSocket struct {
	file             *os.File
	raw              syscall.RawConn
	message, control []byte
}

// openUevents subscribes to both groups. It needs no privilege, but a container or a service's sandbox may refuse it.
func openUevents() (*ueventSocket, error) {
	const kind = unix.SOCK_DGRAM | unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK
	fd, err := unix.Socket(unix.AF_NETLINK, kind, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return nil, fmt.Errorf("open uevent socket: %w", err)
	}
	s := &ueventSocket{
		file:    os.NewFile(uintptr(fd), "uevents"),
		message: make([]byte, maxUevent), control: make([]byte, unix.CmsgSpace(unix.SizeofUcred)),
	}
	if err := s.subscribe(fd); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *ueventSocket) subscribe(fd int) error {
	// First the credentials, so that no message comes without.
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PASSCRED, 1); err != nil {
		return fmt.Errorf("ask for the senders of uevents: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groupKernel | groupUdev}); err != nil {
		return fmt.Errorf("subscribe to uevents: %w", err)
	}
	raw, err := s.file.SyscallConn()
	if err != nil {
		return fmt.Errorf("wait for uevents: %w", err)
	}
	s.raw = raw
	return nil
}

// Close ends the subscription.
func (s *ueventSocket) Close() error {
	return s.file.Close()
}

// interrupt makes receive return os.ErrDeadlineExceeded, now and from now on.
func (s *ueventSocket) interrupt() {
	_ = s.file.SetReadDeadline(time.Unix(1, 0)) // fails only once it is closed, when receive has ended anyway
}

// receive waits for a message of the kernel's or of root's. It is valid until the next call. The error is errLost, after
// which the socket is as good as before, or an end.
func (s *ueventSocket) receive() ([]byte, error) {
	for {
		var n, oobn, flags int
		var from unix.Sockaddr
		var err error
		waitErr := s.raw.Read(func(fd uintptr) bool {
			n, oobn, flags, from, err = unix.Recvmsg(int(fd), s.message, s.control, 0)
			return !errors.Is(err, unix.EAGAIN)
		})
		switch {
		case waitErr != nil:
			return nil, waitErr
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.ENOBUFS):
			return nil, errLost
		case err != nil:
			return nil, fmt.Errorf("receive uevent: %w", err)
		case !trusted(from, s.control[:oobn]):
		case flags&unix.MSG_TRUNC != 0:
			return nil, errLost
		default:
			return s.message[:n], nil
		}
	}
}

// trusted tells whether a message is the kernel's, or was sent to udev's group by root: in a network namespace of its
// own a program may send there what it likes.
func trusted(from unix.Sockaddr, control []byte) bool {
	sender, ok := from.(*unix.SockaddrNetlink)
	if !ok {
		return false
	}
	switch sender.Groups {
	case groupKernel:
		return sender.Pid == 0
	case groupUdev:
		messages, err := unix.ParseSocketControlMessage(control)
		return err == nil && slices.ContainsFunc(messages, fromRoot)
	}
	return false
}

func fromRoot(m unix.SocketControlMessage) bool {
	credentials, err := unix.ParseUnixCredentials(&m)
	return err == nil && credentials.Uid == 0
}
