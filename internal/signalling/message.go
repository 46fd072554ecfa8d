package signalling

import (
	"strings"
	"unicode"
)

// Kind says which word of the protocol a [Message] is.
type Kind int

// The words of the protocol. Which fields of a [Message] are in use stands behind each.
const (
	KindOther          Kind = iota // Text: the whole message, for the partner or for nobody
	KindHello                      // ID, when sent to the server; nothing, when sent by it
	KindSession                    // ID: the callee
	KindSessionOK                  // Text: what follows, empty with the classic server
	KindRoom                       // ID: the room
	KindRoomOK                     // IDs: the members already there
	KindRoomPeerJoined             // ID
	KindRoomPeerLeft               // ID
	KindRoomPeerMsg                // ID: receiver or sender; Text: the payload
	KindRoomPeerList               // IDs: nil when asking, never nil when answering
	KindError                      // Text
)

const (
	wordHello          = "HELLO"
	wordSession        = "SESSION"
	wordSessionOK      = "SESSION_OK"
	wordRoom           = "ROOM"
	wordRoomOK         = "ROOM_OK"
	wordRoomPeerJoined = "ROOM_PEER_JOINED"
	wordRoomPeerLeft   = "ROOM_PEER_LEFT"
	wordRoomPeerMsg    = "ROOM_PEER_MSG"
	wordRoomPeerList   = "ROOM_PEER_LIST"
	wordError          = "ERROR"
)

// Message is one message between a peer and the server, in either direction. Kind says which fields are in use.
type Message struct {
	Kind Kind
	ID   string
	IDs  []string
	Text string
}

// ParseRequest reads what a peer says to a server. It never fails: what is no command is a KindOther. The commands are
// recognised as the reference server does it, SESSION and ROOM by their beginning; ids are taken as they stand, blanks
// at their end included, and may be empty.
func ParseRequest(text string) Message {
	word, rest := cutWord(text)
	switch {
	case word == wordHello:
		return Message{Kind: KindHello, ID: rest}
	case strings.HasPrefix(text, wordSession):
		return Message{Kind: KindSession, ID: rest}
	case strings.HasPrefix(text, wordRoomPeerMsg):
		id, payload := cutWord(rest)
		return Message{Kind: KindRoomPeerMsg, ID: id, Text: payload}
	case text == wordRoomPeerList:
		return Message{Kind: KindRoomPeerList}
	case strings.HasPrefix(text, wordRoom):
		return Message{Kind: KindRoom, ID: rest}
	}
	return Message{Kind: KindOther, Text: text}
}

// ParseReply reads what a server says to a peer. It never fails: what is no word of the server's is a KindOther, as what
// a partner says in a session always is. HELLO and SESSION_OK may be followed by text of other servers' making.
func ParseReply(text string) Message {
	if strings.HasPrefix(text, wordError) {
		return Message{Kind: KindError, Text: trimLeft(text[len(wordError):])}
	}
	word, rest := cutWord(text)
	if !strings.HasPrefix(text, word) { // the server's words stand at the very beginning
		return Message{Kind: KindOther, Text: text}
	}
	id, payload := cutWord(rest)
	switch {
	case word == wordHello:
		return Message{Kind: KindHello}
	case word == wordSessionOK:
		return Message{Kind: KindSessionOK, Text: rest}
	case word == wordRoomOK:
		return Message{Kind: KindRoomOK, IDs: strings.FieldsFunc(rest, isSpace)}
	case word == wordRoomPeerList:
		return Message{Kind: KindRoomPeerList, IDs: strings.FieldsFunc(rest, isSpace)}
	case word == wordRoomPeerJoined && id != "":
		return Message{Kind: KindRoomPeerJoined, ID: id}
	case word == wordRoomPeerLeft && id != "":
		return Message{Kind: KindRoomPeerLeft, ID: id}
	case word == wordRoomPeerMsg && payload != "":
		return Message{Kind: KindRoomPeerMsg, ID: id, Text: payload}
	}
	return Message{Kind: KindOther, Text: text}
}

// String writes the message as it goes over the wire.
func (m Message) String() string {
	switch m.Kind {
	case KindHello:
		return join(wordHello, m.ID)
	case KindSession:
		return wordSession + " " + m.ID
	case KindSessionOK:
		return join(wordSessionOK, m.Text)
	case KindRoom:
		return wordRoom + " " + m.ID
	case KindRoomOK: // the trailing blank of an empty room is the reference's
		return wordRoomOK + " " + strings.Join(m.IDs, " ")
	case KindRoomPeerJoined:
		return wordRoomPeerJoined + " " + m.ID
	case KindRoomPeerLeft:
		return wordRoomPeerLeft + " " + m.ID
	case KindRoomPeerMsg:
		return wordRoomPeerMsg + " " + m.ID + " " + m.Text
	case KindRoomPeerList:
		if m.IDs == nil {
			return wordRoomPeerList
		}
		return wordRoomPeerList + " " + strings.Join(m.IDs, " ")
	case KindError:
		return join(wordError, m.Text)
	case KindOther:
	}
	return m.Text
}

func join(word, rest string) string {
	if rest == "" {
		return word
	}
	return word + " " + rest
}

// cutWord splits text as Python's split(maxsplit=1) does: blanks before the first word and before the rest are dropped,
// blanks at the end of the rest are kept.
func cutWord(text string) (word, rest string) {
	text = trimLeft(text)
	if i := strings.IndexFunc(text, isSpace); i >= 0 {
		return text[:i], trimLeft(text[i:])
	}
	return text, ""
}

func trimLeft(text string) string { return strings.TrimLeftFunc(text, isSpace) }

// isSpace reports whether Python's str.split takes r for a blank: Unicode's white space and the four separators
// U+001C to U+001F.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// validID reports whether id may name a peer or a room.
func validID(id string, limit int) bool {
	return id != "" && len(id) <= limit && strings.IndexFunc(id, isSpace) < 0
}
