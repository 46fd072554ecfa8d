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
	writeWait  = 10 * time.Second // for one message to leave
	lingerWait = time.Second      // for the other side to agree to our closing
)

// Why this side ended it, where others read it.
const (
	reasonPing = "keepalive ping timeout"
	reasonSlow = "too slow"
)

var (
	errNotText = errors.New("text frame is not UTF-8")
	errTooMany = errors.New("too many messages")
)

// wire is one WebSocket with a bounded outgoing queue and the ping layer; client and server use the same.
//
// # Concurrency
//
// One goroutine reads: read until an error, then stop with it, then drain. Another runs write. Everything else may be
// called from anywhere, and never blocks.
type wire struct {
	ws     *websocket.Conn
	limits Limits
	wake   chan struct{} // something is queued, or the end is set
	pong   chan struct{}
	probe  chan struct{} // whether the other side lives is to be known soon
	done   chan struct{} // closed when nothing will be read any more
	bucket bucket        // of messages, pings and pongs; the reading goroutine's

	mu    sync.Mutex
	queue []frame
	bytes int
	end   *websocket.CloseError // how this side ended it; set once, nothing is queued after it
}

func newWire(ws *websocket.Conn, limits Limits) *wire {
	w := &wire{
		ws: ws, limits: limits,
		wake: make(chan struct{}, 1), pong: make(chan struct{}, 1), probe: make(chan struct{}, 1), done: make(chan struct{}),
		bucket: newBucket(limits.Rate, float64(limits.Burst), time.Now()),
	}
	ws.SetReadLimit(limits.Message)
	ws.SetPingHandler(w.counted(ws.PingHandler()))
	ws.SetPongHandler(w.counted(func(string) error {
		notify(w.pong)
		return nil
	}))
	return w
}

// counted makes control frames cost as much as messages.
func (w *wire) counted(handle func(string) error) func(string) error {
	return func(data string) error {
		if !w.bucket.take(time.Now(), 1) {
			return errTooMany
		}
		return handle(data)
	}
}

func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// send queues a frame; after the end it drops it. The other side is cut off when it is too slow to take what is queued.
func (w *wire) send(f frame) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.end != nil:
		return
	case len(w.queue) >= w.limits.QueueFrames || w.bytes > w.limits.QueueBytes:
		w.abandon(reasonSlow)
	default:
		w.queue = append(w.queue, f)
		w.bytes += len(f.text)
		notify(w.wake)
	}
}

// abandon ends it at once, for who does not hear a farewell either. The lock is held.
func (w *wire) abandon(reason string) {
	w.end = &websocket.CloseError{Code: websocket.CloseAbnormalClosure, Text: reason}
	w.queue = nil
	w.cut()
}

// reason says why this side ended it: "" when it didn't, or for no reason worth a word.
func (w *wire) reason() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.end == nil {
		return ""
	}
	return w.end.Text
}

// closeCode is the code of the close frame that err is about; 0 without one.
func closeCode(err error) int {
	if closed, ok := errors.AsType[*websocket.CloseError](err); ok {
		return closed.Code
	}
	return 0
}

// finish closes the socket once what is queued has been sent. The first call counts.
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
	_ = raw.Close() // there is nobody left to tell
}

// next takes a frame off the queue, or says how to end.
func (w *wire) next() (f frame, end *websocket.CloseError, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		w.queue = nil // let go of what has been sent
		return frame{}, w.end, false
	}
	f = w.queue[0]
	w.queue[0] = frame{}
	w.queue = w.queue[1:]
	w.bytes -= len(f.text)
	return f, nil, true
}

// write sends what is queued and the pings until either side ends it; then the connection is closed.
func (w *wire) write() {
	defer w.cut()
	ping := time.NewTicker(w.limits.PingEvery)
	defer ping.Stop()
	overdue := time.NewTimer(w.limits.PongWait)
	defer overdue.Stop()
	overdue.Stop()
	waiting, probed, asked := false, false, time.Time{}
	for {
		select {
		case <-w.wake:
			if w.flush() {
				return
			}
		case <-ping.C:
			if !w.ping(writeWait) {
				return
			}
			if !waiting {
				waiting = true
				overdue.Reset(w.limits.PongWait)
			}
		case <-w.probe:
			if time.Since(asked) < w.limits.ProbeWait { // however many ask
				continue
			}
			if !w.ping(min(w.limits.ProbeWait, writeWait)) { // who takes no ping answers none
				return
			}
			asked, waiting, probed = time.Now(), true, true
			overdue.Reset(min(w.limits.ProbeWait, w.limits.PongWait))
		case <-w.pong:
			waiting, probed = false, false
			overdue.Stop()
		case <-overdue.C:
			select {
			case <-w.pong: // it came while a write held this goroutine up
				waiting, probed = false, false
			default:
				w.overdue(probed)
			}
		case <-w.done:
			return
		}
	}
}

func (w *wire) ping(within time.Duration) bool {
	return w.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(within)) == nil
}

// overdue ends it because no pong came: with a farewell, unless another waits for the place.
func (w *wire) overdue(probed bool) {
	if !probed {
		w.finish(websocket.CloseInternalServerErr, reasonPing)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.end == nil {
		w.abandon(reasonPing)
	}
}

// flush sends all that is queued and reports whether the writing is over.
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

// sayGoodbye sends the close frame and gives the other side the time to see it: closing at once, with input unread,
// would reset the connection under it.
func (w *wire) sayGoodbye(end *websocket.CloseError) {
	if end.Code == websocket.CloseAbnormalClosure {
		return
	}
	// An error means that a close frame has been sent, or that nothing can be: the wait is right for both.
	_ = w.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(end.Code, end.Text), time.Now().Add(lingerWait))
	linger := time.NewTimer(lingerWait)
	defer linger.Stop()
	select {
	case <-w.done:
	case <-linger.C:
	}
}

// read waits for the next message; one more than the other side may send is errTooMany.
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

// stop ends the wire after a failed read with the close code that fits, and reports whether that was a hang-up: an
// orderly close by either side, or the other side's breaking of the rules. Otherwise the connection broke, or this side
// gave it up.
func (w *wire) stop(err error) (hungUp bool) {
	if code, reason := verdict(err); code != 0 {
		w.finish(code, reason)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.end == nil { // the other side's doing; nothing more can be sent
		w.end = &websocket.CloseError{Code: websocket.CloseAbnormalClosure}
		return websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseGoingAway, websocket.CloseNoStatusReceived)
	}
	switch w.end.Code {
	case websocket.CloseNormalClosure, websocket.CloseProtocolError, websocket.ClosePolicyViolation,
		websocket.CloseMessageTooBig, websocket.CloseInvalidFramePayloadData:
		return true
	}
	return false
}

// verdict says how to answer a failed read; 0 when the connection is gone anyway.
func verdict(err error) (code int, reason string) {
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
	case errors.As(err, &network) && network.Timeout(): // the only read deadline is HELLO's
		return websocket.ClosePolicyViolation, "no HELLO"
	case errors.As(err, &network):
		return 0, ""
	}
	return websocket.CloseProtocolError, ""
}

// drain reads on, to nobody, until the connection is closed: see sayGoodbye. err is why reading failed.
func (w *wire) drain(err error) {
	defer close(w.done)
	if code, _ := verdict(err); code == 0 {
		return
	}
	if w.ws.SetReadDeadline(time.Time{}) != nil {
		return
	}
	from := w.ws.NetConn()
	if m, ok := from.(*meter); ok {
		from = m.Conn // which may be at its limit
	}
	// It ends when the other side closes, write cuts, or more comes than a farewell is worth.
	_, _ = io.CopyN(io.Discard, from, int64(w.limits.ByteBurst))
}
