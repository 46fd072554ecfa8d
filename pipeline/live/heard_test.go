package live

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"boardcast/pipeline"
	"boardcast/pipeline/media"
	"boardcast/pipeline/media/fake"
)

// A connection that the viewer closes is over at once, and is no failure. Of an element's warnings the first of each viewer is logged.
func TestViewerHears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		e := fake.NewEngine()
		b := NewBroadcast(e, testPlan(t, pipeline.Request{}), Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); _ = b.Run(ctx) }()
		v, p, _ := join(t, b, e)
		for range 2 {
			events(p, media.PeerEvent{Kind: media.Warned, Err: errors.New("no element such")})
		}
		select {
		case <-v.Done():
			t.Error("a complaint ends the viewer")
		default:
		}
		events(p, media.PeerEvent{Kind: media.Closed})
		<-v.Done()
		cancel()
		<-ended
		text := log.String()
		if n := strings.Count(text, "no element such"); n != 1 {
			t.Errorf("a complaint is logged %d times", n)
		}
		if !strings.Contains(text, "viewer gone") || !strings.Contains(text, "closed the connection") {
			t.Errorf("the end is logged as %s", text)
		}
	})
}

// What a viewer sends and cannot be played is logged, also after another warning of the viewer's, and ends nothing.
func TestViewerIsServedAlthoughItsMediaAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		e := fake.NewEngine()
		b := NewBroadcast(e, testPlan(t, pipeline.Request{}), Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); _ = b.Run(ctx) }()
		v, p, _ := join(t, b, e)
		events(p, media.PeerEvent{Kind: media.Warned, Err: errors.New("no element such")}, media.PeerEvent{Kind: media.ConnectionChanged, State: media.ConnectionConnected},
			media.PeerEvent{Kind: media.Dropped, Index: int(pipeline.VideoSlot), Err: errors.New("no screen")},
			media.PeerEvent{Kind: media.Dropped, Index: int(pipeline.AudioSlot), Err: errors.New("no decoder")})
		select {
		case <-v.Done():
			t.Error("media that are dropped end the viewer")
		default:
		}
		cancel()
		<-ended
		for _, want := range []string{`media=video error="no screen"`, `media=audio error="no decoder"`} {
			if n := strings.Count(log.String(), want); n != 1 {
				t.Errorf("%d lines with %s in:\n%s", n, want, log.String())
			}
		}
	})
}

// RTP is let in of the payload types of those sections in which we receive.
func TestViewerTakesIn(t *testing.T) {
	for _, c := range []struct {
		name             string
		oneWay, offering bool
		silent           bool // no speaker is wanted
		display          bool // video is shown
		want             []int
	}{
		{"our offer takes sound in", false, true, false, false, []int{111}},
		{"we send alone", true, true, false, false, nil},
		{"an offer's sound without a speaker", false, false, true, true, []int{120}},
		{"an offer is answered with all of it", false, false, false, true, []int{120, 111}},
		{"an offer's video without a display", false, false, false, false, []int{111}},
		{"a player's offer with nothing", true, false, false, true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				plan := testPlan(t, pipeline.Request{})
				plan.Talkback, plan.Display = !c.silent, c.display
				b, e := startPlan(t, plan, Options{})
				v, p, _ := join(t, b, e)
				both := strings.NewReplacer("a=recvonly", "a=sendrecv").Replace
				if c.offering {
					v.Receive(Message{OfferRequest: true, OneWay: c.oneWay})
					synctest.Wait()
					events(p, media.PeerEvent{Kind: media.NegotiationNeeded}, described(p, "offer"))
					answer := answerOf(chromiumVideo, both(opusAudio), dataSection)
					if c.oneWay {
						answer = sdpOf(chromiumVideo, both(opusAudio))
					}
					v.Receive(Message{Type: "answer", SDP: answer})
					synctest.Wait()
					events(p, media.PeerEvent{Kind: media.DescriptionSet, Index: 1})
				} else {
					v.Receive(Message{Type: "offer", SDP: both(sdpOf(opusAudio, firefoxVideo, dataSection)), OneWay: c.oneWay})
					synctest.Wait()
					events(p, media.PeerEvent{Kind: media.DescriptionSet, Index: 1}, described(p, "answer"))
				}
				p.Mu.Lock()
				defer p.Mu.Unlock()
				if diff := cmp.Diff(c.want, p.Taken); diff != "" {
					t.Errorf("taken in (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// Our own offer asks for sound unless the settings want no speaker, and for video where it is shown.
func TestViewerIsAskedFor(t *testing.T) {
	for _, c := range []struct {
		name    string
		plan    pipeline.Plan // Talkback and Display
		oneWay  bool
		silent  bool // we have no sound of our own
		want    []string
		without string // a call that must not be there
	}{
		{"sound", pipeline.Plan{Incoming: pipeline.Incoming{Talkback: true}}, false, false, []string{"media 0 at -1 sendonly", "media 1 at -1 sendrecv"}, ""},
		{"nothing", pipeline.Plan{}, false, false, []string{"media 0 at -1 sendonly", "media 1 at -1 sendonly"}, ""},
		{"nothing of a camera without sound", pipeline.Plan{}, false, true, []string{"media 0 at -1 sendonly"}, "media 1"},
		{"both", pipeline.Plan{Incoming: pipeline.Incoming{Talkback: true, Display: true}}, false, false, []string{"media 0 at -1 sendrecv", "media 1 at -1 sendrecv"}, ""},
		{"nothing of a player", pipeline.Plan{Incoming: pipeline.Incoming{Talkback: true, Display: true}}, true, false, []string{"media 0 at -1 sendonly", "media 1 at -1 sendonly"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				plan := testPlan(t, pipeline.Request{})
				plan.Talkback, plan.Display = c.plan.Talkback, c.plan.Display
				if c.silent {
					plan.Audio = nil
				}
				b, e := startPlan(t, plan, Options{})
				v, p, _ := join(t, b, e)
				v.Receive(Message{OfferRequest: true, OneWay: c.oneWay})
				synctest.Wait()
				calls := strings.Join(p.Said(), "\n")
				for _, want := range c.want {
					if !strings.Contains(calls, want) {
						t.Errorf("no %q in:\n%s", want, calls)
					}
				}
				if c.without != "" && strings.Contains(calls, c.without) {
					t.Errorf("%q in:\n%s", c.without, calls)
				}
			})
		})
	}
}
