package device

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// PickCamera chooses by the user's word:
//
//   - "auto" or "": the best one; the test picture when there is none
//   - "test": the test picture; "none": no picture at all
//   - a path ("/dev/video0", or any link to it in /dev), or a stable name: Camera.ID, the full path or the last part
//     of a by-id or by-path name
//   - otherwise part of a name, whatever its case; several nodes of one device count as one
//
// The error is an *Error of kind ErrNoMatch or ErrAmbiguous. Listing.PickCamera knows more: use it where there is a
// Listing.
func PickCamera(cameras []Camera, want string) (Choice, error) {
	switch strings.ToLower(want) {
	case wantAuto, "":
		return autoCamera(cameras), nil
	case wantTest:
		return Choice{Source: SourceTest, Reason: "asked for"}, nil
	case wantNone:
		return Choice{Source: SourceNone, Reason: "asked for"}, nil
	}
	if found := keep(cameras, func(c Camera) bool { return c.goesBy(want) }); len(found) > 0 {
		return pickAmong(found, want, "asked for by "+found[0].calledBy(want))
	}
	found := keep(cameras, func(c Camera) bool { return containsFold(c.Name, want) })
	if len(found) == 0 {
		return Choice{}, noMatch("camera", want, words(cameras, Camera.describe))
	}
	return pickAmong(found, want, "asked for by name")
}

// PickCamera is the function PickCamera for the listing's cameras, and uses what is known of the skipped nodes too. Where the
// word names a skipped node, the error says what is the matter with the node. Where auto finds no camera, and one is there
// that may not be opened or doesn't answer, Reason and Hint say so.
func (l Listing) PickCamera(want string) (Choice, error) {
	choice, err := PickCamera(l.Cameras, want)
	if errors.Is(err, ErrNoMatch) {
		i := slices.IndexFunc(l.Skipped, func(s Skipped) bool { return s.names.goesBy(want) })
		if i < 0 {
			i = slices.IndexFunc(l.Skipped, func(s Skipped) bool { return s.notable() && containsFold(s.Name, want) })
		}
		if i >= 0 {
			return Choice{}, l.Skipped[i].asError()
		}
		return Choice{}, err
	}
	if err == nil && choice.Source == SourceTest && strings.ToLower(want) != wantTest {
		choice.Reason, choice.Hint = l.whyNone()
	}
	return choice, err
}

// Beside returns the listing without the cameras in use. It leaves out all nodes of such a camera (the nodes with the
// same Bus), so auto does not take the same camera again.
func (l Listing) Beside(used []Camera) Listing {
	l.Cameras = keep(l.Cameras, func(c Camera) bool {
		return !slices.ContainsFunc(used, func(u Camera) bool { return u.Path == c.Path || u.Bus != "" && u.Bus == c.Bus })
	})
	return l
}

// whyNone words why auto found no camera.
func (l Listing) whyNone() (reason, hint string) {
	for _, s := range l.Skipped {
		if e, ok := errors.AsType[*Error](s.Err); ok {
			return "no camera can be used: " + e.Error(), e.Hint
		}
	}
	for _, s := range l.Skipped {
		if s.Why == WhySensor || s.Why == WhyController {
			return "no camera can be used directly: " + s.String(), ""
		}
	}
	return noCamera, ""
}

const noCamera = "no camera found"

// asError says why a node that was asked for can't be the camera.
func (s Skipped) asError() error {
	if e, ok := errors.AsType[*Error](s.Err); ok {
		return e
	}
	return &Error{
		What: "use " + s.Path + " as the camera", Kind: ErrNotUsable, Detail: string(s.Why), Err: s.Err,
		Hint: "choose another: " + listHint,
	}
}

// goesBy tells whether want is one of the camera's unmistakable names.
func (c Camera) goesBy(want string) bool {
	return c.calledBy(want) != ""
}

// calledBy says which of the camera's unmistakable names want is, "" if none.
func (c Camera) calledBy(want string) string {
	switch {
	case want == c.Path, slices.Contains(c.aliases, want):
		return "path"
	case isName(want, c.ByID), isName(want, c.ByPath), want == c.ID:
		return "stable id"
	}
	return ""
}

// isName tells whether want is a udev name, in full or its last part.
func isName(want, name string) bool {
	return name != "" && (want == name || want == path.Base(name))
}

// pickAmong settles which of the cameras that fit is meant. Several nodes of one device are one camera, and the best of
// them is taken.
func pickAmong(found []Camera, want, reason string) (Choice, error) {
	for _, c := range found[1:] {
		if c.Bus != found[0].Bus || c.Bus == "" {
			return Choice{}, ambiguous("camera", want, words(found, Camera.describe))
		}
	}
	return Choice{Source: SourceDevice, Camera: best(found), Reason: reason}, nil
}

func autoCamera(cameras []Camera) Choice {
	if len(cameras) == 0 {
		return Choice{Source: SourceTest, Reason: noCamera}
	}
	c := best(cameras)
	reason, poor := poorReasons[c.class()]
	switch {
	case poor:
	case len(cameras) == 1:
		reason = "the only camera found"
	default:
		reason = fmt.Sprintf("the best of %d cameras: %s", len(cameras), c.merit())
	}
	return Choice{Source: SourceDevice, Camera: c, Reason: reason}
}

// poorReasons are why auto takes what may give no picture.
var poorReasons = map[class]string{
	classVirtual: "a virtual camera, since there is no real one",
	classUnsure:  "no better camera found; it lists no rates, so it may have no sensor or no signal",
	classRaw:     "a receiver of raw pictures, since there is no other camera",
	classTest:    "the kernel's test camera, since there is no other",
}

// merit says in words what a camera was preferred for.
func (c Camera) merit() string {
	m, ok := c.bestMode()
	if !ok {
		return c.connection()
	}
	return fmt.Sprintf("%s, up to %dx%d at %s frames/s", c.connection(), m.Width, m.Height, m.Rate)
}

// describe names a camera unmistakably.
func (c Camera) describe() string {
	return c.Name + " (" + c.Path + ")"
}

// best is the camera that auto takes: a real one first, then by what its best mode shows in a second, then the one
// with more modes, then the lowest node. The list must not be empty.
func best(cameras []Camera) Camera {
	return slices.MinFunc(cameras, func(a, b Camera) int {
		return cmp.Or(
			cmp.Compare(a.class(), b.class()),
			cmp.Compare(b.score(), a.score()),
			cmp.Compare(len(b.modes()), len(a.modes())),
			cmp.Compare(a.number(), b.number()),
		)
	})
}

func (c Camera) score() float64 {
	m, ok := c.bestMode()
	if !ok {
		return 0
	}
	return m.merit()
}

// bestMode is the mode with the most merit, of those that PickMode chooses among unasked.
func (c Camera) bestMode() (Mode, bool) {
	modes := Request{}.candidates(c.modes())
	if len(modes) == 0 {
		return Mode{}, false
	}
	return slices.MaxFunc(modes, func(a, b Mode) int { return cmp.Compare(a.merit(), b.merit()) }), true
}

// merit is the pixels a second that a mode shows. More than those of 1080p30 count no further: a streamer gains nothing
// by them. Grey pictures, mostly an infrared camera's, count for little.
func (m Mode) merit() float64 {
	const enoughPixels, enoughRate, unknownRate, greyFactor = 1920 * 1080, 30, 15, 0.01
	rate := m.Rate.Float()
	if rate == 0 {
		rate = unknownRate
	}
	merit := min(float64(m.Width)*float64(m.Height), enoughPixels) * min(rate, enoughRate)
	if known[m.FourCC].kind == kindGrey {
		merit *= greyFactor
	}
	return merit
}
