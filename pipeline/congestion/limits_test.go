package congestion

import (
	"testing"
	"time"
)

// What a report cannot mean is not believed.
func TestWrongReports(t *testing.T) {
	for _, c := range []struct {
		name   string
		packet Packet
		rtt    time.Duration
	}{
		{"as it may be", Packet{Sent: 10 * time.Second, Size: 1000}, time.Second},
		{"sent long ago", Packet{Sent: 0, Size: 1000}, 0},
		{"sent after the report", Packet{Sent: 12 * time.Second, Size: 1000}, 0},
	} {
		e := NewEstimator(Limits{})
		e.Receive(Feedback{Received: 11 * time.Second, Packets: []Packet{c.packet}})
		if e.rtt != c.rtt {
			t.Errorf("%s: RTT %v, want %v", c.name, e.rtt, c.rtt)
		}
	}
	for _, c := range []struct {
		size int
		most int // bit/s
	}{{1000, 8 * 1000 * 20}, {-1_000_000, 0}, {1 << 40, 8 * mostBytes * 20}} {
		e := NewEstimator(Limits{})
		for i := range 20 { // twenty a second
			at := time.Duration(i) * 50 * ms
			e.Receive(Feedback{Received: at, Packets: []Packet{{Seq: uint32(i), Sent: at, Arrived: at + time.Hour, Size: c.size}}})
		}
		if got := e.Snapshot(time.Second).ReceiveRate; got < 0 || got > c.most {
			t.Errorf("packets of %d bytes: %d bit/s, want 0 to %d", c.size, got, c.most)
		}
	}
}

// Memory is bounded in a flood, and old samples go.
func TestMemoryIsBounded(t *testing.T) {
	var flood, calm window
	for i := range 3 * windowItems {
		flood.add(time.Duration(i)*time.Microsecond, 1)
		calm.add(time.Duration(i)*10*ms, 1)
	}
	if n := len(flood.items); n > windowItems {
		t.Errorf("%d samples in a flood, want %d at most", n, windowItems)
	}
	if n, most := len(calm.items), int((windowSpan+windowSlack)/(10*ms))+2; n > most {
		t.Errorf("%d samples of a calm stream, want %d at most", n, most)
	}
	var l line
	for i := range 300 {
		l.add(newGroup(Packet{Sent: time.Duration(i) * 2 * ms, Arrived: time.Duration(i) * 2 * ms}))
	}
	if n := len(l.points); n > trendPoints {
		t.Errorf("a line of %d points, want %d at most", n, trendPoints)
	}
}
