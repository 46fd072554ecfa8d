package live

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"boardcast/pipeline"
	"boardcast/pipeline/media"
	"boardcast/pipeline/media/fake"
	"boardcast/pipeline/produce"
)

// pair is two viewers, the first on a fast link.
type pair struct {
	b          *Broadcast
	e          *fake.Engine
	v          [2]*Viewer
	p          [2]*fake.Peer
	fast, slow *fakeLink
}

func twoViewers(t *testing.T) *pair {
	t.Helper()
	a := &pair{fast: &fakeLink{}, slow: &fakeLink{}}
	a.b, a.e = startBroadcast(t, Options{Grace: time.Second})
	for i := range a.v {
		a.v[i], a.p[i], _ = join(t, a.b, a.e)
		connectFollowing(a.v[i], a.p[i])
	}
	return a
}

func (a *pair) lower() *produce.Producer { return a.b.lower[pipeline.H264] }

// run lets both viewers report, the second over a link that carries so many bit/s.
func (a *pair) run(seconds, carries int) {
	for range seconds * 10 {
		a.fast.report(a.p[0], int(a.b.coded[pipeline.H264].Bitrate()), 10_000_000)
		from := a.b.coded[pipeline.H264]
		if a.second().Rendition != "" {
			from = a.lower()
		}
		if !a.second().KeyframesOnly {
			a.slow.report(a.p[1], int(from.Bitrate()), carries)
		}
	}
}

func (a *pair) second() ViewerStatus { return a.v[1].status() }

func (a *pair) producer(name string) produce.Status {
	s := a.b.Status()
	return s.Producers[slices.IndexFunc(s.Producers, func(p produce.Status) bool { return p.Name == name })]
}

// A slow viewer is sent the lower rendition, which runs only then. When its link carries the first rendition, the viewer gets that again.
func TestSlowViewerGetsTheLowerRendition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := twoViewers(t)
		a.run(4, 10_000_000)
		if p := a.producer("h264-lower"); p.Users != 0 || p.Encoder != "" {
			t.Errorf("the lower rendition runs for nobody: %+v", p)
		}
		first := encoderOf(t, a.e)
		asked := len(first.Forced())
		a.run(9, 200_000)
		if n := len(first.Forced()) - asked; n != 0 {
			t.Errorf("%d keyframes of the first rendition, which fill the link of who leaves it", n)
		}
		if s := a.second(); s.Rendition != renditionLower || s.KeyframesOnly {
			t.Fatalf("status %+v", s)
		}
		p, mean := a.producer("h264-lower"), 0
		for range 4 { // the policy tries a higher rate now and then
			a.run(1, 200_000)
			mean += int(a.lower().Bitrate()) / 4
		}
		if p.Users != 1 || p.Encoder == "" || mean < 100_000 || mean > 200_000 {
			t.Errorf("lower rendition %+v at %d bit/s, want one user at what its link carries", p, mean)
		}
		if p := a.producer("h264"); p.Users != 1 || p.Bitrate < 1_400_000 {
			t.Errorf("first rendition %+v, want one user and the whole rate", p)
		}
		stage := a.e.Started()[len(a.e.Started())-1].Graph.String()
		if !strings.Contains(stage, "width=320,height=240") {
			t.Errorf("the lower rendition is %s", stage)
		}
		a.run(30, 10_000_000)
		if s := a.second(); s.Rendition != "" || s.KeyframesOnly {
			t.Errorf("status %+v with a good link", s)
		}
		if p := a.producer("h264-lower"); p.Users != 0 || p.Encoder != "" {
			t.Errorf("the lower rendition still runs: %+v", p)
		}
		if p := a.producer("h264"); p.Users != 2 {
			t.Errorf("first rendition %+v", p)
		}
		said := a.p[1].Said()
		if paused, fed := slices.Index(said, "keyframes only true"), slices.Index(said, "feed"); paused < 0 || paused > fed {
			t.Errorf("a full link is given something until it is sure: %q", said)
		}
		feeds := slices.DeleteFunc(said, func(s string) bool { return s != "feed" })
		if len(feeds) != 2 || slices.Contains(a.p[0].Said(), "feed") {
			t.Errorf("%d moves of the slow viewer; the other: %q", len(feeds), a.p[0].Said())
		}
	})
}

// A paused viewer sends no feedback, and is given the lower rendition without it.
func TestHeldViewerNeedsNoReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := twoViewers(t)
		a.run(6, 10_000_000)
		for range 20 {
			a.fast.report(a.p[0], int(a.b.coded[pipeline.H264].Bitrate()), 10_000_000)
			if slices.Contains(a.p[1].Said(), "keyframes only true") {
				break
			}
			a.slow.report(a.p[1], int(a.b.coded[pipeline.H264].Bitrate()), 400_000)
		}
		if said := a.p[1].Said(); !slices.Contains(said, "keyframes only true") || slices.Contains(said, "feed") {
			t.Fatalf("%q, want the full link to be given nothing", said)
		}
		<-time.After(500 * time.Millisecond)
		if said := a.p[1].Said(); !slices.Contains(said, "feed") {
			t.Errorf("%q after half a second without a report", said)
		}
	})
}

// Where the lower rendition does not run, or not yet, a slow viewer gets keyframes of the first.
func TestLowerRenditionThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := twoViewers(t)
		a.run(5, 10_000_000)
		a.e.Refuses("appsrc", errors.New("no second session"))
		a.run(15, 200_000)
		if s := a.second(); s.Rendition != "" || !s.KeyframesOnly {
			t.Fatalf("status %+v, want keyframes", s)
		}
		if p := a.producer("h264"); p.Users != 2 || p.Encoder == "" {
			t.Errorf("first rendition %+v", p)
		}
		a.e.Refuses("appsrc", nil)
		<-time.After(30 * time.Second)
		a.v[1].Receive(Message{}) // changes nothing
		<-time.After(2 * time.Second)
		if s := a.second(); s.Rendition != renditionLower {
			t.Errorf("status %+v once it works", s)
		}
		a.e.Refuses("appsrc", errors.New("no second session"))
		stages := a.e.Started()
		stages[len(stages)-1].Post <- media.StageEvent{Err: errors.New("broken")}
		<-time.After(5 * time.Second)
		if s := a.second(); s.Rendition != "" || !s.KeyframesOnly {
			t.Errorf("status %+v when it is broken, want keyframes", s)
		}
	})
}

// A viewer that leaves from the lower rendition leaves nothing behind.
func TestLeavingTheLowerRendition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := twoViewers(t)
		a.run(13, 200_000)
		if s := a.second(); s.Rendition != renditionLower {
			t.Fatalf("status %+v", s)
		}
		a.v[1].Close()
		<-a.v[1].Done()
		<-time.After(3 * time.Second)
		if p := a.producer("h264-lower"); p.Users != 0 || p.Encoder != "" {
			t.Errorf("lower rendition %+v", p)
		}
		if n, first := a.lower().Rate().Viewers(), a.b.coded[pipeline.H264].Rate().Viewers(); n != 0 || first != 1 {
			t.Errorf("%d viewers are counted, and %d of the first rendition", n, first)
		}
	})
}

// A viewer that moves to the lower rendition gets all frames of it, also if it got only keyframes of the first.
func TestMoveEndsKeyframesOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := twoViewers(t)
		a.run(4, 10_000_000)
		a.run(9, 200_000)
		said := slices.DeleteFunc(a.p[1].Said(), func(s string) bool { return s != "feed" && !strings.HasPrefix(s, "keyframes only") })
		if want := []string{"keyframes only true", "feed"}; !slices.Equal(said, want) {
			t.Errorf("the peer was told %q, want %q", said, want)
		}
	})
}

// A viewer that turns back before the other rendition took over is fed as before.
func TestFeedTurnsBack(t *testing.T) {
	first, lower := &produce.Producer{}, &produce.Producer{}
	f := feed{from: first}
	f.lead(lower)
	if f.to() != lower || f.from != first || f.next != lower {
		t.Errorf("on the way to the lower rendition: %+v", f)
	}
	f.lead(first)
	if f.to() != first || f.next != nil {
		t.Errorf("back to the first: %+v", f)
	}
}
