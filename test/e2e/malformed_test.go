//go:build e2e

package e2e

import (
	"bufio"
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// throw is one thing that no peer of the family would send.
type throw struct {
	name   string
	setUp  []string // sent after HELLO, with one answer read for each; nil: not even a HELLO
	binary bool
	data   string
	want   string // how the outcome begins; empty: any but "broken" and "silence"
}

const mebibyte = 1 << 20

var (
	registered  = []string{}
	session     = []string{"SESSION camera"}
	negotiating = []string{"SESSION camera", "OFFER_REQUEST"}
)

var throws = []throw{
	{name: "empty", data: "", want: "close 1002"},
	{name: "binary hello", binary: true, data: "HELLO thrower", want: "close 1002"},
	{name: "lower case", data: "hello thrower", want: "close 1002"},
	{name: "no id", data: "HELLO", want: "close"},
	{name: "two words", data: "HELLO a b", want: "close 1002"},
	{name: "half JSON first", data: `{"sdp":{"type":"off`, want: "close 1002"},
	{name: "id of 70 kB", data: "HELLO " + strings.Repeat("x", 70_000), want: "close"},
	{name: "1 MiB + 1 first", data: strings.Repeat("x", mebibyte+1), want: "close 1009"},
	{name: "not UTF-8", data: "HELLO \xff\xfe", want: "close"},
	{name: "taken id", data: "HELLO camera", want: "close 1002"},
	{name: "unknown peer", setUp: registered, data: "SESSION nobody", want: "ERROR peer 'nobody' not found"},
	{name: "empty session", setUp: registered, data: "SESSION", want: "ERROR"},
	{name: "nothing known", setUp: registered, data: "DANCE", want: "stays"},
	{name: "member list outside of a room", setUp: registered, data: "ROOM_PEER_LIST", want: "ERROR"},
	{name: "room with a blank", setUp: registered, data: "ROOM a b", want: "ERROR invalid room id"},
	{name: "message to a stranger", setUp: []string{"ROOM hall"}, data: "ROOM_PEER_MSG nobody {}", want: "ERROR"},
	{name: "1 MiB + 1 in a session", setUp: session, data: strings.Repeat("x", mebibyte+1), want: "close 1009"},
	{name: "garbage sdp", setUp: session, data: `{"sdp":{"type":"offer","sdp":"garbage"}}`},
	{name: "answer to nothing", setUp: session, data: `{"sdp":{"type":"answer","sdp":"v=0\r\n"}}`},
	{name: "sdp of no type", setUp: session, data: `{"sdp":{"sdp":"v=0\r\n"}}`},
	{name: "sdp that is a number", setUp: session, data: `{"sdp":7}`},
	{name: "huge sdp", setUp: session, data: `{"sdp":{"type":"offer","sdp":"v=0\r\n` + strings.Repeat(`a=x\r\n`, 100_000) + `"}}`},
	{name: "offer of 2000 sections", setUp: session, data: `{"sdp":{"type":"offer","sdp":"` + sections(2000) + `"}}`},
	{name: "candidate of garbage", setUp: session, data: `{"ice":{"candidate":"candidate:garbage","sdpMLineIndex":0}}`},
	{name: "candidate of line 99999", setUp: session, data: `{"ice":{"candidate":"candidate:1 1 UDP 1 1.2.3.4 5 typ host","sdpMLineIndex":99999}}`},
	{name: "candidate of line -1", setUp: session, data: `{"ice":{"candidate":"candidate:1 1 UDP 1 1.2.3.4 5 typ host","sdpMLineIndex":-1}}`},
	{name: "candidate that is an array", setUp: session, data: `{"ice":[]}`},
	{name: "half JSON", setUp: session, data: `{"ice":{"candidate":"cand`},
	{name: "binary in a session", setUp: session, binary: true, data: "\x00\xff\x00\xff"},
	{name: "deep JSON", setUp: session, data: strings.Repeat(`{"a":`, 50_000)},
	{name: "null", setUp: session, data: "null"},
	{name: "NUL bytes", setUp: session, data: "OFFER_REQUEST\x00"},
	{name: "garbage answer to a real offer", setUp: negotiating, data: `{"sdp":{"type":"answer","sdp":"garbage"}}`},
	{name: "answer without media", setUp: negotiating, data: `{"sdp":{"type":"answer","sdp":"` + sections(0) + `"}}`},
	{name: "answer of other media", setUp: negotiating, data: `{"sdp":{"type":"answer","sdp":"` + sections(9) + `"}}`},
	{name: "offer against the offer", setUp: negotiating, data: `{"sdp":{"type":"offer","sdp":"` + sections(1) + `"}}`},
	{name: "asked for an offer again", setUp: negotiating, data: "OFFER_REQUEST"},
	{name: "huge candidate", setUp: negotiating, data: `{"ice":{"candidate":"candidate:` + strings.Repeat("1 ", 300_000) + `","sdpMLineIndex":0}}`},
	{name: "candidate of no address", setUp: negotiating, data: `{"ice":{"candidate":"candidate:1 1 UDP 1 999.1.1.1 99999 typ host","sdpMLineIndex":0}}`},
}

func sections(n int) string {
	return `v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n` + strings.Repeat(`m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:96 VP8/90000\r\n`, n)
}

// TestMalformed throws all of it at a streamer that a browser watches, and each gets a clear answer or a clean close, or,
// in a session, is ignored; the browser's picture does not notice.
func TestMalformed(t *testing.T) {
	program := StartBoardcast(t, "--width", "320", "--height", "240")
	page := browsers.Launch(t, Chromium).Open(t, program.Address+"/")
	page.WaitPlaying(30)
	page.Watch()
	for i, throw := range throws {
		t.Run(throw.name, func(t *testing.T) { throw.at(t, webSocket(program), fmt.Sprint("thrower-", i)) })
	}
	t.Run("http", func(t *testing.T) { throwHTTP(t, strings.TrimPrefix(program.Address, "http://")) })
	t.Run("data channel", func(t *testing.T) { throwChannel(t, page) })
	assertUnbroken(t, page.WaitWatched(page.Watched().Frames+60))
	other := browsers.Launch(t, Chromium).Open(t, program.Address+"/")
	other.WaitPlaying(30) // new viewers are still taken
}

func (th throw) at(t *testing.T, url, id string) {
	p := dial(t, url)
	if th.setUp != nil {
		p.send("HELLO " + id)
		p.want("HELLO")
	}
	for _, line := range th.setUp {
		p.send(line)
		p.receive()
	}
	kind := websocket.TextMessage
	if th.binary {
		kind = websocket.BinaryMessage
	}
	_ = p.ws.WriteMessage(kind, []byte(th.data)) // the server may have closed in the middle of it
	got := th.outcome(p)
	p.closeWith(websocket.CloseNormalClosure) // hang up: the next one shall not find all places taken
	t.Logf("got %s", got)
	if !strings.HasPrefix(got, th.want) {
		t.Errorf("got %s, want %s", got, th.want)
	}
	if got == "broken" || got == "silence" {
		t.Errorf("got %s, want a clear answer, a clean close or an open connection", got)
	}
}

// outcome is the answer, "close N", "broken", "silence", or, unless something else is wanted, "stays" where the
// connection answered a ping and nothing else.
func (th throw) outcome(p *peer) string {
	pong := make(chan struct{}, 1)
	p.ws.SetPongHandler(func(string) error {
		pong <- struct{}{}
		// A pong may overtake a close that is queued, so what follows it at once belongs to the outcome.
		return p.ws.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	})
	if th.want == "" || th.want == "stays" {
		_ = p.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(answerWithin))
	}
	_ = p.ws.SetReadDeadline(time.Now().Add(answerWithin))
	for {
		_, data, err := p.ws.ReadMessage()
		code := closeCode(err)
		switch {
		case code > 0:
			return fmt.Sprintf("close %d", code)
		case code < 0:
			return "broken"
		case err != nil && len(pong) > 0:
			return "stays"
		case err != nil:
			return "silence"
		case !strings.HasPrefix(string(data), "{"): // else it is the streamer's own offer or candidates
			return fmt.Sprintf("%.100s", data)
		}
	}
}

// throwHTTP sends what is no HTTP, too much of it, or none at all.
func throwHTTP(t *testing.T, address string) {
	refused := regexp.MustCompile(`^HTTP/1\.1 (4\d\d|307) `)
	for name, data := range map[string]string{
		"garbage":         "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
		"header of 2 MiB": "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 2*mebibyte) + "\r\n\r\n",
		"path up":         "GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
		"no upgrade":      "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
		"bad upgrade":     "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 1\r\n\r\n",
		"big body":        "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 99999999\r\n\r\nx",
		"unknown path":    "GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
			if err != nil {
				t.Fatalf("dial: %v", err)
			}
			defer func() { _ = conn.Close() }()
			_ = conn.SetDeadline(time.Now().Add(answerWithin)) // fails only on a closed connection
			_, _ = conn.Write([]byte(data))                    // it may be cut off
			status, err := bufio.NewReader(conn).ReadString('\n')
			if err != nil || !refused.MatchString(status) {
				t.Errorf("got %q, %v, want a refusal", status, err)
			}
			t.Logf("got %q", strings.TrimSpace(status))
		})
	}
}

// throwChannel sends what is no request down the page's own data channel, and a request after it.
func throwChannel(t *testing.T, page *Page) {
	page.Until(`boardcast.channel?.readyState === "open"`, callWithin)
	page.Eval(`(() => {
		const c = boardcast.channel;
		for (const bad of ["", "null", "7", "[]", "{", '{"id":999999}', '{"id":{},"method":[]}', "\u0000", "x".repeat(60000)]) c.send(bad);
		c.send(new Uint8Array(1000));
	})()`, nil)
	assertPing(t, page)
	var refusal string
	page.Eval(`boardcast.request("dance", {}).then(() => "an answer", (e) => e.message)`, &refusal)
	if refusal == "an answer" || refusal == "" {
		t.Errorf("an unknown method got %q, want an error with a message", refusal)
	}
}
