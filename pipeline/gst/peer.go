//go:build !nogst

package gst

/*
#include "fan.h"
#include "peer.h"
#include <stdlib.h>
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"boardcast/pipeline"
	"boardcast/pipeline/agreement"
	"boardcast/pipeline/congestion"
	"boardcast/pipeline/live"
)

// peerQueue holds what happens to a viewer between two turns of its goroutine: candidates come in bursts of some dozens.
const peerQueue = 128

type peer struct {
	pipe          pipe
	c             *C.Peer
	handle        uintptr
	events        chan live.PeerEvent
	full          atomic.Bool
	mu            sync.Mutex // guards the next three
	subscriptions [2]*C.Subscription
	moving        bool // a call moves the video's subscription
	left          bool // the fans: what a late call does with a subscription is to free it
	once          sync.Once
	err           error
}

// Peer implements [live.Engine].
func (e *Engine) Peer(_ context.Context, o live.PeerOptions) (live.Peer, error) {
	pp, err := newPipe()
	if err != nil {
		return nil, err
	}
	p := &peer{pipe: pp, events: make(chan live.PeerEvent, peerQueue)}
	p.handle = register(p)
	err = pp.do(startLimit, func() error {
		opts, free := cOptions(o)
		defer free()
		var problem *C.char
		if p.c = C.peer_new(pp.c(), opts, C.uintptr_t(p.handle), &problem); p.c == nil {
			unregister(p.handle)
			return errors.New(C.GoString(problem))
		}
		return nil
	}, func() { // it loads plugins, and came back after all
		if p.c != nil {
			_ = p.Close()
		}
	})
	if err != nil {
		return nil, fmt.Errorf("make viewer: %w", err)
	}
	return p, nil
}

// cOptions copies the options into C memory, so that the struct holds no Go pointer.
func cOptions(o live.PeerOptions) (*C.PeerOptions, func()) {
	c := (*C.PeerOptions)(C.calloc(1, C.sizeof_PeerOptions))
	owned := []unsafe.Pointer{unsafe.Pointer(c)}
	str := func(s string) *C.char {
		p := C.CString(s)
		owned = append(owned, unsafe.Pointer(p))
		return p
	}
	list := func(texts []string) **C.char {
		p := (**C.char)(C.calloc(C.size_t(len(texts)+1), C.size_t(unsafe.Sizeof((*C.char)(nil)))))
		owned = append(owned, unsafe.Pointer(p))
		for i, t := range texts {
			unsafe.Slice(p, len(texts)+1)[i] = str(t)
		}
		return p
	}
	if o.STUN != "" {
		c.stun = str(o.STUN)
	}
	c.turn = list(o.TURN)
	near := make([]string, len(o.Near))
	for i, a := range o.Near {
		near[i] = a.String()
	}
	c.addresses = list(near)
	c.audio_graph, c.video_graph = str(o.Audio.String()), str(o.Video.String())
	c.ice_tcp = 1
	return c, func() {
		for _, p := range owned {
			C.free(p)
		}
	}
}

// kinds maps C's events to the interface's.
var kinds = map[int]live.PeerEventKind{
	evError: live.Failed, evWarning: live.Warned, evClosed: live.Closed, evNegotiate: live.NegotiationNeeded, evDescription: live.Described,
	evSetDone: live.DescriptionSet, evCandidate: live.CandidateFound, evConnection: live.ConnectionChanged,
	evGathering: live.GatheringChanged, evChannelOpen: live.ChannelOpened, evChannelText: live.ChannelMessage,
	evChannelClosed: live.ChannelClosed, evIncoming: live.Incoming, evLevel: live.Level,
}

// idle are the kinds of which a viewer may cause a flood, which never crowds out what keeps the connection.
var idle = map[live.PeerEventKind]bool{live.Level: true, live.ChannelMessage: true, live.Warned: true}

func (p *peer) receive(e event) {
	kind, ok := kinds[e.kind]
	if !ok {
		return
	}
	out := live.PeerEvent{Kind: kind, Text: e.text, Index: e.a, State: e.a, DB: e.x}
	switch kind {
	case live.Described:
		out.Type = "offer"
		if e.a == 1 {
			out.Type = "answer"
		}
	case live.Failed, live.Warned:
		out.Err = problem(e.text)
	case live.DescriptionSet:
		if e.text != "" {
			out.Err = errors.New(e.text)
		}
	}
	if idle[kind] && len(p.events) > peerQueue/2 {
		return
	}
	p.tell(out)
}

func (p *peer) tell(e live.PeerEvent) {
	select {
	case p.events <- e:
	default:
		p.full.Store(true)
	}
}

// report hands a report on; one that finds the queue half full is dropped, for the next tells of newer packets.
func (p *peer) report(f congestion.Feedback) {
	if len(p.events) > peerQueue/2 {
		return
	}
	select {
	case p.events <- live.PeerEvent{Kind: live.Reported, Report: f}:
	default:
	}
}

func (p *peer) Events() <-chan live.PeerEvent { return p.events }

func (p *peer) AddMedia(slot pipeline.Slot, section int, preferences, direction string) error {
	return p.call("add media", func() error {
		c, freeC := cString(preferences)
		defer freeC()
		d, freeD := cString(direction)
		defer freeD()
		if C.peer_media(p.c, C.int(slot), C.int(section), c, d) == 0 {
			return fmt.Errorf("add %q at section %d: refused", preferences, section)
		}
		return nil
	})
}

func (p *peer) Open(label string) error {
	if err := p.pipe.ready(); err != nil {
		return fmt.Errorf("ready viewer: %w", err)
	}
	if label != "" {
		err := p.call("make data channel", func() error {
			l, free := cString(label)
			defer free()
			if C.peer_channel(p.c, l) == 0 {
				return errors.New("make data channel: no SCTP plugin (gstreamer1.0-plugins-bad)")
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if err := p.pipe.play(startLimit, nil); err != nil {
		return fmt.Errorf("start viewer: %w", err)
	}
	return nil
}

// call bounds a call on the viewer. One that does not come back ends it, also where the call returns nothing.
func (p *peer) call(what string, f func() error) error {
	err := p.pipe.do(callLimit, f, nil)
	if errors.Is(err, live.ErrStuck) {
		err = fmt.Errorf("%s: %w", what, err)
		p.tell(live.PeerEvent{Kind: live.Failed, Err: err})
	}
	return err
}

func (p *peer) Offer()  { _ = p.call("offer", func() error { C.peer_offer(p.c); return nil }) }
func (p *peer) Answer() { _ = p.call("answer", func() error { C.peer_answer(p.c); return nil }) }

func (p *peer) SetLocal(typ, sdp string) error  { return p.set(0, typ, sdp) }
func (p *peer) SetRemote(typ, sdp string) error { return p.set(1, typ, sdp) }

func (p *peer) set(remote C.gboolean, typ, sdp string) error {
	return p.call("set description", func() error {
		s, free := cString(sdp)
		defer free()
		if bad := C.peer_set(p.c, remote, gboolean(typ == "offer"), s); bad != nil {
			return errors.New(C.GoString(bad))
		}
		return nil
	})
}

func (p *peer) AddCandidate(section int, candidate string) {
	_ = p.call("add candidate", func() error {
		c, free := cString(candidate)
		defer free()
		C.peer_candidate(p.c, C.guint(section), c)
		return nil
	})
}

func (p *peer) Take(types []int) {
	_ = p.call("take payload types", func() error {
		c := make([]C.int, len(types))
		for i, t := range types {
			c[i] = C.int(t)
		}
		C.peer_allow(p.c, unsafe.SliceData(c), C.int(len(c)))
		return nil
	})
}

// subscriptionBound is how many frames may wait for a viewer's network before it loses a group of pictures.
var subscriptionBound = [2]C.guint{pipeline.VideoSlot: 10, pipeline.AudioSlot: 25}

func (p *peer) Attach(slot pipeline.Slot, k agreement.Packets, f live.Fan) error {
	return p.callOn("attach", f, func(c *C.Fan) error {
		payloader, free := cString(k.Payloader.String())
		defer free()
		extension, freeExtension := cString(k.Extension())
		defer freeExtension()
		packets := C.Packets{payloader, C.int(k.Type), C.uint32_t(k.Source), C.int(k.TWCCID), extension}
		var bad *C.char
		s := C.peer_attach(p.c, C.int(slot), &packets, c, subscriptionBound[slot], &bad)
		if s == nil {
			return fmt.Errorf("send %s of type %d: %s", k.Payloader.Factory, k.Type, C.GoString(bad))
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.left {
			C.subscription_free(s)
			return live.ErrStuck // nobody listens any more
		}
		p.subscriptions[slot] = s
		return nil
	})
}

// callOn is call with a fan, which is kept until the call comes back.
func (p *peer) callOn(what string, f live.Fan, do func(*C.Fan) error) error {
	c := C.fan_ref(cFan(f))
	err := p.call(what, func() error {
		defer C.fan_unref(c)
		return do(c)
	})
	if errors.Is(err, errClosed) {
		C.fan_unref(c) // nothing was called
	}
	return err
}

// Resume is not bounded: it takes a fan's lock, which is held while a frame is handed round, and what it gives an appsrc is taken
// at once.
func (p *peer) Resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.subscriptions {
		if s != nil {
			C.subscription_start(s)
		}
	}
}

// KeyframesOnly is not bounded: it takes locks that nobody holds while waiting.
func (p *peer) KeyframesOnly(keyframesOnly bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.subscriptions[pipeline.VideoSlot]; s != nil {
		C.subscription_keyframes_only(s, gboolean(keyframesOnly))
		if keyframesOnly {
			C.peer_keyframe_follows(p.c)
		}
	}
}

func (p *peer) Feed(f live.Fan) {
	_ = p.callOn("feed", f, func(c *C.Fan) error {
		p.mu.Lock()
		s, busy := p.subscriptions[pipeline.VideoSlot], p.moving
		p.moving = s != nil
		p.mu.Unlock()
		switch {
		case s == nil:
			return nil
		case busy: // a call from before does not come back
			return live.ErrStuck
		}
		C.subscription_move(s, c) // makes a payloader where there is none
		p.mu.Lock()
		defer p.mu.Unlock()
		p.moving = false
		if p.left {
			C.subscription_free(s)
		}
		return nil
	})
}

// leave takes the viewer out of the fans. A subscription that a call is moving is freed by that call.
func (p *peer) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left = true
	for slot, s := range p.subscriptions {
		if s != nil && (slot != int(pipeline.VideoSlot) || !p.moving) {
			C.subscription_free(s)
		}
	}
	p.subscriptions = [2]*C.Subscription{}
}

func (p *peer) Fed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.subscriptions[pipeline.VideoSlot]
	return s == nil || !p.moving && C.subscription_moved(s) != 0
}

func (p *peer) Send(channel int, text string) bool {
	sent := false
	_ = p.call("send", func() error {
		t, free := cString(text)
		defer free()
		sent = C.peer_send(p.c, C.int(channel), t) != 0
		return nil
	})
	return sent
}

func (p *peer) Alive() time.Duration {
	us := int64(C.peer_rtcp_us(p.c))
	if us == 0 {
		return -1
	}
	return time.Duration(int64(C.g_get_monotonic_time())-us) * time.Microsecond
}

func (p *peer) Overflowed() bool { return p.full.Load() }

func (p *peer) Count() live.PeerCount {
	p.mu.Lock()
	defer p.mu.Unlock()
	var n [2]C.SubscriptionCount
	for i, s := range p.subscriptions {
		if s != nil {
			C.subscription_count(s, &n[i])
		}
	}
	return live.PeerCount{
		VideoFrames: uint64(n[0].pushed), VideoDropped: uint64(n[0].dropped),
		AudioFrames: uint64(n[1].pushed), AudioDropped: uint64(n[1].dropped),
	}
}

// quiet waits for what was asked of webrtcbin, and has nothing begin any more.
func (p *peer) quiet() { C.peer_quiet(p.c) }

// Close stops the viewer's whole pipeline at once; the fans go on without it.
func (p *peer) Close() error { return p.close(stopLimit) }

func (p *peer) close(limit time.Duration) error {
	p.once.Do(func() {
		until := time.Now().Add(limit)
		idle := p.pipe.settle(limit)
		p.leave()
		unregister(p.handle)
		err := live.ErrStuck
		if idle {
			err = bounded(limit, func() error { p.quiet(); return nil }, nil)
		}
		if err == nil {
			err = p.pipe.stop(max(time.Until(until), 0), func() { C.peer_free(p.c) })
		} else {
			err = abandon(p.pipe)
		}
		if err != nil {
			p.err = fmt.Errorf("stop viewer: %w", err)
		}
	})
	return p.err
}
