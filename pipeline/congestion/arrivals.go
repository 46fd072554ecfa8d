package congestion

import "time"

// The time for which the link is busy.
const (
	// A frame whose first packet waited for less found the link idle.
	idleQueue = 25 * time.Millisecond
	// One large frame may keep the link busy for this time. A shorter busy time is no over-use.
	busyBurst = 80 * time.Millisecond
	// What arrives in a busy time of this length is what the link carries: in less, some frames' sizes decide; in more, the link
	// may have changed.
	busyLeast = 150 * time.Millisecond
	busyMost  = time.Second
)

// The moments in which a cut link shows.
const (
	// The least length of a moment; fellDeep needs half of it. Three frames leave us in it.
	momentLeast = 100 * time.Millisecond
	// Shares of what is sent. The link has fallen where less than fellShare arrives in a moment, or less than fellDeep in half a
	// moment.
	fellShare = 0.6
	fellDeep  = 0.4
	// A part of the moment: packets must take longer than at its beginning by one part in so many. All that the rate lacks would be
	// too much to ask: the first packet of a frame is sent later than the last of the frame before, and waits less by that time.
	fellLonger = 3
	// Packets that arrive within this time share a slot, and there are so many slots. Together they go back 160 ms or more.
	slotSpan = 2 * time.Millisecond
	slots    = 80
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
	idle    time.Duration // when the newest frame arrived that found the link idle
	bits    float64       // of the packets since then
	slots   [slots]slot   // a ring
	count   int           // of all slots until now; the newest are in the ring
}

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

// foundIdle notes that a frame, the first packet of which arrived at that time, found the link idle.
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

// moment tells of the newest time of a length between least and half as much again; false where no packet arrived to begin it.
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

// fell tells whether the link has become much slower than what is sent, in bit/s, and what the link carries. The line through the
// delays of whole frames shows that later. In a fallen link few packets arrive, one by one, and each waits longer. After a pause
// packets arrive together, so that a pause is no fall.
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
