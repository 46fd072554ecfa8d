package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"boardcast/board"
	"boardcast/configs"
	"boardcast/device"
	"boardcast/internal/doctor"
	"boardcast/pipeline"
)

const doctorLong = `Looks for what keeps this machine from streaming, or from streaming well, and
says what would mend it. It changes nothing. Give it the flags, the file and
the environment that you stream with: it checks the camera and the port that
would be used.

Each line is one of

  ok        nothing to mend
  warning   it works, but not as well as it could; a hint follows
  failure   a stream does not work until this is mended; a hint follows

The exit code is 1 when there is a failure, else 0.

As JSON: {"checks": [{"name", "status", "detail", "hint"}]}, each a string:
status is one of the words above, hint is "" when the status is ok. Every check
is always there, in the same order: plugins, encoder, registry, groups, mpp,
dma-heap, cma, gpu-mem, camera, microphone, candidates, port, certificate,
access, clock, governor, power, threads. Names and members stay; the words of
detail and hint may change.`

func newDoctor(stdout io.Writer) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check this machine and say what to mend",
		Long:  doctorLong,
		Example: "  boardcast doctor\n  boardcast doctor --camera /dev/video2 --listen :8443\n" +
			"  boardcast doctor --json                           for a report on a board",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load(cmd)
			if err != nil {
				return err
			}
			report := doctor.Run(cmd.Context(), doctorHost(cfg), doctorRequest(cfg))
			write := report.Write
			if asJSON {
				write = func(w io.Writer) error { return writeJSON(w, report) }
			}
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			if err := write(stdout); err != nil {
				return err
			}
			if n := report.Count(doctor.Failure); n > 0 {
				return fmt.Errorf("%d of %d checks failed", n, len(report.Checks))
			}
			return nil
		},
	}
	addSettings(cmd, "listen", "open", "tls.mode", "tls.cert", "tls.key", "video.camera", "audio.microphone", "ice.stun", "ice.turn")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as one JSON object")
	return cmd
}

// doctorRequest is what the settings and the board ask of the machine.
func doctorRequest(cfg *configs.Config) doctor.Request {
	w := doctor.Request{Listen: cfg.Page.Listen, Open: cfg.Page.Open, STUN: cfg.ICE.STUN.String(), Viewers: cfg.Viewers.Max, Built: builtAt()}
	for _, u := range slices.Concat(cfg.ICE.TURN, cfg.ICE.TURNRest) {
		w.TURN = append(w.TURN, u.String())
	}
	for _, a := range cfg.ICE.Addresses {
		w.Told = append(w.Told, a.String())
	}
	b := board.Detect(root())
	for _, id := range append(b.H264, b.VP8...) {
		if e, ok := pipeline.EncoderByID(id); ok {
			w.Encoders = append(w.Encoders, doctor.Encoder{
				Element: id, Codec: string(e.Codec), Package: e.Package, Hardware: e.Hardware,
			})
		}
	}
	return w
}

// cameraFor returns the doctor's look at the cameras. It chooses them as a stream does, and opens each.
func cameraFor(cfg *configs.Config) func(context.Context) doctor.Device {
	return func(ctx context.Context) doctor.Device {
		choices, err := pickCameras(device.List(ctx, machine), cfg)
		if err != nil {
			return unusable("camera", err)
		}
		var all []doctor.Device
		for i, choice := range choices {
			d := doctor.Device{Text: choice.String(), Hint: choice.Hint}
			switch {
			case choice.Away:
				d = withError(d, choice.Cause)
			case choice.Source == device.SourceDevice:
				d = withError(d, machine.Check(ctx, choice.Camera.Path))
			case choice.Source == device.SourceTest && cfg.Cameras[i].Camera != configs.Test:
				d.Missing = true
				d.Hint = cmp.Or(d.Hint, "plug one in; `boardcast devices` lists what is there")
			}
			all = append(all, d)
		}
		return joined(cfg, all)
	}
}

// joined makes one answer of the answers for several cameras, or for their microphones. It has the texts of all of them,
// and the fault of the first that has a fault.
func joined(cfg *configs.Config, all []doctor.Device) doctor.Device {
	sum, texts := doctor.Device{}, []string{}
	for i, d := range all {
		texts = append(texts, stream{name: cfg.Cameras[i].Name}.label(d.Text))
		if sum.Err == nil && (d.Err != nil || d.Missing && !sum.Missing) {
			sum = d
		}
	}
	sum.Text = strings.Join(texts, "; ")
	return sum
}

// microphoneFor returns the doctor's look at the microphones, as cameraFor does for the cameras.
func microphoneFor(cfg *configs.Config) func(context.Context) doctor.Device {
	return func(ctx context.Context) doctor.Device {
		list := device.List(ctx, machine)
		cameras, err := pickCameras(list, cfg)
		if err != nil {
			cameras = make([]device.Choice, len(cfg.Cameras)) // the microphones can be looked at without the cameras
		}
		choices, err := pickMicrophones(list.Microphones, cfg, cameras)
		if err != nil {
			return unusable("microphone", err)
		}
		var all []doctor.Device
		for i, choice := range choices {
			d := doctor.Device{Text: choice.String()}
			switch {
			case choice.Away:
				d = withError(d, choice.Cause)
			case choice.Source == device.SourceDevice:
				d = withError(d, machine.CheckSound(ctx, choice.Sound))
			case choice.Source == device.SourceTest && cfg.Cameras[i].Microphone != configs.Test:
				d.Missing = true
				d.Hint = "plug one in, or do without: --microphone none"
			}
			all = append(all, d)
		}
		return joined(cfg, all)
	}
}

func unusable(what string, err error) doctor.Device {
	return withError(doctor.Device{Text: what}, err)
}

// withError adds to an answer why the device can't be used, with the first remedy that is known.
func withError(d doctor.Device, err error) doctor.Device {
	if err == nil {
		return d
	}
	d.Err, d.Busy = err, errors.Is(err, device.ErrBusy)
	d.Hint = "`boardcast devices` lists what is there"
	if known := hints(err); len(known) > 0 {
		d.Hint = known[0]
	}
	return d
}

// rescanLimit is how long GStreamer may take to look at all plugins, which is many seconds on a small board.
const rescanLimit = 30 * time.Second
