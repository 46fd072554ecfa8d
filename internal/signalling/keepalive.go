package signalling

import (
	"time"

	"github.com/gorilla/websocket"
)

// awaited is the pong that the other side owes.
type awaited int

const (
	nothing   awaited = iota
	pong              // the answer to one of the regular pings
	probePong         // the answer to a ping that was sent because another connection asks for the id of this one
)

// keepalive sends the pings of a wire and watches for the pongs. It belongs to the writing goroutine.
type keepalive struct {
	w       *wire
	ping    *time.Ticker
	overdue *time.Timer // runs out when the awaited pong has not come in time
	awaits  awaited
	probed  time.Time // when the last probe was sent
}

func newKeepalive(w *wire) *keepalive {
	k := &keepalive{w: w, ping: time.NewTicker(w.limits.Waits.Ping), overdue: time.NewTimer(w.limits.Waits.Pong)}
	k.overdue.Stop()
	return k
}

func (k *keepalive) stop() {
	k.ping.Stop()
	k.overdue.Stop()
}

// sendPing sends a regular ping, and reports whether it could.
func (k *keepalive) sendPing() bool {
	if !k.send(writeWait) {
		return false
	}
	if k.awaits == nothing {
		k.awaits = pong
		k.overdue.Reset(k.w.limits.Waits.Pong)
	}
	return true
}

// probe sends a ping whose pong must come soon, and reports whether it could. However many connections ask for one, it sends one
// at a time. A side that takes no ping cannot answer one: then the wire ends.
func (k *keepalive) probe() bool {
	limits := k.w.limits.Waits
	if time.Since(k.probed) < limits.Probe {
		return true
	}
	if !k.send(min(limits.Probe, writeWait)) {
		return false
	}
	k.probed, k.awaits = time.Now(), probePong
	k.overdue.Reset(min(limits.Probe, limits.Pong))
	return true
}

func (k *keepalive) send(within time.Duration) bool {
	return k.w.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(within)) == nil
}

// answered takes a pong.
func (k *keepalive) answered() {
	k.awaits = nothing
	k.overdue.Stop()
}

// late is called when the awaited pong has not come in time. It may have come while a write held this goroutine up.
func (k *keepalive) late() {
	select {
	case <-k.w.pong:
		k.answered()
	default:
		k.w.unanswered(k.awaits)
	}
}

// unanswered ends the wire because no pong came. Where another connection waits for the id there is no time for a close frame.
func (w *wire) unanswered(a awaited) {
	if a != probePong {
		w.finish(websocket.CloseInternalServerErr, reasonPing)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.end == nil {
		w.abandonLocked(reasonPing)
	}
}
