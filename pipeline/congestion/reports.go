package congestion

import "time"

// Packet is what a report tells of one packet.
type Packet struct {
	Seq     uint32        // transport-wide sequence number; only its lower 16 bits count
	Sent    time.Duration // by the clock of [Feedback.Received]
	Arrived time.Duration // by the viewer's clock, which may jump: only differences count. Unset when Lost.
	Size    int           // bytes
	Lost    bool
}

// Feedback is one report of a viewer (TWCC feedback).
type Feedback struct {
	Received time.Duration // when the report came in, by our clock
	Packets  []Packet
}

// history is how many sequence numbers are remembered: two seconds at 10 Mbit/s. Of a report with more packets only the newest count. It
// is a power of two, so that a sequence number becomes the index of a slot by a mask.
const history = 1 << 11

// fate is what a report tells of one packet, after all reports before it.
type fate int

const (
	ignored   fate = iota // nothing new: an earlier report told of the packet, or the packet is too old
	arrived               // the packet arrived in order
	late                  // the packet arrived out of order
	missing               // the packet is lost
	recovered             // an earlier report told that the packet was lost, but it has arrived
)

// mark is what was told of a sequence number. Its last bit says whether the packet was lost, the other bits say which round of the
// history the number belongs to. The zero value is that of a number of which nothing was told. Each viewer has 2048 marks, so a
// mark is to be small.
type mark uint32

func markOf(seq int64, lost bool) mark {
	m := mark(seq/history) << 1
	if lost {
		m |= 1
	}
	return m
}

func (m mark) round() uint32 { return uint32(m) >> 1 }
func (m mark) lost() bool    { return m&1 != 0 }

// reports gives each reported packet its fate. Reports may come twice, late or in the wrong order. Sequence numbers of 16 bits are
// continued beyond 65535.
type reports struct {
	begun    bool
	newest   int64         // the newest number of any packet
	inOrder  int64         // the newest number of a packet that arrived in order
	lastSent time.Duration // when that packet was sent
	seen     [history]mark // a ring, by number
}

// take notes what a report tells of a packet.
func (in *reports) take(p Packet) fate {
	if !in.begun {
		in.begun = true
		in.newest = 1<<32 + int64(uint16(p.Seq))
		in.inOrder = in.newest - 1
		in.lastSent = p.Sent
	}
	seq := in.newest + int64(int16(uint16(p.Seq)-uint16(in.newest)))
	if seq <= in.newest-history {
		return ignored
	}
	in.newest = max(in.newest, seq)
	slot := &in.seen[seq&(history-1)]
	before := *slot
	*slot = markOf(seq, p.Lost)
	known := before.round() == slot.round()
	switch {
	case known && (p.Lost || !before.lost()):
		*slot = before // a packet that has arrived is not lost later
		return ignored
	case known:
		return recovered
	case p.Lost:
		return missing
	case seq < in.inOrder || p.Sent < in.lastSent:
		return late
	}
	in.inOrder, in.lastSent = seq, p.Sent
	return arrived
}
