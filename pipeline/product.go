package pipeline

import (
	"fmt"
	"slices"
)

// Product is what an encoder makes of what.
type Product struct {
	Makes  string
	Of     string // pictures, as the capture gives them
	Scales bool   // whatever comes is brought to its form
	Paced  bool   // pictures that are too many are dropped
}

// Product is what the choice makes of what. It is for choices that pictures come to from a capture.
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

// ServedBy reports whether an encoder that runs as o may go on in the place of one that makes p: it makes the same, and takes the
// pictures of p's source.
func (p Product) ServedBy(o Product) bool {
	return p.Makes == o.Makes && (p.Of == o.Of || o.Scales) && (!p.Paced || o.Paced)
}
