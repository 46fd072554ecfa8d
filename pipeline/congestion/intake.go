package congestion

import "time"

// Packet is the fate of one packet, as the other side's report tells it.
type Packet struct {
	Seq     uint32        // transport-wide sequence number; only its lower 16 bits count
	Sent    time.Duration // by the clock of [Feedback.At]
	Arrived time.Duration // by the other side's clock, of which only differences count; it may jump. Unset when Lost.
	Size    int           // bytes
	Lost    bool
}

// Feedback is one report.
type Feedback struct {
	At      time.Duration // when it came in
	Packets []Packet
}

// history is how many of the newest sequence numbers are remembered, which is two seconds of 10 Mbit/s; more in one report are
// not looked at.
const history = 1 << 11

// fate is what a reported packet is to us.
type fate int

const (
	ignored   fate = iota // told before, or too old to matter
	arrived               // in order
	late                  // arrived, out of order
	missing               // lost
	recovered             // told to be lost before, and arrived after all
)

// mark is which round of the history a sequence number was told in, and in the last bit whether it was lost; 0 is none. There is
// one of these for each number of each viewer.
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

// intake unwraps sequence numbers and tells news from repetition: reports may come twice, late or in the wrong order.
type intake struct {
	begun    bool
	newest   int64 // of all that was told
	inOrder  int64 // newest that arrived
	lastSent time.Duration
	seen     [history]mark
}

func (in *intake) take(p Packet) fate {
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
		*slot = before // what arrived once stays arrived
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
