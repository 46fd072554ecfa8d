//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// side is the media half of a peer of the classic family. It hears "start" (an offer will come), "request" (make one),
// "offer", "answer" and "candidate", and says the last three to the function that it was made with. line is the section of a
// candidate.
type side interface {
	hear(word string, line int, text string) error
}

// say is how a side speaks; it may be called from any goroutine.
type say func(word string, line int, text string)

// form is one way in which such a peer and the streamer find each other, and who of them offers.
type form struct {
	name    string
	args    []string // the streamer's; empty: the peer calls it on its own server
	request bool     // the caller asks for an offer instead of making one
}

// guest is the peer's id.
const guest = "1234"

var forms = []form{
	{"it calls and offers", nil, false},
	{"it calls and asks for an offer", nil, true},
	{"it is called with an offer", []string{"--peer", guest}, false},
	{"it is called and asked for an offer", []string{"--peer", guest, "--remote-offerer"}, true},
}

// call joins a peer's media to the signalling, message by message, until the end of the test.
type call struct {
	t    testing.TB
	side side
	ws   *websocket.Conn
	done chan struct{} // closed when nothing is heard any more

	write sync.Mutex
	mu    sync.Mutex
	log   []string // what was said and heard
	ended error    // what ended it
}

// startCall starts the streamer, and the peer's session with it in one of the forms.
func startCall(t testing.TB, f form, makeSide func(say) side, args ...string) (*call, *Program) {
	t.Helper()
	s := &call{t: t, done: make(chan struct{})}
	args = append(args, f.args...)
	var program *Program
	if len(f.args) == 0 {
		program = startSmall(t, args...)
		p := register(t, webSocket(program), guest)
		p.send("SESSION camera")
		p.want("SESSION_OK")
		s.ws = p.ws
		s.side = makeSide(s.say)
		s.begin(f)
	} else {
		server := startReference(t, "")
		s.ws = register(t, server, guest).ws
		s.side = makeSide(s.say)
		program = startSmall(t, append(args, "--server", server)...)
	}
	if err := s.ws.SetReadDeadline(time.Time{}); err != nil { // what came before had one
		t.Fatalf("clear the deadline: %v", err)
	}
	go s.listen()
	t.Cleanup(s.close)
	return s, program
}

// begin is the caller's first word.
func (s *call) begin(f form) {
	word := "request"
	if f.request {
		word = "start"
	}
	if err := s.side.hear(word, 0, ""); err != nil {
		s.t.Fatalf("%s: %v", word, err)
	}
	if f.request {
		s.send("OFFER_REQUEST")
	}
}

func (s *call) listen() {
	defer close(s.done)
	for {
		_, text, err := s.ws.ReadMessage()
		if err == nil {
			s.note("heard " + string(text))
			err = s.take(string(text))
		}
		if err != nil {
			s.mu.Lock()
			s.ended = err
			s.mu.Unlock()
			return
		}
	}
}

func (s *call) take(text string) error {
	if text == "OFFER_REQUEST" {
		return s.side.hear("request", 0, "")
	}
	var m message
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return fmt.Errorf("read %.100q: %w", text, err)
	}
	if m.SDP != nil {
		return s.side.hear(m.SDP.Type, 0, m.SDP.SDP)
	}
	candidate, _ := m.ICE["candidate"].(string)
	line, _ := m.ICE["sdpMLineIndex"].(float64)
	return s.side.hear("candidate", int(line), candidate)
}

// say is how the side speaks.
func (s *call) say(word string, line int, text string) {
	var m any = map[string]any{"sdp": map[string]string{"type": word, "sdp": text}}
	if word == "candidate" {
		m = map[string]any{"ice": map[string]any{"candidate": text, "sdpMLineIndex": line}}
	}
	data, err := json.Marshal(m)
	if err != nil {
		s.t.Errorf("write a %s: %v", word, err)
		return
	}
	s.send(string(data))
}

func (s *call) send(text string) {
	s.note("said " + text)
	s.write.Lock()
	defer s.write.Unlock()
	_ = s.ws.WriteMessage(websocket.TextMessage, []byte(text)) // a lost connection is noticed by who listens
}

func (s *call) note(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, line)
}

// over is what has ended the session so far; nil: nothing.
func (s *call) over() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

func (s *call) close() {
	_ = s.ws.Close()
	<-s.done
	if s.t.Failed() {
		s.t.Logf("the session, ended by %v:\n%s", s.ended, strings.ReplaceAll(strings.Join(s.log, "\n"), `\r\n`, "\n    "))
	}
}
