package signalling

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"
)

// A transcript is what up to nine connections a, b, c... say and hear:
//
//	a> text    a says it            a< text          a hears it
//	a>~ text   as a binary frame    a~ text          as a binary frame
//	a-         a's connection breaks a! 1002 reason  a is closed
//
// Every answer is directly behind the line that caused it. The same transcripts are played to world.step and, over real sockets, to
// the server.
type transcript struct {
	name  string
	lines []string
}

var long = strings.Repeat("x", 257)

var transcripts = []transcript{
	// The reference's, registration.
	{"hello", []string{"a> HELLO 1", "a< HELLO"}},
	{"hello, tab", []string{"a> HELLO\t1", "a< HELLO", "b> HELLO 1", "b! 1002 invalid peer uid"}},
	{"hello without id", []string{"a> HELLO", "a! 1011"}},
	{"hello with blanks only", []string{"a> HELLO  ", "a! 1011"}},
	{"id with a blank inside", []string{"a> HELLO a b", "a! 1002 invalid peer uid"}},
	{"id with a blank behind", []string{"a> HELLO a ", "a! 1002 invalid peer uid"}},
	{"id taken", []string{"a> HELLO 1", "a< HELLO", "b> HELLO 1", "b! 1002 invalid peer uid", "a> SESSION 2", "a< ERROR peer '2' not found"}},
	{"ids differ by case", []string{"a> HELLO x", "a< HELLO", "b> HELLO X", "b< HELLO"}},
	{"lower case hello", []string{"a> hello", "a! 1002 invalid protocol"}},
	{"other first word", []string{"a> BYE x", "a! 1002 invalid protocol"}},
	{"binary hello", []string{"a>~ HELLO 1", "a! 1002 invalid protocol"}},
	{"metadata is not classic", []string{`a> HELLO id {"name":"x"}`, "a! 1002 invalid peer uid"}},
	{"odd ids", []string{
		"a> HELLO 相机", "a< HELLO", `b> HELLO a/b"{'`, "b< HELLO", "c> HELLO session", "c< HELLO",
		"c> SESSION 相机", "c< SESSION_OK", "c> hi", "a< hi",
	}},
	{"id is free again", []string{"a> HELLO 1", "a< HELLO", "a-", "b> HELLO 1", "b< HELLO"}},
	// The reference's, sessions.
	{"unknown callee", []string{"a> HELLO 1", "a< HELLO", "a> SESSION 2", "a< ERROR peer '2' not found"}},
	{"unknown callee, quoting", []string{
		"a> HELLO 1", "a< HELLO", "a> SESSION it's", `a< ERROR peer "it's" not found`,
		`a> SESSION a'b"c`, `a< ERROR peer 'a\'b"c' not found`, "a> SESSION a b ", "a< ERROR peer 'a b ' not found",
	}},
	{"session", []string{
		"a> HELLO 1", "a< HELLO", "b> HELLO 2", "b< HELLO", "a> SESSION 2", "a< SESSION_OK",
		"a> " + offerText, "b< " + offerText, "b> " + answerText, "a< " + answerText, "b> " + iceText, "a< " + iceText,
	}},
	{"session is by prefix", []string{"a> HELLO 1", "a< HELLO", "a> SESSIONS 2", "a< ERROR peer '2' not found"}},
	{"offer request is relayed", []string{
		"a> HELLO 1", "a< HELLO", "b> HELLO 2", "b< HELLO", "a> SESSION 2", "a< SESSION_OK", "a> OFFER_REQUEST", "b< OFFER_REQUEST",
	}},
	{"all is relayed in a session", []string{
		"a> HELLO 1", "a< HELLO", "b> HELLO 2", "b< HELLO", "a> SESSION 2", "a< SESSION_OK",
		"a> SESSION 3", "b< SESSION 3", "b> ROOM r", "a< ROOM r", "a> HELLO 1", "b< HELLO 1", "a>~ \xff\x00", "b~ \xff\x00",
		"a> ", "b< ", "a> ROOM_PEER_LIST", "b< ROOM_PEER_LIST", "a> ERROR x", "b< ERROR x",
	}},
	{"callee in a session is busy", []string{
		"a> HELLO 1", "a< HELLO", "b> HELLO 2", "b< HELLO", "c> HELLO 3", "c< HELLO", "a> SESSION 2", "a< SESSION_OK",
		"c> SESSION 2", "c< ERROR peer '2' busy", "c> SESSION 1", "c< ERROR peer '1' busy",
	}},
	{"callee in a room is busy", []string{
		"a> HELLO 1", "a< HELLO", "b> HELLO 2", "b< HELLO", "a> ROOM r", "a< ROOM_OK ", "b> SESSION 1", "b< ERROR peer '1' busy",
	}},
	{"session with oneself", []string{"a> HELLO 1", "a< HELLO", "a> SESSION 1", "a< SESSION_OK", "a> hi", "a< hi", "a-"}},
	{"partner gone", []string{
		"a> HELLO 1", "a< HELLO", "b> HELLO 2", "b< HELLO", "a> SESSION 2", "a< SESSION_OK", "a-", "b! 1000",
		"c> HELLO 1", "c< HELLO", "d> HELLO 2", "d< HELLO", "c> SESSION 2", "c< SESSION_OK",
	}},
	{"callee gone", []string{"a> HELLO 1", "a< HELLO", "b> HELLO 2", "b< HELLO", "a> SESSION 2", "a< SESSION_OK", "b-", "a! 1000"}},
	{"noise before a session", []string{
		"a> HELLO 1", "a< HELLO", "a> OFFER_REQUEST", "a> " + offerText, "a> HELLO 1", "a> ", "a>~ SESSION 1",
		"a> SESSION 2", "a< ERROR peer '2' not found",
	}},
	// The reference's, rooms.
	{"room", []string{
		"a> HELLO 1", "a< HELLO", "b> HELLO 2", "b< HELLO", "c> HELLO 3", "c< HELLO",
		"a> ROOM r", "a< ROOM_OK ", "b> ROOM r", "b< ROOM_OK 1", "a< ROOM_PEER_JOINED 2",
		"c> ROOM r", "c< ROOM_OK 1 2", "a< ROOM_PEER_JOINED 3", "b< ROOM_PEER_JOINED 3",
		"c> ROOM_PEER_MSG 1 " + offerText, "a< ROOM_PEER_MSG 3 " + offerText,
		"a> ROOM_PEER_MSG  2  a  b ", "b< ROOM_PEER_MSG 1 a  b ",
		"b-", "a< ROOM_PEER_LEFT 2", "c< ROOM_PEER_LEFT 2",
	}},
	{"room message errors", []string{
		"a> HELLO 1", "a< HELLO", "b> HELLO 2", "b< HELLO", "c> HELLO 3", "c< HELLO", "a> ROOM r", "a< ROOM_OK ",
		"c> ROOM s", "c< ROOM_OK ", "a> ROOM_PEER_MSG 9 x", "a< ERROR peer '9' not found",
		"a> ROOM_PEER_MSG 2 x", "a< ERROR peer '2' is not in the room", "a> ROOM_PEER_MSG 3 x", "a< ERROR peer '3' is not in the room",
	}},
	{"invalid room ids", []string{
		"a> HELLO 1", "a< HELLO", "a> ROOM session", "a< ERROR invalid room id 'session'",
		"a> ROOM a b", "a< ERROR invalid room id 'a b'", "a> ROOM a ", "a< ERROR invalid room id 'a '",
		"a> ROOM r", "a< ROOM_OK ",
	}},
	{"other words in a room", []string{
		"a> HELLO 1", "a< HELLO", "a> ROOM r", "a< ROOM_OK ", "a> SESSION 1", "a< ERROR invalid msg, already in room",
		"a> ROOM s", "a< ERROR invalid msg, already in room", "a> hi", "a< ERROR invalid msg, already in room",
		"a> ", "a< ERROR invalid msg, already in room",
	}},
	// Where the reference crashes or leaks.
	{"session without id", []string{"a> HELLO 1", "a< HELLO", "a> SESSION", "a< ERROR peer '' not found", "a> SESSION ", "a< ERROR peer '' not found"}},
	{"room without id", []string{"a> HELLO 1", "a< HELLO", "a> ROOM", "a< ERROR invalid room id ''"}},
	{"room message without payload", []string{
		"a> HELLO 1", "a< HELLO", "b> HELLO 2", "b< HELLO", "a> ROOM r", "a< ROOM_OK ", "b> ROOM r", "b< ROOM_OK 1", "a< ROOM_PEER_JOINED 2",
		"a> ROOM_PEER_MSG 2", "a< ERROR empty message to peer '2'", "a> ROOM_PEER_MSG", "a< ERROR peer '' not found",
	}},
	{"room list", []string{
		"a> HELLO 1", "a< HELLO", "b> HELLO 2", "b< HELLO", "a> ROOM r", "a< ROOM_OK ", "a> ROOM_PEER_LIST", "a< ROOM_PEER_LIST ",
		"b> ROOM r", "b< ROOM_OK 1", "a< ROOM_PEER_JOINED 2", "a> ROOM_PEER_LIST", "a< ROOM_PEER_LIST 2",
	}},
	{"binary frame in a room", []string{"a> HELLO 1", "a< HELLO", "a> ROOM r", "a< ROOM_OK ", "a>~ ROOM_PEER_LIST", "a< ERROR invalid msg, already in room"}},
	{"an empty room is forgotten", []string{
		"a> HELLO 1", "a< HELLO", "a> ROOM r", "a< ROOM_OK ", "a-", "b> HELLO 1", "b< HELLO", "b> ROOM r", "b< ROOM_OK ",
	}},
	{"room words outside a room", []string{
		"a> HELLO 1", "a< HELLO", "a> ROOM_PEER_MSG 1 x", "a< ERROR not in a room", "a> ROOM_PEER_LIST", "a< ERROR not in a room",
	}},
	// Our limits.
	{"long ids", []string{
		"a> HELLO " + long, "a! 1002 invalid peer uid", "b> HELLO " + long[1:], "b< HELLO",
		"b> ROOM " + long, "b< ERROR invalid room id '" + long[1:] + "'...", "b> SESSION " + long, "b< ERROR peer '" + long[1:] + "'... not found",
	}},
}

// cut splits a line into the connection's name, the mark and the text.
func cut(line string) (name, mark, text string) {
	mark, text, _ = strings.Cut(line[1:], " ")
	return line[:1], mark, text
}

func TestTranscriptsOfTheStateFunction(t *testing.T) {
	for _, tc := range transcripts {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.lines, replay(t, tc.lines)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// replay gives world.step the inputs of a transcript. It returns the inputs with the answers.
func replay(t *testing.T, lines []string) (got []string) {
	t.Helper()
	w := newWorld(256)
	ids := make(map[string]connID)
	names := make(map[connID]string)
	for _, line := range lines {
		name, mark, text := cut(line)
		in := input{kind: heard, frame: frame{mark == ">~", text}}
		switch mark {
		case "-":
			in.kind = left
		case ">", ">~":
		default:
			continue
		}
		if ids[name] == 0 {
			ids[name] = connID(len(ids) + 1)
			names[ids[name]] = name
			w.step(input{from: ids[name], kind: joined})
		}
		in.from = ids[name]
		got = append(got, line)
		for _, r := range w.step(in) {
			if r.kind != doubt { // which the other side does not see
				got = append(got, replyLine(names[r.to], r))
			}
		}
		checkWorld(t, w)
	}
	return got
}

func replyLine(name string, r reply) string {
	switch {
	case r.kind == hangUp:
		return strings.TrimSuffix(fmt.Sprintf("%s! %d %s", name, r.code, r.reason), " ")
	case r.kind == say && r.frame.binary:
		return name + "~ " + r.frame.text
	case r.kind == say:
		return name + "< " + r.frame.text
	case r.kind == ring:
		return name + " rings"
	}
	return name + " to the streamer: " + r.frame.text
}

func TestTranscriptsOverSockets(t *testing.T) {
	checkLeaks(t)
	for _, tc := range transcripts {
		t.Run(tc.name, func(t *testing.T) {
			s := NewServer(ServerOptions{})
			ts := httptest.NewServer(s)
			t.Cleanup(ts.Close)
			runServer(t, s)
			probes := make(map[string]*probe)
			for _, line := range tc.lines {
				name, mark, text := cut(line)
				p := probes[name]
				if p == nil {
					p = dialProbe(t, dialer(ts.URL))
					probes[name] = p
				}
				switch mark {
				case ">":
					p.say(text)
				case ">~":
					p.write(websocket.BinaryMessage, text)
				case "-":
					before := s.Stats().Connections
					p.kill()
					p.expect("broken")
					waitUntil(t, func() bool { return s.Stats().Connections < before })
				default:
					p.expect(line[1:])
				}
			}
			for name, p := range probes {
				p.nothingMore(name)
			}
		})
	}
}

// nothingMore closes the connection in order. It fails the test if anything but the end had still to be read.
func (p *probe) nothingMore(name string) {
	p.t.Helper()
	_ = p.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), noDeadline)
	for line := range p.heard {
		if strings.HasPrefix(line, "< ROOM_PEER_LEFT") || !strings.HasPrefix(line, "< ") && !strings.HasPrefix(line, "~ ") {
			continue
		}
		p.t.Errorf("%s heard %.200q, which is not in the transcript", name, line)
	}
}

func dialer(url string) func() (*websocket.Conn, error) {
	return func() (*websocket.Conn, error) {
		ws, resp, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(url, "http"), nil)
		if resp != nil {
			_ = resp.Body.Close()
		}
		return ws, err
	}
}
