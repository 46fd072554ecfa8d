package main

import (
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"boardcast/board"
	"boardcast/pipeline"
	"boardcast/pipeline/gst"
)

const encodersLong = `Tries every encoder that this machine has, each in a process of its own, and
lists them, the fastest first, with what became of each:

  chosen    works, and is what boardcast takes
  usable    works, and is not needed
  failed    does not do what it must; the reason says what
  skipped   was not tried; the reason says why
  missing   is not installed; the reason names what brings it

Verdicts are remembered as long as kernel, GStreamer, device nodes and boardcast
stay the same; --fresh forgets them.

As JSON: {"board": {...}, "encoders": [{"element", "codec", "family",
"hardware", "verdict", "reason", "frames_per_second", "cpu_ms_per_frame"}]}.`

// encodersReply is the JSON of `boardcast encoders`. Its members stay.
type encodersReply struct {
	Board    boardReply     `json:"board"`
	Encoders []encoderReply `json:"encoders"`
}

type boardReply struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Model      string   `json:"model"`
	Compatible []string `json:"compatible"`
	Note       string   `json:"note"`
}

type encoderReply struct {
	Element         string           `json:"element"`
	Codec           pipeline.Codec   `json:"codec"`
	Family          string           `json:"family"`
	Hardware        bool             `json:"hardware"`
	Verdict         pipeline.Outcome `json:"verdict"`
	Reason          string           `json:"reason"`
	FramesPerSecond float64          `json:"frames_per_second"`
	CPUMillis       float64          `json:"cpu_ms_per_frame"`
}

// encodersOptions are the flags.
type encodersOptions struct {
	json, fresh bool
	codec, size string
}

func newEncodersCmd(stdout io.Writer, log *slog.Logger) *cobra.Command {
	o := encodersOptions{}
	cmd := &cobra.Command{
		Use:     "encoders",
		Short:   "Try the video encoders and list them",
		Long:    encodersLong,
		Example: "  boardcast encoders\n  boardcast encoders --codec h264 --size 1920x1080\n  boardcast encoders --json --fresh",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			request, err := o.request()
			if err != nil {
				return err
			}
			if err := gst.Begin(); err != nil {
				return err
			}
			g, _, save := given(o.fresh, log)
			list := pipeline.Survey(cmd.Context(), g, pipeline.Codec(request.Codec), request)
			save()
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			reply := newEncodersReply(g.Board, list)
			if o.json {
				return writeJSON(stdout, reply)
			}
			return reply.write(stdout, g.Board, o.size)
		},
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "as one JSON object")
	cmd.Flags().BoolVar(&o.fresh, "fresh", false, "forget earlier trials")
	cmd.Flags().StringVar(&o.codec, "codec", "", "only this `codec`: h264, vp8 or vp9")
	cmd.Flags().StringVar(&o.size, "size", "1280x720", "try at this size, `WIDTHxHEIGHT`, at 30 frames/s")
	return cmd
}

// request reads the flags.
func (o encodersOptions) request() (pipeline.Request, error) {
	w := pipeline.Request{Codec: strings.ToLower(o.codec)}
	switch pipeline.Codec(w.Codec) {
	case "", pipeline.H264, pipeline.VP8, pipeline.VP9:
	default:
		return w, hinted{fmt.Errorf("read --codec: %q is none of the codecs", o.codec), "use h264, vp8 or vp9"}
	}
	width, height, _ := strings.Cut(o.size, "x")
	var errW, errH error
	w.Width, errW = strconv.Atoi(width)
	w.Height, errH = strconv.Atoi(height)
	const least, most = 16, 8192
	if errW != nil || errH != nil || min(w.Width, w.Height) < least || max(w.Width, w.Height) > most {
		return w, hinted{fmt.Errorf("read --size: %q is no size", o.size), "write it as WIDTHxHEIGHT, such as 1280x720"}
	}
	return w, nil
}

func newEncodersReply(b board.Board, list []pipeline.Entry) encodersReply {
	r := encodersReply{
		Board:    boardReply{ID: b.ID, Name: b.Name, Model: b.Raw.Model, Compatible: b.Raw.Compatible, Note: b.Note},
		Encoders: []encoderReply{},
	}
	if r.Board.Compatible == nil {
		r.Board.Compatible = []string{}
	}
	for _, e := range list {
		r.Encoders = append(r.Encoders, encoderReply{
			e.Encoder.Element, e.Encoder.Codec, e.Encoder.Family, e.Encoder.Hardware, e.Verdict.Outcome, e.Verdict.Reason,
			rounded(e.Verdict.FramesPerSecond), rounded(e.Verdict.CPUMillis),
		})
	}
	return r
}

// rounded keeps two decimals: a trial tells no more.
func rounded(f float64) float64 { return float64(int(f*100+0.5)) / 100 }

// write prints the table.
func (r encodersReply) write(w io.Writer, b board.Board, size string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "board: %s\n\nELEMENT\tCODEC\tKIND\tVERDICT\tFRAMES/S\tCPU MS\tAT %s\n", b, size)
	for _, e := range r.Encoders {
		kind, speed, cost := "software", "", ""
		if e.Hardware {
			kind = "hardware"
		}
		if e.FramesPerSecond > 0 {
			speed, cost = strconv.FormatFloat(e.FramesPerSecond, 'f', 0, 64), strconv.FormatFloat(e.CPUMillis, 'f', 1, 64)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.Element, e.Codec, kind, e.Verdict, speed, cost, e.Reason)
	}
	return t.Flush()
}
