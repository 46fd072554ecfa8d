//go:build !nogst

package gst

/*
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
	"boardcast/pipeline/media"
)

// peerQueue is how many events of a viewer may wait for its goroutine: ICE candidates come in bursts of some dozens.
const peerQueue = 128

type peer struct {
	pipe          pipe
	c             *C.Peer
	handle        uintptr
	events        chan media.PeerEvent
	full          atomic.Bool
	mu            sync.Mutex // guards the next three
	subscriptions [2]*C.Subscription
	moving        bool // a call moves the video's subscription
	left          bool // the viewer has left the fans: a call that returns after that frees its own subscription
	once          sync.Once
	err           error
}

// Peer implements [media.Engine].
func (e *Engine) Peer(_ context.Context, o media.PeerOptions) (media.Peer, error) {
	pp, err := newPipe()
	if err != nil {
		return nil, err
	}
	p := &peer{pipe: pp, events: make(chan media.PeerEvent, peerQueue)}
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
	}, func() { // the call loads plugins, and came back after all
		if p.c != nil {
			_ = p.Close()
		}
	})
	if err != nil {
		return nil, fmt.Errorf("make viewer: %w", err)
	}
	return p, nil
}

// kinds maps C's events to the interface's.
var kinds = map[int]media.PeerEventKind{
	evError: media.Failed, evWarning: media.Warned, evClosed: media.Closed, evNegotiate: media.NegotiationNeeded, evDescription: media.Described,
	evSetDone: media.DescriptionSet, evCandidate: media.CandidateFound, evConnection: media.ConnectionChanged,
	evGathering: media.GatheringChanged, evChannelOpen: media.ChannelOpened, evChannelText: media.ChannelMessage,
	evChannelClosed: media.ChannelClosed, evIncoming: media.Incoming, evLevel: media.Level,
	evDropped: media.Dropped,
}

// idle are kinds of event that a viewer may cause without end. They leave half of the queue to the events that keep the connection.
var idle = map[media.PeerEventKind]bool{media.Level: true, media.ChannelMessage: true, media.Warned: true}

func (p *peer) receive(e event) {
	kind, ok := kinds[e.kind]
	if !ok {
		return
	}
	out := media.PeerEvent{Kind: kind, Text: e.text, Index: e.a, State: e.a, DB: e.x}
	switch kind {
	case media.Described:
		out.Type = "offer"
		if e.a == 1 {
			out.Type = "answer"
		}
	case media.Failed, media.Warned, media.Dropped:
		out.Err = problem(e.text)
	case media.DescriptionSet:
		if e.text != "" {
			out.Err = errors.New(e.text)
		}
	}
	if idle[kind] && len(p.events) > peerQueue/2 {
		return
	}
	p.tell(out)
}

func (p *peer) tell(e media.PeerEvent) {
	select {
	case p.events <- e:
	default:
		p.full.Store(true)
	}
}

// report hands a TWCC report on. A report that finds the queue half full is dropped: the next one tells of newer packets.
func (p *peer) report(f congestion.Feedback) {
	if len(p.events) > peerQueue/2 {
		return
	}
	select {
	case p.events <- media.PeerEvent{Kind: media.Reported, Report: f}:
	default:
	}
}

func (p *peer) Events() <-chan media.PeerEvent { return p.events }

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

// call bounds a call on the viewer. A call that does not come back ends the viewer, also where it returns nothing.
func (p *peer) call(what string, f func() error) error {
	err := p.pipe.do(callLimit, f, nil)
	if errors.Is(err, media.ErrStuck) {
		err = fmt.Errorf("%s: %w", what, err)
		p.tell(media.PeerEvent{Kind: media.Failed, Err: err})
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

// subscriptionBound is how many frames may wait in a viewer's appsrc before it loses all up to the next keyframe. Ten frames of video are
// a third of a second, 25 of sound half a second: then the picture is late already, and what waits longer would be later still.
var subscriptionBound = [2]C.guint{pipeline.VideoSlot: 10, pipeline.AudioSlot: 25}

func (p *peer) Attach(slot pipeline.Slot, k agreement.Packets, f media.Fan) error {
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
			return media.ErrStuck // the viewer has left, and the caller of this call has given up waiting
		}
		p.subscriptions[slot] = s
		return nil
	})
}

// callOn is call with a fan, which is not freed before the call comes back.
func (p *peer) callOn(what string, f media.Fan, do func(*C.Fan) error) error {
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

// Resume is called without a time limit. It waits at most for a fan's lock, which is held while one frame is handed round. That takes no
// time to speak of, since no appsrc waits before it takes a frame.
func (p *peer) Resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.subscriptions {
		if s != nil {
			C.subscription_start(s)
		}
	}
}

// KeyframesOnly is called without a time limit: no holder of its locks waits for anything.
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

func (p *peer) Feed(f media.Fan) {
	_ = p.callOn("feed", f, func(c *C.Fan) error {
		p.mu.Lock()
		s, busy := p.subscriptions[pipeline.VideoSlot], p.moving
		p.moving = s != nil
		p.mu.Unlock()
		switch {
		case s == nil:
			return nil
		case busy: // an earlier call has not come back
			return media.ErrStuck
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

// leave takes the viewer out of the fans. Where a call is moving a subscription, that call frees it when it comes back.
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

// Hear is called without a time limit: it sets one number.
func (p *peer) Hear(on bool) { C.peer_hear(p.c, gboolean(on)) }

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

func (p *peer) Count() media.PeerCount {
	p.mu.Lock()
	defer p.mu.Unlock()
	var n [2]C.SubscriptionCount
	for i, s := range p.subscriptions {
		if s != nil {
			C.subscription_count(s, &n[i])
		}
	}
	return media.PeerCount{
		VideoFrames: uint64(n[0].pushed), VideoDropped: uint64(n[0].dropped),
		AudioFrames: uint64(n[1].pushed), AudioDropped: uint64(n[1].dropped),
		Bytes: uint64(n[0].bytes) + uint64(n[1].bytes),
	}
}

// quiet waits until webrtcbin has done what it was asked for, and lets nothing else begin.
func (p *peer) quiet() { C.peer_quiet(p.c) }

// Close stops the viewer's whole pipeline at once; the fans go on without it.
func (p *peer) Close() error { return p.close(stopLimit) }

func (p *peer) close(limit time.Duration) error {
	p.once.Do(func() {
		until := time.Now().Add(limit)
		idle := p.pipe.settle(limit)
		p.leave()
		unregister(p.handle)
		err := media.ErrStuck
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
