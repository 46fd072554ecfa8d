package signalling

import (
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// How far a peer has come when it sends something malformed.
const (
	whenNew     = "before HELLO"
	whenFree    = "registered"
	whenSession = "in a session"
	whenViewer  = "in a session with the streamer"
	whenRoom    = "in a room"
)

// malformed is the table of docs/PROTOCOL.md: what is sent, and what the sender and its partner get.
var malformed = []struct {
	when, sent  string
	text        string
	binary, raw bool
	gets        string // what the sender hears: "" nothing, and it goes on
	partner     string // what its partner (or the other member) hears: "" nothing
}{
	{when: whenNew, sent: "1 MiB + 1 byte", text: over, gets: "! 1009"},
	{when: whenNew, sent: "`HELLO` with an id of 257 bytes", text: "HELLO " + long, gets: "! 1002 invalid peer uid"},
	{when: whenNew, sent: "`HELLO` with an id of 1 MiB", text: "HELLO " + over[7:], gets: "! 1002 invalid peer uid"},
	{when: whenNew, sent: "`HELLO a b`", text: "HELLO a b", gets: "! 1002 invalid peer uid"},
	{when: whenNew, sent: "`HELLO` with an id in use", text: "HELLO camera", gets: "! 1002 invalid peer uid"},
	{when: whenNew, sent: "`HELLO` alone", text: "HELLO", gets: "! 1011"},
	{when: whenNew, sent: "an empty message", text: "", gets: "! 1002 invalid protocol"},
	{when: whenNew, sent: "`HELLO 1` as a binary frame", text: "HELLO 1", binary: true, gets: "! 1002 invalid protocol"},
	{when: whenNew, sent: "`SESSION camera`", text: "SESSION camera", gets: "! 1002 invalid protocol"},
	{when: whenNew, sent: "half a JSON object", text: `{"sdp":{"ty`, gets: "! 1002 invalid protocol"},
	{when: whenNew, sent: "text that is not UTF-8", text: "HELLO \xff", gets: "! 1007"},
	{when: whenNew, sent: "a frame without a mask", text: "\x81\x01x", raw: true, gets: "! 1002 bad MASK"},
	{when: whenNew, sent: "a frame with reserved bits", text: "\xf1\x80\x00\x00\x00\x00", raw: true, gets: "! 1002 RSV1 set, RSV2 set, RSV3 set"},
	{when: whenFree, sent: "1 MiB + 1 byte", text: over, gets: "! 1009"},
	{when: whenFree, sent: "a binary frame", text: "SESSION camera", binary: true},
	{when: whenFree, sent: "an empty message", text: ""},
	{when: whenFree, sent: "`HELLO` again", text: "HELLO 1"},
	{when: whenFree, sent: "half a JSON object", text: `{"sdp":{"ty`},
	{when: whenFree, sent: "`SESSION` alone", text: "SESSION", gets: "< ERROR peer '' not found"},
	{when: whenFree, sent: "`SESSION nobody`", text: "SESSION nobody", gets: "< ERROR peer 'nobody' not found"},
	{when: whenFree, sent: "`SESSION` with 1 MiB of id", text: "SESSION " + over[9:], gets: "< ERROR peer '" + over[:256] + "'... not found"},
	{when: whenFree, sent: "`ROOM` alone", text: "ROOM", gets: "< ERROR invalid room id ''"},
	{when: whenFree, sent: "`ROOM a b`", text: "ROOM a b", gets: "< ERROR invalid room id 'a b'"},
	{when: whenFree, sent: "`ROOM_PEER_MSG camera x`", text: "ROOM_PEER_MSG camera x", gets: "< ERROR not in a room"},
	{when: whenFree, sent: "text that is not UTF-8", text: "SESSION \xc3\x28", gets: "! 1007"},
	{when: whenSession, sent: "1 MiB + 1 byte", text: over, gets: "! 1009", partner: "! 1000"},
	{when: whenSession, sent: "1 MiB", text: over[1:], partner: "< " + over[1:]},
	{when: whenSession, sent: "half a JSON object", text: `{"sdp":{"ty`, partner: `< {"sdp":{"ty`},
	{when: whenSession, sent: "a binary frame", text: "\xff\x00", binary: true, partner: "~ \xff\x00"},
	{when: whenSession, sent: "`SESSION camera`", text: "SESSION camera", partner: "< SESSION camera"},
	{when: whenSession, sent: "text that is not UTF-8", text: "\xff", gets: "! 1007", partner: "! 1000"},
	{when: whenViewer, sent: "1 MiB + 1 byte", text: over, gets: "! 1009", partner: "closed"},
	{when: whenViewer, sent: "half a JSON object", text: `{"sdp":{"ty`},
	{when: whenViewer, sent: "JSON with `sdp` a number", text: `{"sdp":1}`},
	{when: whenViewer, sent: "an SDP of more than 128 KiB", text: `{"sdp":{"type":"offer","sdp":"` + over[:maxSDP+1] + `"}}`},
	{when: whenViewer, sent: "a candidate of more than 4 KiB", text: `{"ice":{"candidate":"` + over[:maxCandidate+1] + `"}}`},
	{when: whenViewer, sent: "200,000 open brackets", text: strings.Repeat("[", 200000)},
	{when: whenViewer, sent: "a binary frame", text: iceText, binary: true},
	{when: whenViewer, sent: "`SESSION camera`", text: "SESSION camera"},
	{when: whenViewer, sent: "an empty message", text: ""},
	{when: whenRoom, sent: "1 MiB + 1 byte", text: over, gets: "! 1009", partner: "< ROOM_PEER_LEFT bad"},
	{when: whenRoom, sent: "`SESSION camera`", text: "SESSION camera", gets: "< ERROR invalid msg, already in room"},
	{when: whenRoom, sent: "half a JSON object", text: `{"sdp":{"ty`, gets: "< ERROR invalid msg, already in room"},
	{when: whenRoom, sent: "a binary frame", text: "ROOM_PEER_LIST", binary: true, gets: "< ERROR invalid msg, already in room"},
	{when: whenRoom, sent: "`ROOM_PEER_MSG` alone", text: "ROOM_PEER_MSG", gets: "< ERROR peer '' not found"},
	{when: whenRoom, sent: "`ROOM_PEER_MSG nobody x`", text: "ROOM_PEER_MSG nobody x", gets: "< ERROR peer 'nobody' not found"},
	{when: whenRoom, sent: "`ROOM_PEER_MSG camera x`", text: "ROOM_PEER_MSG camera x", gets: "< ERROR peer 'camera' is not in the room"},
	{when: whenRoom, sent: "`ROOM_PEER_MSG` without a message", text: "ROOM_PEER_MSG partner", gets: "< ERROR empty message to peer 'partner'"},
}

var over = strings.Repeat("x", maxMessage+1)

// words describes a probe's line for the document.
func words(line, silence string) string {
	mark, rest, _ := strings.Cut(line, " ")
	switch {
	case line == "":
		return silence
	case mark == "!":
		code, reason, _ := strings.Cut(rest, " ")
		if reason != "" {
			return fmt.Sprintf("closed: %s `%s`", code, reason)
		}
		return "closed: " + code
	case mark == "<" && strings.HasPrefix(rest, "ERROR peer 'xxx"):
		return "`ERROR peer '…'... not found`, the id cut to 256 bytes"
	case mark == "<" && (strings.HasPrefix(rest, "ERROR") || strings.HasPrefix(rest, "ROOM")):
		return "`" + rest + "`"
	case line == "closed":
		return "its session is closed"
	}
	return "that message"
}

// TestTableInTheDocument compares docs/PROTOCOL.md with the table of the tests.
func TestTableInTheDocument(t *testing.T) {
	doc, err := os.ReadFile("../../docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, m := range malformed {
		silence := "nothing: it is dropped"
		if m.partner != "" {
			silence = "nothing: it is relayed"
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s |", m.when, m.sent, words(m.gets, silence), words(m.partner, "nothing")))
	}
	if table := strings.Join(rows, "\n") + "\n\n"; !strings.Contains(string(doc), table) {
		t.Errorf("docs/PROTOCOL.md should hold these lines:\n%s", table)
	}
}

// standing is a server with a peer that will misbehave, its partner, and bystanders: two peers in a session and a viewer
// of the streamer.
type standing struct {
	when         string
	bad, partner *probe
	session      *fakeSession // the bad peer's, when it is a viewer
	x, y, viewer *probe
	viewing      *fakeSession
}

func newStanding(t *testing.T, when string) *standing {
	t.Helper()
	s, m := NewServer(ServerOptions{}), newFakeMedia()
	if err := s.Register("camera", m); err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewServer(s)
	t.Cleanup(ts.Close)
	runServer(t, s)
	dial := dialer(ts.URL)
	st := &standing{when: when, bad: dialProbe(t, dial), partner: dialProbe(t, dial).hello("partner")}
	st.x, st.y, st.viewer = dialProbe(t, dial).hello("x"), dialProbe(t, dial).hello("y"), dialProbe(t, dial).hello("viewer")
	st.x.say("SESSION y")
	st.x.expect("< SESSION_OK")
	st.viewer.say("SESSION camera")
	st.viewer.expect("< SESSION_OK")
	st.viewing = m.next(t)
	if when != whenNew {
		st.bad.hello("bad")
	}
	switch when {
	case whenSession:
		st.bad.say("SESSION partner")
		st.bad.expect("< SESSION_OK")
	case whenViewer:
		st.bad.say("SESSION camera")
		st.bad.expect("< SESSION_OK")
		st.session = m.next(t)
	case whenRoom:
		st.partner.say("ROOM r")
		st.partner.expect("< ROOM_OK ")
		st.bad.say("ROOM r")
		st.bad.expect("< ROOM_OK partner")
		st.partner.expect("< ROOM_PEER_JOINED bad")
	}
	return st
}

// untouched fails the test unless the bystanders' relays work and carried nothing else.
func (st *standing) untouched(t *testing.T) {
	t.Helper()
	st.x.say(offerText)
	st.y.expect("< " + offerText)
	st.y.say(answerText)
	st.x.expect("< " + answerText)
	st.viewer.say(iceText)
	st.viewing.expect(iceText)
	st.viewing.send(payload(t, offerText))
	st.viewer.expect("< " + offerText)
}

// goesOn fails the test unless the bad peer has heard nothing and is served as before.
func (st *standing) goesOn(t *testing.T) {
	t.Helper()
	switch st.when {
	case whenFree:
		st.bad.say("SESSION y")
		st.bad.expect("< ERROR peer 'y' busy")
	case whenSession:
		st.bad.say(iceText)
		st.partner.expect("< " + iceText)
	case whenViewer:
		st.bad.say(iceText)
		st.session.expect(iceText)
	case whenRoom:
		st.bad.say("ROOM_PEER_MSG partner x")
		st.partner.expect("< ROOM_PEER_MSG bad x")
	}
	if n := len(st.bad.heard); n > 0 {
		t.Errorf("it heard %d things more", n)
	}
}

func TestMalformed(t *testing.T) {
	checkLeaks(t)
	for _, m := range malformed {
		t.Run(m.when+", "+strings.ReplaceAll(m.sent, "`", ""), func(t *testing.T) {
			st := newStanding(t, m.when)
			st.untouched(t)
			switch {
			case m.raw:
				if _, err := st.bad.ws.NetConn().Write([]byte(m.text)); err != nil {
					t.Fatal(err)
				}
			case m.binary:
				st.bad.write(websocket.BinaryMessage, m.text)
			default:
				st.bad.say(m.text)
			}
			if m.gets != "" {
				st.bad.expect(m.gets)
			}
			switch {
			case m.partner != "" && m.when == whenViewer:
				st.session.expect(m.partner)
			case m.partner != "":
				st.partner.expect(m.partner)
			}
			if !strings.HasPrefix(m.gets, "!") {
				st.goesOn(t)
			}
			st.untouched(t)
		})
	}
}
