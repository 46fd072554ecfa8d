package signalling

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
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
	refused := func(n int) {
		held := dialProbe(t, dial)
		held.say("HELLO a")
		held.expect("! 1002 invalid peer uid")
		logged(n)
	}
	refused(4)
	refused(6) // a client asks for its id again and again
	refused(8)
	for range 3 { // a client that calls a peer which is not there yet
		a.say("SESSION nobody")
		a.expect("< ERROR peer 'nobody' not found")
	}
	a.say("SESSION b")
	a.expect("< SESSION_OK")
	b.say("ERROR words of a partner")
	a.expect("< ERROR words of a partner")
	logged(12)
	a.close(websocket.CloseNormalClosure)
	b.expect("! 1000")
	logged(14)
	a = dialProbe(t, dial).hello("a")
	logged(15)
	refused(17) // that is news again
	a.close(websocket.CloseNormalClosure)
	logged(18)
	if err := s.Register("camera", m); err != nil {
		t.Fatal(err)
	}
	v := dialProbe(t, dial).hello("v")
	logged(19)
	v.say("SESSION camera")
	v.expect("< SESSION_OK")
	m.next(t)
	v.close(websocket.CloseNormalClosure)
	logged(20)
	r := dialProbe(t, dial).hello("r")
	logged(21)
	r.say("ROOM hall")
	r.expect("< ROOM_OK ")
	logged(22)
	dialProbe(t, dial).hello("w").close(websocket.CloseNormalClosure) // without a session: the camera is not ready, say
	logged(24)

	got := told(log)
	slices.Sort(got[12:14]) // a and b have gone at once
	want := strings.Split(strings.TrimSpace(`
level=INFO msg="peer registered" peer=a
level=INFO msg="peer registered" peer=b
level=INFO msg="registration refused" id=a reason="another peer has this id"
level=DEBUG msg="peer left" reason="invalid peer uid" hang_up=true
level=DEBUG msg="registration refused" id=a reason="another peer has this id"
level=DEBUG msg="peer left" reason="invalid peer uid" hang_up=true
level=DEBUG msg="registration refused" id=a reason="another peer has this id"
level=DEBUG msg="peer left" reason="invalid peer uid" hang_up=true
level=INFO msg="request refused" peer=a answer="peer 'nobody' not found"
level=DEBUG msg="request refused again" peer=a answer="peer 'nobody' not found"
level=DEBUG msg="request refused again" peer=a answer="peer 'nobody' not found"
level=INFO msg="session began" peer=a partner=b
level=INFO msg="peer left" peer=a reason="hung up" hang_up=true
level=INFO msg="peer left" peer=b reason="its partner has left the session" hang_up=true
level=INFO msg="peer registered" peer=a
level=INFO msg="registration refused" id=a reason="another peer has this id"
level=DEBUG msg="peer left" reason="invalid peer uid" hang_up=true
level=INFO msg="peer left" peer=a reason="hung up" hang_up=true
level=DEBUG msg="peer registered" peer=v
level=DEBUG msg="peer left" peer=v reason="hung up" hang_up=true
level=DEBUG msg="peer registered" peer=r
level=INFO msg="peer joined the room" peer=r room=hall
level=DEBUG msg="peer registered" peer=w
level=DEBUG msg="peer left" peer=w reason="hung up" hang_up=true`), "\n")
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

// A refusal is told once, and again when the id was registered meanwhile. What is remembered has a bound.
func TestRefusals(t *testing.T) {
	var r refusals
	a, b := unregistered{"front", netip.MustParseAddr("192.0.2.1")}, unregistered{"front", netip.MustParseAddr("192.0.2.2")}
	other := unregistered{"rear", a.from}
	for i, step := range []struct {
		refused unregistered
		want    bool
	}{{a, false}, {a, true}, {b, false}, {other, false}, {a, true}, {b, true}} {
		if got := r.again(step.refused); got != step.want {
			t.Errorf("step %d: again = %t", i, got)
		}
	}
	r.forget("front")
	if r.again(a) || r.again(b) || !r.again(other) {
		t.Error("the id's refusals alone are to be forgotten")
	}
	for i := range 10 * mostRefusals {
		r.again(unregistered{strconv.Itoa(i), a.from})
		if len(r.told) > mostRefusals {
			t.Fatalf("%d are remembered", len(r.told))
		}
	}
}
