package pipeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"boardcast/board"
)

// Unfit tells why a row cannot be used on a machine.
type Unfit struct {
	Missing bool // the element is not installed
	Reason  string
}

// Error is the reason.
func (u *Unfit) Error() string { return u.Reason }

// Fit is the row as it is right on one machine: with what its driver has different, with the names that the element's properties have
// there, and with the converters that are installed. The error is an *Unfit.
func (e Encoder) Fit(m Machine) (Encoder, error) {
	if !m.installed(e.Element) {
		return e, &Unfit{Missing: true, Reason: "not installed: " + e.Package}
	}
	if err := e.Holds.on(m, e.Element); err != nil {
		return e, err
	}
	e = e.withDriver(m)
	e.Bitrate, e.Interval = m.knob(e.Element, e.Bitrate), m.knob(e.Element, e.Interval)
	e.Props = m.props(e.Element, e.Props)
	e.Inputs = slices.DeleteFunc(slices.Clone(e.Inputs), func(in Input) bool { return !m.chain(in.By) })
	if len(e.Inputs) == 0 {
		return e, &Unfit{Reason: "no converter installed that feeds it"}
	}
	return e, nil
}

// on is nil where the row is for the element that the machine has. The error is an *Unfit.
func (h Holds) on(m Machine, element string) error {
	known := m.GStreamer != Version{}
	switch {
	case known && m.GStreamer.Less(h.From):
		return &Unfit{Reason: fmt.Sprintf("this row is for GStreamer %v and newer", h.From)}
	case known && h.Before != Version{} && !m.GStreamer.Less(h.Before):
		return &Unfit{Reason: fmt.Sprintf("this row is for GStreamer before %v", h.Before)}
	}
	for _, p := range h.Requires {
		if !m.has(element, p, "") {
			return &Unfit{Reason: "this row is for another kind of " + element + ": there is no property " + p}
		}
	}
	return nil
}

// withDriver is the row with what the driver behind the element has different.
func (e Encoder) withDriver(m Machine) Encoder {
	if len(e.Drivers) == 0 {
		return e
	}
	names := m.driver(e.Element)
	for _, d := range e.Drivers {
		if !d.drives(names) {
			continue
		}
		e.Extra = append(slices.Clone(e.Extra), d.Extra...)
		e.Interval = cmp.Or(d.Interval, e.Interval)
		e.Keyframe = cmp.Or(d.Keyframe, e.Keyframe)
		e.Live = e.Live && !d.NotLive
		e.Rates = d.Rates
		e.Limits = both(e.Limits, d.Limits)
		break
	}
	return e
}

// drives reports whether one of the names is that of the driver or of its card.
func (d Driver) drives(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		return slices.ContainsFunc(d.Match, func(pattern string) bool { return matches(pattern, name) })
	})
}

// knob is the first of a knob's properties that the element has, empty when it has none.
func (m Machine) knob(element string, k Knob) Knob {
	if k == "" {
		return ""
	}
	for _, p := range k.properties() {
		if !m.has(element, p, "") {
			continue
		}
		if _, isControl := k.control(); isControl {
			return k
		}
		return Knob(p)
	}
	return ""
}

// props keeps the properties that the element has, with the values that it takes.
func (m Machine) props(element string, in []string) []string {
	var out []string
	for _, p := range in {
		p = strings.ReplaceAll(p, "{cores}", itoa(min(m.cores(), mostThreads)))
		name, value, _ := strings.Cut(p, "=")
		if strings.Contains(value, "{") {
			value = ""
		}
		if m.has(element, name, value) {
			out = append(out, p)
		}
	}
	return out
}

// mostThreads is how many threads a software encoder has at most. With more, each frame is cut into so many slices that they cost more
// than they save, and the capture needs a core too.
const mostThreads = 4

// both are the limits that satisfy two sets of limits.
func both(a, b board.Limits) board.Limits {
	return board.Limits{
		MacroblocksPerSecond: tighter(a.MacroblocksPerSecond, b.MacroblocksPerSecond),
		SizeMultiple:         max(a.SizeMultiple, b.SizeMultiple), // all are powers of two
		MinWidth:             max(a.MinWidth, b.MinWidth), MinHeight: max(a.MinHeight, b.MinHeight),
		MaxWidth: tighter(a.MaxWidth, b.MaxWidth), MaxHeight: tighter(a.MaxHeight, b.MaxHeight),
	}
}

// tighter is the lesser of two limits. Zero stands for no limit.
func tighter(a, b int) int {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// limits are what the encoder is held to on a board. The board's own limits are those of its hardware encoder: software is not held to them.
func (e Encoder) limits(b board.Board) board.Limits {
	if !e.Hardware {
		return both(e.Limits, board.Limits{SizeMultiple: 2}) // 4:2:0 has no odd sizes
	}
	return both(both(e.Limits, b.Limits), board.Limits{SizeMultiple: 2})
}

// exceeds tells a person which limit a format breaks; empty for none.
func exceeds(l board.Limits, v VideoFormat) string {
	switch {
	case v.Width < l.MinWidth || v.Height < l.MinHeight:
		return fmt.Sprintf("%dx%d is below its %dx%d", v.Width, v.Height, l.MinWidth, l.MinHeight)
	case l.MaxWidth > 0 && v.Width > l.MaxWidth || l.MaxHeight > 0 && v.Height > l.MaxHeight:
		return fmt.Sprintf("%dx%d is above its %dx%d", v.Width, v.Height, l.MaxWidth, l.MaxHeight)
	case l.MacroblocksPerSecond > 0 && v.macroblocksPerSecond() > l.MacroblocksPerSecond:
		return fmt.Sprintf("%v is more than its %d macroblocks/s", v, l.MacroblocksPerSecond)
	}
	return ""
}
