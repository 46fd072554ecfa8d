package pipeline

import (
	"slices"
	"strings"
)

// Sliced are the plan's encoders of H.264 that can make slices of a packet's size, the preferred one first. A camera's own stream is not
// among them, since it is passed on untouched.
func (p *Plan) Sliced() []Choice {
	var out []Choice
	for _, c := range slices.Concat(p.Choices, p.Spares) {
		if c.Encoder.Codec != H264 || c.Encoder.Slices == "" || c.Direct {
			continue
		}
		name, value, _ := strings.Cut(c.Encoder.Slices, "=")
		c.Encoder.Codec = H264Slices
		c.Graph = slices.Clone(c.Graph)
		for i, n := range c.Graph {
			if n.Name == EncoderName {
				c.Graph[i].Props = append(slices.Clone(n.Props), Prop{name, value})
			}
		}
		out = append(out, c)
	}
	return out
}
