// Command boardcast streams a board's camera to browsers over WebRTC.
//
// It joins the other packages and decides nothing itself: one file per
// subcommand, flags registered from the table of package configs, and the
// adapters between signalling and media.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime/debug"

	"boardcast/configs"
)

// garbage is the target of Go's collector in per cent (GOGC): garbage is collected once there is this much of it, against
// what is in use. The program makes little garbage, so collecting at a quarter of Go's usual 100 takes no time that can be
// measured, and it saves a fifth of a MB per viewer.
const garbage = 25

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	ctx, stop := onSignals(context.Background(), os.Stderr, os.Exit)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	ended := ctx.Err() != nil // a signal to end counts for more than one to reload
	stop()
	if code == again && ended {
		code = 0
	}
	if code == again {
		code = startOver(os.Stderr)
	}
	os.Exit(code)
}

// run is the whole program: it returns the exit code, or again.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot(stdout, stderr)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if errors.Is(err, errReload) {
		return again
	}
	if !failed(ctx, err) {
		return 0
	}
	printError(stderr, err)
	_, settings := errors.AsType[*configs.Problem](err)
	if _, keys := errors.AsType[keysError](err); settings || keys {
		return wrongSettings
	}
	return 1
}

// wrongSettings is the exit code for settings with a mistake, and for a file of keys that cannot be used (EX_CONFIG of sysexits.h).
// The service's unit does not start the program again after it: somebody has to mend them first.
const wrongSettings = 78

// failed reports whether err is a failure, and not just what comes of being asked to end.
func failed(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() == nil || !errors.Is(err, context.Canceled))
}
