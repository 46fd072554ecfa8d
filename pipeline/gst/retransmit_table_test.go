//go:build e2e && !nogst

package gst

import (
	"testing"
	"time"
)

// The times of the table begin here, as those of a machine that has run for an hour.
const hour = time.Hour

// request is a NACK for one packet, and what is to be done about it.
type request struct {
	at       time.Duration // after the hour
	seq      uint16
	copies   int
	keyframe bool
}

// measured has a viewer report on a link for three seconds, ten times a second, until the hour.
func measured(r *retransmission, rtt time.Duration, packets, lost int) {
	for i := range 30 {
		r.report(hour-3*time.Second+time.Duration(i+1)*100*time.Millisecond, rtt, packets, lost)
	}
}

func good(r *retransmission)  { measured(r, 20*time.Millisecond, 50, 0) }
func radio(r *retransmission) { measured(r, 20*time.Millisecond, 50, 5) }

// Each rule of retransmit.c, at the edges of its constants.
func TestRetransmissionTable(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name  string
		link  func(*retransmission)
		nacks []request
	}{
		{"nothing is known of the link", func(*retransmission) {}, []request{{0, 1, 1, false}, {499 * ms, 1, 0, false}, {500 * ms, 1, 1, false}}},
		{"a short RTT", good, []request{{0, 1, 1, false}, {39 * ms, 1, 0, false}, {40 * ms, 1, 2, false}, {41 * ms, 2, 1, false}}},
		{"an RTT of 100 ms", func(r *retransmission) { measured(r, 100*ms, 50, 0) }, []request{{0, 1, 1, false}, {99 * ms, 1, 0, false}, {100 * ms, 1, 2, false}}},
		{"an RTT just short of a long one", func(r *retransmission) { measured(r, 249*ms, 50, 0) }, []request{{0, 1, 1, false}, {249 * ms, 1, 2, false}}},
		{"a long RTT: once each time", func(r *retransmission) { measured(r, 250*ms, 50, 5) }, []request{{0, 1, 1, false}, {250 * ms, 1, 1, false}}},
		{"an RTT of two seconds", func(r *retransmission) { measured(r, 2*time.Second, 50, 0) }, []request{{0, 1, 1, false}, {499 * ms, 1, 0, false}, {500 * ms, 1, 1, false}}},
		{"a link that loses a tenth", radio, []request{{0, 1, 2, false}, {40 * ms, 1, 4, false}}},
		{"a link that loses one in fifty", func(r *retransmission) { measured(r, 20*ms, 50, 1) }, []request{{0, 1, 1, false}, {40 * ms, 1, 2, false}}},
		{"a slow link that loses a tenth", func(r *retransmission) { measured(r, 20*ms, 10, 1) }, []request{{0, 1, 2, false}, {40 * ms, 1, 2, false}}},
		{"a very slow link that loses a fifth", func(r *retransmission) { measured(r, 20*ms, 5, 1) }, []request{{0, 1, 1, false}}},
		{"asked for in vain", good, []request{{0, 1, 1, false}, {599 * ms, 1, 2, false}, {600 * ms, 1, 0, true}, {700 * ms, 1, 2, false}, {1599 * ms, 1, 2, false}, {1600 * ms, 1, 0, true}}},
		{"two packets in vain: one keyframe", good, []request{{0, 1, 1, false}, {0, 2, 1, false}, {600 * ms, 1, 2, true}, {600 * ms, 2, 2, false}}},
		{"numbers of the same place in the table", good, []request{{0, 1, 1, false}, {0, 513, 1, false}, {1 * ms, 1, 1, false}}},
		{"from before the newest keyframe: no other", func(r *retransmission) { good(r); r.keyframe(1000, 5000) }, []request{
			{0, 1000, 1, false}, {600 * ms, 1000, 2, false}, {0, 1001, 1, false}, {600 * ms, 1001, 2, true},
		}},
		{"a number that has wrapped around is after the keyframe", func(r *retransmission) { good(r); r.keyframe(65535, 5000) }, []request{{0, 0, 1, false}, {600 * ms, 0, 2, true}}},
		{"a packet 40,000 numbers after the keyframe", func(r *retransmission) { good(r); r.keyframe(65535, 40010) }, []request{
			{0, 40000, 1, false}, {600 * ms, 40000, 2, true},
		}},
		{"a packet 40,000 numbers before the newest, and before the keyframe", func(r *retransmission) { good(r); r.keyframe(65535, 10) }, []request{
			{0, 25545, 1, false}, {600 * ms, 25545, 2, false},
		}},
		{"a number that is used again is another packet", good, []request{{0, 1, 1, false}, {4999 * ms, 1, 2, true}, {5000 * ms, 1, 1, false}}},
		{"dropped for a keyframe that follows", func(r *retransmission) { good(r); r.drop(hour, 1000) }, []request{
			{0, 1000, 0, false}, {0, 999, 0, false}, {0, 1001, 1, false}, {1999 * ms, 1000, 0, false}, {2000 * ms, 1000, 1, false},
		}},
		{"after a drop the keyframe goes twice, however long the RTT", func(r *retransmission) {
			measured(r, time.Second, 50, 5)
			r.drop(hour, 1000)
			r.keyframe(1000, 5000)
		}, []request{{0, 1001, 2, false}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRetransmission()
			c.link(r)
			for _, n := range c.nacks {
				if copies, keyframe := r.nack(hour+n.at, n.seq); copies != n.copies || keyframe != n.keyframe {
					t.Errorf("packet %d after %v: %d copies, keyframe %v, want %d, %v", n.seq, n.at, copies, keyframe, n.copies, n.keyframe)
				}
			}
		})
	}
}

// askAll asks for that many packets at once, from this one on, and returns how many are sent.
func askAll(r *retransmission, from uint16, packets int) (sent int) {
	for i := range packets {
		copies, _ := r.nack(hour, from+uint16(i))
		sent += copies
	}
	return sent
}

// The budget is a burst, of which half is kept for the newest keyframe, and then a third of what arrives.
func TestRetransmissionBudget(t *testing.T) {
	r := newRetransmission()
	good(r) // 500 kB/s: the burst is the largest, 40,000 bytes; the average of a packet has come down to 1,043 bytes
	r.keyframe(1000, 5000)
	if n := askAll(r, 0, 200); n != 20 {
		t.Errorf("%d packets from before the keyframe are sent, want 20", n)
	}
	if n := askAll(r, 1001, 200); n != 18 {
		t.Errorf("%d packets of the keyframe are sent, want 18", n)
	}
	r.report(hour, 20*time.Millisecond, 30, 0)
	if n := askAll(r, 2000, 200); n != 9 {
		t.Errorf("%d packets are sent after a report on 30, want 9", n)
	}
	r.keyframe(3000, 5000)
	if n := askAll(r, 3001, 200); n != 19 {
		t.Errorf("%d packets of the next keyframe are sent, want 19", n)
	}
	lossy := newRetransmission()
	radio(lossy)
	if n := askAll(lossy, 0, 10); n != 20 {
		t.Errorf("on a link that loses a tenth 10 packets are sent %d times, want 20", n)
	}
	if n := askAll(lossy, 10, 5); n != 5 {
		t.Errorf("with half of the budget used 5 packets are sent %d times, want 5", n)
	}
	slow := newRetransmission()
	measured(slow, 20*time.Millisecond, 1, 0) // 10 kB/s: the burst is the smallest, 6,000 bytes
	if n := askAll(slow, 0, 200); n != 5 {
		t.Errorf("on a slow link %d packets are sent at once, want 5", n)
	}
}

// A keyframe goes twice by itself where many packets are lost and an RTT is long, if it fits into a burst. A NACK that comes soon
// after is answered by that.
func TestKeyframeIsSentAgain(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name          string
		rtt           time.Duration
		lost, packets int
		want          bool
	}{
		{"a long RTT, a tenth lost", 150 * ms, 5, 10, true},
		{"a shorter RTT", 149 * ms, 5, 10, false},
		{"little is lost", 150 * ms, 1, 10, false},
		{"a keyframe larger than a burst", 150 * ms, 5, 41, false},
	} {
		r := newRetransmission()
		measured(r, c.rtt, 50, c.lost)
		r.keyframe(99, 5000)
		if got := r.keyframeAgain(hour, 100, c.packets); got != c.want {
			t.Errorf("%s: sent again: %v", c.name, got)
		}
		if copies, _ := r.nack(hour+c.rtt-ms, 100); (copies == 0) != c.want {
			t.Errorf("%s: a NACK within the RTT is answered by %d copies", c.name, copies)
		}
	}
}
