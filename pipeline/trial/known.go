package trial

import (
	"context"
	"fmt"
	"slices"

	"boardcast/pipeline"
)

// knownVerdict is a verdict with the format that it is of.
type knownVerdict struct {
	verdict pipeline.Verdict
	format  pipeline.VideoFormat
}

// know notes the newest verdict.
func (t *Trials) know(key string, f pipeline.VideoFormat, v pipeline.Verdict) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.known[key] = knownVerdict{v, f}
}

// knows is the newest verdict, if there is one.
func (t *Trials) knows(key string) (knownVerdict, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v, ok := t.known[key]
	return v, ok
}

// sourceKey names a source by its name and its graph, without the device node: a camera may be plugged in elsewhere.
func sourceKey(g pipeline.Graph, name string, codec pipeline.Codec) string {
	out := slices.Clone(g)
	for i, n := range out {
		out[i].Props = slices.DeleteFunc(slices.Clone(n.Props), func(p pipeline.Prop) bool { return p.Name == "device" })
	}
	return fmt.Sprintf("source %q %s: %s", name, codec, out)
}

// Known is a prover that tries nothing. It is for when there is no time: viewers wait for a camera that was just plugged in. It answers
// with an encoder's newest verdict, whatever size that was for. Of encoders that were never tried it takes those in software.
func (t *Trials) Known() pipeline.Prover { return known{t} }

type known struct{ *Trials }

// Encoder implements [pipeline.Prover].
func (k known) Encoder(_ context.Context, e pipeline.Encoder, raw pipeline.Raw, f pipeline.VideoFormat) pipeline.Verdict {
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
	return pipeline.Verdict{Outcome: pipeline.OutcomeUsable}
}

// Source implements [pipeline.Prover].
func (k known) Source(_ context.Context, g pipeline.Graph, name string, codec pipeline.Codec) pipeline.Verdict {
	if v, ok := k.cache.find(sourceSpec(g, name, codec)); ok {
		return v
	}
	if was, ok := k.knows(sourceKey(g, name, codec)); ok {
		return was.verdict
	}
	return failure("not tried yet")
}

// at is a verdict as it is expected for another format: the speed is in proportion to the pixels, the profile-level-id is not known.
func at(v pipeline.Verdict, was, f pipeline.VideoFormat) pipeline.Verdict {
	if was == f {
		return v
	}
	factor := float64(was.Width*was.Height) / float64(max(1, f.Width*f.Height))
	v.FramesPerSecond *= factor
	v.CPUMillis /= max(factor, 1e-9)
	v.ProfileLevelID = ""
	return v
}
