//go:build e2e

package e2e

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
)

// reference behaves as the family's own signalling server does: it relays, tells a callee nothing, and when a partner
// leaves closes the other socket with 1000. okSuffix is what some relatives add to SESSION_OK.
type reference struct {
	okSuffix string
	handlers sync.WaitGroup

	mu    sync.Mutex
	peers map[string]*referencePeer
}

type referencePeer struct {
	id      string
	ws      *websocket.Conn
	room    string
	partner *referencePeer
}

// startReference serves until the end of the test and returns its ws:// address.
func startReference(t testing.TB, okSuffix string) string {
	t.Helper()
	r := &reference{okSuffix: okSuffix, peers: map[string]*referencePeer{}}
	t.Cleanup(func() {
		r.closeAll()
		r.handlers.Wait()
	})
	return "ws://" + serve(t, r)
}

func (r *reference) closeAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.peers {
		_ = p.ws.Close()
	}
}

func (r *reference) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.handlers.Add(1)
	defer r.handlers.Done()
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	ws, err := upgrader.Upgrade(w, q, nil)
	if err != nil {
		return
	}
	defer func() { _ = ws.Close() }()
	_, hello, err := ws.ReadMessage()
	if err != nil {
		return
	}
	p := r.join(strings.Fields(string(hello)), ws)
	if p == nil {
		deny := websocket.FormatCloseMessage(websocket.CloseProtocolError, "invalid peer uid")
		_ = ws.WriteMessage(websocket.CloseMessage, deny)
		return
	}
	defer r.leave(p)
	for {
		kind, data, err := ws.ReadMessage()
		if err != nil {
			return
		}
		r.handle(p, kind, data)
	}
}

// join is nil where the first words of a connection are refused.
func (r *reference) join(words []string, ws *websocket.Conn) *referencePeer {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(words) != 2 || words[0] != "HELLO" || r.peers[words[1]] != nil {
		return nil
	}
	p := &referencePeer{id: words[1], ws: ws}
	r.peers[p.id] = p
	p.say("HELLO")
	return p
}

func (r *reference) leave(p *referencePeer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.peers[p.id] == p {
		delete(r.peers, p.id)
	}
	if other := p.partner; other != nil {
		other.partner = nil
		delete(r.peers, other.id)
		done := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
		_ = other.ws.WriteMessage(websocket.CloseMessage, done)
	}
	for _, other := range r.members(p) {
		other.say("ROOM_PEER_LEFT " + p.id)
	}
}

// members are the others in p's room, by id.
func (r *reference) members(p *referencePeer) []*referencePeer {
	var found []*referencePeer
	for _, other := range r.peers {
		if other != p && p.room != "" && other.room == p.room {
			found = append(found, other)
		}
	}
	slices.SortFunc(found, func(a, b *referencePeer) int { return strings.Compare(a.id, b.id) })
	return found
}

func (r *reference) handle(p *referencePeer, kind int, data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.partner != nil {
		_ = p.partner.ws.WriteMessage(kind, data)
		return
	}
	word, rest, _ := strings.Cut(string(data), " ")
	switch {
	case p.room != "" && word == "ROOM_PEER_MSG":
		r.relay(p, rest)
	case p.room != "":
		p.say("ERROR invalid msg, already in room")
	case word == "SESSION":
		r.session(p, rest)
	case word == "ROOM":
		r.enter(p, rest)
	}
}

func (r *reference) session(p *referencePeer, callee string) {
	other := r.peers[callee]
	switch {
	case other == nil:
		p.say("ERROR peer '" + callee + "' not found")
	case other.partner != nil || other.room != "":
		p.say("ERROR peer '" + callee + "' busy")
	default:
		p.partner, other.partner = other, p
		p.say("SESSION_OK" + r.okSuffix)
	}
}

func (r *reference) enter(p *referencePeer, room string) {
	p.room = room
	var ids []string
	for _, other := range r.members(p) {
		ids = append(ids, other.id)
		other.say("ROOM_PEER_JOINED " + p.id)
	}
	p.say("ROOM_OK " + strings.Join(ids, " "))
}

func (r *reference) relay(p *referencePeer, rest string) {
	to, payload, _ := strings.Cut(rest, " ")
	other := r.peers[to]
	switch {
	case other == nil:
		p.say("ERROR peer '" + to + "' not found")
	case other.room != p.room:
		p.say("ERROR peer '" + to + "' is not in the room")
	default:
		other.say("ROOM_PEER_MSG " + p.id + " " + payload)
	}
}

// say is only called under the server's lock: a socket has one writer at a time.
func (p *referencePeer) say(text string) {
	_ = p.ws.WriteMessage(websocket.TextMessage, []byte(text))
}
