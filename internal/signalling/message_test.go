package signalling

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"boardcast/internal/sdp"
)

var requestCases = []struct {
	name, text string
	want       Message
}{
	{"hello", "HELLO 1234", Message{Kind: KindHello, ID: "1234"}},
	{"hello after blanks", " \tHELLO\t\t1234", Message{Kind: KindHello, ID: "1234"}},
	{"hello with U+001C", "HELLO\x1c1", Message{Kind: KindHello, ID: "1"}},
	{"hello, id with a blank inside", "HELLO a b", Message{Kind: KindHello, ID: "a b"}},
	{"hello, id with a blank behind", "HELLO a ", Message{Kind: KindHello, ID: "a "}},
	{"hello without id", "HELLO", Message{Kind: KindHello}},
	{"hello with blanks only", "HELLO  \t", Message{Kind: KindHello}},
	{"hello in lower case", "hello 1", Message{Kind: KindOther, Text: "hello 1"}},
	{"hello glued", "HELLO1", Message{Kind: KindOther, Text: "HELLO1"}},
	{"hello with classic metadata", `HELLO id {"name":"x"}`, Message{Kind: KindHello, ID: `id {"name":"x"}`}},
	{"chinese id", "HELLO 相机", Message{Kind: KindHello, ID: "相机"}},
	{"session", "SESSION 1", Message{Kind: KindSession, ID: "1"}},
	{"session without id", "SESSION", Message{Kind: KindSession}},
	{"session by prefix", "SESSIONS 1", Message{Kind: KindSession, ID: "1"}},
	{"session after a blank", " SESSION 1", Message{Kind: KindOther, Text: " SESSION 1"}},
	{"session id keeps its blanks", "SESSION a b ", Message{Kind: KindSession, ID: "a b "}},
	{"room", "ROOM r", Message{Kind: KindRoom, ID: "r"}},
	{"room without id", "ROOM ", Message{Kind: KindRoom}},
	{"room message", "ROOM_PEER_MSG 1 a  b ", Message{Kind: KindRoomPeerMsg, ID: "1", Text: "a  b "}},
	{"room message without payload", "ROOM_PEER_MSG 1", Message{Kind: KindRoomPeerMsg, ID: "1"}},
	{"room message without anything", "ROOM_PEER_MSG", Message{Kind: KindRoomPeerMsg}},
	{"room list", "ROOM_PEER_LIST", Message{Kind: KindRoomPeerList}},
	{"room list and more", "ROOM_PEER_LIST x", Message{Kind: KindRoom, ID: "x"}},
	{"offer request", "OFFER_REQUEST", Message{Kind: KindOther, Text: "OFFER_REQUEST"}},
	{"json", offerText, Message{Kind: KindOther, Text: offerText}},
	{"empty", "", Message{Kind: KindOther}},
}

func TestParseRequest(t *testing.T) {
	for _, tc := range requestCases {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, ParseRequest(tc.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

var replyCases = []struct {
	name, text string
	want       Message
	print      string // empty: text
}{
	{"hello", "HELLO", Message{Kind: KindHello}, ""},
	{"hello and more", "HELLO there", Message{Kind: KindHello}, "HELLO"},
	{"session ok", "SESSION_OK", Message{Kind: KindSessionOK}, ""},
	{"session ok, trailing blank", "SESSION_OK ", Message{Kind: KindSessionOK}, "SESSION_OK"},
	{"session ok, metadata", "SESSION_OK eyJhIjoxfQ==", Message{Kind: KindSessionOK, Text: "eyJhIjoxfQ=="}, ""},
	{"session ok glued", "SESSION_OKAY", Message{Kind: KindOther, Text: "SESSION_OKAY"}, ""},
	{"session ok misspelt", "SESSION OK", Message{Kind: KindOther, Text: "SESSION OK"}, ""},
	{"empty room", "ROOM_OK ", Message{Kind: KindRoomOK, IDs: []string{}}, ""},
	{"empty room, no blank", "ROOM_OK", Message{Kind: KindRoomOK, IDs: []string{}}, "ROOM_OK "},
	{"room", "ROOM_OK a b", Message{Kind: KindRoomOK, IDs: []string{"a", "b"}}, ""},
	{"joined", "ROOM_PEER_JOINED a", Message{Kind: KindRoomPeerJoined, ID: "a"}, ""},
	{"joined nobody", "ROOM_PEER_JOINED ", Message{Kind: KindOther, Text: "ROOM_PEER_JOINED "}, ""},
	{"left", "ROOM_PEER_LEFT a", Message{Kind: KindRoomPeerLeft, ID: "a"}, ""},
	{"message", "ROOM_PEER_MSG a b c", Message{Kind: KindRoomPeerMsg, ID: "a", Text: "b c"}, ""},
	{"message without payload", "ROOM_PEER_MSG a", Message{Kind: KindOther, Text: "ROOM_PEER_MSG a"}, ""},
	{"list", "ROOM_PEER_LIST a b", Message{Kind: KindRoomPeerList, IDs: []string{"a", "b"}}, ""},
	{"empty list", "ROOM_PEER_LIST ", Message{Kind: KindRoomPeerList, IDs: []string{}}, ""},
	{"error", "ERROR peer '1' not found", Message{Kind: KindError, Text: "peer '1' not found"}, ""},
	{"bare error", "ERROR", Message{Kind: KindError}, ""},
	{"glued error", "ERRORS!", Message{Kind: KindError, Text: "S!"}, "ERROR S!"},
	{"relayed", iceText, Message{Kind: KindOther, Text: iceText}, ""},
	{"relayed, a word after a blank", " HELLO", Message{Kind: KindOther, Text: " HELLO"}, ""},
	{"empty", "", Message{Kind: KindOther}, ""},
}

func TestParseReply(t *testing.T) {
	for _, tc := range replyCases {
		t.Run(tc.name, func(t *testing.T) {
			got := ParseReply(tc.text)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if want := or2(tc.print, tc.text); got.String() != want {
				t.Errorf("prints %q, want %q", got, want)
			}
		})
	}
}

func or2(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func FuzzParseRequest(f *testing.F) {
	for _, tc := range requestCases {
		f.Add(tc.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m := ParseRequest(text)
		if again := ParseRequest(m.String()); !reflect.DeepEqual(m, again) {
			t.Errorf("%q does not survive printing: %s", text, cmp.Diff(m, again))
		}
		if len(m.ID)+len(m.Text) > len(text) {
			t.Errorf("%q grew", text)
		}
		if validID(m.ID, 256) && strings.ContainsAny(m.ID, " \t\r\n\x1c") {
			t.Errorf("%q is no id", m.ID)
		}
	})
}

func FuzzParseReply(f *testing.F) {
	for _, tc := range replyCases {
		f.Add(tc.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m := ParseReply(text)
		if again := ParseReply(m.String()); !reflect.DeepEqual(m, again) {
			t.Errorf("%q does not survive printing: %s", text, cmp.Diff(m, again))
		}
		for _, id := range append(m.IDs, m.ID) {
			if id != "" && !validID(id, len(text)) {
				t.Errorf("%q: %q is no id", text, id)
			}
		}
	})
}

func TestQuote(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"plain", "abc", `'abc'`},
		{"empty", "", `''`},
		{"single quote", "it's", `"it's"`},
		{"double quote", `a"b`, `'a"b'`},
		{"both", `a'b"c`, `'a\'b"c'`},
		{"backslash", `a\b`, `'a\\b'`},
		{"controls", "\n\r\t\x00\x1b\x7f", `'\n\r\t\x00\x1b\x7f'`},
		{"latin", "é\u00a0\u00ad", `'é\xa0\xad'`},
		{"chinese", "相机", `'相机'`},
		{"separators", "\u2028\u3000\u200b\ufeff", `'\u2028\u3000\u200b\ufeff'`},
		{"astral", "\U0001f600\U000e0001", `'😀\U000e0001'`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := quote(tc.in); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
	if got, want := quoteID("相机", 4), `'相'...`; got != want {
		t.Errorf("cut: got %s, want %s", got, want)
	}
}

var payloadCases = []struct {
	name, text string
	want       sdp.Message // zero: refused
	print      string      // empty: text
}{
	{"offer request", "OFFER_REQUEST", sdp.Message{OfferRequest: true}, ""},
	{"offer request, line end", "OFFER_REQUEST\r\n", sdp.Message{OfferRequest: true}, "OFFER_REQUEST"},
	{"offer", offerText, sdp.Message{Type: "offer", SDP: "v=0\r\n"}, ""},
	{"answer", answerText, sdp.Message{Type: "answer", SDP: "v=0\r\na=x\r\n"}, ""},
	{
		"other order, other members", `{"x":[1,{}],"sdp":{"sdp":"v=0<>&","y":null,"type":"offer"}}`,
		sdp.Message{Type: "offer", SDP: "v=0<>&"},
		`{"sdp":{"type":"offer","sdp":"v=0<>&"}}`,
	},
	{"flat", `{"type":"answer","sdp":"v=0"}`, sdp.Message{Type: "answer", SDP: "v=0"}, `{"sdp":{"type":"answer","sdp":"v=0"}}`},
	{"candidate", iceText, sdp.Message{Candidate: "candidate:1 1 UDP 1 192.0.2.1 9 typ host"}, ""},
	{
		"browser's candidate", `{"ice":{"candidate":"c","sdpMid":"video0","sdpMLineIndex":2,"usernameFragment":"u"}}`,
		sdp.Message{Candidate: "c", Section: 2},
		`{"ice":{"candidate":"c","sdpMLineIndex":2}}`,
	},
	{"end of candidates", `{"ice":{"candidate":"","sdpMLineIndex":0}}`, sdp.Message{Gathered: true}, ""},
	{"null candidate", `{"ice":null}`, sdp.Message{Gathered: true}, `{"ice":{"candidate":"","sdpMLineIndex":0}}`},
	{"null members", `{"ice":{"candidate":"c","sdpMid":null,"sdpMLineIndex":null}}`, sdp.Message{Candidate: "c"}, `{"ice":{"candidate":"c","sdpMLineIndex":0}}`},
	{"sdp before ice", `{"ice":null,"sdp":{"type":"offer","sdp":"v"}}`, sdp.Message{Type: "offer", SDP: "v"}, `{"sdp":{"type":"offer","sdp":"v"}}`},
	{"empty", "", sdp.Message{}, ""},
	{"half", `{"sdp":{"type":"offer","sd`, sdp.Message{}, ""},
	{"more after it", offerText + offerText, sdp.Message{}, ""},
	{"array", `[]`, sdp.Message{}, ""},
	{"null", `null`, sdp.Message{}, ""},
	{"no member", `{}`, sdp.Message{}, ""},
	{"flat candidate", `{"candidate":"c","sdpMLineIndex":2,"sdpMid":"b"}`, sdp.Message{Candidate: "c", Section: 2}, `{"ice":{"candidate":"c","sdpMLineIndex":2}}`},
	{"flat end of candidates", `{"candidate":"","sdpMLineIndex":0}`, sdp.Message{Gathered: true}, `{"ice":{"candidate":"","sdpMLineIndex":0}}`},
	{"flat candidate, null", `{"candidate":null,"sdpMLineIndex":0}`, sdp.Message{}, ""},
	{"flat candidate, a number", `{"candidate":7}`, sdp.Message{}, ""},
	{"flat candidate, index above", `{"candidate":"c","sdpMLineIndex":1024}`, sdp.Message{}, ""},
	{"flat candidate beside an offer", `{"type":"offer","sdp":"v=0","candidate":"c"}`, sdp.Message{Type: sdp.TypeOffer, SDP: "v=0"}, `{"sdp":{"type":"offer","sdp":"v=0"}}`},
	{"error", "ERROR no codec in common", sdp.Message{Error: "no codec in common"}, ""},
	{"error without words", "ERROR", sdp.Message{Error: "no reason given"}, "ERROR no reason given"},
	{"error of lines", " ERROR\ta\r\n b\u2028c\x00 ", sdp.Message{Error: "a   b c"}, "ERROR a   b c"},
	{"long error", "ERROR " + strings.Repeat("é", 300), sdp.Message{Error: strings.Repeat("é", 256)}, "ERROR " + strings.Repeat("é", 256)},
	{"error glued", "ERRORS", sdp.Message{}, ""},
	{"null sdp", `{"sdp":null}`, sdp.Message{}, ""},
	{"sdp a number", `{"sdp":1}`, sdp.Message{}, ""},
	{"sdp without type", `{"sdp":{"sdp":"v=0"}}`, sdp.Message{}, ""},
	{"sdp without text", `{"sdp":{"type":"offer"}}`, sdp.Message{}, ""},
	{"rollback", `{"sdp":{"type":"rollback","sdp":"v"}}`, sdp.Message{}, ""},
	{"flat without type", `{"sdp":"v=0"}`, sdp.Message{}, ""},
	{"candidate a number", `{"ice":{"candidate":1}}`, sdp.Message{}, ""},
	{"ice a text", `{"ice":"candidate:1"}`, sdp.Message{}, ""},
	{"index below", `{"ice":{"candidate":"c","sdpMLineIndex":-1}}`, sdp.Message{}, ""},
	{"index broken", `{"ice":{"candidate":"c","sdpMLineIndex":0.5}}`, sdp.Message{}, ""},
	{"index above", `{"ice":{"candidate":"c","sdpMLineIndex":1024}}`, sdp.Message{}, ""},
	{"long candidate", `{"ice":{"candidate":"` + strings.Repeat("c", maxCandidate+1) + `"}}`, sdp.Message{}, ""},
	{"long mid", `{"ice":{"candidate":"c","sdpMid":"` + strings.Repeat("m", maxMid+1) + `"}}`, sdp.Message{}, ""},
	{"long sdp", `{"sdp":{"type":"offer","sdp":"` + strings.Repeat("s", maxSDP+1) + `"}}`, sdp.Message{}, ""},
	{"long text", `{"ice":null,"x":"` + strings.Repeat("x", maxMessage) + `"}`, sdp.Message{}, ""},
}

func TestParsePayload(t *testing.T) {
	for _, tc := range payloadCases {
		t.Run(tc.name, func(t *testing.T) {
			got, err := ParsePayload(tc.text)
			if refused := tc.want == (sdp.Message{}); refused != (err != nil) {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if want := or2(tc.print, tc.text); err == nil && payloadText(got) != want {
				t.Errorf("prints %s, want %s", payloadText(got), want)
			}
			if err != nil && (!strings.HasPrefix(err.Error(), ErrPayload.Error()) || len(err.Error()) > 80) {
				t.Errorf("error %.200q", err)
			}
		})
	}
}

func FuzzParsePayload(f *testing.F) {
	for _, tc := range payloadCases {
		if len(tc.text) < 1024 {
			f.Add(tc.text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePayload(text)
		if err != nil {
			if p != (sdp.Message{}) {
				t.Errorf("%q: error and payload", text)
			}
			return
		}
		printed := payloadText(p)
		if len(printed) > maxMessage {
			t.Errorf("%q prints %d bytes", text, len(printed))
		}
		again, err := ParsePayload(printed)
		if err != nil {
			t.Fatalf("%q prints %q: %v", text, printed, err)
		}
		if p != again {
			t.Errorf("%q does not survive printing: %s", text, cmp.Diff(p, again))
		}
	})
}
