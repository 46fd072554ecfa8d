package signalling

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gorilla/websocket"
)

// Errors of [Server.Register].
var (
	ErrBadID = errors.New("id is empty, too long or holds a blank")
	ErrTaken = errors.New("id is already registered")
)

// connID names one connection or one local peer. No number is used twice in the life of a server.
type connID uint64

type status int

const (
	free      status = iota // registered and callable
	ringing                 // partner, a local peer, is being asked to take the call
	inSession               // with partner
	inRoom                  // in room
)

// peer is what the server knows of one connection.
type peer struct {
	uid     string // empty until HELLO
	local   bool   // a streamer in this process: its status is always free, and many peers may have a session with it
	status  status
	partner connID
	room    string
	may     func(id string) bool // see Rights; nil: all
}

// mayUse reports whether the peer may call a peer of this id, or join a room of this name.
func (p *peer) mayUse(id string) bool { return p.may == nil || p.may(id) }

// frame is one WebSocket message.
type frame struct {
	binary bool
	text   string
}

type inputKind int

const (
	joined  inputKind = iota // the connection was made
	heard                    // a message came from the connection
	left                     // the connection has ended, or is about to
	opened                   // the local peer took the connection's call
	refused                  // the local peer did not take the call
)

// input is what happens to a connection.
type input struct {
	from  connID
	kind  inputKind
	frame frame
	may   func(id string) bool // of a connection that was made
}

type replyKind int

const (
	say     replyKind = iota // send frame to the connection
	hangUp                   // close the connection with code and reason; the world has forgotten it already
	ring                     // ask the local peer callee to take the call; an input opened or refused must follow
	deliver                  // hand frame to the connection's session with a local peer
	doubt                    // find out soon whether the connection still lives
)

// reply is one thing that the server does about an input. Replies of kind ring and deliver are for the connection of the input.
type reply struct {
	to     connID
	kind   replyKind
	frame  frame
	callee connID
	code   int
	reason string
	why    string // of hangUp: what the log tells in place of reason, which is the words of the reference server
}

// world is all that the server knows of its peers. All decisions about them are in [world.step]. The world does no I/O, reads no
// clock and takes no lock. It is not safe for concurrent use.
type world struct {
	idLimit int
	peers   map[connID]*peer
	ids     map[string]connID
	rooms   map[string][]connID // the members of each room, the first that joined first; an empty room does not exist
}

func newWorld(idLimit int) *world {
	return &world{idLimit, make(map[connID]*peer), make(map[string]connID), make(map[string][]connID)}
}

// addLocal registers a streamer in this process.
func (w *world) addLocal(id connID, uid string) error {
	if !validID(uid, w.idLimit) {
		return ErrBadID
	}
	if _, taken := w.ids[uid]; taken {
		return ErrTaken
	}
	w.peers[id] = &peer{uid: uid, local: true}
	w.ids[uid] = id
	return nil
}

// step takes in what happened, and says what to do about it. Input of a connection that the world does not know, or has forgotten,
// has no effect.
func (w *world) step(in input) []reply {
	p := w.peers[in.from]
	switch {
	case in.kind == joined:
		if p == nil {
			w.peers[in.from] = &peer{may: in.may}
		}
	case p == nil || p.local:
	case in.kind == left:
		return w.leave(in.from)
	case p.status == ringing:
		return w.answer(in, p)
	case in.kind != heard:
	case p.uid == "":
		return w.hello(in.from, in.frame)
	case p.status == inSession:
		return w.relay(p, in)
	case p.status == inRoom:
		return w.member(in.from, in.frame)
	default:
		return w.command(in.from, in.frame)
	}
	return nil
}

// answer takes in whether the local peer took the call. Other input of a connection that rings has no effect.
func (w *world) answer(in input, p *peer) []reply {
	switch in.kind {
	case opened:
		p.status = inSession
		return sayTo(in.from, Message{Kind: KindSessionOK})
	case refused:
		callee := w.peers[p.partner].uid
		p.status, p.partner = free, 0
		return w.errorTo(in.from, "peer %s busy", callee)
	case joined, heard, left:
	}
	return nil
}

// invalidUID is what the reference server says to a peer whose id it does not take.
const invalidUID = "invalid peer uid"

// refuse closes a connection that may not register. why is for the log.
func (w *world) refuse(id connID, code int, reason, why string) []reply {
	no := w.close(id, code, reason)
	no[0].why = why
	return no
}

// hello registers a connection.
func (w *world) hello(from connID, f frame) []reply {
	m := ParseRequest(f.text)
	holder, taken := w.ids[m.ID]
	switch {
	case f.binary || m.Kind != KindHello:
		return w.refuse(from, websocket.CloseProtocolError, "invalid protocol", "the first message was no HELLO")
	case m.ID == "": // the reference server crashes, which looks like this from outside
		return w.refuse(from, websocket.CloseInternalServerErr, "", "HELLO without an id")
	case taken:
		no := w.refuse(from, websocket.CloseProtocolError, invalidUID, "another peer has this id")
		if !w.peers[holder].local { // the holder may be a dead connection of the newcomer
			no = append(no, reply{to: holder, kind: doubt})
		}
		return no
	case !validID(m.ID, w.idLimit):
		return w.refuse(from, websocket.CloseProtocolError, invalidUID, "the id is too long or has a blank")
	}
	w.peers[from].uid = m.ID
	w.ids[m.ID] = from
	return sayTo(from, Message{Kind: KindHello})
}

// relay passes on what a peer says in a session.
func (w *world) relay(p *peer, in input) []reply {
	if w.peers[p.partner].local {
		return []reply{{to: in.from, kind: deliver, frame: in.frame}}
	}
	return []reply{{to: p.partner, kind: say, frame: in.frame}}
}

// command serves a peer that is neither in a session nor in a room. What is no command is dropped, as the reference server does.
func (w *world) command(from connID, f frame) []reply {
	m := ParseRequest(f.text)
	switch {
	case f.binary:
	case m.Kind == KindSession:
		return w.session(from, m.ID)
	case m.Kind == KindRoom:
		return w.enter(from, m.ID)
	case m.Kind == KindRoomPeerMsg, m.Kind == KindRoomPeerList:
		return w.errorTo(from, "not in a room")
	}
	return nil
}

// session answers SESSION.
func (w *world) session(from connID, uid string) []reply {
	id, known := w.ids[uid]
	switch {
	case !w.peers[from].mayUse(uid):
		return w.errorTo(from, "this key is not for %s", uid)
	case !known:
		return w.errorTo(from, "peer %s not found", uid)
	}
	callee := w.peers[id]
	if callee.status != free {
		return w.errorTo(from, "peer %s busy", uid)
	}
	caller := w.peers[from]
	if callee.local {
		caller.status, caller.partner = ringing, id // nobody else can call the caller from now on
		return []reply{{to: from, kind: ring, callee: id}}
	}
	caller.status, caller.partner = inSession, id
	callee.status, callee.partner = inSession, from
	return sayTo(from, Message{Kind: KindSessionOK}) // the callee is told nothing
}

// enter answers ROOM.
func (w *world) enter(from connID, room string) []reply {
	if room == "session" || !validID(room, w.idLimit) {
		return w.errorTo(from, "invalid room id %s", room)
	}
	if !w.peers[from].mayUse(room) {
		return w.errorTo(from, "this key is not for %s", room)
	}
	members := w.rooms[room]
	replies := sayTo(from, Message{Kind: KindRoomOK, IDs: w.uids(members, from)})
	p := w.peers[from]
	p.status, p.room = inRoom, room
	w.rooms[room] = append(members, from)
	return append(replies, w.tell(members, Message{Kind: KindRoomPeerJoined, ID: p.uid})...)
}

// member serves a member of a room.
func (w *world) member(from connID, f frame) []reply {
	m, p := ParseRequest(f.text), w.peers[from]
	switch {
	case f.binary:
	case m.Kind == KindRoomPeerMsg:
		return w.pass(from, m)
	case m.Kind == KindRoomPeerList:
		return sayTo(from, Message{Kind: KindRoomPeerList, IDs: w.uids(w.rooms[p.room], from)})
	}
	return w.errorTo(from, "invalid msg, already in room")
}

// pass answers ROOM_PEER_MSG: it hands the message on to another member.
func (w *world) pass(from connID, m Message) []reply {
	to, known := w.ids[m.ID]
	p := w.peers[from]
	switch {
	case !known:
		return w.errorTo(from, "peer %s not found", m.ID)
	case w.peers[to].status != inRoom || w.peers[to].room != p.room:
		return w.errorTo(from, "peer %s is not in the room", m.ID)
	case m.Text == "":
		return w.errorTo(from, "empty message to peer %s", m.ID)
	}
	return sayTo(to, Message{Kind: KindRoomPeerMsg, ID: p.uid, Text: m.Text})
}

// leave makes the world forget a connection. Its partner in a session is closed too: a peer hangs up by closing its socket.
func (w *world) leave(id connID) []reply {
	p := w.peers[id]
	w.remove(id)
	switch partner := w.peers[p.partner]; {
	case p.status == inSession && partner != nil && !partner.local:
		return w.close(p.partner, websocket.CloseNormalClosure, "")
	case p.status == inRoom:
		members := slices.DeleteFunc(w.rooms[p.room], func(m connID) bool { return m == id })
		if w.rooms[p.room] = members; len(members) == 0 {
			delete(w.rooms, p.room)
		}
		return w.tell(members, Message{Kind: KindRoomPeerLeft, ID: p.uid})
	}
	return nil
}

// close makes the world forget a connection, and has it closed.
func (w *world) close(id connID, code int, reason string) []reply {
	w.remove(id)
	return []reply{{to: id, kind: hangUp, code: code, reason: reason}}
}

func (w *world) remove(id connID) {
	if uid := w.peers[id].uid; uid != "" {
		delete(w.ids, uid)
	}
	delete(w.peers, id)
}

// uids are the ids of all members but one.
func (w *world) uids(members []connID, but connID) []string {
	names := make([]string, 0, len(members))
	for _, id := range members {
		if id != but {
			names = append(names, w.peers[id].uid)
		}
	}
	return names
}

// tell says one message to all members.
func (w *world) tell(members []connID, m Message) []reply {
	replies := make([]reply, 0, len(members))
	for _, id := range members {
		replies = append(replies, sayTo(id, m)...)
	}
	return replies
}

// errorTo says ERROR. The ids take the places of %s in format, quoted.
func (w *world) errorTo(to connID, format string, ids ...string) []reply {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = quoteID(id, w.idLimit)
	}
	return sayTo(to, Message{Kind: KindError, Text: fmt.Sprintf(format, args...)})
}

func sayTo(to connID, m Message) []reply {
	return []reply{{to: to, kind: say, frame: frame{text: m.String()}}}
}
