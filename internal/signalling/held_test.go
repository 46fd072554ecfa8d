package signalling

import (
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

// freeze registers a peer that from then on reads nothing, and so answers no ping.
func freeze(t *testing.T, dial func() (*websocket.Conn, error), id string) *websocket.Conn {
	t.Helper()
	ws, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.NetConn().Close() })
	if err := ws.WriteMessage(websocket.TextMessage, []byte("HELLO "+id)); err != nil {
		t.Fatal(err)
	}
	if _, text, err := ws.ReadMessage(); err != nil || string(text) != "HELLO" {
		t.Fatalf("got %q, %v", text, err)
	}
	return ws
}

// A peer that reads nothing, not even the ping, loses its id as soon as a peer that reads the ping and does not answer.
func TestIDHeldByAFrozenPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		freeze(t, w.net.dialer(), "cam")
		other := w.probe()
		other.say("HELLO cam")
		other.expect("! 1002 invalid peer uid")
		<-time.After(Limits{}.withDefaults().Waits.Probe + time.Millisecond)
		w.probe().hello("cam")
	})
}

// Over real sockets: of two peers whose ids are asked for, only the frozen one is dropped.
func TestIDHeldOverSockets(t *testing.T) {
	checkLeaks(t)
	s := NewServer(ServerOptions{Limits: Limits{Waits: Waits{Probe: 200 * time.Millisecond}}})
	ts := httptest.NewServer(s)
	t.Cleanup(ts.Close)
	runServer(t, s)
	dial := func() (*websocket.Conn, error) {
		ws, resp, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(ts.URL, "http"), nil)
		if resp != nil {
			_ = resp.Body.Close()
		}
		return ws, err
	}
	freeze(t, dial, "dead")
	live := dialProbe(t, dial).hello("live")
	waitUntil(t, func() bool {
		other := dialProbe(t, dial)
		other.say("HELLO live")
		other.expect("! 1002 invalid peer uid")
		heir := dialProbe(t, dial)
		heir.say("HELLO dead")
		got := heir.next()
		if got != "< HELLO" && got != "! 1002 invalid peer uid" {
			t.Fatalf("got %q", got)
		}
		return got == "< HELLO"
	})
	if live.pings.Load() == 0 {
		t.Error("the live holder was not asked")
	}
	live.say("SESSION nobody")
	live.expect("< ERROR peer 'nobody' not found")
}
