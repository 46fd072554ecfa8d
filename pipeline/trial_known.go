package pipeline

import "context"

// knownVerdict is a verdict with the format that it is of.
type knownVerdict struct {
	verdict Verdict
	format  VideoFormat
}

func (t *Trials) know(e Encoder, f VideoFormat, v Verdict) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.known[e.ID] = knownVerdict{v, f}
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
	k.mu.Lock()
	was, ok := k.known[e.ID]
	k.mu.Unlock()
	switch {
	case ok && was.verdict.Works():
		return was.verdict.at(was.format, f)
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
	return failure("not tried yet")
}

// at is what a verdict leads to expect of another format. What the SPS will say of it is not known.
func (v Verdict) at(was, f VideoFormat) Verdict {
	if was == f {
		return v
	}
	factor := float64(was.Width*was.Height) / float64(max(1, f.Width*f.Height))
	v.FramesPerSecond *= factor
	v.CPUMillis /= max(factor, 1e-9)
	v.ProfileLevelID = ""
	return v
}
