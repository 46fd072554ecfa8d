package pipeline

import (
	"errors"
	"slices"

	"boardcast/board"
)

// EncodersFor are the encoders of a codec that may be tried on a machine, the best first: those that the board's row names, then other
// hardware that is installed, then software. Each comes from Fit. unfit has the rows that do not fit, by their IDs.
func EncodersFor(b board.Board, m Machine, codec Codec) (fit []Encoder, unfit map[string]*Unfit) {
	order := b.H264
	if codec == VP8 {
		order = b.VP8
	}
	unfit = map[string]*Unfit{}
	var hardware, software []Encoder
	for _, e := range ranked(order, instances(m, codec)) {
		fitted, err := e.Fit(m)
		var why *Unfit
		switch {
		case errors.As(err, &why):
			unfit[e.ID] = why
		case slices.ContainsFunc(slices.Concat(hardware, software), func(o Encoder) bool { return o.Element == e.Element }):
			unfit[e.ID] = &Unfit{Reason: "another row of " + e.Element + " fits better"}
		case e.Hardware:
			hardware = append(hardware, fitted)
		default:
			software = append(software, fitted)
		}
	}
	return append(hardware, software...), unfit
}

// instances are the rows of a codec, with a copy of a row for each further device of its kind.
func instances(m Machine, codec Codec) []Encoder {
	var out []Encoder
	for _, e := range Encoders {
		if e.Codec != codec {
			continue
		}
		out = append(out, e)
		for _, other := range m.like(e.Others) {
			o := e
			o.ID, o.Element = other+e.ID[len(e.Element):], other
			out = append(out, o)
		}
	}
	return out
}

// ranked are the rows with those that a board names first, in the board's order.
func ranked(order []string, rows []Encoder) []Encoder {
	rank := func(e Encoder) int {
		if i := slices.IndexFunc(order, e.Is); i >= 0 {
			return i
		}
		return len(order)
	}
	out := slices.Clone(rows)
	slices.SortStableFunc(out, func(a, b Encoder) int { return rank(a) - rank(b) })
	return out
}
