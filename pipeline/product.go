package pipeline

import (
	"fmt"
	"slices"
)

// Product tells what an encoder's graph makes, and of what. By it a running encoder is kept when the plan changes.
type Product struct {
	Makes  string // the coded format, and the memory that the frames are taken from
	Of     string // the frames, as the capture makes them
	Scales bool   // the graph takes frames of any size
	Paced  bool   // the graph drops frames that are too many
}

// Product is that of the choice's graph. It is for choices that a capture feeds.
func (c Choice) Product() *Product {
	f := c.Format
	f.Measured = ""
	has := func(elements ...string) bool {
		return slices.ContainsFunc(c.Graph, func(n Node) bool { return slices.Contains(elements, n.Factory) })
	}
	return &Product{
		Makes: fmt.Sprintf("%v, %d bit/s, of %q", f, f.Bitrate, c.Of.Memory),
		Of:    fmt.Sprintf("%s %dx%d", c.Of.Format, c.Of.Width, c.Of.Height), Scales: has("videoscale", byISP, byVIC), Paced: has("videorate"),
	}
}

// ServedBy reports whether a running encoder with the product o may go on in the place of one with the product p: it makes the same, and
// takes the frames that p is made of.
func (p Product) ServedBy(o Product) bool {
	return p.Makes == o.Makes && (p.Of == o.Of || o.Scales) && (!p.Paced || o.Paced)
}
