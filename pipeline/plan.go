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

// Request is what the user asked for. A zero field leaves the choice to Choose.
type Request struct {
	Width, Height int
	FPS           int
	Bitrate       int    // bit/s of video
	AudioBitrate  int    // bit/s
	Codec         string // "auto", "h264", "vp8" or "vp9"
	Encoder       string // "auto", an encoder's ID or its element
	Display       bool   // incoming video is shown on the board's own screen
	OneRendition  bool   // there is no lower rendition for slow viewers
}

// AudioSource is where the sound comes from.
type AudioSource struct {
	PCM    string // ALSA's name of the microphone, such as "hw:CARD=Camera,DEV=0"
	Test   bool   // a soft tick in place of a microphone
	None   bool   // no sound is sent
	Silent bool   // there is no microphone now: silence is sent, so that viewers hear a microphone that comes later
}

// AudioSink is where incoming sound goes. Where PCM is empty and None is not set, the audio level is measured and the sound is dropped.
type AudioSink struct {
	PCM  string // ALSA's name of the speaker
	None bool   // no sound is taken in
}

// Given is what there is to choose from.
type Given struct {
	Board   board.Board
	Machine Machine
	Audio   AudioSource
	Sink    AudioSink
	NoVideo bool
	// Camera is the camera to use. Where it is nil, a camera on the board's own connector is used if Connector is set, else the test
	// picture.
	Camera    *device.Camera
	Connector bool
	// Away is the camera that is asked for while it is not there: its placeholder is all that is shown.
	Away Away
	// Direct allows a camera's own H.264 to go to the viewers untouched, where that suits.
	Direct bool
	// Trials tries encoders and sources. Where it is nil, what is installed is taken to work.
	Trials Prover
}

// Away is a camera that is not there, or cannot be used, now. The zero value is none.
type Away struct {
	Name   string // for people
	Reason string
}

// Prover proves by trial that a graph does what it is for.
type Prover interface {
	Encoder(context.Context, Encoder, Raw, VideoFormat) Verdict
	// Source tries a capture graph. name tells one camera from another; codec is empty for raw frames.
	Source(ctx context.Context, g Graph, name string, codec Codec) Verdict
}

// Choice is an encoder with its graph and its verdict.
type Choice struct {
	Encoder     Encoder
	Graph       Graph
	Format      VideoFormat // what the encoder makes
	Of          Raw         // the frames that Graph takes; zero where Graph begins at the camera
	Verdict     Verdict     // zero where nothing was tried
	Direct      bool        // Graph begins at the camera itself: no capture feeds it
	Placeholder bool        // Graph makes the placeholder, for when the camera is gone
}

// Plan is everything that is to run, as values.
type Plan struct {
	Format      VideoFormat // of the first choice
	Source      VideoSource
	Capture     Graph    // nil without video; where the first choice is direct, it decodes the camera's stream, or is nil
	Placeholder Graph    // shown while the camera is gone; nil for the test picture, and where the first choice is direct
	Choices     []Choice // one per codec, the preferred one first
	Spares      []Choice // in the order in which they are taken when a choice fails
	Lower       []Choice // lower renditions of Choices, for slow viewers; none where the encoder has no power left for one
	Audio       Graph    // nil without a microphone
	Silence     Graph    // sent while the microphone is gone, or not there yet; nil for the test tone, and where no sound is asked for
	Why         []string // a sentence each, for people: how the camera is run, and why each encoder was chosen
	Incoming
}

// Incoming is what is done with the media that viewers send.
type Incoming struct {
	Talkback bool  // viewers' sound is taken in
	Display  bool  // viewers' video is shown
	Hear     Graph // decodes incoming audio; without Talkback it drops it
	Speak    Graph // plays what Hear decoded of one viewer; nil without a speaker
	See      Graph // shows incoming video; without Display it drops it
}

// ErrNoEncoder tells that of the encoders that fit the request none is installed and works.
var ErrNoEncoder = errors.New("no encoder")

// NoEncoderError says which encoders were looked for and what became of them. It wraps ErrNoEncoder.
type NoEncoderError struct {
	Wanted  string
	Missing []Encoder // not installed
	Failed  []string  // "element: reason"
}

// Error says what was looked for, and why each encoder that was tried does not work.
func (e *NoEncoderError) Error() string {
	if len(e.Failed) > 0 {
		return fmt.Sprintf("choose an encoder for %s: %v works (%s)", e.Wanted, ErrNoEncoder, strings.Join(e.Failed, "; "))
	}
	return fmt.Sprintf("choose an encoder for %s: %v installed", e.Wanted, ErrNoEncoder)
}

// Unwrap makes errors.Is(err, ErrNoEncoder) hold.
func (e *NoEncoderError) Unwrap() error { return ErrNoEncoder }

// Hint names packages that bring an encoder: those for software encoders, which every machine can have, else what the request needs.
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
		return "run 'boardcast encoders', which tries every encoder and says why it does not work"
	}
	slices.Sort(all)
	return "install one of: " + strings.Join(slices.Compact(all), ", ")
}

// Choose decides what to run. It chooses the encoder by the board's order and by trial, and the camera's mode by the request, the
// limits of that encoder and its speed in the trial. A trial that ends with ctx counts as failed.
func Choose(ctx context.Context, r Request, g Given) (Plan, error) {
	return (&chooser{request: r, given: g, ctx: ctx}).plan()
}

// Defaults where neither the user nor the camera says.
const (
	defaultWidth, defaultHeight = 640, 480 // pixels: what software encodes on any board
	defaultFPS                  = 30       // frames per second: what most cameras make
	defaultAudioBitrate         = 48_000   // bit/s: good speech, and a small part of the video
)

// The bounds of DefaultBitrate, in bit/s: with less there is hardly a picture, and more would hardly be seen. bitrateStep makes it a round
// number.
const (
	bitrateLeast, bitrateMost = 200_000, 6_000_000
	bitrateStep               = 50_000
)

// pixelsPerBit is how many pixels there are to a bit by default: 1.5 Mbit/s for 640x480 at 30 frames/s, which looks good when encoded in
// real time.
const pixelsPerBit = 6

// DefaultBitrate is the bitrate for a size and a frame rate where the user asks for none, in bit/s.
func (v VideoFormat) DefaultBitrate() int {
	// 64 bits: the product of 1920, 1080 and 30000 (of 30000/1001) has 36, and an int has 32 on some boards.
	rate := int64(v.Width) * int64(v.Height) * int64(v.FPSNum) / int64(max(1, v.FPSDen)) / pixelsPerBit
	return int(min(max(rate/bitrateStep*bitrateStep, bitrateLeast), bitrateMost))
}

// auto reports whether a setting leaves the choice to us.
func auto(s string) bool { return s == "" || s == "auto" }
