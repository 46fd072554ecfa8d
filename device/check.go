package device

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Check tells whether a camera could be streamed from right now, on the running machine with default options; see
// Options.Check.
func Check(path string) error {
	return Options{}.Check(context.Background(), path)
}

// Check opens the camera and asks for its queue without taking it. It returns nil, or an *Error of kind ErrBusy
// (naming the programs that hold it where this user may see them), ErrForbidden (naming the group to join), ErrGone
// or ErrSilent, or any other error of opening it. Nothing is changed or captured. Between this and a later start
// another program may still come first.
func (o Options) Check(ctx context.Context, path string) error {
	o = o.withDefaults()
	return o.bounded(ctx, path, func() error {
		n, err := o.Open(path)
		if err != nil {
			return err
		}
		defer n.Close() //nolint:errcheck // nothing was written
		if _, err := n.Capability(); err != nil {
			return gone(o.Root, path, err)
		}
		if c, ok := n.(Claimer); ok {
			return c.Claim()
		}
		return nil
	})
}

// CheckSound tells the same of a microphone or speaker, by opening it and closing it again.
func (o Options) CheckSound(ctx context.Context, s Sound) error {
	o = o.withDefaults()
	return o.bounded(ctx, s.node(), func() error {
		f, err := openSound(s)
		if err != nil {
			return err
		}
		return f.Close()
	})
}

// bounded runs ask in a goroutine and waits until the time-out; a driver that hangs keeps that goroutine. The
// programs that hold the device are looked up after ask has closed it, or this program would be one of them.
func (o Options) bounded(ctx context.Context, device string, ask func() error) error {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	answer := make(chan error, 1)
	go func() { answer <- ask() }()
	select {
	case err := <-answer:
		if err == nil {
			return nil
		}
		return explain(o.Root, device, err)
	case <-ctx.Done():
		return silent(device, ctx.Err())
	}
}

// gone tells a device that vanished while open from one that errs: go4vl hides the errno, so look for the node.
func gone(root fs.FS, device string, err error) error {
	if _, statErr := fs.Stat(root, device[1:]); errors.Is(statErr, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", err, unix.ENODEV)
	}
	return err
}

// openSound opens the PCM's node the way alsa-lib does. A taken one answers EBUSY, since it isn't waited for.
func openSound(s Sound) (io.Closer, error) {
	mode := os.O_RDONLY
	if s.Stream == Playback {
		mode = os.O_WRONLY
	}
	return os.OpenFile(s.node(), mode|unix.O_NONBLOCK, 0)
}

// node is the PCM's device node.
func (s Sound) node() string {
	kind := "c"
	if s.Stream == Playback {
		kind = "p"
	}
	return "/dev/snd/pcmC" + strconv.Itoa(s.Card) + "D" + strconv.Itoa(s.Device) + kind
}
