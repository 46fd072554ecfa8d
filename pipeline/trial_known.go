package pipeline

import (
	"context"
	"fmt"
	"slices"
)

// knownVerdict is a verdict with the format that it is of.
type knownVerdict struct {
	verdict Verdict
	format  VideoFormat
}

func (t *Trials) know(key string, f VideoFormat, v Verdict) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.known[key] = knownVerdict{v, f}
}

func (t *Trials) knows(key string) (knownVerdict, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v, ok := t.known[key]
	return v, ok
}

// sourceKey is a source with its graph, whatever node it is on.
func sourceKey(g Graph, name string, codec Codec) string {
	out := slices.Clone(g)
	for i, n := range out {
		out[i].Props = slices.DeleteFunc(slices.Clone(n.Props), func(p Prop) bool { return p.Name == "device" })
	}
	return fmt.Sprintf("source %q %s: %s", name, codec, out)
}

// Known is a prover that tries nothing, for when there is no time, as viewers wait for a camera that was just plugged in: an
// encoder is what its last trial showed, whatever its pictures were; one that was never tried is taken if it is software.
func (t *Trials) Known() Prover { return known{t} }

type known struct{ *Trials }

// Encoder implements [Prover].
func (k known) Encoder(_ context.Context, e Encoder, raw Raw, f VideoFormat) Verdict {
	if v, ok := k.cache.find(encoderSpec(e, raw, f)); ok {
		return v
	}
	was, ok := k.knows(e.ID)
	switch {
	case ok && was.verdict.Works():
		return at(was.verdict, was.format, f)
	case ok:
		return was.verdict
	case e.Hardware:
		return failure("not tried yet")
	}
	return Verdict{Outcome: OutcomeUsable}
}

// Source implements [Prover].
func (k known) Source(_ context.Context, g Graph, name string, codec Codec) Verdict {
	if v, ok := k.cache.find(sourceSpec(g, name, codec)); ok {
		return v
	}
	if was, ok := k.knows(sourceKey(g, name, codec)); ok {
		return was.verdict
	}
	return failure("not tried yet")
}

// at is what a verdict leads to expect of another format. What the SPS will say of it is not known.
func at(v Verdict, was, f VideoFormat) Verdict {
	if was == f {
		return v
	}
	factor := float64(was.Width*was.Height) / float64(max(1, f.Width*f.Height))
	v.FramesPerSecond *= factor
	v.CPUMillis /= max(factor, 1e-9)
	v.ProfileLevelID = ""
	return v
}
