package signalling

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"
)

// noDeadline is later than any test ends.
var noDeadline = time.Now().Add(time.Hour)

// checkWorld fails the test if the world contradicts itself.
func checkWorld(t *testing.T, w *world) {
	t.Helper()
	named, roomed := 0, 0
	for id, p := range w.peers {
		if p.uid != "" {
			named++
			if w.ids[p.uid] != id {
				t.Errorf("id %q does not lead to its peer", p.uid)
			}
		} else if p.status != free {
			t.Errorf("peer without id has status %d", p.status)
		}
		partner := w.peers[p.partner]
		switch p.status {
		case inSession:
			if partner == nil || !partner.local && (partner.partner != id || partner.status != inSession) {
				t.Errorf("partner of %q does not know it", p.uid)
			}
		case ringing:
			if partner == nil || !partner.local {
				t.Errorf("%q rings at nobody", p.uid)
			}
		case inRoom:
			roomed++
			if !slices.Contains(w.rooms[p.room], id) {
				t.Errorf("%q is not in its room", p.uid)
			}
		case free:
			if p.partner != 0 || p.room != "" {
				t.Errorf("free peer %q has a partner or a room", p.uid)
			}
		}
		if p.local && p.status != free {
			t.Errorf("local peer %q is not free", p.uid)
		}
	}
	members := 0
	for room, m := range w.rooms {
		if members += len(m); len(m) == 0 {
			t.Errorf("room %q is empty", room)
		}
	}
	if named != len(w.ids) || roomed != members {
		t.Errorf("%d named peers and %d ids, %d peers in rooms and %d members", named, len(w.ids), roomed, members)
	}
}

func TestStateFunctionWithALocalPeer(t *testing.T) {
	const camera, viewer, other = 1, 2, 3
	w := newWorld(256)
	if err := w.addLocal(camera, "camera"); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name string
		in   input
		want []string
	}{
		{"viewer joins", input{from: viewer, kind: joined}, nil},
		{"other joins", input{from: other, kind: joined}, nil},
		{"viewer may not be the camera", input{from: viewer, kind: joined}, nil},
		{"viewer registers", hear(viewer, "HELLO v"), []string{"v< HELLO"}},
		{"other registers", hear(other, "HELLO o"), []string{"o< HELLO"}},
		{"call rings", hear(viewer, "SESSION camera"), []string{"v rings"}},
		{"nobody calls who rings", hear(other, "SESSION v"), []string{"o< ERROR peer 'v' busy"}},
		{"ringing says nothing", hear(viewer, "SESSION o"), nil},
		{"refused", input{from: viewer, kind: refused}, []string{"v< ERROR peer 'camera' busy"}},
		{"refused twice has no effect", input{from: viewer, kind: refused}, nil},
		{"opened without ringing has no effect", input{from: viewer, kind: opened}, nil},
		{"call again", hear(viewer, "SESSION camera"), []string{"v rings"}},
		{"opened", input{from: viewer, kind: opened}, []string{"v< SESSION_OK"}},
		{"all goes to the camera", hear(viewer, "SESSION o"), []string{"v to the streamer: SESSION o"}},
		{"a second viewer at once", hear(other, "SESSION camera"), []string{"o rings"}},
		{"opened too", input{from: other, kind: opened}, []string{"o< SESSION_OK"}},
		{"viewer leaves", input{from: viewer, kind: left}, nil},
		{"other goes on", hear(other, "x"), []string{"o to the streamer: x"}},
		{"input of the gone", hear(viewer, "HELLO v"), nil},
		{"input of the camera", hear(camera, "SESSION o"), nil},
		{"new", input{from: 4, kind: joined}, nil},
		{"its id is taken", hear(4, "HELLO camera"), []string{"n! 1002 invalid peer uid"}},
		{"new again", input{from: 4, kind: joined}, nil},
		{"takes another", hear(4, "HELLO n"), []string{"n< HELLO"}},
		{"enters a room", hear(4, "ROOM r"), []string{"n< ROOM_OK "}},
		{"camera is in no room", hear(4, "ROOM_PEER_MSG camera x"), []string{"n< ERROR peer 'camera' is not in the room"}},
	} {
		names := map[connID]string{viewer: "v", other: "o", 4: "n"}
		var got []string
		for _, r := range w.step(step.in) {
			got = append(got, replyLine(names[r.to], r))
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s: %s", step.name, diff)
		}
		checkWorld(t, w)
	}
}

func hear(from connID, text string) input {
	return input{from: from, kind: heard, frame: frame{text: text}}
}

func TestAddLocal(t *testing.T) {
	w := newWorld(8)
	for _, tc := range []struct {
		name, id string
		want     error
	}{
		{"good", "camera", nil},
		{"taken", "camera", ErrTaken},
		{"empty", "", ErrBadID},
		{"blank", "a b", ErrBadID},
		{"too long", "123456789", ErrBadID},
	} {
		if err := w.addLocal(connID(len(w.peers)+1), tc.id); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

// FuzzWorld plays a script, one input a line: the first letter says which of eight connections, the second what happens
// (">" text, "~" binary, "-" left, "+" joined, "y" and "n" the local peer's answer).
func FuzzWorld(f *testing.F) {
	for _, tc := range transcripts {
		var script []string
		for _, line := range tc.lines {
			name, mark, text := cut(line)
			switch mark {
			case ">":
				script = append(script, name+">"+text)
			case ">~":
				script = append(script, name+"~"+text)
			case "-":
				script = append(script, name+"-")
			}
		}
		f.Add(strings.Join(script, "\n"))
	}
	f.Add("a>HELLO 1\na>SESSION camera\nan\na>SESSION camera\nay\nb>HELLO 2\nb>SESSION camera\nby\na>x\na-\nb>y")
	f.Fuzz(func(t *testing.T, script string) {
		w := newWorld(32)
		if err := w.addLocal(100, "camera"); err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(script, "\n") {
			if len(line) < 2 {
				continue
			}
			playLine(t, w, line)
		}
	})
}

func playLine(t *testing.T, w *world, line string) {
	t.Helper()
	in := input{from: connID(line[0]%8) + 1, kind: heard, frame: frame{line[1] == '~', line[2:]}}
	switch line[1] {
	case '-':
		in.kind = left
	case '+':
		in.kind = joined
	case 'y':
		in.kind = opened
	case 'n':
		in.kind = refused
	default:
		w.step(input{from: in.from, kind: joined})
	}
	before := make(map[connID]peer, len(w.peers))
	for id, p := range w.peers {
		before[id] = *p
	}
	closed := make(map[connID]bool)
	for _, r := range w.step(in) {
		was, known := before[r.to]
		switch {
		case !known || was.local || closed[r.to]:
			t.Errorf("%q: reply to %d, which is not there", line, r.to)
		case in.kind == left && r.to == in.from:
			t.Errorf("%q: reply to who left", line)
		case r.kind == hangUp:
			if closed[r.to] = true; w.peers[r.to] != nil || r.code < websocket.CloseNormalClosure {
				t.Errorf("%q: closed with %d but still there", line, r.code)
			}
		case (r.kind == ring || r.kind == deliver) && (r.to != in.from || in.kind != heard):
			t.Errorf("%q: somebody else's call", line)
		case r.kind == say && r.to != in.from && before[in.from].uid == "":
			t.Errorf("%q: who has no id speaks to others", line)
		case len(r.frame.text) > len(line)*10+40*len(w.peers)+200:
			t.Errorf("%q: answered by %d bytes", line, len(r.frame.text))
		}
	}
	checkWorld(t, w)
}

func TestManyInARoom(t *testing.T) {
	w := newWorld(256)
	var want []string
	for i := 1; i <= 50; i++ {
		id := connID(i)
		w.step(input{from: id, kind: joined})
		w.step(hear(id, "HELLO "+strconv.Itoa(i)))
		replies := w.step(hear(id, "ROOM r"))
		if len(replies) != i {
			t.Fatalf("member %d: %d replies", i, len(replies))
		}
		if got := ParseReply(replies[0].frame.text).IDs; cmp.Diff(append([]string{}, want...), got) != "" {
			t.Fatalf("member %d is told %q", i, got)
		}
		want = append(want, strconv.Itoa(i))
	}
	checkWorld(t, w)
}
