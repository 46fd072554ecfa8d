//go:build !nogst

package gst

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"boardcast/pipeline"
	"boardcast/pipeline/live"
	"boardcast/pipeline/media"
)

// converts is the speaker's graph as pipeline has it, up to the card.
func converts(sink pipeline.Node) pipeline.Graph {
	return pipeline.Graph{
		pipeline.El("appsrc", "is-live=true", "format=time").Named(pipeline.InName), pipeline.El("audioconvert"), pipeline.El("audioresample"), sink,
	}
}

// hears is the graph that decodes a viewer's sound where there is a speaker.
func hears(t *testing.T) pipeline.Plan {
	t.Helper()
	m := Machine()
	p, err := pipeline.Choose(t.Context(), pipeline.Request{Width: 320, Height: 240, FPS: 15, Codec: "vp8", Encoder: "vp8enc"}, pipeline.Given{
		Machine: m, Audio: pipeline.AudioSource{Test: true}, Sink: pipeline.AudioSink{PCM: "hw:CARD=none,DEV=0"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// talkTo runs a broadcast with a speaker, and has another call it, whose ticks are heard.
func talkTo(t *testing.T, speak pipeline.Graph) (a *live.Broadcast, log *safeText) {
	t.Helper()
	log = &safeText{}
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	s := live.NewSpeaker(e, speak, slog.New(slog.NewTextHandler(log, nil)))
	a = live.NewBroadcast(e, hears(t), live.Options{Logger: testLog(t), Grace: time.Second, Speaker: s})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { ended <- a.Run(ctx) }()
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		s.Close()
	})
	va, vb := call(t, a, broadcast(t, e, testPlan(t, e, "vp8")))
	t.Cleanup(func() { hangUp(va, vb) })
	return a, log
}

// talkOf is what became of the only viewer's voice.
func talkOf(a *live.Broadcast) live.TalkStatus {
	if s := a.Status(); len(s.Viewers) == 1 && s.Viewers[0].Talk != nil {
		return *s.Viewers[0].Talk
	}
	return live.TalkStatus{}
}

// What a viewer says comes out of the speaker.
func TestSpeakerPlays(t *testing.T) {
	played := filepath.Join(t.TempDir(), "played")
	a, _ := talkTo(t, converts(pipeline.El("filesink", "location="+played, "sync=false", "async=false", "buffer-mode=unbuffered")))
	const second = 48000 * 2 * 2 // bytes: 48 kHz, two channels of 16 bits
	eventually(t, "a second is played", 20*time.Second, func() bool {
		info, err := os.Stat(played)
		return err == nil && info.Size() > second
	})
	if got := talkOf(a); got.State != "playing" {
		t.Errorf("the viewer's voice: %+v", got)
	}
}

// Speakers that cannot be opened or err while they play end nothing: the picture's frames go on after the error, and the viewer is told.
func TestSpeakerFailsBesideThePicture(t *testing.T) {
	for name, g := range map[string]pipeline.Graph{
		"no such card":            converts(pipeline.El("alsasink", "device=plughw:CARD=nosuch,DEV=0", "sync=false", "async=false")),
		"an error while it plays": append(converts(pipeline.El("identity", "error-after=20")), pipeline.El("fakesink", "sync=false", "async=false")),
	} {
		t.Run(name, func(t *testing.T) {
			a, log := talkTo(t, g)
			eventually(t, "the failure is logged", 20*time.Second, func() bool { return log.has("the speaker plays nothing") })
			eventually(t, "the viewer is told", 10*time.Second, func() bool { return talkOf(a).State == "failed" })
			before := sentTo(a, "callee")
			eventually(t, "pictures are sent after it", 10*time.Second, func() bool { return sentTo(a, "callee") > before+30 })
			t.Logf("%d frames sent at the failure, then 30 more; told: %+v", before, talkOf(a))
		})
	}
}

// listening is an engine that tells into which fan each viewer's sound would go.
type listening struct {
	*Engine
	fans chan media.Fan
}

func (l listening) Peer(ctx context.Context, o media.PeerOptions) (media.Peer, error) {
	l.fans <- o.Heard
	return l.Engine.Peer(ctx, o)
}

// A viewer's sound is kept out of the speaker's fan until the speaker asks for it. Here the speaker does not run, so it never asks.
func TestViewerIsMutedAtFirst(t *testing.T) {
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	l := listening{e, make(chan media.Fan, 1)}
	s := live.NewSpeaker(l, nil, testLog(t))
	a := live.NewBroadcast(l, hears(t), live.Options{Logger: testLog(t), Grace: time.Second, Speaker: s})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		s.Close()
	})
	va, vb := call(t, a, broadcast(t, e, testPlan(t, e, "vp8")))
	defer hangUp(va, vb)
	f := <-l.fans
	heard := func() bool {
		viewers := a.Status().Viewers
		return len(viewers) == 1 && viewers[0].IncomingAudioDB != nil
	}
	eventually(t, "its level comes in", 15*time.Second, heard)
	before := sentTo(a, "callee")
	eventually(t, "a second goes by", 10*time.Second, func() bool { return sentTo(a, "callee") > before+15 })
	if n := f.Count().Frames; n != 0 {
		t.Errorf("%d frames of a muted viewer", n)
	}
}
