package live

import (
	"slices"

	"boardcast/pipeline"
	"boardcast/pipeline/media"
	"boardcast/pipeline/produce"
)

// producers are those of one broadcast.
type producers struct {
	raw   *produce.Producer                    // nil without a camera, or when only the camera's own stream is passed on
	audio *produce.Producer                    // nil without a microphone
	coded map[pipeline.Codec]*produce.Producer // the first renditions
	lower map[pipeline.Codec]*produce.Producer // lower renditions, of the codecs that have one
}

// newProducers makes the producers that a plan needs. Nothing runs yet.
func newProducers(e media.Engine, plan pipeline.Plan, o Options) producers {
	ps := producers{coded: map[pipeline.Codec]*produce.Producer{}, lower: map[pipeline.Codec]*produce.Producer{}}
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
			p.AdaptRate(sliced[0], o.MinBitrate, 0, false)
		}
	}
	if plan.Audio != nil || plan.Silence != nil {
		ps.audio = o.producer(e, microphoneName, false)
	}
	for p, list := range ps.alternatives(plan) {
		p.Prepare(list)
	}
	return ps
}

// producer makes one of the producers. Nothing runs yet.
func (o Options) producer(e media.Engine, name string, coded bool) *produce.Producer {
	return produce.New(e, produce.Options{
		Name: name, Coded: coded, Sound: name == microphoneName, Grace: o.Grace, Logger: o.Logger,
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
	first.AdaptRate(c, o.MinBitrate, lower.Format.Bitrate, false)
	if ok {
		ps.lower[codec] = o.producer(e, string(codec)+lowerSuffix, true)
		ps.lower[codec].AdaptRate(lower, pipeline.LeastBitrate, 0, true)
	}
}

// all are the producers, each before the one that feeds it: in this order they can be ended.
func (ps *producers) all() []*produce.Producer {
	out := []*produce.Producer{}
	for _, p := range ps.coded {
		out = append(out, p)
	}
	for _, p := range ps.lower {
		out = append(out, p)
	}
	for _, p := range []*produce.Producer{ps.audio, ps.raw} {
		if p != nil {
			out = append(out, p)
		}
	}
	return out
}

// alternatives are those of each producer for a plan.
func (ps *producers) alternatives(plan pipeline.Plan) map[*produce.Producer][]produce.Alternative {
	out := map[*produce.Producer][]produce.Alternative{}
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
	if list := soundAlternatives(plan); ps.audio != nil && len(list) > 0 {
		out[ps.audio] = list
	}
	return out
}

// soundAlternatives are the microphone and the silence that is sent while it is gone, or not there yet.
func soundAlternatives(plan pipeline.Plan) []produce.Alternative {
	var out []produce.Alternative
	if plan.Audio != nil {
		out = append(out, produce.Alternative{ID: microphoneName, Graph: plan.Audio})
	}
	if plan.Silence != nil {
		out = append(out, produce.Alternative{ID: "silence", Graph: plan.Silence, Placeholder: true})
	}
	return out
}

// captureAlternatives are the camera and its placeholder, or what decodes the camera's own stream.
func (ps *producers) captureAlternatives(plan pipeline.Plan) []produce.Alternative {
	says := func(reason string) string { return pipeline.PlaceholderText(plan.Source.Name, reason) }
	if plan.Source.Away() {
		return []produce.Alternative{{ID: "placeholder", Graph: plan.Capture, Period: plan.Source.Period(), Placeholder: true, Says: says}}
	}
	first := produce.Alternative{ID: "camera", Graph: plan.Capture, Period: plan.Source.Period()}
	if len(plan.Choices) > 0 && plan.Choices[0].Direct {
		first.ID, first.Up = "decoder", ps.coded[plan.Choices[0].Encoder.Codec]
	}
	out := []produce.Alternative{first}
	if plan.Placeholder != nil {
		out = append(out, produce.Alternative{ID: "placeholder", Graph: plan.Placeholder, Period: plan.Source.Period(), Placeholder: true, Says: says})
	}
	return out
}

// encoderAlternatives are the choices of one codec, in the order of the plan.
func (ps *producers) encoderAlternatives(choices []pipeline.Choice, codec pipeline.Codec) []produce.Alternative {
	var out []produce.Alternative
	for _, c := range choices {
		if c.Encoder.Codec != codec {
			continue
		}
		a := produce.Alternative{
			ID: c.Encoder.ID, Graph: c.Graph, Keyframe: c.Encoder.Keyframe, Period: c.Format.Period(),
			Up: ps.raw, Bitrate: c.Encoder.LiveBitrate, Rate: c.Format.Bitrate, Placeholder: c.Placeholder,
		}
		switch {
		case c.Direct:
			a.Up = nil
		case ps.raw == nil:
			continue // no producer makes frames for it
		default:
			a.Product = c.Product()
		}
		out = append(out, a)
	}
	return out
}
