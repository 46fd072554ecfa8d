package signalling

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"
)

// varies is what differs from run to run.
var varies = regexp.MustCompile(`time=\S+ | remote=\S+| duration_seconds=\S+`)

// told are the lines of a log, without what varies.
func told(log *logBuffer) []string {
	var lines []string
	for line := range strings.Lines(log.String()) {
		lines = append(lines, varies.ReplaceAllString(strings.TrimSpace(line), ""))
	}
	return lines
}

// The server logs registrations, sessions and refusals, one line each; at debug what the media log, once it has local peers.
func TestServerLog(t *testing.T) {
	checkLeaks(t)
	log := &logBuffer{}
	s, m := NewServer(ServerOptions{Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))}), newFakeMedia()
	dial := newRig(t, s)
	logged := func(n int) { waitUntil(t, func() bool { return len(told(log)) == n }) }

	a := dialProbe(t, dial).hello("a")
	logged(1)
	b := dialProbe(t, dial).hello("b")
	logged(2)
	held := dialProbe(t, dial)
	held.say("HELLO a")
	held.expect("! 1002 invalid peer uid")
	logged(4)
	for range 3 { // a client that calls a peer which is not there yet
		a.say("SESSION nobody")
		a.expect("< ERROR peer 'nobody' not found")
	}
	a.say("SESSION b")
	a.expect("< SESSION_OK")
	b.say("ERROR words of a partner")
	a.expect("< ERROR words of a partner")
	logged(8)
	a.close(websocket.CloseNormalClosure)
	b.expect("! 1000")
	logged(10)
	if err := s.Register("camera", m); err != nil {
		t.Fatal(err)
	}
	v := dialProbe(t, dial).hello("v")
	logged(11)
	v.say("SESSION camera")
	v.expect("< SESSION_OK")
	m.next(t)
	v.close(websocket.CloseNormalClosure)
	logged(12)
	r := dialProbe(t, dial).hello("r")
	logged(13)
	r.say("ROOM hall")
	r.expect("< ROOM_OK ")
	logged(14)

	got := told(log)
	slices.Sort(got[8:10]) // a and b have gone at once
	want := strings.Split(strings.TrimSpace(`
level=INFO msg="peer registered" peer=a
level=INFO msg="peer registered" peer=b
level=INFO msg="registration refused" id=a reason="invalid peer uid"
level=DEBUG msg="peer left" reason="invalid peer uid" hang_up=true
level=INFO msg="request refused" peer=a answer="peer 'nobody' not found"
level=DEBUG msg="request refused again" peer=a answer="peer 'nobody' not found"
level=DEBUG msg="request refused again" peer=a answer="peer 'nobody' not found"
level=INFO msg="session began" peer=a partner=b
level=INFO msg="peer left" peer=a reason="websocket: close 1000 (normal)" hang_up=true
level=INFO msg="peer left" peer=b reason="websocket: close 1000 (normal)" hang_up=true
level=DEBUG msg="peer registered" peer=v
level=DEBUG msg="peer left" peer=v reason="websocket: close 1000 (normal)" hang_up=true
level=DEBUG msg="peer registered" peer=r
level=INFO msg="peer joined the room" peer=r room=hall`), "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Requests that are refused before they are a connection are logged with the reason.
func TestServerLogOfRefusals(t *testing.T) {
	checkLeaks(t)
	log := &logBuffer{}
	s := NewServer(ServerOptions{Logger: slog.New(slog.NewTextHandler(log, nil)), Limits: Limits{PerAddress: 1}})
	ts := httptest.NewServer(s)
	t.Cleanup(ts.Close)
	runServer(t, s)
	refused := func(header http.Header, want string) {
		t.Helper()
		_, resp, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(ts.URL, "http"), header)
		if err == nil {
			t.Fatal("the connection was taken")
		}
		_ = resp.Body.Close()
		if lines := told(log); len(lines) == 0 || lines[len(lines)-1] != want {
			t.Errorf("got %q, want %q", lines, want)
		}
	}
	refused(http.Header{"Origin": {"https://foreign.example"}}, `level=INFO msg="page of another site refused" origin=https://foreign.example`)
	dialProbe(t, dialer(ts.URL)).hello("first")
	waitUntil(t, func() bool { return len(told(log)) == 2 })
	refused(nil, `level=INFO msg="connection refused: too many are open" status=429`)
}
