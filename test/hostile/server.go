package hostile

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/gorilla/websocket"
)

// Server is a signalling server that turns on the program that registers there, and again whenever it comes back.
type Server struct {
	Name  string
	Room  bool         // the program is in a room there; else it waits to be called
	Calls atomic.Int64 // connections
	Sent  atomic.Int64 // what was sent

	flood func(ws *websocket.Conn, n int64) error // sends the n-th message
}

// Servers are the kinds of them.
func Servers() []*Server {
	offer := fmt.Sprintf(`{"sdp":{"type":"offer","sdp":%q}}`, Offers()[len(Offers())-1])
	say := func(ws *websocket.Conn, text string) error {
		return ws.WriteMessage(websocket.TextMessage, []byte(text))
	}
	return []*Server{
		{Name: "a message of empty fragments", flood: func(ws *websocket.Conn, n int64) error {
			frames := make([]byte, 8<<10) // of two bytes each: continued, and none ends the message
			if n == 1 {
				frames[0] = websocket.TextMessage
			}
			_, err := ws.NetConn().Write(frames)
			return err
		}},
		{Name: "a stream of offers", flood: func(ws *websocket.Conn, _ int64) error { return say(ws, offer) }},
		{Name: "a room of members that come and go", Room: true, flood: func(ws *websocket.Conn, n int64) error {
			return say(ws, fmt.Sprintf([]string{"ROOM_PEER_JOINED m%d", "ROOM_PEER_MSG m%d OFFER_REQUEST", "ROOM_PEER_LEFT m%d"}[n%3], n/3))
		}},
		{Name: "a room of members that speak nonsense", Room: true, flood: func(ws *websocket.Conn, n int64) error {
			return say(ws, fmt.Sprintf("ROOM_PEER_MSG m%d {nonsense}", n))
		}},
	}
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ws, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
	if err != nil {
		return // it was told
	}
	defer func() { _ = ws.Close() }()
	s.Calls.Add(1)
	words := map[string]string{"HELLO": "HELLO", "ROOM": "ROOM_OK "}
	for last := ""; last != "ROOM" && (s.Room || last != "HELLO"); {
		_, text, err := ws.ReadMessage()
		if err != nil {
			return
		}
		last, _, _ = strings.Cut(string(text), " ")
		if ws.WriteMessage(websocket.TextMessage, []byte(words[last])) != nil {
			return
		}
	}
	go func() { // what the program says is not listened to, but taken
		for err := error(nil); err == nil; {
			_, _, err = ws.ReadMessage()
		}
	}()
	for n := int64(1); s.flood(ws, n) == nil; n++ {
		s.Sent.Add(1)
	}
}
