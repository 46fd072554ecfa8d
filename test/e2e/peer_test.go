//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

const answerWithin = 10 * time.Second

// peer is a protocol peer without media, for what is said and in which order. Not safe for concurrent use.
type peer struct {
	t  testing.TB
	ws *websocket.Conn
}

// message is what two peers of a session say to one another in JSON.
type message struct {
	SDP *struct {
		Type string `json:"type"`
		SDP  string `json:"sdp"`
	} `json:"sdp"`
	ICE map[string]any `json:"ice"`
}

func dial(t testing.TB, url string) *peer {
	t.Helper()
	dialer := websocket.Dialer{HandshakeTimeout: answerWithin}
	ws, response, err := dialer.DialContext(t.Context(), url, nil)
	if err != nil {
		t.Fatalf("dial %s: %v", url, err)
	}
	_ = response.Body.Close()
	return newPeer(t, ws)
}

func newPeer(t testing.TB, ws *websocket.Conn) *peer {
	t.Cleanup(func() { _ = ws.Close() })
	return &peer{t: t, ws: ws}
}

// register dials a server and says HELLO.
func register(t testing.TB, url, id string) *peer {
	t.Helper()
	p := dial(t, url)
	p.send("HELLO " + id)
	p.want("HELLO")
	return p
}

func (p *peer) send(text string) {
	p.t.Helper()
	p.sendRaw(websocket.TextMessage, []byte(text))
}

func (p *peer) sendRaw(kind int, data []byte) {
	p.t.Helper()
	if err := p.ws.WriteMessage(kind, data); err != nil {
		p.t.Fatalf("send %.60q: %v", data, err)
	}
}

// next is the next message, or the close that came instead.
func (p *peer) next(within time.Duration) (string, error) {
	p.t.Helper()
	if err := p.ws.SetReadDeadline(time.Now().Add(within)); err != nil {
		p.t.Fatalf("set deadline: %v", err)
	}
	_, data, err := p.ws.ReadMessage()
	return string(data), err
}

func (p *peer) receive() string {
	p.t.Helper()
	text, err := p.next(answerWithin)
	if err != nil {
		p.t.Fatalf("receive: %v", err)
	}
	return text
}

func (p *peer) want(text string) {
	p.t.Helper()
	if got := p.receive(); got != text {
		p.t.Fatalf("received %.200q, want %q", got, text)
	}
}

// wantPrefix returns what follows the prefix.
func (p *peer) wantPrefix(prefix string) string {
	p.t.Helper()
	got := p.receive()
	rest, ok := strings.CutPrefix(got, prefix)
	if !ok {
		p.t.Fatalf("received %.200q, want %q...", got, prefix)
	}
	return rest
}

// wantSDP reads a description of that type, which must come before any candidate, and returns it. prefix is what the
// server puts before a payload, in a room.
func (p *peer) wantSDP(kind, prefix string) string {
	p.t.Helper()
	m := p.wantJSON(prefix)
	if m.SDP == nil || m.SDP.Type != kind {
		p.t.Fatalf("received %+v, want an sdp of type %q first", m, kind)
	}
	return m.SDP.SDP
}

// wantICE reads a candidate and checks its form: the two members that every peer of the family reads, and no other.
func (p *peer) wantICE(prefix string) {
	p.t.Helper()
	m := p.wantJSON(prefix)
	candidate, _ := m.ICE["candidate"].(string)
	_, numbered := m.ICE["sdpMLineIndex"].(float64)
	if !strings.HasPrefix(candidate, "candidate:") || !numbered || len(m.ICE) != 2 {
		p.t.Fatalf("received ice %v, want candidate and sdpMLineIndex", m.ICE)
	}
}

func (p *peer) wantJSON(prefix string) message {
	p.t.Helper()
	text, ok := strings.CutPrefix(p.receive(), prefix)
	var m message
	if err := json.Unmarshal([]byte(text), &m); err != nil || !ok {
		p.t.Fatalf("received %.200q, want %q and JSON", text, prefix)
	}
	return m
}

// closeCode is the code of a close, -1 for a broken connection, 0 for anything else.
func closeCode(err error) int {
	var closed *websocket.CloseError
	switch {
	case errors.As(err, &closed):
		return closed.Code
	case err != nil && !strings.Contains(err.Error(), "timeout"):
		return -1
	}
	return 0
}
