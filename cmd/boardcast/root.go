package main

import (
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"
)

const rootLong = `boardcast streams this board's camera and microphone to browsers over WebRTC.

It serves a page that plays them, and prints the link to open: on this machine,
or on a phone in the same network. With no camera it streams a test picture with
a clock and a soft tick.

Every setting can also stand in the environment or in a file. Where it is given
more than once, a flag (--width) counts before a variable (BOARDCAST_VIDEO_WIDTH),
and a variable before the file (./boardcast.yaml, /etc/boardcast/boardcast.yaml).
` + "`boardcast config --default`" + ` explains all settings.

Ctrl-C ends it. As a systemd service (Type=notify) it takes up changed settings
when the service is reloaded (SIGHUP). Without a service manager, SIGHUP ends it,
as when its terminal is closed.`

const rootExample = `  boardcast                                         the best camera, on port 8080
  boardcast --camera /dev/video2 --width 1280 --height 720
  boardcast --camera test --microphone none         try it without devices
  boardcast --camera front=/dev/video0 --camera rear=test      several, each with a name
  boardcast --codec h264 --bitrate 2.5M
  boardcast --listen :8443 --tls auto               https, which talkback needs
  boardcast --listen :8443 --tls-cert cert.pem --tls-key key.pem
  boardcast --server wss://example.org:8443 --id front-door    wait there to be called
  boardcast --server wss://example.org:8443 --peer 1234        call the peer 1234 there
  boardcast --turn 'turn://user:password@example.org:3478?transport=tcp'
  boardcast --dry-run                               show what would run`

// newRoot builds the commands. Whatever they print goes to stdout or stderr.
func newRoot(stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:           "boardcast",
		Short:         "Stream a board's camera to browsers",
		Long:          rootLong,
		Example:       rootExample,
		Version:       buildVersion(),
		Args:          noArgs,
		SilenceErrors: true, // run prints them
		SilenceUsage:  true,
	}
	dry := false
	addSettings(root)
	root.Flags().BoolVar(&dry, "dry-run", false, "print what would run, as gst-launch lines, and run nothing")
	root.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := load(cmd)
		if err != nil {
			return err
		}
		if dry {
			return dryRun(cmd.Context(), cfg, stdout, stderr)
		}
		log := newLogger(cfg, stderr)
		return untilReload(cmd, log, checkStream, func(ctx context.Context) error { return runStream(ctx, cfg, stdout, log) })
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetUsageFunc(usage)
	root.SetFlagErrorFunc(flagError)
	root.SetVersionTemplate("boardcast {{.Version}}\n")
	root.AddCommand(newServer(stdout, stderr), newKeyCommand(stdout, stderr), newDevices(stdout), newEncodersCmd(stdout, slog.New(slog.DiscardHandler)),
		newDoctor(stdout), newConfig(stdout), newVersion(stdout), newTrialEncoder(os.Stdin, stdout), newListElements(stdout))
	root.AddCommand(extras()...)
	return root
}
