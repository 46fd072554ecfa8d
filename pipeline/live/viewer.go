package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"boardcast/internal/sdp"
	"boardcast/pipeline"
	"boardcast/pipeline/places"
)

// Message is what a viewer and we say to one another.
type Message = sdp.Message

// Time limits of a viewer's life.
const (
	answerLimit   = 20 * time.Second // from the offer to the answer, and from joining to the first word
	connectLimit  = 8 * time.Second  // from the answer to the connection
	aliveLimit    = 20 * time.Second // without RTCP while signalling holds
	detachedLimit = 8 * time.Second  // without RTCP when signalling is gone
	tick          = time.Second
)

const (
	inboxSize = 128
)

// phase of a viewer: it only grows.
type phase int32

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
	id   string
	near []netip.Addr
	b    *Broadcast
	send func(Message)
	log  *slog.Logger
	// place is the right to be served; the viewer may have to give it to another.
	place  *places.Place
	ousted atomic.Bool
	// publishes is set of a media server, see Broadcast.Publish.
	publishes bool

	inbox    chan Message
	hangup   chan struct{}
	hangOnce sync.Once
	detached atomic.Bool
	done     chan struct{}

	phase       atomic.Int32
	deadline    time.Time
	connectedAt time.Time
	peer        Peer
	neg         negotiation
	candidates  candidates
	warned      bool // a complaint of its media has been logged
	using       []*producer
	limit       *rate.Limiter
	net         adaptation

	seen atomic.Pointer[ViewerStatus]
	stat ViewerStatus
}

// ViewerStatus is one viewer as numbers.
type ViewerStatus struct {
	ID              string         `json:"id"`
	State           string         `json:"state"`
	Codec           pipeline.Codec `json:"codec,omitempty"`
	Since           time.Time      `json:"since"`
	ConnectSeconds  float64        `json:"connect_seconds,omitempty"` // from joining to connected
	Detached        bool           `json:"signalling_lost,omitempty"`
	IncomingAudioDB *float64       `json:"incoming_audio_rms_db"`
	Incoming        []string       `json:"incoming,omitempty"`
	Sent            *PeerCount     `json:"sent,omitempty"`
	EstimateBPS     int            `json:"estimate_bps,omitempty"` // of what the link bears, from the viewer's reports
	Loss            float64        `json:"loss"`                   // share of packets, lately
	RTTMS           int64          `json:"rtt_ms,omitempty"`
	Rendition       string         `json:"rendition,omitempty"`      // "lower" where the link bears no more
	KeyframesOnly   bool           `json:"keyframes_only,omitempty"` // it does not bear that either
}

func newViewer(b *Broadcast, id string, send func(Message)) *Viewer {
	v := &Viewer{
		id: id, b: b, send: send, log: b.log.With("viewer", id),
		inbox: make(chan Message, inboxSize), hangup: make(chan struct{}), done: make(chan struct{}),
		limit: rate.NewLimiter(20, 40), candidates: newCandidates(),
	}
	v.stat = ViewerStatus{ID: id, Since: time.Now()}
	v.publish()
	return v
}

// Receive hands over what the other side said. A flood ends the viewer.
func (v *Viewer) Receive(m Message) {
	select {
	case v.inbox <- m:
	default:
		v.Close()
	}
}

// Detach tells that signalling is gone while the call is not hung up: media goes on as long as the other side lives.
func (v *Viewer) Detach() { v.detached.Store(true) }

// Close hangs up. Done tells when it is over.
func (v *Viewer) Close() { v.hangOnce.Do(func() { close(v.hangup) }) }

// Done is closed when the viewer is gone and its connection closed.
func (v *Viewer) Done() <-chan struct{} { return v.done }

// giveWay ends a viewer that is not connected yet, for another.
func (v *Viewer) giveWay() {
	v.ousted.Store(true)
	v.Close()
}

// errOusted ends a viewer whose place another has.
var errOusted = errors.New("not connected yet, and gave way to another viewer: all places were taken")

// errGone ends a viewer without being a failure.
var errGone = errors.New("gone")

func (v *Viewer) run(ctx context.Context) {
	defer close(v.done)
	err := v.live(ctx)
	v.endAdaptation()
	for _, l := range v.using {
		l.drop()
	}
	if v.peer != nil {
		if cerr := v.peer.Close(); cerr != nil {
			v.log.Error("close viewer", "error", cerr)
		}
	}
	v.advance(gone, 0)
	seconds := time.Since(v.stat.Since).Seconds()
	switch {
	case v.publishes && v.connectedAt.IsZero(): // the WHIP client says why, once
		v.log.Debug("media server not reached", "error", err, "duration_seconds", seconds)
	case errors.Is(err, errGone):
		v.log.Info("viewer left", "reason", err.Error(), "duration_seconds", seconds)
	default:
		v.log.Warn("viewer lost", "error", err, "duration_seconds", seconds)
	}
}

func (v *Viewer) live(ctx context.Context) error {
	peer, err := v.b.engine.Peer(ctx, PeerOptions{
		STUN: v.b.opts.STUN, TURN: v.b.opts.TURN, Near: v.near, Audio: v.b.plan().Hear, Video: v.b.plan().See,
	})
	if err != nil {
		return err
	}
	v.peer = peer
	v.deadline = time.Now().Add(answerLimit)
	clock := time.NewTicker(tick)
	defer clock.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: the program ends", errGone)
		case <-v.hangup:
			if v.ousted.Load() {
				return errOusted
			}
			return fmt.Errorf("%w: hung up", errGone)
		case m := <-v.inbox:
			err = v.message(m)
		case c := <-v.candidates.found:
			v.candidates.give(v, c)
		case e := <-peer.Events():
			err = v.heard(e)
		case <-v.net.soon:
			v.adaptToNetwork()
		case <-clock.C:
			err = v.check()
		}
		if err != nil {
			return err
		}
		v.publish()
	}
}

// heard takes what the connection tells of itself; event takes the rest.
func (v *Viewer) heard(e PeerEvent) error {
	switch e.Kind {
	case Closed:
		return fmt.Errorf("%w: closed by the other side", errGone)
	case Warned:
		if !v.warned {
			v.log.Warn("viewer's media", "error", e.Err)
		}
		v.warned = true
		return nil
	default:
		return v.event(e)
	}
}

// advance moves the phase forward, never back, and sets the time limit of the new one (0: none).
func (v *Viewer) advance(to phase, limit time.Duration) {
	if phase(v.phase.Load()) >= to {
		return
	}
	v.phase.Store(int32(to))
	v.deadline = time.Time{}
	if limit > 0 {
		v.deadline = time.Now().Add(limit)
	}
	v.publish()
}

func (v *Viewer) check() error {
	now := phase(v.phase.Load())
	switch {
	case v.peer.Overflowed():
		return errors.New("more events than a viewer may cause")
	case now < connected && v.detached.Load():
		return fmt.Errorf("%w: left before the connection was up", errGone)
	case now < connected && time.Now().After(v.deadline):
		return fmt.Errorf("%s: no progress in time", now)
	case now < connected:
		return nil
	}
	limit := aliveLimit
	if v.detached.Load() {
		limit = detachedLimit
	}
	silent := v.peer.Alive()
	if silent < 0 {
		silent = time.Since(v.connectedAt)
	}
	if silent > limit {
		return fmt.Errorf("%w: no report for %.0f s", errGone, silent.Seconds())
	}
	n := v.peer.Count()
	v.stat.Sent = &n
	v.adaptToNetwork()
	return nil
}

func (v *Viewer) status() ViewerStatus { return *v.seen.Load() }

// publish makes a copy of the status that others may read.
func (v *Viewer) publish() {
	s := v.stat
	s.State = phase(v.phase.Load()).String()
	s.Detached = v.detached.Load()
	v.seen.Store(&s)
}

func (v *Viewer) methods() Methods {
	return Methods{
		"ping": func(json.RawMessage) (any, error) {
			return map[string]any{"pong": true, "time_ms": time.Now().UnixMilli()}, nil
		},
		"stats": func(json.RawMessage) (any, error) { return v.statsReply(), nil },
	}
}

type videoStats struct {
	Codec      pipeline.Codec `json:"codec"`
	Width      int            `json:"width"`
	Height     int            `json:"height"`
	BitrateBPS int            `json:"bitrate_bps"`
	Frames     uint64         `json:"frames_sent"`
	Dropped    uint64         `json:"frames_dropped"`
}

func (v *Viewer) statsReply() any {
	n := v.peer.Count()
	f := v.b.plan().Format
	if v.net.first != nil {
		if lower, ok := pipeline.ChoiceOf(v.b.plan().Lower, v.stat.Codec); ok && v.net.from == v.net.lower {
			f = lower.Format
		}
		f.Bitrate = int(v.net.from.bitrate())
	}
	return struct {
		IncomingAudioDB *float64   `json:"incoming_audio_rms_db"`
		Incoming        []string   `json:"incoming"`
		Video           videoStats `json:"video"`
	}{
		v.stat.IncomingAudioDB, append([]string{}, v.stat.Incoming...),
		videoStats{v.stat.Codec, f.Width, f.Height, f.Bitrate, n.VideoFrames, n.VideoDropped},
	}
}
