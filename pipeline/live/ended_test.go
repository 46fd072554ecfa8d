package live

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"boardcast/pipeline"
	"boardcast/pipeline/media"
	"boardcast/pipeline/media/fake"
	"boardcast/pipeline/places"
)

// scene is a viewer that is to end, and what can end it.
type scene struct {
	v    *Viewer
	p    *fake.Peer
	b    *Broadcast
	quit context.CancelFunc // ends the program
}

func (s scene) connect() {
	events(s.p, media.PeerEvent{Kind: media.ConnectionChanged, State: media.ConnectionConnected})
}

func (s scene) failed(text string) {
	events(s.p, media.PeerEvent{Kind: media.Failed, Err: errors.New(text)})
}

func (s scene) silent(d time.Duration) {
	s.p.Mu.Lock()
	s.p.Silent = d
	s.p.Mu.Unlock()
	after(2 * tick)
}

// after waits in the bubble's time.
func after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// ends are the ways in which a viewer ends, with what the log's one line is to say.
var ends = []struct {
	name  string
	end   func(scene)
	want  cause
	error string // the line's attribute, empty for none
}{
	{"the page is closed", func(s scene) { s.connect(); events(s.p, media.PeerEvent{Kind: media.Closed}) }, causeClosed, ""},
	{"the connection is closed", func(s scene) {
		s.connect()
		events(s.p, media.PeerEvent{Kind: media.ConnectionChanged, State: media.ConnectionClosed})
	}, causeClosed, ""},
	{"the browser is gone", func(s scene) { s.connect(); s.failed("nicesink0: Could not write to resource.") }, causeUnsendable, ""},
	{"another element fails", func(s scene) { s.connect(); s.failed("rtpvp8pay0: no caps") }, causeFailed, "rtpvp8pay0: no caps"},
	{"an element fails before the connection is up", func(s scene) { s.failed("nicesink0: no address") }, causeFailed, "nicesink0: no address"},
	{"nothing is heard", func(s scene) { s.connect(); s.silent(21 * time.Second) }, causeSilent, "no RTCP for 21 s"},
	{"no answer to ICE any more", func(s scene) {
		s.connect()
		events(s.p, media.PeerEvent{Kind: media.ConnectionChanged, State: media.ConnectionFailed})
	}, causeSilent, "no answer to the checks of ICE"},
	{"signalling is gone and nothing is heard", func(s scene) { s.connect(); s.v.Detach(); s.silent(9 * time.Second) }, causeDetached, "no RTCP for 9 s"},
	{"signalling is gone before the connection is up", func(s scene) { s.v.Detach(); after(2 * tick) }, causeLeftEarly, ""},
	{"no pair of addresses", func(s scene) {
		events(s.p, media.PeerEvent{Kind: media.ConnectionChanged, State: media.ConnectionFailed})
	}, causeUnconnected, "no pair of addresses works (a firewall, or another network without --stun or --turn)"},
	{"nothing comes", func(scene) { after(answerLimit + 2*tick) }, causeUnconnected, "joining: no progress in time"},
	{"an offer that is none", func(s scene) { s.v.Receive(Message{Type: "offer", SDP: "hello"}) }, causeRefused, "the offer is refused"},
	{"messages without end", func(s scene) {
		for range 2 * inboxSize {
			s.v.Receive(Message{Candidate: "x"})
		}
	}, causeRefused, errFlood.Error()},
	{"the viewer declines", func(s scene) { s.v.Receive(Message{Error: "no codec"}) }, causeDeclined, "no codec"},
	{"another viewer comes", func(s scene) { _, _ = s.b.Join("w", places.Origin{}, func(Message) {}) }, causeReplaced, ""},
	{"hung up", func(s scene) { s.connect(); s.v.Close() }, causeHungUp, ""},
	{"the server is gone", func(s scene) { s.connect(); s.v.Detach(); s.v.Close() }, causeServer, ""},
	{"the program ends", func(s scene) { s.connect(); s.quit() }, causeProgram, ""},
}

// A viewer's end is one line, which says what happened, where the viewer came from, and what it got.
func TestEndIsTold(t *testing.T) {
	for _, c := range ends {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				e := fake.NewEngine()
				b := NewBroadcast(e, testPlan(t, pipeline.Request{}), Options{
					Logger: slog.New(slog.NewTextHandler(&log, nil)), Limit: places.New(1),
				})
				ctx, cancel := context.WithCancel(t.Context())
				ran := make(chan struct{})
				go func() { defer close(ran); _ = b.Run(ctx) }()
				from := places.Origin{Address: netip.MustParseAddr("192.0.2.7"), Way: "page"}
				v, err := b.Join("v", from, func(Message) {})
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				c.end(scene{v, e.PeerAt(0), b, cancel})
				<-v.Done()
				cancel()
				<-ran
				checkEnd(t, log.String(), c.want, c.error)
				connected := strings.Contains(log.String(), "viewer connected")
				if got := strings.Contains(log.String(), "frames_sent=10"); got != connected {
					t.Errorf("the frames are told: %v, of a viewer that was connected: %v", got, connected)
				}
			})
		})
	}
}

// checkEnd checks the one line of a log that tells the end of viewer v.
func checkEnd(t *testing.T, log string, want cause, detail string) {
	t.Helper()
	var lines []string
	for line := range strings.Lines(log) {
		if strings.Contains(line, "viewer gone") && strings.Contains(line, "viewer=v ") {
			lines = append(lines, line)
		}
	}
	if len(lines) != 1 {
		t.Fatalf("%d lines tell the end:\n%s", len(lines), log)
	}
	quoted := want.String()
	if strings.Contains(quoted, " ") {
		quoted = `"` + quoted + `"`
	}
	for _, part := range []string{"level=" + causes[want].level.String(), "way=page", "address=192.0.2.7", "reason=" + quoted} {
		if !strings.Contains(lines[0], part) {
			t.Errorf("the end is told without %s:\n%s", part, lines[0])
		}
	}
	if has := strings.Contains(lines[0], "error="); has != (detail != "") || !strings.Contains(lines[0], detail) {
		t.Errorf("the end is to say %q:\n%s", detail, lines[0])
	}
	if strings.Contains(log, "Could not write") {
		t.Errorf("an element's text is told of a viewer that went:\n%s", log)
	}
}

// Every cause has words, and a test that brings it about.
func TestCauses(t *testing.T) {
	seen := map[cause]bool{}
	for _, c := range ends {
		seen[c.want] = true
	}
	for c := range cause(len(causes)) {
		if c.String() == "" || !seen[c] {
			t.Errorf("cause %d: words %q, tested: %v", c, c, seen[c])
		}
	}
}

// A media server is no page that somebody leaves.
func TestEndOfAMediaServer(t *testing.T) {
	for c, want := range map[cause]string{
		causeClosed: "the media server closed the connection", causeSilent: "lost: nothing was heard from the media server",
		causeProgram: causes[causeProgram].words,
	} {
		if got := c.of(true); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := causeClosed.of(false); got != causes[causeClosed].words {
		t.Errorf("of a viewer: %q", got)
	}
}

// At the program's end signalling may hang up before the viewer hears of the end.
func TestHungUpAtTheProgramsEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	if e := endingOf(ctx, ended(causeHungUp, nil)); e.cause != causeHungUp {
		t.Errorf("while the program runs: %v", e)
	}
	cancel()
	if e := endingOf(ctx, ended(causeHungUp, nil)); e.cause != causeProgram {
		t.Errorf("at the program's end: %v", e)
	}
}

// The mean bitrate is told of the time from the connection on.
func TestMeanRate(t *testing.T) {
	if got := meanRate(5000, 2); got != 20000 {
		t.Errorf("5,000 bytes in 2 s are %d bit/s", got)
	}
	if got := meanRate(5000, 0); got != 0 {
		t.Errorf("in no time: %d bit/s", got)
	}
}
