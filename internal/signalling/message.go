package signalling

import (
	"strings"
	"unicode"
)

// Kind says which word of the protocol a [Message] is.
type Kind int

// The words of the protocol, each with the fields of a [Message] that it uses.
const (
	KindOther          Kind = iota // Text: the whole message; it is for the partner in a session, else for nobody
	KindHello                      // ID when a peer says it; nothing when the server says it
	KindSession                    // ID: the callee
	KindSessionOK                  // Text: what follows the word; the reference server sends nothing there
	KindRoom                       // ID: the room
	KindRoomOK                     // IDs: the members that were there before
	KindRoomPeerJoined             // ID
	KindRoomPeerLeft               // ID
	KindRoomPeerMsg                // ID: the receiver when a peer says it, else the sender; Text: the payload
	KindRoomPeerList               // IDs: nil in the question, never nil in the answer
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

// ParseRequest reads what a peer says to a server. It never fails: a text that is no command is a KindOther. Commands are recognised
// as the reference server does it: SESSION and ROOM need only be the beginning of the text. Ids may be empty, and keep blanks at
// their end.
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

// ParseReply reads what a server says to a peer. It never fails: a text that is no word of the server's is a KindOther. What the
// partner in a session says is always one. Some servers send more text after HELLO and SESSION_OK.
func ParseReply(text string) Message {
	if strings.HasPrefix(text, wordError) {
		return Message{Kind: KindError, Text: trimLeft(text[len(wordError):])}
	}
	word, rest := cutWord(text)
	if !strings.HasPrefix(text, word) { // blanks before it: a server's word is at the very beginning
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
	case KindRoomOK: // in an empty room a blank remains at the end, as with the reference server
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

// cutWord splits text as Python's split(maxsplit=1) does. Blanks before the first word and before the rest are dropped. Blanks at
// the end of the rest are kept.
func cutWord(text string) (word, rest string) {
	text = trimLeft(text)
	if i := strings.IndexFunc(text, isSpace); i >= 0 {
		return text[:i], trimLeft(text[i:])
	}
	return text, ""
}

func trimLeft(text string) string { return strings.TrimLeftFunc(text, isSpace) }

// isSpace reports whether r is a blank to Python's str.split: Unicode's white space, and the four separators U+001C to U+001F.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// validID reports whether id may name a peer or a room.
func validID(id string, limit int) bool {
	return id != "" && len(id) <= limit && strings.IndexFunc(id, isSpace) < 0
}
