package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"boardcast/board"
	"boardcast/device"
)

// Request is what the user asked for; zero values leave the choice to Choose.
type Request struct {
	Width, Height int
	FPS           int
	Bitrate       int    // bit/s of video
	AudioBitrate  int    // bit/s
	Codec         string // "auto", "h264", "vp8" or "vp9"
	Encoder       string // "auto", an encoder's ID or its element
	Display       bool   // show incoming video on the board's own screen
	OneRendition  bool   // no lower one for slow viewers
}

// AudioSource is where the sound comes from.
type AudioSource struct {
	PCM  string // ALSA name, "hw:CARD=Camera,DEV=0"
	Test bool   // a soft tick
	None bool
}

// AudioSink is where incoming sound goes; an empty PCM measures and drops it.
type AudioSink struct{ PCM string }

// Given is what is there to choose from.
type Given struct {
	Board   board.Board
	Machine Machine
	Audio   AudioSource
	Sink    AudioSink
	NoVideo bool
	// Camera is the one to use; nil means the board's own camera connector where Connector is set, else the test picture.
	Camera    *device.Camera
	Connector bool
	// Direct allows a camera's own H.264 to go to the viewers untouched, where it suits.
	Direct bool
	// Trials proves encoders and sources; nil takes presence for proof.
	Trials Prover
}

// Prover proves by trial that a graph does what it is for.
type Prover interface {
	Encoder(context.Context, Encoder, Raw, VideoFormat) Verdict
	// Source tries a capture graph; name tells one camera from another, codec is empty for raw pictures.
	Source(ctx context.Context, g Graph, name string, codec Codec) Verdict
}

// Choice is an encoder with its graph and its verdict.
type Choice struct {
	Encoder     Encoder
	Graph       Graph
	Format      VideoFormat // what it makes
	Of          Raw         // the pictures that Graph takes; zero where it begins at the camera
	Verdict     Verdict     // zero when nothing was tried
	Direct      bool        // Graph begins at the camera itself: no capture feeds it
	Placeholder bool        // it serves while the camera is gone
}

// Plan is everything that is to run, as values.
type Plan struct {
	Format   VideoFormat // of the first choice
	Source   VideoSource
	Capture  Graph    // nil without a picture; where the first choice is direct it decodes that, or is nil
	StandIn  Graph    // shown while the camera is gone; nil where there is none that can go
	Choices  []Choice // one per codec, the preferred first
	Spares   []Choice // what else does, in order: for the day when a choice fails
	Lower    []Choice // lower renditions of Choices, for slow viewers; none where the encoder has no power left for one
	Audio    Graph    // nil without a microphone
	Talkback bool
	Hear     Graph // decodes incoming audio
	See      Graph // decodes incoming video
	Why      []string
}

// ErrNoEncoder tells that no encoder of the table that fits the wish is installed and works.
var ErrNoEncoder = errors.New("no encoder")

// NoEncoderError says which encoders were looked for and what came of each; it is ErrNoEncoder.
type NoEncoderError struct {
	Wanted  string
	Missing []Encoder // not installed
	Failed  []string  // "element: reason"
}

// Error names what was looked for.
func (e *NoEncoderError) Error() string {
	if len(e.Failed) > 0 {
		return fmt.Sprintf("choose an encoder for %s: %v works (%s)", e.Wanted, ErrNoEncoder, strings.Join(e.Failed, "; "))
	}
	return fmt.Sprintf("choose an encoder for %s: %v installed", e.Wanted, ErrNoEncoder)
}

// Unwrap makes errors.Is(err, ErrNoEncoder) hold.
func (e *NoEncoderError) Unwrap() error { return ErrNoEncoder }

// Hint names the packages that bring an encoder: those that every machine can have, else what the wish needs.
func (e *NoEncoderError) Hint() string {
	var software, all []string
	for _, m := range e.Missing {
		all = append(all, m.Package)
		if !m.Hardware {
			software = append(software, m.Package)
		}
	}
	if len(software) > 0 {
		all = software
	}
	if len(all) == 0 || len(software) == 0 && len(e.Failed) > 0 {
		return "run 'boardcast encoders' for what there is and what became of each"
	}
	slices.Sort(all)
	return "install one of: " + strings.Join(slices.Compact(all), ", ")
}

// Choose decides what to run: the encoder by the board's order and by trial, the camera's mode by the wish, the limits of
// that encoder and what it was seen to manage. ctx ends the trials, not the choice.
func Choose(ctx context.Context, w Request, g Given) (Plan, error) {
	return (&chooser{request: w, given: g, ctx: ctx}).plan()
}

// Defaults where neither the user nor the camera says.
const (
	defaultWidth, defaultHeight = 640, 480 // pixels
	defaultFPS                  = 30       // frames per second
	defaultAudioBitrate         = 48_000   // bit/s
)

// DefaultBitrate is a sixth of a bit per pixel, in bit/s: 1.5 Mbit/s for 640x480 at 30 frames/s.
func (v VideoFormat) DefaultBitrate() int {
	rate := v.Width * v.Height * v.FPSNum / max(1, v.FPSDen) / 6
	return min(max(rate/50_000*50_000, 200_000), 6_000_000)
}

func auto(s string) bool { return s == "" || s == "auto" }

func word(s string) string {
	if s == "" {
		return "auto"
	}
	return s
}
