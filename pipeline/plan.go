package pipeline

import (
	"errors"
	"fmt"
	"strings"
)

// Wish is what the user asked for; zero values leave the choice to Build.
type Wish struct {
	Width, Height int
	FPS           int
	Bitrate       int    // bit/s of video
	AudioBitrate  int    // bit/s
	Codec         string // "auto", "h264" or "vp8"
	Encoder       string // "auto" or an encoder's ID
	Display       bool   // show incoming video on the board's own screen
}

// VideoSource is where the picture comes from. The zero value is the test picture.
type VideoSource struct {
	None           bool   // no picture at all
	Device         string // "/dev/video0", empty for the test picture
	Name           string // for people
	FourCC         string // V4L2 pixel format of the mode chosen
	Width, Height  int
	FPSNum, FPSDen int
}

// AudioSource is where the sound comes from.
type AudioSource struct {
	PCM  string // ALSA name, "hw:CARD=Camera,DEV=0"
	Test bool   // a soft tick
	None bool
}

// AudioSink is where incoming sound goes; an empty PCM measures and drops it.
type AudioSink struct{ PCM string }

// Choice is an encoder with its verdict.
type Choice struct {
	Encoder Encoder
	Graph   Graph
}

// Plan is everything that is to run, as values.
type Plan struct {
	Format   VideoFormat
	Capture  Graph
	Choices  []Choice // one per codec, the preferred first
	Audio    Graph    // nil without a microphone
	Talkback bool
	Hear     Graph // decodes incoming audio
	See      Graph // decodes incoming video
	Why      []string
}

// ErrNoEncoder tells that no encoder of the table that fits the wish is installed.
var ErrNoEncoder = errors.New("no encoder")

// NoEncoderError says which encoders were looked for; it is ErrNoEncoder.
type NoEncoderError struct {
	Wanted  string
	Missing []Encoder
}

// Error names what was looked for.
func (e *NoEncoderError) Error() string {
	return fmt.Sprintf("choose an encoder for %s: %v installed", e.Wanted, ErrNoEncoder)
}

// Unwrap makes errors.Is(err, ErrNoEncoder) hold.
func (e *NoEncoderError) Unwrap() error { return ErrNoEncoder }

// Hint names the packages that bring an encoder.
func (e *NoEncoderError) Hint() string {
	var packages []string
	for _, m := range e.Missing {
		packages = append(packages, m.Package)
	}
	if len(packages) == 0 {
		return "run 'boardcast --help' for the codecs and encoders there are"
	}
	return "install one of: " + strings.Join(packages, ", ")
}

// Build decides what to run. installed tells whether an element can be made; nothing else is asked of the machine.
func Build(w Wish, video VideoSource, audio AudioSource, sink AudioSink, installed func(element string) bool) (Plan, error) {
	var p Plan
	if !video.None {
		var err error
		video, p.Format = format(w, video)
		if p.Choices, err = choose(w, p.Format, installed); err != nil {
			return Plan{}, err
		}
		if p.Capture, err = captureGraph(video, installed); err != nil {
			return Plan{}, err
		}
	}
	p.Audio = audioGraph(audio, w.AudioBitrate)
	p.Talkback = true
	p.Hear = hearGraph(sink)
	p.See = seeGraph(w.Display)
	p.Why = p.reasons(w)
	return p, nil
}

// Defaults where neither the user nor the camera says.
const (
	defaultWidth, defaultHeight, defaultFPS = 640, 480, 30
	defaultAudioBitrate                     = 48_000
)

func format(w Wish, v VideoSource) (VideoSource, VideoFormat) {
	if v.Device == "" {
		v.Width, v.Height = or(w.Width, defaultWidth), or(w.Height, defaultHeight)
		v.FPSNum, v.FPSDen = or(w.FPS, defaultFPS), 1
	}
	f := VideoFormat{Width: or(w.Width, v.Width), Height: or(w.Height, v.Height), FPSNum: v.FPSNum, FPSDen: max(1, v.FPSDen)}
	f.Width, f.Height = f.Width&^1, f.Height&^1 // 4:2:0 has no odd sizes
	f.Bitrate = or(w.Bitrate, defaultBitrate(f))
	return v, f
}

// defaultBitrate is a sixth of a bit per pixel: 1.5 Mbit/s for 640x480 at 30 frames/s.
func defaultBitrate(f VideoFormat) int {
	rate := f.Width * f.Height * f.FPSNum / f.FPSDen / 6
	return min(max(rate/50_000*50_000, 200_000), 6_000_000)
}

func or(a, b int) int {
	if a != 0 {
		return a
	}
	return b
}

func choose(w Wish, f VideoFormat, installed func(string) bool) ([]Choice, error) {
	var out []Choice
	var missing []Encoder
	have := map[Codec]bool{}
	for _, e := range Encoders {
		fits := (auto(w.Codec) || Codec(w.Codec) == e.Codec) && (auto(w.Encoder) || w.Encoder == e.ID)
		switch {
		case !fits || have[e.Codec]:
		case !installed(e.Element):
			missing = append(missing, e)
		default:
			have[e.Codec] = true
			out = append(out, Choice{e, e.Graph(f)})
		}
	}
	if len(out) == 0 {
		return nil, &NoEncoderError{Wanted: fmt.Sprintf("codec %s, encoder %s", word(w.Codec), word(w.Encoder)), Missing: missing}
	}
	return out, nil
}

func auto(s string) bool { return s == "" || s == "auto" }

func word(s string) string {
	if s == "" {
		return "auto"
	}
	return s
}

func (p *Plan) reasons(w Wish) []string {
	var why []string
	for i, c := range p.Choices {
		reason := "the first of its codec that is installed"
		switch {
		case !auto(w.Encoder):
			reason = "as asked"
		case i > 0:
			reason = "for browsers that do not take " + strings.ToUpper(string(p.Choices[0].Encoder.Codec))
		}
		why = append(why, fmt.Sprintf("encoder: %s (%s, software), %s, %d kbit/s: %s", c.Encoder.ID,
			strings.ToUpper(string(c.Encoder.Codec)), p.Format, p.Format.Bitrate/1000, reason))
	}
	return why
}

// String prints size and rate.
func (f VideoFormat) String() string {
	rate := fmt.Sprint(f.FPSNum)
	if f.FPSDen > 1 {
		rate = fmt.Sprintf("%.2f", float64(f.FPSNum)/float64(f.FPSDen))
	}
	return fmt.Sprintf("%dx%d at %s frames/s", f.Width, f.Height, rate)
}
