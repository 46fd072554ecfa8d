//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"net/url"
	"testing"
	"time"
)

// roles are the ways in which a streamer and a page of the classic family find each other. Each is played against our own
// server and against one that behaves as the reference does.
var roles = []struct {
	name string
	args []string   // the streamer's
	page url.Values // the page's
	late bool       // the page comes after the streamer
}{
	{
		name: "caller",
		args: []string{"--peer", "page"},
		page: url.Values{"id": {"page"}, "own": {"1"}},
	},
	{
		name: "caller, page offers",
		args: []string{"--peer", "page", "--remote-offerer"},
		page: url.Values{"id": {"page"}, "own": {"1"}},
	},
	{
		name: "callee, page offers",
		args: []string{"--id", "board"},
		page: url.Values{"id": {"page"}, "call": {"board"}, "first": {"offer"}, "own": {"1"}},
	},
	{
		name: "callee, page offers, page without a camera",
		args: []string{"--id", "board"},
		page: url.Values{"id": {"page"}, "call": {"board"}, "first": {"offer"}},
	},
	{
		name: "callee, page asks for an offer",
		args: []string{"--id", "board"},
		page: url.Values{"id": {"page"}, "call": {"board"}, "first": {"request"}},
	},
	{
		name: "room, page was first",
		args: []string{"--room", "hall"},
		page: url.Values{"id": {"page"}, "room": {"hall"}},
	},
	{
		name: "room, streamer was first",
		args: []string{"--room", "hall"},
		page: url.Values{"id": {"page"}, "room": {"hall"}, "first": {"offer"}},
		late: true,
	},
}

func TestClassicPeers(t *testing.T) {
	servers := []struct {
		name  string
		start func(t *testing.T) string
	}{
		{"own server", func(t *testing.T) string {
			StartServer(t, "--listen", serverListen)
			return "ws://" + serverListen + "/ws"
		}},
		{"reference", func(t *testing.T) string { return startReference(t, "") }},
	}
	for _, server := range servers {
		for _, role := range roles {
			t.Run(server.name+"/"+role.name, func(t *testing.T) {
				pages, _ := servePages(t)
				ws := server.start(t)
				stream := func() {
					args := append([]string{"--server", ws, "--width", "320", "--height", "240"}, role.args...)
					StartBoardcast(t, args...)
				}
				if role.late {
					stream()
					waitMember(t, ws, "hall")
				}
				page := openClassic(t, pages, ws, role.page)
				if !role.late {
					page.Until(`boardcast.state !== "connecting"`, playWithin)
					stream()
				}
				assertClassic(t, page)
			})
		}
	}
}

// openClassic opens the classic page with these settings.
func openClassic(t *testing.T, pages, ws string, settings url.Values) *Page {
	t.Helper()
	fragment := url.Values{"ws": {ws}}
	maps.Copy(fragment, settings)
	return browsers.Launch(t, Chromium).Open(t, pages+"classic.html#"+fragment.Encode())
}

// waitMember waits until somebody is in the room.
func waitMember(t *testing.T, ws, room string) {
	t.Helper()
	visitor := register(t, ws, "visitor")
	visitor.send("ROOM " + room)
	if members := visitor.receive(); members == "ROOM_OK " {
		visitor.wantPrefix("ROOM_PEER_JOINED ")
	}
	_ = visitor.ws.Close()
}

// assertClassic checks picture and sound, and that the streamer does not chatter with a page that answers every message,
// as the classic page does.
func assertClassic(t *testing.T, page *Page) {
	t.Helper()
	stats := page.WaitPlaying(30)
	if stats.Width != 320 || stats.Height != 240 {
		t.Errorf("stats = %+v, want 320x240", stats)
	}
	page.WaitMoving()
	page.WaitSound()
	var heard []string
	page.Eval("boardcast.messages", &heard)
	if len(heard) > 5 {
		t.Errorf("the streamer sent %d messages (%q...) to a page that answers each one", len(heard), heard[:5])
	}
}

// TestClassicHangUp has a page leave in order and another come under the same id: a streamer that calls calls again, one
// that waits waits again.
func TestClassicHangUp(t *testing.T) {
	for _, role := range []int{0, 2} {
		t.Run(roles[role].name, func(t *testing.T) {
			pages, _ := servePages(t)
			ws := startReference(t, " e30=")
			StartBoardcast(t, append([]string{"--server", ws, "--width", "320", "--height", "240"}, roles[role].args...)...)
			for range 2 {
				page := openClassic(t, pages, ws, roles[role].page)
				begin := time.Now()
				assertClassic(t, page)
				t.Logf("played after %v", time.Since(begin).Round(time.Millisecond))
				page.Close()
			}
		})
	}
}

// TestClassicTwoOffers is called by a page of 2025 and later, whose first offer holds the data channel alone.
func TestClassicTwoOffers(t *testing.T) {
	pages, _ := servePages(t)
	ws := startReference(t, "")
	StartBoardcast(t, "--server", ws, "--width", "320", "--height", "240", "--id", "board")
	settings := url.Values{"id": {"page"}, "call": {"board"}, "first": {"offer"}, "own": {"1"}, "steps": {"2"}}
	assertClassic(t, openClassic(t, pages, ws, settings))
}

// TestRoomLeave has one page leave a room in which two are served: the other's picture goes on.
func TestRoomLeave(t *testing.T) {
	pages, _ := servePages(t)
	ws := startReference(t, "")
	var both [2]*Page
	for i := range both {
		settings := url.Values{"id": {fmt.Sprint("page", i)}, "room": {"hall"}, "first": {"none"}}
		both[i] = openClassic(t, pages, ws, settings)
		both[i].Until(`boardcast.state !== "connecting"`, playWithin)
	}
	StartBoardcast(t, "--server", ws, "--room", "hall", "--width", "320", "--height", "240")
	assertClassic(t, both[0])
	assertClassic(t, both[1])
	both[1].Watch()
	both[0].Close()
	both[1].Until("boardcast.left.length === 1", callWithin)
	assertUnbroken(t, both[1].WaitWatched(60))
}
