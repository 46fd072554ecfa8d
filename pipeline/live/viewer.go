package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"boardcast/internal/ice"
	"boardcast/internal/sdp"
	"boardcast/pipeline/media"
	"boardcast/pipeline/places"
	"boardcast/pipeline/produce"
)

// Message is what a viewer and we say to one another.
type Message = sdp.Message

// answerLimit is the time from our offer to the answer, and from joining to the first message: a page may have to ask the user for the
// microphone meanwhile.
const answerLimit = 20 * time.Second

// connectLimit is the time from the answer to the connection. ICE and DTLS take far less where a pair of addresses works at all.
const connectLimit = 8 * time.Second

// aliveLimit is how long a viewer may send no RTCP while its signalling holds. A browser sends a report every few seconds, and a link
// may be away for a moment.
const aliveLimit = 20 * time.Second

// detachedLimit is the same when signalling is gone too, which often means that the page is.
const detachedLimit = 8 * time.Second

// tick is the time between two checks of a viewer: short against the limits above.
const tick = time.Second

// channelRate is how many requests a second a viewer may make over the data channel. A page makes one now and then. Further ones are
// dropped, so that a viewer cannot keep the program busy.
const channelRate = 20

// channelBurst is how many requests a viewer may make at once: those of two seconds.
const channelBurst = 40

// phase is how far a viewer has come. It never goes back.
type phase int

const (
	joining phase = iota
	offered
	answered
	connected
	gone
)

var phaseNames = [...]string{"joining", "offered", "answered", "connected", "gone"}

func (p phase) String() string { return phaseNames[p] }

// Viewer is one viewer's life, from joining to gone. One goroutine owns it.
//
// # Concurrency
//
// The exported methods may be called from any goroutine and never wait.
type Viewer struct {
	inbox
	connection
	b          *Broadcast
	send       func(Message)
	log        *slog.Logger
	path       *ice.Path     // by which the viewer is reached
	place      *places.Place // the right to be served; the viewer may have to give it to another
	neg        negotiation
	candidates candidates
	adaptation *adaptation   // nil until the codec is known, and where the bitrate is fixed
	requests   *rate.Limiter // of the data channel
	stat       viewerStatus
}

// connection is a viewer's peer, how far it has come, and what feeds it.
type connection struct {
	peer     media.Peer
	phase    phase
	deadline time.Time           // for the next phase; zero for none
	since    time.Time           // when the viewer was connected
	warned   bool                // a warning of the peer's elements has been logged
	using    []*produce.Producer // that count the viewer as a user
	talk     *talker             // the viewer as the speaker knows it
	channels int                 // the newest data channel's index, counted from 1; 0 for none
	// publishes tells that the viewer is a media server, see Broadcast.Publish.
	publishes bool
}

func newViewer(b *Broadcast, id string, from places.Origin, send func(Message)) *Viewer {
	log := b.log.With("viewer", id)
	if from.Way != "" {
		log = log.With("way", from.Way)
	}
	if from.Address.IsValid() {
		log = log.With("address", from.Address.String())
	}
	v := &Viewer{
		inbox: newInbox(), b: b, send: send, log: log, candidates: newCandidates(),
		requests: rate.NewLimiter(channelRate, channelBurst), connection: connection{talk: newTalker()},
	}
	v.stat.now.ID, v.stat.now.Since = id, time.Now()
	v.publish()
	return v
}

// run serves the viewer until it is gone.
func (v *Viewer) run(ctx context.Context) {
	defer close(v.done)
	end := endingOf(ctx, v.live(ctx))
	var sent media.PeerCount
	if v.peer != nil {
		sent = v.peer.Count()
	}
	v.adaptation.end()
	if cerr := v.close(); cerr != nil {
		v.log.Error("close viewer", "error", cerr)
	}
	v.path.Leave()
	v.advance(gone, 0)
	v.tellEnd(ctx, end, sent)
}

// live makes the viewer's peer, and deals with one event after the other until the viewer ends. It returns why.
func (v *Viewer) live(ctx context.Context) error {
	plan := v.b.plan()
	peer, err := v.b.engine.Peer(ctx, media.PeerOptions{
		STUN: v.path.STUN, TURN: v.path.TURN, Local: v.path.Local, Port: v.path.Port,
		Audio: plan.Hear, Video: plan.See, Heard: v.b.opts.Speaker.input(),
	})
	if err != nil {
		return err
	}
	v.peer, v.deadline = peer, time.Now().Add(answerLimit)
	clock := time.NewTicker(tick)
	defer clock.Stop()
	for {
		if err := v.step(ctx, clock.C); err != nil {
			return err
		}
		v.publish()
	}
}

// step waits for one event and deals with it. An error ends the viewer.
func (v *Viewer) step(ctx context.Context, clock <-chan time.Time) error {
	select {
	case <-ctx.Done():
		return ended(causeProgram, nil)
	case <-v.hangup:
		return v.hungUp()
	case m := <-v.messages:
		return v.message(m)
	case c := <-v.candidates.found:
		v.candidates.give(v, c)
	case s := <-v.talk.changed:
		v.talked(s)
	case e := <-v.peer.Events():
		return v.heard(e)
	case <-v.adaptation.again():
		v.adaptToNetwork()
	case <-clock:
		return v.check()
	}
	return nil
}

// advance moves the phase forward, never back, and sets the time limit of the new one (0: none).
func (v *Viewer) advance(to phase, limit time.Duration) {
	if v.phase >= to {
		return
	}
	v.phase, v.deadline = to, time.Time{}
	if limit > 0 {
		v.deadline = time.Now().Add(limit)
	}
	v.publish()
}

// check looks once a tick whether the viewer has come on in time, or is still alive. An error ends it.
func (v *Viewer) check() error {
	switch {
	case v.peer.Overflowed():
		return ended(causeRefused, errors.New("more events than a viewer may cause"))
	case v.phase < connected && v.detached.Load():
		return ended(causeLeftEarly, nil)
	case v.phase < connected && time.Now().After(v.deadline):
		return ended(causeUnconnected, fmt.Errorf("%s: no progress in time", v.phase))
	case v.phase < connected:
		return nil
	}
	limit, why := aliveLimit, causeSilent
	if v.detached.Load() {
		limit, why = detachedLimit, causeDetached
	}
	if silent := v.silent(); silent > limit {
		return ended(why, fmt.Errorf("no RTCP for %.0f s", silent.Seconds()))
	}
	n := v.peer.Count()
	v.stat.now.Sent = &n
	v.adaptToNetwork()
	return nil
}

// silent is how long ago the viewer last sent RTCP, or was connected if it sent none.
func (c *connection) silent() time.Duration {
	if d := c.peer.Alive(); d >= 0 {
		return d
	}
	return time.Since(c.since)
}

func (v *Viewer) publish() { v.stat.publish(v.phase, v.detached.Load()) }

// use counts the viewer among the users of a producer, once; leave takes that back.
func (c *connection) use(p *produce.Producer) {
	if !slices.Contains(c.using, p) {
		p.Use()
		c.using = append(c.using, p)
	}
}

func (c *connection) leave(p *produce.Producer) {
	if i := slices.Index(c.using, p); i >= 0 {
		c.using = slices.Delete(c.using, i, i+1)
		p.Drop()
	}
}

// resume lets media flow, from a keyframe on.
func (c *connection) resume() {
	c.peer.Resume()
	for _, p := range c.using {
		p.RequestKeyframe()
	}
}

// close leaves all producers and closes the peer, if there is one.
func (c *connection) close() error {
	for _, p := range c.using {
		p.Drop()
	}
	if c.peer == nil {
		return nil
	}
	return c.peer.Close()
}
