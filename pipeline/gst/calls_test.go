//go:build e2e && !nogst

package gst

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-gst/go-gst/gst"

	"boardcast/pipeline"
	"boardcast/pipeline/agreement"
	"boardcast/pipeline/media"
)

// soon is a time limit in tests for what does not come back.
const soon = 100 * time.Millisecond

func TestCallsAreCounted(t *testing.T) {
	var c calls
	if err := c.do(time.Second, func() error { return nil }, nil); err != nil {
		t.Fatal(err)
	}
	release, late := make(chan struct{}), make(chan struct{})
	if err := c.do(soon, func() error { <-release; return nil }, func() { close(late) }); !errors.Is(err, media.ErrStuck) {
		t.Errorf("a call that does not come back: %v", err)
	}
	if c.settle(soon) {
		t.Error("settled while a call is busy")
	}
	if err := c.do(soon, func() error { t.Error("called"); return nil }, nil); !errors.Is(err, errClosed) {
		t.Errorf("a call after the end: %v", err)
	}
	close(release)
	<-late
	if !c.settle(0) {
		t.Error("not settled when the call has come back")
	}
}

// A graph whose elements are not made in time is given up. This deadline has passed when the call begins.
func TestBuildIsBounded(t *testing.T) {
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	f := e.Fan(false)
	defer f.Close()
	s, err := e.build(-time.Second, pipeline.Graph{pipeline.El("videotestsrc"), pipeline.El("appsink").Named("out")}, nil, f)
	if s != nil || !errors.Is(err, media.ErrStuck) || !strings.Contains(err.Error(), "build graph") {
		t.Errorf("given up: %v, %v", s, err)
	}
}

func leftBehind() int {
	abandoned.mu.Lock()
	defer abandoned.mu.Unlock()
	return len(abandoned.pipes)
}

// A stage in which a call is busy is not freed when it is closed.
func TestStageIsNotFreedUnderACall(t *testing.T) {
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	f := e.Fan(false)
	defer f.Close()
	g := pipeline.Graph{
		pipeline.El("videotestsrc", "is-live=true"), pipeline.El("identity").Named(pipeline.EncoderName),
		pipeline.El("appsink", "drop=true", "max-buffers=1", "sync=false").Named("out"),
	}
	started, err := e.Start(t.Context(), g, nil, f)
	if err != nil {
		t.Fatal(err)
	}
	s := started.(*stage)
	encoder, err := s.pipe.p.GetElementByName(pipeline.EncoderName)
	if err != nil {
		t.Fatal(err)
	}
	entered, release, left := make(chan struct{}), make(chan struct{}), make(chan struct{})
	if _, err := encoder.Connect("notify::error-after", func() { close(entered); <-release }); err != nil {
		t.Fatal(err)
	}
	before := leftBehind()
	if err := s.set(soon, pipeline.EncoderName, "error-after", "100000"); !errors.Is(err, media.ErrStuck) {
		t.Errorf("a setting that blocks: %v", err)
	}
	<-entered
	if err := s.close(soon); !errors.Is(err, media.ErrStuck) {
		t.Errorf("closed while it is set: %v", err)
	}
	if n := leftBehind(); n != before+1 {
		t.Errorf("%d pipelines are left behind, of %d before", n, before)
	}
	if now := s.pipe.p.GetCurrentState(); now != gst.StatePlaying {
		t.Errorf("the pipeline is %v", now)
	}
	go func() { defer close(left); s.pipe.settle(10 * time.Second) }()
	close(release)
	<-left // the call has come back, in memory that is still there
	if err := s.Set(pipeline.EncoderName, "error-after", "1"); !errors.Is(err, errClosed) {
		t.Errorf("a setting after the end: %v", err)
	}
}

// A viewer that is closed while it is joined to a fan leaves nothing there when the call comes back.
func TestLateAttachLeavesTheFan(t *testing.T) {
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	f := e.Fan(true)
	made, err := e.Peer(t.Context(), media.PeerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p := made.(*peer)
	if err = p.AddMedia(pipeline.VideoSlot, -1, pipeline.Preferences(pipeline.VP8, pipeline.VideoFormat{}, 96), "sendonly"); err != nil {
		t.Fatal(err)
	}
	pads, err := element(t, p, "webrtcbin").GetSinkPads()
	if err != nil || len(pads) != 1 {
		t.Fatal(pads, err)
	}
	entered, release := make(chan struct{}), make(chan struct{})
	pads[0].AddProbe(gst.PadProbeTypeQueryDownstream, func(*gst.Pad, *gst.PadProbeInfo) gst.PadProbeReturn {
		select {
		case <-release:
		case entered <- struct{}{}:
			<-release
		}
		return gst.PadProbeOK
	})
	attached := make(chan error, 1)
	go func() {
		attached <- p.Attach(pipeline.VideoSlot, agreement.Packets{Payloader: pipeline.El("rtpvp8pay"), Type: 96, Source: 1}, f)
	}()
	<-entered
	if err := p.close(soon); !errors.Is(err, media.ErrStuck) {
		t.Errorf("closed while it is attached: %v", err)
	}
	close(release)
	if err := <-attached; err == nil {
		t.Error("attached to what is closed")
	}
	if n := consumers(f.(*fan)); n != 0 {
		t.Errorf("the fan has %d consumers", n)
	}
	f.Close()
}

// What a viewer may cause without end leaves room for what keeps the connection.
func TestFloodLeavesRoom(t *testing.T) {
	for _, kind := range []int{evWarning, evLevel, evChannelText} {
		p := &peer{events: make(chan media.PeerEvent, peerQueue)}
		for range 10 * peerQueue {
			p.receive(event{kind: kind, text: "queue0: full\n"})
		}
		p.receive(event{kind: evClosed})
		if p.Overflowed() || len(p.events) > peerQueue/2+2 {
			t.Errorf("events of kind %d: %d wait, overflowed: %v", kind, len(p.events), p.Overflowed())
		}
	}
}
