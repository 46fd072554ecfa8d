package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"boardcast/internal/ice"
	"boardcast/pipeline"
	"boardcast/pipeline/media"
	"boardcast/pipeline/places"
	"boardcast/pipeline/produce"
)

// ErrClosed tells that the broadcast has ended.
var ErrClosed = errors.New("broadcast has ended")

// Options of a broadcast; zero values are sensible.
type Options struct {
	Limit        *places.Limit // counts the viewers; when nil, the broadcast makes one for defaultViewers
	MinBitrate   int           // bit/s: a slow link does not lower the bitrate of the video below it; defaultMinBitrate when zero
	FixedBitrate bool          // the bitrate does not follow the viewers' links
	Grace        time.Duration // how long a producer runs on after its last viewer; defaultGrace when zero
	Paths        *ice.Paths    // how viewers are reached; anyhow when nil
	Speaker      *Speaker      // plays what viewers say; broadcasts may share it; nil where nothing is played
	Names        *Names        // looks up viewers' names by mDNS; they are not looked up when nil
	Greeting     string        // first message on each data channel, none when empty
	Logger       *slog.Logger
	// Explain may turn the failure of a producer ("capture", "microphone") into an error that tells what to do.
	Explain func(producer string, err error) error
}

// defaultViewers is how many viewers a broadcast serves unless told otherwise, as in the defaults of the configuration.
const defaultViewers = 16

// defaultMinBitrate in bit/s: a viewer with a slower link gets less by itself, instead of making the picture worse for all.
const defaultMinBitrate = 150_000

// defaultGrace is long enough for a viewer to reload its page without the camera being closed and opened again.
const defaultGrace = 5 * time.Second

func (o Options) withDefaults() Options {
	o.MinBitrate = cmp.Or(o.MinBitrate, defaultMinBitrate)
	o.Grace = cmp.Or(o.Grace, defaultGrace)
	if o.Limit == nil {
		o.Limit = places.New(defaultViewers)
	}
	if o.Explain == nil {
		o.Explain = func(_ string, err error) error { return err }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Names of the producers without a codec, as Options.Explain and the status have them.
const (
	captureName    = "capture"
	microphoneName = "microphone"
)

// lowerSuffix tells the producer of a codec's lower rendition from that of its first.
const lowerSuffix = "-lower"

// Broadcast serves one camera to many viewers: each codec is encoded once, and only while somebody watches it.
//
// # Concurrency
//
// Run is called once; all else is safe for concurrent use. One goroutine per producer and one per viewer, all owned by Run.
type Broadcast struct {
	producers
	engine  media.Engine
	opts    Options
	log     *slog.Logger
	chosen  atomic.Pointer[pipeline.Plan] // the newest plan
	viewers viewers
}

// viewers are those of one broadcast, from joining until they have gone.
type viewers struct {
	running sync.WaitGroup
	begun   chan struct{} // closed when Run has begun

	mu     sync.Mutex
	ctx    context.Context //nolint:containedctx // the life of Run, which viewers that join later share
	ended  bool            // Run ends: no viewer joins, and no fan is read for the status
	all    map[*Viewer]struct{}
	joined uint64 // viewers that ever joined
}

// NewBroadcast makes a broadcast of a plan; nothing runs before Run.
func NewBroadcast(e media.Engine, plan pipeline.Plan, o Options) *Broadcast {
	o = o.withDefaults()
	b := &Broadcast{
		producers: newProducers(e, plan, o), engine: e, opts: o, log: o.Logger,
		viewers: viewers{all: map[*Viewer]struct{}{}, begun: make(chan struct{})},
	}
	b.chosen.Store(&plan)
	return b
}

// plan is the newest plan.
func (b *Broadcast) plan() *pipeline.Plan { return b.chosen.Load() }

// Adopt goes over to another plan, because a device came, or came back on another node. The viewers stay, and see the new picture as
// soon as there is one. Adopt makes no producers: it leaves out codecs, and a microphone, that the first plan did not have.
func (b *Broadcast) Adopt(plan pipeline.Plan) {
	b.chosen.Store(&plan)
	b.opts.Speaker.adopt(plan.Speak)
	for p, list := range b.alternatives(plan) {
		p.Adopt(list)
	}
}

// Again lets each alternative that failed be tried at once: a device was plugged in, or let go by another program.
func (b *Broadcast) Again() {
	for _, p := range b.all() {
		p.Again()
	}
	b.opts.Speaker.tryAgain()
}

// HasSpeaker reports whether there is a speaker that plays what viewers say.
func (b *Broadcast) HasSpeaker() bool { return b.opts.Speaker.present() }

// Run runs the broadcast until ctx ends, then ends every viewer and producer and returns nil.
func (b *Broadcast) Run(ctx context.Context) error {
	b.viewers.begin(ctx)
	var running sync.WaitGroup
	for _, p := range b.all() {
		running.Go(func() { p.Run(ctx) })
	}
	<-ctx.Done()
	b.viewers.end()
	running.Wait()
	for _, p := range b.all() {
		p.Close()
	}
	return nil
}

func (vs *viewers) begin(ctx context.Context) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	vs.ctx = ctx
	close(vs.begun)
}

// end lets no other viewer join, and waits for those that are there. Their context has ended.
func (vs *viewers) end() {
	vs.mu.Lock()
	vs.ended = true
	vs.mu.Unlock()
	vs.running.Wait()
}

// count counts a viewer that was not counted when it joined.
func (vs *viewers) count() {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	vs.joined++
}

func (vs *viewers) remove(v *Viewer) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	delete(vs.all, v)
}

// Join makes a viewer named id, which comes from an origin. send hands the viewer's messages to the other side; it must not block, and
// may be called until Done. Join waits for Run to begin. The error wraps places.ErrFull when no place is free, and is [ErrClosed]
// after the end.
func (b *Broadcast) Join(id string, from places.Origin, send func(Message)) (*Viewer, error) {
	return b.add(newViewer(b, id, from, send), from)
}

// Publish makes a viewer of a media server, which we call. Such a server is tried again and again. So the viewer is counted, listed and
// logged only once it is connected. In all else it is as Join's.
func (b *Broadcast) Publish(id string, send func(Message)) (*Viewer, error) {
	from := places.Origin{Way: "whip"}
	v := newViewer(b, id, from, send)
	v.publishes = true
	return b.add(v, from)
}

// add gives a new viewer its place, and runs it.
func (b *Broadcast) add(v *Viewer, from places.Origin) (*Viewer, error) {
	vs := &b.viewers
	<-vs.begun
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if vs.ended || vs.ctx.Err() != nil {
		return nil, ErrClosed
	}
	place, err := b.opts.Limit.Admit(from.Address, v.giveWay)
	if err != nil {
		return nil, err
	}
	path, err := b.opts.Paths.Join(from.Near)
	if err != nil {
		b.opts.Limit.Leave(place)
		v.log.Warn("viewer refused", "error", err)
		return nil, fmt.Errorf("%w: %w", places.ErrFull, err)
	}
	v.path, v.place = path, place
	vs.all[v] = struct{}{}
	if !v.publishes {
		vs.joined++
	}
	ctx := vs.ctx
	vs.running.Go(func() {
		v.run(ctx)
		vs.remove(v)
		b.opts.Limit.Leave(place)
	})
	return v, nil
}

// Status is a broadcast as numbers, for people and machines.
type Status struct {
	Viewers   []ViewerStatus   `json:"viewers"`
	Joined    uint64           `json:"joined_total"`
	Producers []produce.Status `json:"producers"`
}

// Status never waits for media.
func (b *Broadcast) Status() Status {
	vs := &b.viewers
	vs.mu.Lock()
	defer vs.mu.Unlock()
	s := Status{Viewers: []ViewerStatus{}, Joined: vs.joined}
	for v := range vs.all {
		now := v.status()
		if v.publishes && now.State != connected.String() {
			continue
		}
		s.Viewers = append(s.Viewers, now)
	}
	if !vs.ended {
		for _, p := range b.all() {
			s.Producers = append(s.Producers, p.Status())
		}
	}
	return s
}
