//go:build e2e

package e2e

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// scripted is a signalling server that does nothing by itself: the test reads what the streamer says and answers it.
type scripted struct {
	t     *testing.T
	url   string
	conns chan *websocket.Conn
}

func startScripted(t *testing.T) *scripted {
	t.Helper()
	s := &scripted{t: t, conns: make(chan *websocket.Conn, 16)}
	s.url = "ws://" + serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ws, err := new(websocket.Upgrader).Upgrade(w, r, nil); err == nil {
			s.conns <- ws
		}
	}))
	return s
}

// accept is the streamer's next connection.
func (s *scripted) accept(within time.Duration) *peer {
	s.t.Helper()
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case ws := <-s.conns:
		return newPeer(s.t, ws)
	case <-timer.C:
		s.t.Fatalf("the streamer did not connect within %v", within)
		return nil
	}
}

func (p *peer) closeWith(code int) {
	p.t.Helper()
	_ = p.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(answerWithin))
}

var smallID = regexp.MustCompile(`^[1-9]\d{1,3}$`) // 10 to 9999, as the reference draws them

// assertHello plays the server up to the HELLO and returns the streamer's id.
func assertHello(t *testing.T, p *peer, pattern *regexp.Regexp) {
	t.Helper()
	if id := p.wantPrefix("HELLO "); !pattern.MatchString(id) {
		t.Fatalf("HELLO with id %q, want one like %s", id, pattern)
	}
	p.send("HELLO")
}

// TestTranscripts checks, word by word, what the streamer says in each role, and in which order.
func TestTranscripts(t *testing.T) {
	t.Run("caller", func(t *testing.T) {
		s := startScripted(t)
		StartBoardcast(t, "--server", s.url, "--peer", "page")
		p := s.accept(answerWithin)
		assertHello(t, p, smallID)
		p.want("SESSION page")
		p.send("SESSION_OK")
		assertOffer(t, p.wantSDP("offer", ""))
		p.wantICE("")
	})
	t.Run("caller of a peer that comes later", func(t *testing.T) {
		s := startScripted(t)
		StartBoardcast(t, "--server", s.url, "--peer", "page")
		p := s.accept(answerWithin)
		assertHello(t, p, smallID)
		p.want("SESSION page")
		p.send("ERROR peer 'page' not found")
		p = again(s, p)
		p.send("SESSION_OK e30=")
		assertOffer(t, p.wantSDP("offer", ""))
	})
	t.Run("caller, remote offerer", func(t *testing.T) {
		s := startScripted(t)
		StartBoardcast(t, "--server", s.url, "--peer", "page", "--remote-offerer")
		p := s.accept(answerWithin)
		assertHello(t, p, smallID)
		p.want("SESSION page")
		p.send("SESSION_OK ")
		p.want("OFFER_REQUEST")
	})
	t.Run("callee, asked for an offer", func(t *testing.T) {
		s := startScripted(t)
		StartBoardcast(t, "--server", s.url, "--id", "board")
		p := s.accept(answerWithin)
		assertHello(t, p, regexp.MustCompile("^board$"))
		p.send("OFFER_REQUEST")
		assertOffer(t, p.wantSDP("offer", ""))
		p.wantICE("")
	})
	t.Run("room", func(t *testing.T) {
		s := startScripted(t)
		StartBoardcast(t, "--server", s.url, "--room", "hall")
		p := s.accept(answerWithin)
		assertHello(t, p, smallID)
		p.want("ROOM hall")
		p.send("ROOM_OK anna")
		assertOffer(t, p.wantSDP("offer", "ROOM_PEER_MSG anna "))
		p.wantICE("ROOM_PEER_MSG anna ")
	})
	t.Run("id still held by a predecessor", func(t *testing.T) {
		s := startScripted(t)
		StartBoardcast(t, "--server", s.url, "--id", "board")
		for range 3 {
			p := s.accept(3 * answerWithin)
			p.want("HELLO board")
			p.closeWith(websocket.CloseProtocolError)
		}
		assertHello(t, s.accept(3*answerWithin), regexp.MustCompile("^board$"))
	})
}

// again reads the next SESSION of a caller that was refused: on the same connection or on a new one.
func again(s *scripted, p *peer) *peer {
	s.t.Helper()
	text, err := p.next(answerWithin)
	if err != nil {
		p = s.accept(answerWithin)
		assertHello(s.t, p, smallID)
		text = p.receive()
	}
	if text != "SESSION page" {
		s.t.Fatalf("received %q, want the call again", text)
	}
	return p
}

// assertOffer checks what any browser needs of an offer: one bundle of video, audio and a data channel.
func assertOffer(t *testing.T, sdp string) {
	t.Helper()
	for _, want := range []string{"\r\na=group:BUNDLE ", "\r\nm=video ", "\r\nm=audio ", "\r\nm=application ", " opus/48000/2", "\r\na=sendonly"} {
		if !strings.Contains(strings.ToLower(sdp), strings.ToLower(want)) {
			t.Errorf("offer lacks %q:\n%s", want, sdp)
		}
	}
}

// TestOwnServer calls the streamer on its own server, as a peer of the family without a browser.
func TestOwnServer(t *testing.T) {
	program := StartBoardcast(t)
	t.Run("asks for an offer", func(t *testing.T) {
		p := register(t, webSocket(program), "1234")
		p.send("SESSION camera")
		p.want("SESSION_OK")
		p.send("OFFER_REQUEST")
		assertOffer(t, p.wantSDP("offer", ""))
		p.wantICE("")
	})
	t.Run("two at once", func(t *testing.T) {
		first, second := register(t, webSocket(program), "one"), register(t, webSocket(program), "two")
		for _, p := range []*peer{first, second} {
			p.send("SESSION camera")
			p.want("SESSION_OK")
			p.send("OFFER_REQUEST")
		}
		assertOffer(t, first.wantSDP("offer", ""))
		assertOffer(t, second.wantSDP("offer", ""))
	})
	t.Run("nobody there", func(t *testing.T) {
		p := register(t, webSocket(program), "1235")
		p.send("SESSION nobody")
		p.want("ERROR peer 'nobody' not found")
	})
}
