package live

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"boardcast/pipeline"
	"boardcast/pipeline/media"
	"boardcast/pipeline/media/fake"
)

// speaks is the graph of a speaker that the fake engine plays.
var speaks = pipeline.Graph{pipeline.El("speaker")}

// speaking is a broadcast with a speaker.
type speaking struct {
	b   *Broadcast
	e   *fake.Engine
	log *bytes.Buffer // of the speaker; read it once the bubble is still
}

// startSpeaking runs a broadcast with a speaker until the test ends.
func startSpeaking(t *testing.T, g pipeline.Graph) speaking {
	t.Helper()
	e, log := fake.NewEngine(), &bytes.Buffer{}
	e.Turn(e.Still, "speaker", true) // a speaker makes no frames
	s := NewSpeaker(e, g, slog.New(slog.NewTextHandler(log, nil)))
	b := NewBroadcast(e, testPlan(t, pipeline.Request{}), Options{Speaker: s, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { ended <- b.Run(ctx) }()
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	return speaking{b, e, log}
}

// says has viewers talk at once for a while, five levels a second each.
func says(d time.Duration, talkers ...*fake.Peer) { sounds(d, -20, talkers...) }

func sounds(d time.Duration, db float64, talkers ...*fake.Peer) {
	for range d / (200 * time.Millisecond) {
		for _, p := range talkers {
			events(p, media.PeerEvent{Kind: media.Level, DB: db})
		}
		<-time.After(200 * time.Millisecond)
		synctest.Wait()
	}
}

// talker is a viewer with a data channel.
func (s speaking) talker(t *testing.T) (*Viewer, *fake.Peer) {
	t.Helper()
	v, p, _ := join(t, s.b, s.e)
	events(p, media.PeerEvent{Kind: media.ConnectionChanged, State: media.ConnectionConnected}, media.PeerEvent{Kind: media.ChannelOpened})
	return v, p
}

// open are the speaker's stages, and how many of them are still open.
func (s speaking) open() (all, open int) {
	for _, st := range s.e.Started() {
		if st.Graph[0].Factory == "speaker" {
			all++
			if !st.IsClosed() {
				open++
			}
		}
	}
	return all, open
}

// heard are the calls that let the viewer's sound into the speaker, or keep it out.
func heard(p *fake.Peer) []string {
	return slices.DeleteFunc(p.Said(), func(call string) bool { return !strings.HasPrefix(call, "hear ") })
}

const (
	toldPlaying  = `{"talk":{"state":"playing"}}`
	toldReplaced = `{"talk":{"state":"replaced"}}`
	toldSilent   = `{"talk":{"state":""}}`
)

// The speaker is open while somebody talks, and some seconds longer. Silence, such as that of a muted track, does not open it.
func TestSpeakerIsOpenWhileSomebodyTalks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startSpeaking(t, speaks)
		v, p := s.talker(t)
		sounds(5*time.Second, -70, p)
		if all, _ := s.open(); all != 0 {
			t.Error("silence opens the speaker")
		}
		says(time.Second, p)
		if all, open := s.open(); all != 1 || open != 1 {
			t.Errorf("while a viewer talks %d of %d speakers are open", open, all)
		}
		if now := v.status().Talk; now == nil || now.State != talkPlaying {
			t.Errorf("the status has %v, want %s", now, talkPlaying)
		}
		sounds(8*time.Second, -70, p)
		if all, open := s.open(); all != 1 || open != 0 {
			t.Errorf("after the last voice %d of %d speakers are open", open, all)
		}
		if diff := cmp.Diff([]string{toldPlaying, toldSilent}, p.Words()); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"hear true", "hear false"}, heard(p)); diff != "" {
			t.Errorf("let in (-want +got):\n%s", diff)
		}
		if v.status().Talk != nil {
			t.Error("a silent viewer still talks")
		}
	})
}

// The viewer that began to talk last is played, and the other is told. When the newer one is silent, the older is played again.
func TestSpeakerPlaysTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startSpeaking(t, speaks)
		_, first := s.talker(t)
		_, second := s.talker(t)
		says(time.Second, first)
		says(time.Second, first, second)
		if diff := cmp.Diff([]string{toldPlaying, toldReplaced}, first.Words()); diff != "" {
			t.Errorf("the first is told (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{toldPlaying}, second.Words()); diff != "" {
			t.Errorf("the second is told (-want +got):\n%s", diff)
		}
		says(4*time.Second, first)
		if diff := cmp.Diff([]string{"hear true", "hear false", "hear true"}, heard(first)); diff != "" {
			t.Errorf("the first is let in (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"hear true", "hear false"}, heard(second)); diff != "" {
			t.Errorf("the second is let in (-want +got):\n%s", diff)
		}
		if all, _ := s.open(); all != 1 {
			t.Errorf("the speaker was opened %d times for two talkers", all)
		}
	})
}

// A speaker that cannot be opened, or fails while it plays, is a warning once and a word to the viewer that talks. It is tried again at
// a pace, and the viewer stays.
func TestSpeakerFails(t *testing.T) {
	const busy = "Device is being used by another application"
	failed := `{"talk":{"state":"failed","reason":"` + busy + `"}}`
	for _, c := range []struct {
		name  string
		opens bool // it fails later
		told  []string
		tries int
	}{
		{"while it is opened", false, []string{failed, toldPlaying}, 4},
		{"while it plays", true, []string{toldPlaying, failed, toldPlaying}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := startSpeaking(t, speaks)
				v, p := s.talker(t)
				if !c.opens {
					s.e.Refuses("speaker", errors.New(busy))
				}
				says(time.Second, p)
				if c.opens {
					stages := s.e.Started()
					stages[len(stages)-1].Post <- media.StageEvent{Err: errors.New(busy)}
				}
				says(17*time.Second, p)
				s.e.Refuses("speaker", nil)
				says(25*time.Second, p)
				if diff := cmp.Diff(c.told, p.Words()); diff != "" {
					t.Errorf("told (-want +got):\n%s", diff)
				}
				if all, open := s.open(); all != c.tries || open != 1 {
					t.Errorf("%d tries, %d open; want %d tries and one open", all, open, c.tries)
				}
				if n := strings.Count(s.log.String(), busy); n != 1 {
					t.Errorf("the failure is logged %d times:\n%s", n, s.log)
				}
				select {
				case <-v.Done():
					t.Error("the speaker's failure ends the viewer")
				default:
				}
			})
		})
	}
}

// A speaker whose stream ends has failed, as one with an error has.
func TestSpeakerEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startSpeaking(t, speaks)
		_, p := s.talker(t)
		says(time.Second, p)
		stages := s.e.Started()
		stages[len(stages)-1].Post <- media.StageEvent{Ended: true}
		says(time.Second, p)
		if diff := cmp.Diff([]string{toldPlaying, `{"talk":{"state":"failed","reason":"the stream ended"}}`}, p.Words()); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

// A speaker that has played to the end works: a later failure is logged again, and is followed by the first pause.
func TestSpeakerFailsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startSpeaking(t, speaks)
		_, p := s.talker(t)
		for range 2 {
			s.e.Refuses("speaker", errors.New("busy"))
			says(time.Second, p)
			s.e.Refuses("speaker", nil)
			says(6*time.Second, p) // the first pause is 5 s
			if _, open := s.open(); open != 1 {
				t.Fatal("the speaker is not open 6 s after it failed")
			}
			<-time.After(talkPause + speakerGrace + time.Second) // of the test's own clock
		}
		if n := strings.Count(s.log.String(), "busy"); n != 2 {
			t.Errorf("two failures are logged %d times:\n%s", n, s.log)
		}
	})
}

// Without a speaker the viewer that talks is told so. One that is plugged in later is used.
func TestSpeakerComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startSpeaking(t, nil)
		_, p := s.talker(t)
		says(time.Second, p)
		plan := *s.b.plan()
		plan.Speak = speaks
		s.b.Adopt(plan)
		says(time.Second, p) // long before the next try would be due
		if diff := cmp.Diff([]string{`{"talk":{"state":"failed","reason":"there is no speaker"}}`, toldPlaying}, p.Words()); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

// A speaker that failed is tried at once when another program lets go of a device.
func TestSpeakerIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startSpeaking(t, speaks)
		_, p := s.talker(t)
		s.e.Refuses("speaker", errors.New("busy"))
		says(time.Second, p)
		s.e.Refuses("speaker", nil)
		s.b.Again()
		says(time.Second, p)
		if diff := cmp.Diff([]string{`{"talk":{"state":"failed","reason":"busy"}}`, toldPlaying}, p.Words()); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

// The page offers to talk where there is a speaker; one that is plugged in is there at once, one that is unplugged is not.
func TestSpeakerIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startSpeaking(t, nil)
		for _, c := range []struct {
			graph pipeline.Graph
			want  bool
		}{{nil, false}, {speaks, true}, {nil, false}} {
			plan := testPlan(t, pipeline.Request{})
			plan.Speak = c.graph
			s.b.Adopt(plan)
			if got := s.b.HasSpeaker(); got != c.want {
				t.Errorf("with the graph %q there is a speaker: %v", c.graph, got)
			}
		}
		if NewBroadcast(s.e, testPlan(t, pipeline.Request{}), Options{}).HasSpeaker() {
			t.Error("there is a speaker where none was made")
		}
	})
}
