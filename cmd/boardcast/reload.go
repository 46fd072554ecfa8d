package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/coreos/go-systemd/v22/daemon"
)

// again is what run returns when the program is to begin anew; it is no exit code.
const again = -1

// errReload ends the program's work so that it begins anew, with the settings as they are now.
var errReload = errors.New("settings are to be read again")

// managed says that a service manager has started us. Without one SIGHUP is a terminal that went away, and ends us.
func managed() bool { return os.Getenv("NOTIFY_SOCKET") != "" }

// onReload returns a context that a SIGHUP ends with [errReload], if check finds the settings right. If not, what is
// wrong is printed and everything goes on as it was. stop gives the signal back and waits for the goroutine.
func onReload(parent context.Context, stderr io.Writer, check func() error) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	if !managed() {
		return ctx, func() { cancel(nil) }
	}
	signals, watched := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGHUP)
	go func() {
		defer close(watched)
		for {
			select {
			case <-ctx.Done():
				return
			case <-signals:
			}
			if err := check(); err != nil {
				printError(stderr, fmt.Errorf("reload: the settings in force stay: %w", err))
				continue
			}
			cancel(errReload)
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
		<-watched
	}
}

// reloadAsked returns [errReload] if that is what ended ctx.
func reloadAsked(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), errReload) {
		return errReload
	}
	return nil
}

// startOver puts the program, as it is on disk now, in the place of this process: a new process could not be told from a
// crash by the service manager, and an old one would keep whatever GStreamer has not given back. It returns, with an exit
// code, only when that can't be done.
func startOver(stderr io.Writer) int {
	program, err := os.Executable()
	if err == nil {
		_, _ = daemon.SdNotify(false, daemon.SdNotifyReloading+"\n"+daemon.SdNotifyWatchdog) // READY follows from the new one
		err = syscall.Exec(program, os.Args, os.Environ())
	}
	printError(stderr, fmt.Errorf("reload: begin again: %w", err))
	return 1
}
