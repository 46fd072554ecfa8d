package live

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"boardcast/pipeline"
)

// pair is two viewers, the first on a fast link.
type pair struct {
	b          *Broadcast
	e          *fakeEngine
	v          [2]*Viewer
	p          [2]*fakePeer
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

func (a *pair) lower() *producer { return a.b.lower[pipeline.H264] }

// run lets both report, the second over a link that carries so much of what it is sent.
func (a *pair) run(seconds, carries int) {
	for range seconds * 10 {
		a.fast.report(a.p[0], int(a.b.coded[pipeline.H264].bitrate()), 10_000_000)
		from := a.b.coded[pipeline.H264]
		if a.second().Rendition != "" {
			from = a.lower()
		}
		if !a.second().KeyframesOnly {
			a.slow.report(a.p[1], int(from.bitrate()), carries)
		}
	}
}

func (a *pair) second() ViewerStatus { return a.v[1].status() }

func (a *pair) producer(name string) ProducerStatus {
	s := a.b.Status()
	return s.Producers[slices.IndexFunc(s.Producers, func(l ProducerStatus) bool { return l.Name == name })]
}

// A slow viewer is given the lower rendition, which runs only then, and everything again when its link is well.
func TestSlowViewerGetsTheLowerRendition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := twoViewers(t)
		a.run(4, 10_000_000)
		if l := a.producer("h264-lower"); l.Users != 0 || l.Encoder != "" {
			t.Errorf("the lower rendition runs for nobody: %+v", l)
		}
		first := encoderOf(t, a.e)
		asked := len(first.forced())
		a.run(9, 200_000)
		if n := len(first.forced()) - asked; n != 0 {
			t.Errorf("%d keyframes of the first rendition, which fill the link of who leaves it", n)
		}
		if s := a.second(); s.Rendition != renditionLower || s.KeyframesOnly {
			t.Fatalf("status %+v", s)
		}
		l, mean := a.producer("h264-lower"), 0
		for range 4 { // it looks for more now and then
			a.run(1, 200_000)
			mean += int(a.lower().bitrate()) / 4
		}
		if l.Users != 1 || l.Encoder == "" || mean < 100_000 || mean > 200_000 {
			t.Errorf("lower rendition %+v at %d bit/s, want one user at what its link carries", l, mean)
		}
		if l := a.producer("h264"); l.Users != 1 || l.Bitrate < 1_400_000 {
			t.Errorf("first rendition %+v, want one user and the whole rate", l)
		}
		stage := a.e.started()[len(a.e.started())-1].graph.String()
		if !strings.Contains(stage, "width=320,height=240") {
			t.Errorf("the lower rendition is %s", stage)
		}
		a.run(30, 10_000_000)
		if s := a.second(); s.Rendition != "" || s.KeyframesOnly {
			t.Errorf("status %+v with a good link", s)
		}
		if l := a.producer("h264-lower"); l.Users != 0 || l.Encoder != "" {
			t.Errorf("the lower rendition still runs: %+v", l)
		}
		if l := a.producer("h264"); l.Users != 2 {
			t.Errorf("first rendition %+v", l)
		}
		said := a.p[1].said()
		if held, fed := slices.Index(said, "spare true"), slices.Index(said, "feed"); held < 0 || held > fed {
			t.Errorf("a full link is given something until it is sure: %q", said)
		}
		feeds := slices.DeleteFunc(said, func(s string) bool { return s != "feed" })
		if len(feeds) != 2 || slices.Contains(a.p[0].said(), "feed") {
			t.Errorf("%d moves of the slow viewer; the other: %q", len(feeds), a.p[0].said())
		}
	})
}

// Who is sent nothing reports nothing, and is given the lower rendition without that.
func TestHeldViewerNeedsNoReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := twoViewers(t)
		a.run(6, 10_000_000)
		for range 20 {
			a.fast.report(a.p[0], int(a.b.coded[pipeline.H264].bitrate()), 10_000_000)
			if slices.Contains(a.p[1].said(), "spare true") {
				break
			}
			a.slow.report(a.p[1], int(a.b.coded[pipeline.H264].bitrate()), 400_000)
		}
		if said := a.p[1].said(); !slices.Contains(said, "spare true") || slices.Contains(said, "feed") {
			t.Fatalf("%q, want the full link to be given nothing", said)
		}
		<-time.After(500 * time.Millisecond)
		if said := a.p[1].said(); !slices.Contains(said, "feed") {
			t.Errorf("%q after half a second without a report", said)
		}
	})
}

// Until the lower rendition has made a picture, and where it can't, a slow viewer gets keyframes of the first.
func TestLowerRenditionThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := twoViewers(t)
		a.run(5, 10_000_000)
		a.e.refuses("appsrc", errors.New("no second session"))
		a.run(15, 200_000)
		if s := a.second(); s.Rendition != "" || !s.KeyframesOnly {
			t.Fatalf("status %+v, want keyframes", s)
		}
		if l := a.producer("h264"); l.Users != 2 || l.Encoder == "" {
			t.Errorf("first rendition %+v", l)
		}
		a.e.refuses("appsrc", nil)
		<-time.After(30 * time.Second)
		a.v[1].Receive(Message{}) // lets nothing happen
		<-time.After(2 * time.Second)
		if s := a.second(); s.Rendition != renditionLower {
			t.Errorf("status %+v once it works", s)
		}
		a.e.refuses("appsrc", errors.New("no second session"))
		stages := a.e.started()
		stages[len(stages)-1].events <- StageEvent{Err: errBroken}
		<-time.After(5 * time.Second)
		if s := a.second(); s.Rendition != "" || !s.KeyframesOnly {
			t.Errorf("status %+v when it is broken, want keyframes", s)
		}
	})
}

func (r *sharedRate) counted() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.views)
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
		if l := a.producer("h264-lower"); l.Users != 0 || l.Encoder != "" {
			t.Errorf("lower rendition %+v", l)
		}
		if n, first := a.lower().rate.counted(), a.b.coded[pipeline.H264].rate.counted(); n != 0 || first != 1 {
			t.Errorf("%d viewers are counted, and %d of the first rendition", n, first)
		}
	})
}
