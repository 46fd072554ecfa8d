package signalling

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

const (
	writeWait  = 10 * time.Second // for one message to leave: a slow link takes a description of 10 kB within it
	lingerWait = time.Second      // for the other side's close frame after ours: a round trip, with time to spare
)

// Reasons for which this side ends a wire. The other side, or the counters of the server, read them.
const (
	reasonPing   = "keepalive ping timeout"
	reasonSlow   = "too slow"
	reasonLocked = "the key was changed, was removed or has expired"
)

var (
	errNotText = errors.New("text frame is not UTF-8")
	errTooMany = errors.New("too many messages")
)

// wire is one WebSocket with a bounded outgoing queue and a keepalive. Client and server use the same.
//
// # Concurrency
//
// One goroutine reads: it calls read until that fails, then stop with the error, then drain. Another goroutine runs write. All
// other methods may be called from anywhere and never block.
type wire struct {
	ws     *websocket.Conn
	limits Limits
	wake   chan struct{} // has a value when a frame was queued, or end was set
	pong   chan struct{} // has a value when a pong came
	probe  chan struct{} // has a value when it is to be found out soon whether the other side lives
	done   chan struct{} // closed when nothing more will be read
	bucket bucket        // of messages, pings and pongs; belongs to the reading goroutine

	mu    sync.Mutex
	queue []frame
	bytes int
	end   *websocket.CloseError // how this side ended the wire; set once, and nothing is queued afterwards
}

func newWire(ws *websocket.Conn, limits Limits) *wire {
	w := &wire{
		ws: ws, limits: limits,
		wake: make(chan struct{}, 1), pong: make(chan struct{}, 1), probe: make(chan struct{}, 1), done: make(chan struct{}),
		bucket: newBucket(limits.Messages, time.Now()),
	}
	ws.SetReadLimit(limits.Message)
	ws.SetPingHandler(w.counted(ws.PingHandler()))
	ws.SetPongHandler(w.counted(func(string) error {
		notify(w.pong)
		return nil
	}))
	return w
}

// counted makes a control frame count as a message.
func (w *wire) counted(handle func(string) error) func(string) error {
	return func(data string) error {
		if !w.bucket.take(time.Now(), 1) {
			return errTooMany
		}
		return handle(data)
	}
}

// notify puts a value into a channel of one place, unless it holds one already.
func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// send queues a frame, or drops it after the end. When too much waits the other side is too slow, and the wire is cut.
func (w *wire) send(f frame) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.end != nil:
		return
	case len(w.queue) >= w.limits.Queue.Frames || w.bytes > w.limits.Queue.Bytes:
		w.abandonLocked(reasonSlow)
	default:
		w.queue = append(w.queue, f)
		w.bytes += len(f.text)
		notify(w.wake)
	}
}

// abandonLocked cuts the wire without a close frame: the other side would not read that either.
func (w *wire) abandonLocked(reason string) {
	w.end = &websocket.CloseError{Code: websocket.CloseAbnormalClosure, Text: reason}
	w.queue = nil
	w.cut()
}

// reason says why this side ended the wire. It is empty when this side did not, or gave no reason.
func (w *wire) reason() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.end == nil {
		return ""
	}
	return w.end.Text
}

// endCode is the code with which this side ended the wire, 0 while it has not.
func (w *wire) endCode() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.end == nil {
		return 0
	}
	return w.end.Code
}

// closeCode is the code of the close frame that a read ended with, 0 when err is of another kind.
func closeCode(err error) int {
	if closed, ok := errors.AsType[*websocket.CloseError](err); ok {
		return closed.Code
	}
	return 0
}

// finish closes the socket once the queue has been sent. Only the first call has an effect.
func (w *wire) finish(code int, reason string) {
	w.mu.Lock()
	if w.end == nil {
		w.end = &websocket.CloseError{Code: code, Text: reason}
	}
	w.mu.Unlock()
	notify(w.wake)
}

// cut closes the connection under the WebSocket (and under TLS, whose Close may wait).
func (w *wire) cut() {
	raw := w.ws.NetConn()
	for {
		outer, ok := raw.(interface{ NetConn() net.Conn }) // TLS, or a meter
		if !ok {
			break
		}
		raw = outer.NetConn()
	}
	_ = raw.Close() // the connection is over, whatever Close says
}

// next takes a frame off the queue. When the queue is empty ok is false, and end says how to close, if the wire is to end.
func (w *wire) next() (f frame, end *websocket.CloseError, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		w.queue = nil // frees the memory of the frames that were sent
		return frame{}, w.end, false
	}
	f = w.queue[0]
	w.queue[0] = frame{}
	w.queue = w.queue[1:]
	w.bytes -= len(f.text)
	return f, nil, true
}

// write sends what is queued, and the pings, until either side ends the wire. Then it closes the connection.
func (w *wire) write() {
	defer w.cut()
	k := newKeepalive(w)
	defer k.stop()
	for {
		alive := true
		select {
		case <-w.wake:
			alive = !w.flush()
		case <-k.ping.C:
			alive = k.sendPing()
		case <-w.probe:
			alive = k.probe()
		case <-w.pong:
			k.answered()
		case <-k.overdue.C:
			k.late()
		case <-w.done:
			alive = false
		}
		if !alive {
			return
		}
	}
}

// flush sends all that is queued, and reports whether writing is over.
func (w *wire) flush() (over bool) {
	for {
		f, end, ok := w.next()
		if !ok {
			if end != nil {
				w.sayGoodbye(end)
			}
			return end != nil
		}
		kind := websocket.TextMessage
		if f.binary {
			kind = websocket.BinaryMessage
		}
		if w.ws.SetWriteDeadline(time.Now().Add(writeWait)) != nil || w.ws.WriteMessage(kind, []byte(f.text)) != nil {
			return true
		}
	}
}

// sayGoodbye sends the close frame and gives the other side time to read it. Closing the connection at once, with input unread,
// would reset it, and the other side might lose the frame.
func (w *wire) sayGoodbye(end *websocket.CloseError) {
	if end.Code == websocket.CloseAbnormalClosure {
		return
	}
	// An error means that a close frame was sent before, or that nothing can be sent. Waiting is right for both.
	_ = w.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(end.Code, end.Text), time.Now().Add(lingerWait))
	linger := time.NewTimer(lingerWait)
	defer linger.Stop()
	select {
	case <-w.done:
	case <-linger.C:
	}
}

// read waits for the next message. A message beyond what the other side may send is answered by errTooMany.
func (w *wire) read() (frame, error) {
	kind, data, err := w.ws.ReadMessage()
	if err != nil {
		return frame{}, err
	}
	if !w.bucket.take(time.Now(), 1) {
		return frame{}, errTooMany
	}
	f := frame{kind == websocket.BinaryMessage, string(data)}
	if !f.binary && !utf8.ValidString(f.text) {
		return frame{}, errNotText
	}
	return f, nil
}

// stop ends the wire after a failed read, with the close code that fits the error. It reports whether a side has hung up: by closing
// in order, because the other side broke the protocol, or because its rights have ended. Otherwise the connection broke, or this side gave it up.
func (w *wire) stop(err error) (hungUp bool) {
	if code, reason := closing(err); code != 0 {
		w.finish(code, reason)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.end == nil { // the other side ended it, and nothing more can be sent
		w.end = &websocket.CloseError{Code: websocket.CloseAbnormalClosure}
		return websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseGoingAway, websocket.CloseNoStatusReceived)
	}
	switch w.end.Code {
	case websocket.CloseNormalClosure, websocket.CloseProtocolError, websocket.ClosePolicyViolation,
		websocket.CloseMessageTooBig, websocket.CloseInvalidFramePayloadData, CloseLocked:
		return true
	}
	return false
}

// closing says with which code to close after a failed read, 0 when the connection is gone.
func closing(err error) (code int, reason string) {
	var network net.Error
	switch {
	case closeCode(err) != 0, errors.Is(err, io.ErrClosedPipe):
		return 0, ""
	case errors.Is(err, websocket.ErrReadLimit):
		return websocket.CloseMessageTooBig, ""
	case errors.Is(err, errNotText):
		return websocket.CloseInvalidFramePayloadData, ""
	case errors.Is(err, errTooMany):
		return websocket.ClosePolicyViolation, errTooMany.Error()
	case errors.As(err, &network) && network.Timeout(): // only HELLO has a read deadline
		return websocket.ClosePolicyViolation, "no HELLO"
	case errors.As(err, &network):
		return 0, ""
	}
	return websocket.CloseProtocolError, ""
}

// drain reads on, and drops what it reads, until the connection is closed: sayGoodbye needs that. err is why reading failed.
func (w *wire) drain(err error) {
	defer close(w.done)
	if code, _ := closing(err); code == 0 {
		return
	}
	if w.ws.SetReadDeadline(time.Time{}) != nil {
		return
	}
	from := w.ws.NetConn()
	if m, ok := from.(*meter); ok {
		from = m.Conn // the meter may be at its limit
	}
	// Reading ends when the other side closes, when write cuts the connection, or when as much came as a connection may send at once.
	_, _ = io.CopyN(io.Discard, from, int64(w.limits.Bytes.Burst))
}
