package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"boardcast/configs"
)

// again is what run returns when the program is to begin anew; it is no exit code.
const again = -1

// errReload ends the program's work so that it begins anew, with the settings as they are now.
var errReload = errors.New("settings are to be read again")

// managed says that a service manager has started us. Without one SIGHUP is a terminal that went away, and ends us.
func managed() bool { return os.Getenv("NOTIFY_SOCKET") != "" }

// untilReload runs a service until it ends by itself or a SIGHUP asks for changed settings. Then it returns [errReload].
// check says whether the service would start with the settings as they are now.
func untilReload(
	cmd *cobra.Command, log *slog.Logger, check func(context.Context, *configs.Config) error, service func(context.Context) error,
) error {
	ctx, stop := onReload(cmd.Context(), log, func() error {
		cfg, err := load(cmd)
		if err != nil {
			return err
		}
		return check(cmd.Context(), cfg)
	})
	defer stop()
	if err := service(ctx); err != nil {
		return err
	}
	return reloadAsked(ctx)
}

// onReload returns a context that a SIGHUP ends with [errReload], if check finds the settings right. If not, what is
// wrong is logged and everything goes on as it was. stop gives the signal back and waits for the goroutine.
func onReload(parent context.Context, log *slog.Logger, check func() error) (ctx context.Context, stop func()) {
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
				logRefused(log, err)
				continue
			}
			log.Info("reload begun: the program ends its work and begins again with the settings as they are now")
			cancel(errReload)
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
		<-watched
	}
}

// logRefused logs each mistake in the settings on a line of its own, with its remedy.
func logRefused(log *slog.Logger, err error) {
	all := []error{err}
	if problems, ok := errors.AsType[configs.Problems](err); ok {
		all = problems.Unwrap()
	}
	for _, one := range all {
		attrs := []any{"error", one}
		for _, hint := range hints(one) {
			attrs = append(attrs, "hint", hint)
		}
		log.Error("reload refused: the settings in force stay", attrs...)
	}
}

// reloadAsked returns [errReload] if that is what ended ctx.
func reloadAsked(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), errReload) {
		return errReload
	}
	return nil
}

// reloadVariable tells the program that takes the place of this one when the reload began, in milliseconds since 1970. Its
// name is none of a setting's, which begin with BOARDCAST_.
const reloadVariable = "RELOAD_OF_BOARDCAST"

// startOver puts the program, as it is on disk now, in the place of this process: a new process could not be told from a
// crash by the service manager, and an old one would keep whatever GStreamer has not given back. It returns, with an exit
// code, only when that can't be done.
func startOver(stderr io.Writer) int {
	program, err := os.Executable()
	if err == nil {
		err = os.Setenv(reloadVariable, strconv.FormatInt(time.Now().UnixMilli(), 10))
	}
	if err == nil {
		_, _ = daemon.SdNotify(false, daemon.SdNotifyReloading+"\n"+daemon.SdNotifyWatchdog) // READY follows from the new one
		err = syscall.Exec(program, os.Args, os.Environ())
	}
	printError(stderr, fmt.Errorf("reload: begin again: %w", err))
	return 1
}

// logReloadDone logs, once the program serves, that a reload is done, if it is one that put the program here.
func logReloadDone(log *slog.Logger) {
	began, err := strconv.ParseInt(os.Getenv(reloadVariable), 10, 64)
	if err != nil {
		return
	}
	_ = os.Unsetenv(reloadVariable) // fails for a broken name only
	log.Info("reload done", "duration_seconds", time.Since(time.UnixMilli(began)).Seconds())
}
