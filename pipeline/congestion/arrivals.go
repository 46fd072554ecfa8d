package congestion

import "time"

// How long the link is busy without a break.
const (
	// A frame found the link idle if its first packet waited for less than this time. Jitter alone may be as much.
	idleQueue = 25 * time.Millisecond
	// A link that is busy for less than this time is not over-used: one large frame may keep it busy for so long.
	busyBurst = 80 * time.Millisecond
	// What arrives while the link is busy tells what the link carries, if the busy time is between these two. In a shorter time the
	// sizes of single frames decide; in a longer one the link may have changed.
	busyLeast = 150 * time.Millisecond
	busyMost  = time.Second
)

// How a link that has suddenly become slower is noticed: by what arrives within moments.
const (
	// The least length of a moment. Three frames are sent in it.
	momentLeast = 100 * time.Millisecond
	// Shares of what is sent. The link has fallen if less than fellShare arrives in a moment, or less than fellDeep in half a moment.
	fellShare = 0.6
	fellDeep  = 0.4
	// A divisor. During the moment the transit time must grow by more than the moment's length divided by this. More cannot be asked:
	// between two frames nothing is sent, and the queue drains a little.
	fellLonger = 3
	// Packets that arrive within this time share a slot, which spares memory.
	slotSpan = 2 * time.Millisecond
	// The number of slots. Together they go back by 160 ms at least: one moment and half of one.
	slots = 80
)

// slot is packets that arrived at about the same time.
type slot struct {
	at      time.Duration // when the first arrived
	transit time.Duration // how long the first took
	bits    float64
}

// arrivals is what arrives at the other side, and when.
type arrivals struct {
	newest  time.Duration // when the newest packet arrived
	transit time.Duration // how long the newest packet took
	idle    time.Duration // the arrival of the newest frame that found the link idle
	bits    float64       // of the packets since that frame
	slots   [slots]slot   // a ring
	count   int           // of all slots until now; the newest are in the ring
}

// add takes a packet that arrived in order.
func (a *arrivals) add(p Packet) {
	a.newest, a.transit = max(a.newest, p.Arrived), p.Arrived-p.Sent
	bits := float64(p.Size) * 8
	a.bits += bits
	if a.count > 0 {
		if newest := &a.slots[(a.count-1)%slots]; p.Arrived-newest.at < slotSpan {
			newest.bits += bits
			return
		}
	}
	a.slots[a.count%slots] = slot{p.Arrived, a.transit, bits}
	a.count++
}

// foundIdle notes that a frame found the link idle. at is when its first packet arrived.
func (a *arrivals) foundIdle(at time.Duration) { a.idle, a.bits = at, 0 }

// busy is how long the link has been busy.
func (a *arrivals) busy() time.Duration { return a.newest - a.idle }

// moment is what arrived lately.
type moment struct {
	span   time.Duration
	rate   float64       // bit/s
	gap    time.Duration // the longest time without a packet
	longer time.Duration // how much longer the newest packet took than the first
}

// moment looks at the newest packets. Its length is at least least, and at most half as much again. ok is false where no packet
// arrived at which such a moment could begin.
func (a *arrivals) moment(least time.Duration) (m moment, ok bool) {
	bits, next := 0.0, a.newest
	for i := a.count - 1; i >= max(0, a.count-slots); i-- {
		s := a.slots[i%slots]
		m.gap, next = max(m.gap, next-s.at), s.at
		if m.span = a.newest - s.at; m.span > least+least/2 {
			break
		}
		if m.span >= least {
			m.rate, m.longer = bits/m.span.Seconds(), a.transit-s.transit
			return m, true
		}
		bits += s.bits
	}
	return moment{}, false
}

// fell tells whether the link has become much slower than what is sent, and what the link carries, both in bit/s. On a fallen link few
// packets arrive, one by one, and each waits longer than the one before. After a mere pause packets arrive together. The line through
// the delays of whole frames shows a fall much later.
func (a *arrivals) fell(sending float64) (carries float64, is bool) {
	for _, c := range [...]struct {
		least time.Duration
		share float64
	}{{momentLeast, fellShare}, {momentLeast / 2, fellDeep}} {
		m, ok := a.moment(c.least)
		if ok && a.busy() >= m.span && m.rate < c.share*sending && m.gap < m.span/2 && m.longer > m.span/fellLonger {
			return m.rate, true
		}
	}
	return 0, false
}
