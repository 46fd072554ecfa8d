package hostile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

const (
	answerWithin = 10 * time.Second // a server's answer on a busy machine
	mostAnswer   = 1 << 18          // bytes of an answer that are read
)

// ErrRefused is what a peer gets that the program does not take: its words follow.
var ErrRefused = errors.New("refused")

// Door is where a program is found, and from which address it is called. Each stranger has an address of its own.
type Door struct {
	Program string     // host:port
	From    netip.Addr // of our sockets
	// Enter runs a function in the network that From belongs to, which need not be the process's own: sockets that it makes stay
	// there.
	Enter func(func())
	Key   string // that the program asks for; "" for none
}

// dial connects to the program.
func (d Door) dial(ctx context.Context, network, address string) (c net.Conn, err error) {
	d.Enter(func() {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: d.From.AsSlice()}, Timeout: answerWithin}
		c, err = dialer.DialContext(ctx, network, address)
	})
	return c, err
}

// listenUDP opens a socket.
func (d Door) listenUDP() (c *net.UDPConn, err error) {
	d.Enter(func() { c, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(d.From, 0))) })
	return c, err
}

// listenTCP opens a socket.
func (d Door) listenTCP() (l *net.TCPListener, err error) {
	d.Enter(func() { l, err = net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(netip.AddrPortFrom(d.From, 0))) })
	return l, err
}

// client is for one address, and keeps no connection.
func (d Door) client() *http.Client {
	transport := &http.Transport{DialContext: d.dial, DisableKeepAlives: true}
	return &http.Client{Transport: transport, Timeout: answerWithin}
}

// Reply is an answer to a request.
type Reply struct {
	Status   int
	Body     string
	Location string // the path of what was made; empty where nothing was
}

// Request sends a request and reads its answer.
func (d Door) Request(ctx context.Context, method, path, mediaType, body string) (Reply, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+d.Program+path, strings.NewReader(body))
	if err != nil {
		return Reply{}, fmt.Errorf("make a request: %w", err)
	}
	if mediaType != "" {
		request.Header.Set("Content-Type", mediaType)
	}
	if method == http.MethodPatch {
		request.Header.Set("If-Match", "*")
	}
	return d.send(request)
}

// authorize puts the key into a header.
func (d Door) authorize(h http.Header) {
	if d.Key != "" {
		h.Set("Authorization", "Bearer "+d.Key)
	}
}

// send sends a request and reads its answer.
func (d Door) send(request *http.Request) (Reply, error) {
	d.authorize(request.Header)
	response, err := d.client().Do(request)
	if err != nil {
		return Reply{}, fmt.Errorf("send a request: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, mostAnswer))
	if err != nil {
		return Reply{}, fmt.Errorf("read the answer: %w", err)
	}
	reply := Reply{Status: response.StatusCode, Body: string(text)}
	if location, err := response.Location(); err == nil {
		reply.Location = location.RequestURI()
	}
	return reply, nil
}

// Offer plays by WHEP.
func (d Door) Offer(ctx context.Context, sdp string) (Reply, error) {
	return d.Request(ctx, http.MethodPost, "/whep", "application/sdp", sdp)
}

// Line is a WebSocket to the program, in a session with its streamer. One goroutine may write and one read.
type Line struct{ ws *websocket.Conn }

// Message is what comes over a line: a description, a candidate, or words.
type Message struct {
	SDP *struct {
		Type string `json:"type"`
		SDP  string `json:"sdp"`
	} `json:"sdp"`
	ICE *struct {
		Candidate     string  `json:"candidate"`
		SDPMLineIndex *uint16 `json:"sdpMLineIndex"`
	} `json:"ice"`
	Words string `json:"-"`
}

// Call opens a session with the streamer.
func (d Door) Call(ctx context.Context, id string) (*Line, error) {
	dialer := websocket.Dialer{NetDialContext: d.dial, HandshakeTimeout: answerWithin}
	header := http.Header{}
	d.authorize(header)
	ws, response, err := dialer.DialContext(ctx, "ws://"+d.Program+"/ws", header)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	_ = response.Body.Close()
	l := &Line{ws}
	for _, step := range [][2]string{{"HELLO " + id, "HELLO"}, {"SESSION camera", "SESSION_OK"}} {
		if err := l.Say(step[0]); err != nil {
			l.Close()
			return nil, fmt.Errorf("say %s: %w", step[0], err)
		}
		heard, err := l.Hear(answerWithin)
		if err == nil && !strings.HasPrefix(heard.Words, step[1]) {
			err = fmt.Errorf("%w: %s", ErrRefused, heard.Words)
		}
		if err != nil {
			l.Close()
			return nil, fmt.Errorf("after %s: %w", step[0], err)
		}
	}
	return l, nil
}

// ask opens a session with the streamer and has it make an offer.
func (d Door) ask(ctx context.Context, id string) (l *Line, offer string, err error) {
	if l, err = d.Call(ctx, id); err != nil {
		return nil, "", err
	}
	if err = l.Say("OFFER_REQUEST"); err == nil {
		offer, err = l.Description(answerWithin)
	}
	if err != nil {
		l.Close()
		return nil, "", fmt.Errorf("ask for an offer: %w", err)
	}
	return l, offer, nil
}

// Say sends a text.
func (l *Line) Say(text string) error { return l.ws.WriteMessage(websocket.TextMessage, []byte(text)) }

// Describe sends a description.
func (l *Line) Describe(kind, sdp string) error {
	return l.json(map[string]any{"sdp": map[string]string{"type": kind, "sdp": sdp}})
}

// Candidate sends a candidate.
func (l *Line) Candidate(text string, section int) error {
	return l.json(map[string]any{"ice": map[string]any{"candidate": text, "sdpMLineIndex": section}})
}

func (l *Line) json(m any) error {
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("marshal: %w", err)
	}
	return l.Say(string(text))
}

// Hear is the next message. After an error there is no more.
func (l *Line) Hear(within time.Duration) (Message, error) {
	if err := l.ws.SetReadDeadline(time.Now().Add(within)); err != nil {
		return Message{}, fmt.Errorf("set a deadline: %w", err)
	}
	_, text, err := l.ws.ReadMessage()
	if err != nil {
		return Message{}, fmt.Errorf("read: %w", err)
	}
	var m Message
	if json.Unmarshal(text, &m) != nil {
		m.Words = string(text)
	}
	return m, nil
}

// Description waits for one, past candidates.
func (l *Line) Description(within time.Duration) (string, error) {
	end := time.Now().Add(within)
	for {
		m, err := l.Hear(time.Until(end))
		switch {
		case err != nil:
			return "", err
		case m.SDP != nil:
			return m.SDP.SDP, nil
		case strings.HasPrefix(m.Words, "ERROR"):
			return "", fmt.Errorf("%w: %s", ErrRefused, m.Words)
		}
	}
}

// Close hangs up in order, so that the session ends at once.
func (l *Line) Close() {
	_ = l.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(answerWithin))
	_ = l.ws.Close()
}

// Break breaks the connection off without a word.
func (l *Line) Break() { _ = l.ws.NetConn().Close() }
