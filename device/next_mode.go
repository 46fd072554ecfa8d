package device

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"syscall"
)

// Limits for the mode that is tried after a refused one.
const (
	// lessLoad is how much bandwidth the next mode may need when the bus is full, as a fraction of the refused mode's
	// bandwidth. With this factor, a few attempts reach a mode that leaves room for two cameras on one bus.
	lessLoad = 0.75
	// leastPart is the part of the rate asked for below which a smaller picture is better than a larger one.
	leastPart = 0.5
	// rawBits and jpegBits are about how many bits a pixel has on the bus.
	rawBits, jpegBits = 16, 2
)

// NextMode is the mode to try when the driver refuses one that it lists, with the reason in words that go on after the
// mode's: JPEG of the same size, else the next smaller size. The last resort is a lower rate. ok is false when
// nothing is left. Repeated calls come to an end, since each mode is less than the one before.
//
// cause is what the driver said at the start. syscall.ENOSPC is a USB bus without room for the mode, which another camera
// has taken. With syscall.EINVAL the mode itself is wrong, and the next one may be as large. Any other cause, and none, is
// taken for a full bus.
func NextMode(c Camera, r Request, m Mode, cause error) (next Mode, why string, ok bool) {
	wrong := errors.Is(cause, syscall.EINVAL)
	modes := keep(r.candidates(c.modes()), func(n Mode) bool {
		return n.below(m) && n.upright() == m.upright() && (wrong || n.load() <= lessLoad*m.load())
	})
	if len(modes) == 0 {
		return Mode{}, "", false
	}
	g := r.goal()
	next = slices.MinFunc(modes, func(a, b Mode) int {
		return cmp.Or(
			cmp.Compare(a.resort(m, g), b.resort(m, g)),
			cmp.Compare(b.pixels(), a.pixels()),
			g.judge(a).rest(g.judge(b)),
		)
	})
	return next, refusal(m, cause), true
}

// below orders modes for NextMode: by size, then raw before JPEG, then by format and by rate.
func (m Mode) below(o Mode) bool {
	x, y := known[m.FourCC], known[o.FourCC]
	return cmp.Or(
		cmp.Compare(m.pixels(), o.pixels()),
		-cmp.Compare(x.kind, y.kind),
		-cmp.Compare(x.rank, y.rank),
		-cmp.Compare(m.FourCC, o.FourCC),
		cmp.Compare(m.Rate.Float(), o.Rate.Float()),
	) < 0
}

// resort says how late a mode is to be tried in place of a refused one.
func (m Mode) resort(refused Mode, g goal) int {
	rate := m.Rate.Float()
	switch {
	case m.FourCC == refused.FourCC && m.pixels() == refused.pixels():
		return 2 // the same, only slower
	case rate > 0 && rate < leastPart*g.fps:
		return 1
	}
	return 0
}

func (m Mode) pixels() int64 { return Size{Width: m.Width, Height: m.Height}.pixels() }

func (m Mode) upright() bool { return m.Height > m.Width }

// load is about how many bits a second a mode takes of the bus.
func (m Mode) load() float64 {
	bits, rate := float64(rawBits), m.Rate.Float()
	if k := known[m.FourCC].kind; k == kindJPEG || k == kindH264 {
		bits = jpegBits
	}
	if rate == 0 {
		rate = defaultFPS
	}
	return bits * float64(m.pixels()) * rate
}

// refusal words why the mode before was left.
func refusal(m Mode, cause error) string {
	switch {
	case errors.Is(cause, syscall.ENOSPC):
		return fmt.Sprintf("its bus has no room left for %s", m)
	case errors.Is(cause, syscall.EINVAL):
		return fmt.Sprintf("it lists %s, and refuses it", m)
	}
	return fmt.Sprintf("it did not start with %s", m)
}
