package live

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"boardcast/pipeline"
	"boardcast/pipeline/places"
)

// ErrClosed tells that the broadcast has ended.
var ErrClosed = errors.New("broadcast has ended")

// Options of a broadcast; zero values are sensible.
type Options struct {
	Limit        *places.Limit // counts the viewers; one of its own, for 16, when nil
	MinBitrate   int           // bit/s that no viewer's link lowers the video below; 150 kbit/s when zero
	FixedBitrate bool          // whatever the viewers' links bear
	Grace        time.Duration // how long a producer outlives its last viewer; 5 s when zero
	STUN         string
	TURN         []string
	Names        *Names // looks up viewers' names by mDNS; nil: they are not looked up
	Greeting     string // first message on each data channel, none when empty
	Logger       *slog.Logger
	// Explain may turn the failure of a producer ("capture", "microphone") into one that tells what to do.
	Explain func(producer string, err error) error
}

func (o Options) withDefaults() Options {
	if o.Limit == nil {
		const most = 16
		o.Limit = places.New(most)
	}
	if o.MinBitrate == 0 {
		o.MinBitrate = 150_000
	}
	if o.Grace == 0 {
		o.Grace = 5 * time.Second
	}
	if o.Explain == nil {
		o.Explain = func(_ string, err error) error { return err }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Broadcast serves one camera to many viewers: each codec is encoded once, and only while somebody watches it.
//
// # Concurrency
//
// Run is called once; all else is safe for concurrent use. One goroutine per producer and one per viewer, all owned by Run.
type Broadcast struct {
	engine Engine
	opts   Options
	log    *slog.Logger
	raw    *producer // nil without a picture, or when the camera's own stream is passed on
	audio  *producer // nil without a microphone
	coded  map[pipeline.Codec]*producer
	lower  map[pipeline.Codec]*producer // lower renditions, of the codecs that have one
	chosen atomic.Pointer[pipeline.Plan]

	mu      sync.Mutex
	ctx     context.Context //nolint:containedctx // the life of Run, which viewers that join later share
	ended   bool
	viewers map[*Viewer]struct{}
	wg      sync.WaitGroup
	started chan struct{}
	joined  atomic.Uint64
}

// NewBroadcast makes a broadcast of what plan says; nothing runs before Run.
func NewBroadcast(e Engine, plan pipeline.Plan, o Options) *Broadcast {
	o = o.withDefaults()
	b := &Broadcast{
		engine: e, opts: o, log: o.Logger, coded: map[pipeline.Codec]*producer{}, lower: map[pipeline.Codec]*producer{},
		viewers: map[*Viewer]struct{}{}, started: make(chan struct{}),
	}
	b.chosen.Store(&plan)
	if plan.Capture != nil {
		b.raw = newProducer(e, captureName, false, nil, o)
	}
	for _, c := range plan.Choices {
		l := newProducer(e, string(c.Encoder.Codec), true, nil, o)
		b.coded[c.Encoder.Codec] = l
		if o.FixedBitrate {
			continue
		}
		lower, ok := pipeline.ChoiceOf(plan.Lower, c.Encoder.Codec)
		l.adaptRate(c, o.MinBitrate, lower.Format.Bitrate, false)
		if ok {
			b.lower[c.Encoder.Codec] = newProducer(e, string(c.Encoder.Codec)+lowerSuffix, true, nil, o)
			b.lower[c.Encoder.Codec].adaptRate(lower, pipeline.LeastBitrate, 0, true)
		}
	}
	if sliced := plan.Sliced(); len(sliced) > 0 && b.raw != nil {
		b.coded[pipeline.H264Slices] = newProducer(e, string(pipeline.H264Slices), true, nil, o)
		if !o.FixedBitrate {
			b.coded[pipeline.H264Slices].adaptRate(sliced[0], o.MinBitrate, 0, false)
		}
	}
	if plan.Audio != nil {
		b.audio = newProducer(e, microphoneName, false, nil, o)
	}
	for l, list := range b.alternatives(plan) {
		l.alternatives = newAlternatives(list)
	}
	return b
}

// alternatives are those of each producer for a plan.
func (b *Broadcast) alternatives(plan pipeline.Plan) map[*producer][]alternative {
	out := map[*producer][]alternative{}
	if b.raw != nil && plan.Capture != nil {
		out[b.raw] = b.captureAlternatives(plan)
	}
	for codec, l := range b.coded {
		if list := b.encoderAlternatives(slices.Concat(plan.Choices, plan.Spares, plan.Sliced()), codec); len(list) > 0 {
			out[l] = list
		}
	}
	for codec, l := range b.lower {
		if list := b.encoderAlternatives(plan.Lower, codec); len(list) > 0 {
			out[l] = list
		}
	}
	if b.audio != nil && plan.Audio != nil {
		out[b.audio] = []alternative{{id: microphoneName, graph: plan.Audio}}
	}
	return out
}

// plan is what was chosen last.
func (b *Broadcast) plan() *pipeline.Plan { return b.chosen.Load() }

// Adopt goes over to another plan, for a device that came, or came back elsewhere: the viewers stay, and see the new picture
// as soon as there is one. Codecs, and a microphone, that the first plan did not have are left out.
func (b *Broadcast) Adopt(plan pipeline.Plan) {
	b.chosen.Store(&plan)
	for l, list := range b.alternatives(plan) {
		l.adopt(list)
	}
}

// Again lets whatever failed be tried at once: something was plugged in, or let go.
func (b *Broadcast) Again() {
	for _, l := range b.producers() {
		l.again()
	}
}

// Names of the lines without a codec, as Options.Explain and the status have them.
const (
	captureName    = "capture"
	microphoneName = "microphone"
)

// lowerSuffix tells a producer of the lower rendition from its codec's first.
const lowerSuffix = "-lower"

// captureAlternatives are the camera and its placeholder, or what decodes the camera's own stream.
func (b *Broadcast) captureAlternatives(p pipeline.Plan) []alternative {
	first := alternative{id: "camera", graph: p.Capture, period: p.Source.Period()}
	if len(p.Choices) > 0 && p.Choices[0].Direct {
		first.id, first.up = "decoder", b.coded[p.Choices[0].Encoder.Codec]
	}
	out := []alternative{first}
	if p.StandIn != nil {
		out = append(out, alternative{id: "placeholder", graph: p.StandIn, period: p.Source.Period(), placeholder: true})
	}
	return out
}

// encoderAlternatives are the choices of a codec, in order.
func (b *Broadcast) encoderAlternatives(choices []pipeline.Choice, codec pipeline.Codec) []alternative {
	var out []alternative
	for _, c := range choices {
		if c.Encoder.Codec != codec {
			continue
		}
		r := alternative{
			id: c.Encoder.ID, graph: c.Graph, keyframe: c.Encoder.Keyframe, period: c.Format.Period(),
			up: b.raw, bitrate: c.Encoder.LiveBitrate, rate: c.Format.Bitrate, placeholder: c.Placeholder,
		}
		switch {
		case c.Direct:
			r.up = nil
		case b.raw == nil:
			continue // nothing would feed it
		default:
			r.product = c.Product()
		}
		out = append(out, r)
	}
	return out
}

func (b *Broadcast) producers() []*producer {
	out := []*producer{}
	for _, l := range b.coded {
		out = append(out, l)
	}
	for _, l := range b.lower {
		out = append(out, l)
	}
	if b.audio != nil {
		out = append(out, b.audio)
	}
	if b.raw != nil {
		out = append(out, b.raw) // last: producers end before what feeds them
	}
	return out
}

// Run runs the broadcast until ctx ends, then ends every viewer and producer and returns nil.
func (b *Broadcast) Run(ctx context.Context) error {
	b.mu.Lock()
	b.ctx = ctx
	b.mu.Unlock()
	close(b.started)
	var producers sync.WaitGroup
	for _, l := range b.producers() {
		producers.Go(func() { l.run(ctx) })
	}
	<-ctx.Done()
	b.mu.Lock()
	b.ended = true // no Join counts a viewer, and no Status reads a fan, from here on
	b.mu.Unlock()
	b.wg.Wait()
	producers.Wait()
	for _, l := range b.producers() {
		l.fan.Close()
	}
	return nil
}

// Join makes a viewer named id, of which from tells where it comes from; send hands its messages to the other side, must not block
// and may be called until Done. It waits for Run to begin. The error wraps places.ErrFull when as many watch as may, and is
// [ErrClosed] after the end.
func (b *Broadcast) Join(id string, from places.Origin, send func(Message)) (*Viewer, error) {
	return b.add(newViewer(b, id, send), from)
}

// Publish makes a viewer of a media server, to which we come. Such a server is tried again and again. So the viewer is counted, listed
// and logged only once it is connected. In all else it is as Join's.
func (b *Broadcast) Publish(id string, send func(Message)) (*Viewer, error) {
	v := newViewer(b, id, send)
	v.publishes = true
	return b.add(v, places.Origin{})
}

// add gives a new viewer its place, and begins its life.
func (b *Broadcast) add(v *Viewer, from places.Origin) (*Viewer, error) {
	<-b.started
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended || b.ctx.Err() != nil {
		return nil, ErrClosed
	}
	place, err := b.opts.Limit.Admit(from.Address, v.giveWay)
	if err != nil {
		return nil, err
	}
	v.near, v.place = from.Near, place
	b.viewers[v] = struct{}{}
	if !v.publishes {
		b.joined.Add(1)
	}
	ctx := b.ctx
	b.wg.Go(func() {
		v.run(ctx)
		b.mu.Lock()
		delete(b.viewers, v)
		b.mu.Unlock()
		b.opts.Limit.Leave(place)
	})
	return v, nil
}

// Status is a broadcast as numbers, for people and machines.
type Status struct {
	Viewers   []ViewerStatus   `json:"viewers"`
	Joined    uint64           `json:"joined_total"`
	Producers []ProducerStatus `json:"producers"`
}

// ProducerStatus is one producer.
type ProducerStatus struct {
	Name        string `json:"name"` // "capture", "microphone", a codec, or its lower rendition: "h264-lower"
	Users       int64  `json:"users"`
	Waiting     bool   `json:"waiting"` // it or what feeds it has failed, and is going to be tried again
	Stuck       bool   `json:"stuck"`   // something of it hangs and cannot be ended, and there was no frame since
	Frames      uint64 `json:"frames_total"`
	Bytes       uint64 `json:"bytes_total"`
	Keyframes   uint64 `json:"keyframes_total"`
	Encoder     string `json:"encoder,omitempty"`     // the row in use, empty while nothing runs
	Replaced    uint64 `json:"replaced_total"`        // times that an encoder failed and another took its place
	Placeholder bool   `json:"placeholder,omitempty"` // the camera is gone
	Bitrate     int64  `json:"bitrate_bps,omitempty"` // that the viewers' links bear
}

// Status never waits for media.
func (b *Broadcast) Status() Status {
	s := Status{Viewers: []ViewerStatus{}, Joined: b.joined.Load()}
	b.mu.Lock()
	defer b.mu.Unlock()
	for v := range b.viewers {
		if v.publishes && phase(v.phase.Load()) != connected {
			continue
		}
		s.Viewers = append(s.Viewers, v.status())
	}
	if !b.ended {
		for _, l := range b.producers() {
			s.Producers = append(s.Producers, l.status())
		}
	}
	return s
}
