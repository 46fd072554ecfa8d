package device

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Request is what the user would like of the camera's picture. A zero field leaves it to PickMode.
type Request struct {
	Width, Height int
	FPS           float64
	// FourCC, when set, is the only format considered. H.264 from the camera itself ("H264") is chosen only so:
	// keyframes can't be asked of most such cameras.
	FourCC string
}

// Mode is one way to run a camera.
type Mode struct {
	FourCC        string // V4L2's name, see Format
	Width, Height int
	Rate          Rate // unknown (zero) where the driver doesn't list rates
}

// String is the mode for people.
func (m Mode) String() string {
	return fmt.Sprintf("%s %dx%d at %s frames/s", m.FourCC, m.Width, m.Height, m.Rate)
}

// The size and the rate to aim at where the user asks for none, and the factors by which a mode's rate may fall short and
// still count as reached. A rate that the user asked for allows for rounding (29.97 for 30), the default rate for more (24
// and 25).
const (
	defaultWidth    = 1280
	defaultHeight   = 720
	defaultFPS      = 30
	reachedIfSaid   = 0.99
	reachedIfUnsaid = 0.8
)

// PickMode chooses the mode nearest to the request, and says why in words that follow the mode's.
//
// A size that the user gives comes first: the nearest one is taken, then a rate that reaches the requested one, else the
// highest. Without a given size, modes that reach the rate come first. Of these, pictures taller than wide come last. Of
// the rest the size nearest to 1280x720 is taken. Within that, raw formats come before JPEG, which costs a decoder, so
// JPEG is taken where no raw format reaches the rate. The error is an *Error of kind ErrNoMode.
func PickMode(c Camera, w Request) (Mode, string, error) {
	modes := w.candidates(c.modes())
	if len(modes) == 0 {
		return Mode{}, "", &Error{
			What: "choose a mode of " + c.Name, Kind: ErrNoMode, Detail: c.formatNames(),
			Hint: "choose another camera or format: " + listHint,
		}
	}
	sized := w.Width > 0 || w.Height > 0
	goal := w.goal()
	order := func(a, b Mode) int {
		x, y := goal.judge(a), goal.judge(b)
		if sized {
			return cmp.Or(cmp.Compare(x.distance, y.distance), cmp.Compare(x.missed, y.missed), x.rest(y))
		}
		return cmp.Or(cmp.Compare(x.missed, y.missed), cmp.Compare(x.upright, y.upright), cmp.Compare(x.distance, y.distance), x.rest(y))
	}
	m := slices.MinFunc(modes, order)
	return m, goal.reason(m, modes), nil
}

// modes are all ways to run the camera that give a picture, H.264 included.
func (c Camera) modes() []Mode {
	var modes []Mode
	for _, f := range c.Formats {
		if !f.usable() {
			continue
		}
		for _, s := range f.Sizes {
			rates := s.Rates
			if len(rates) == 0 {
				rates = []Rate{{}}
			}
			for _, r := range rates {
				modes = append(modes, Mode{FourCC: f.FourCC, Width: s.Width, Height: s.Height, Rate: r})
			}
		}
	}
	return modes
}

func (c Camera) formatNames() string {
	if len(c.Formats) == 0 {
		return "it lists no format"
	}
	return "it lists " + strings.Join(words(c.Formats, func(f Format) string { return f.FourCC }), ", ")
}

// candidates are the modes that the request allows; grey ones only where there is nothing in colour.
func (w Request) candidates(modes []Mode) []Mode {
	if w.FourCC != "" {
		return keep(modes, func(m Mode) bool { return m.FourCC == w.FourCC })
	}
	colour := keep(modes, func(m Mode) bool { k := known[m.FourCC].kind; return k == kindRaw || k == kindJPEG })
	if len(colour) > 0 {
		return colour
	}
	return keep(modes, func(m Mode) bool { return known[m.FourCC].kind == kindGrey })
}

// goal is a request with every open field filled in.
type goal struct {
	width, height int
	fps, enough   float64
	said          bool // the user asked for a size or a format
}

func (w Request) goal() goal {
	g := goal{width: w.Width, height: w.Height, fps: w.FPS, enough: w.FPS * reachedIfSaid, said: w.Width != 0 || w.Height != 0 || w.FourCC != ""}
	switch {
	case g.width <= 0 && g.height <= 0:
		g.width, g.height = defaultWidth, defaultHeight
	case g.width <= 0:
		g.width = g.height * defaultWidth / defaultHeight
	case g.height <= 0:
		g.height = g.width * defaultHeight / defaultWidth
	}
	if g.fps <= 0 {
		g.fps, g.enough = defaultFPS, defaultFPS*reachedIfUnsaid
	}
	return g
}

// verdict is how far a mode is from the goal; less is better in each.
type verdict struct {
	distance float64 // of the size: the logarithm of the factor it is off by
	missed   int     // 1 when the rate is not reached
	upright  int     // 1 when the picture is taller than wide: thermal cameras put their measurements below the picture
	shortage float64 // frames a second too few, where missed
	kind     int     // raw before JPEG before H.264
	off      float64 // of the rate, as distance
	rank     int     // among raw formats
}

// judge measures a mode. An unknown rate counts as reached: the driver doesn't say, so it may well be.
func (g goal) judge(m Mode) verdict {
	info, rate := known[m.FourCC], m.Rate.Float()
	v := verdict{
		distance: factor(float64(m.Width), float64(g.width)) + factor(float64(m.Height), float64(g.height)),
		kind:     int(info.kind), rank: info.rank,
	}
	if m.Height > m.Width {
		v.upright = 1
	}
	switch {
	case rate == 0:
	case rate < g.enough:
		v.missed, v.shortage = 1, g.fps-rate
	default:
		v.off = factor(rate, g.fps)
	}
	return v
}

// factor is how far apart two sizes or rates are, the same for half and double.
func factor(a, b float64) float64 { return math.Abs(math.Log(a / b)) }

// rest orders what size and rate leave open: where rates are missed the least shortage, else the format that costs
// least, then the rate nearest to the goal.
func (v verdict) rest(o verdict) int {
	return cmp.Or(
		cmp.Compare(v.shortage, o.shortage),
		cmp.Compare(v.kind, o.kind),
		cmp.Compare(v.off, o.off),
		cmp.Compare(v.rank, o.rank),
	)
}

// reason words why the mode was taken.
func (g goal) reason(m Mode, modes []Mode) string {
	v := g.judge(m)
	rawThere := slices.ContainsFunc(modes, func(o Mode) bool {
		return known[o.FourCC].kind == kindRaw && o.Width == m.Width && o.Height == m.Height
	})
	switch {
	case m.Rate.Den == 0:
		return "the camera does not list its rates"
	case v.missed == 0 && known[m.FourCC].kind == kindJPEG && rawThere:
		return "JPEG, since raw pictures of this size come too slowly"
	case v.distance > 0 || v.missed != 0 || v.off > factor(1, reachedIfSaid):
		return fmt.Sprintf("the nearest to %dx%d at %s frames/s that the camera has", g.width, g.height, trimmed(g.fps))
	case g.said:
		return "as asked for"
	}
	return "the usual size and rate"
}

// trimmed writes a number of frames a second without needless zeros.
func trimmed(f float64) string {
	const hundredths = 100
	return reduced(uint32(math.Round(f*hundredths)), hundredths).String()
}
