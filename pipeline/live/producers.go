package live

import (
	"slices"

	"boardcast/pipeline"
	"boardcast/pipeline/media"
)

// producers are those of one broadcast.
type producers struct {
	raw   *producer                    // nil without a camera, or when only the camera's own stream is passed on
	audio *producer                    // nil without a microphone
	coded map[pipeline.Codec]*producer // the first renditions
	lower map[pipeline.Codec]*producer // lower renditions, of the codecs that have one
}

// newProducers makes the producers that a plan needs. Nothing runs yet.
func newProducers(e media.Engine, plan pipeline.Plan, o Options) producers {
	ps := producers{coded: map[pipeline.Codec]*producer{}, lower: map[pipeline.Codec]*producer{}}
	if plan.Capture != nil {
		ps.raw = o.producer(e, captureName, false)
	}
	for _, c := range plan.Choices {
		ps.addCodec(e, plan, c, o)
	}
	if sliced := plan.Sliced(); len(sliced) > 0 && ps.raw != nil {
		p := o.producer(e, string(pipeline.H264Slices), true)
		ps.coded[pipeline.H264Slices] = p
		if !o.FixedBitrate {
			p.adaptRate(sliced[0], o.MinBitrate, 0, false)
		}
	}
	if plan.Audio != nil {
		ps.audio = o.producer(e, microphoneName, false)
	}
	for p, list := range ps.alternatives(plan) {
		p.prepare(list)
	}
	return ps
}

// producer makes one of the producers. Nothing runs yet.
func (o Options) producer(e media.Engine, name string, coded bool) *producer {
	return newProducer(e, producerOptions{
		Name: name, Coded: coded, Grace: o.Grace, Logger: o.Logger,
		Explain: func(err error) error { return o.Explain(name, err) },
	})
}

// addCodec makes the producers of both renditions of a codec. With a fixed bitrate no viewer is sent the lower one.
func (ps *producers) addCodec(e media.Engine, plan pipeline.Plan, c pipeline.Choice, o Options) {
	codec := c.Encoder.Codec
	first := o.producer(e, string(codec), true)
	ps.coded[codec] = first
	if o.FixedBitrate {
		return
	}
	lower, ok := pipeline.ChoiceOf(plan.Lower, codec)
	first.adaptRate(c, o.MinBitrate, lower.Format.Bitrate, false)
	if ok {
		ps.lower[codec] = o.producer(e, string(codec)+lowerSuffix, true)
		ps.lower[codec].adaptRate(lower, pipeline.LeastBitrate, 0, true)
	}
}

// all are the producers, each before the one that feeds it: in this order they can be ended.
func (ps *producers) all() []*producer {
	out := []*producer{}
	for _, p := range ps.coded {
		out = append(out, p)
	}
	for _, p := range ps.lower {
		out = append(out, p)
	}
	for _, p := range []*producer{ps.audio, ps.raw} {
		if p != nil {
			out = append(out, p)
		}
	}
	return out
}

// alternatives are those of each producer for a plan.
func (ps *producers) alternatives(plan pipeline.Plan) map[*producer][]alternative {
	out := map[*producer][]alternative{}
	if ps.raw != nil && plan.Capture != nil {
		out[ps.raw] = ps.captureAlternatives(plan)
	}
	for codec, p := range ps.coded {
		if list := ps.encoderAlternatives(slices.Concat(plan.Choices, plan.Spares, plan.Sliced()), codec); len(list) > 0 {
			out[p] = list
		}
	}
	for codec, p := range ps.lower {
		if list := ps.encoderAlternatives(plan.Lower, codec); len(list) > 0 {
			out[p] = list
		}
	}
	if ps.audio != nil && plan.Audio != nil {
		out[ps.audio] = []alternative{{id: microphoneName, graph: plan.Audio}}
	}
	return out
}

// captureAlternatives are the camera and its placeholder, or what decodes the camera's own stream.
func (ps *producers) captureAlternatives(plan pipeline.Plan) []alternative {
	first := alternative{id: "camera", graph: plan.Capture, period: plan.Source.Period()}
	if len(plan.Choices) > 0 && plan.Choices[0].Direct {
		first.id, first.up = "decoder", ps.coded[plan.Choices[0].Encoder.Codec]
	}
	out := []alternative{first}
	if plan.Placeholder != nil {
		out = append(out, alternative{id: "placeholder", graph: plan.Placeholder, period: plan.Source.Period(), placeholder: true})
	}
	return out
}

// encoderAlternatives are the choices of one codec, in the order of the plan.
func (ps *producers) encoderAlternatives(choices []pipeline.Choice, codec pipeline.Codec) []alternative {
	var out []alternative
	for _, c := range choices {
		if c.Encoder.Codec != codec {
			continue
		}
		a := alternative{
			id: c.Encoder.ID, graph: c.Graph, keyframe: c.Encoder.Keyframe, period: c.Format.Period(),
			up: ps.raw, bitrate: c.Encoder.LiveBitrate, rate: c.Format.Bitrate, placeholder: c.Placeholder,
		}
		switch {
		case c.Direct:
			a.up = nil
		case ps.raw == nil:
			continue // no producer makes frames for it
		default:
			a.product = c.Product()
		}
		out = append(out, a)
	}
	return out
}
