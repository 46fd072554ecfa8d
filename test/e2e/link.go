//go:build e2e

package e2e

import (
	"io"
	"math/rand/v2"
	"sync"
	"time"
)

// Shape is how one direction of a link behaves; the zero value lets everything through at once.
type Shape struct {
	Rate   int           // bit/s of IP packets; 0 is without limit
	Queue  time.Duration // of waiting, at the rate, that fits before packets are dropped
	Loss   float64       // share of packets, at random
	Delay  time.Duration // beside the queue
	Jitter time.Duration // up to so much more delay, at random; the order stays

	Lose func(packet []byte) bool // these too; nil for none. It is asked when they come.
}

// linkPacket is on its way.
type linkPacket struct {
	data []byte
	due  time.Duration // when it arrives, once it is sent
	lost bool
}

// linkQueue is one direction of a link as a value, by a clock that the caller brings: packets wait to be sent, one after the
// other at the rate, and then are on their way. All chance comes from its seed.
type linkQueue struct {
	shape   Shape
	rng     *rand.Rand
	waiting []linkPacket
	held    int           // bytes that wait
	free    time.Duration // when the one that is being sent will have been, or the last one was
	sending bool
	way     []linkPacket // in order
}

func newLinkQueue(s Shape, seed uint64) *linkQueue {
	return &linkQueue{shape: s, rng: rand.New(rand.NewPCG(seed, 0))}
}

// push takes a packet, or drops it where the queue is full.
func (q *linkQueue) push(now time.Duration, data []byte) {
	q.advance(now)
	limit := int(float64(q.shape.Rate) / 8 * q.shape.Queue.Seconds())
	if q.shape.Rate > 0 && q.held > 0 && q.held+len(data) > limit {
		return
	}
	if len(q.waiting) == 0 {
		q.free = now
	}
	q.held += len(data)
	q.waiting = append(q.waiting, linkPacket{data: data, lost: q.shape.Lose != nil && q.shape.Lose(data)})
	q.advance(now)
}

// advance sends what can have been sent by now.
func (q *linkQueue) advance(now time.Duration) {
	for len(q.waiting) > 0 {
		if !q.sending {
			q.sending, q.free = true, q.free+q.takes(q.waiting[0])
		}
		if q.free > now {
			return
		}
		p := q.waiting[0]
		q.waiting, q.sending = q.waiting[1:], false
		q.held -= len(p.data)
		if q.rng.Float64() < q.shape.Loss || p.lost {
			continue
		}
		p.due = q.free + q.shape.Delay
		if q.shape.Jitter > 0 {
			p.due += time.Duration(q.rng.Int64N(int64(q.shape.Jitter)))
		}
		if n := len(q.way); n > 0 {
			p.due = max(p.due, q.way[n-1].due)
		}
		q.way = append(q.way, p)
	}
}

func (q *linkQueue) takes(p linkPacket) time.Duration {
	if q.shape.Rate == 0 {
		return 0
	}
	return time.Duration(float64(len(p.data)*8) / float64(q.shape.Rate) * float64(time.Second))
}

// pop is the next packet that has arrived by now.
func (q *linkQueue) pop(now time.Duration) (data []byte, ok bool) {
	q.advance(now)
	if len(q.way) == 0 || q.way[0].due > now {
		return nil, false
	}
	data = q.way[0].data
	q.way = q.way[1:]
	return data, true
}

// next is when something happens next, false when nothing will.
func (q *linkQueue) next() (at time.Duration, ok bool) {
	switch {
	case q.sending && len(q.way) > 0:
		return min(q.free, q.way[0].due), true
	case q.sending:
		return q.free, true
	case len(q.way) > 0:
		return q.way[0].due, true
	}
	return 0, false
}

// Link carries packets between the board's device and one of a browser's, each way by a shape of its own.
//
// # Concurrency
//
// Shape may be called from any goroutine. Three goroutines, which end with the device and with close.
type Link struct {
	far    io.ReadWriteCloser
	inbox  [2]chan []byte
	shapes [2]chan Shape
	done   chan struct{}
	once   sync.Once
	wg     sync.WaitGroup
}

// The directions of a link.
const (
	ToBrowser = 0
	ToBoard   = 1
)

const (
	linkMTU   = 1500
	linkInbox = 256 // packets between a device and the queue
)

// newLink starts the link's goroutines. Each Read and Write of a device is one packet. The link reads far and closes it. All links share
// near, so the link does not read near: Links.dispatch hands the link its packets from there.
func newLink(near io.Writer, far io.ReadWriteCloser, toBrowser, toBoard Shape, seed uint64) *Link {
	l := &Link{far: far, done: make(chan struct{})}
	for i, to := range []io.Writer{far, near} {
		l.inbox[i], l.shapes[i] = make(chan []byte, linkInbox), make(chan Shape)
		q := newLinkQueue([]Shape{toBrowser, toBoard}[i], seed+uint64(i))
		l.wg.Go(func() { l.carry(q, l.inbox[i], l.shapes[i], to) })
	}
	l.wg.Go(func() {
		readPackets(far, func(data []byte) { l.take(ToBoard, data) })
	})
	return l
}

// Shape changes a direction from now on; what waits goes at the new rate.
func (l *Link) Shape(direction int, s Shape) {
	select {
	case l.shapes[direction] <- s:
	case <-l.done:
	}
}

// take hands a packet to a direction; it never waits.
func (l *Link) take(direction int, data []byte) {
	select {
	case l.inbox[direction] <- data:
	default:
	}
}

func (l *Link) close() {
	l.once.Do(func() {
		close(l.done)
		_ = l.far.Close()
	})
	l.wg.Wait()
}

// readPackets ends with the device.
func readPackets(from io.Reader, take func([]byte)) {
	for {
		data := make([]byte, linkMTU)
		n, err := from.Read(data)
		if err != nil {
			return
		}
		take(data[:n])
	}
}

func (l *Link) carry(q *linkQueue, packets <-chan []byte, shapes <-chan Shape, to io.Writer) {
	began := time.Now()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		now := time.Since(began)
		for data, ok := q.pop(now); ok; data, ok = q.pop(now) {
			_, _ = to.Write(data) // a full device drops, as networks do
		}
		if at, ok := q.next(); ok {
			timer.Reset(at - now)
		} else {
			timer.Reset(time.Hour)
		}
		select {
		case <-l.done:
			return
		case data := <-packets:
			q.push(time.Since(began), data)
		case s := <-shapes:
			q.advance(time.Since(began))
			q.shape = s
		case <-timer.C:
		}
	}
}
