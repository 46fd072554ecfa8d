//go:build e2e && !nogst

package gst

import (
	"testing"
	"time"
)

// numberPackets numbers packets, one a millisecond, from that time on.
func numberPackets(n *twccNumbering, from time.Duration, packets int) (given int) {
	for i := range packets {
		if n.numbered(from + time.Duration(i)*time.Millisecond) {
			given++
		}
	}
	return given
}

// A viewer that never reports is sent 5,000 numbered packets, and then one in ten seconds. After a report on that one all packets are
// numbered again.
func TestTWCCWithoutReports(t *testing.T) {
	var n twccNumbering
	const second = 1000 // packets
	if given := numberPackets(&n, 0, 8*second); given != 5000 {
		t.Errorf("%d packets are numbered without a report", given)
	}
	n.reported(500 * time.Millisecond) // one of the first, only now
	if given := numberPackets(&n, 8*time.Second, second); given < 400 || given > 500 {
		t.Errorf("%d packets are numbered after a report on the first 500", given)
	}
	if given := numberPackets(&n, 20*time.Second, 60*second); given != 6 {
		t.Errorf("%d packets are numbered in a minute without a report", given)
	}
	n.reported(70500 * time.Millisecond)
	if given := numberPackets(&n, 80*time.Second, 4*second); given != 4*second {
		t.Errorf("%d of 4,000 packets are numbered after a report on the newest", given)
	}
}

// A viewer that reports the first packet again and again is treated like one that does not report.
func TestTWCCWithEmptyReports(t *testing.T) {
	var n twccNumbering
	given := 0
	for i := range 100 {
		given += numberPackets(&n, time.Duration(i)*100*time.Millisecond, 100)
		n.reported(time.Millisecond)
	}
	if given != 5000 {
		t.Errorf("%d packets are numbered", given)
	}
}

// For a viewer that reports all packets are numbered.
func TestTWCCWithReports(t *testing.T) {
	var n twccNumbering
	for i := range 1000 {
		at := time.Duration(i) * 100 * time.Millisecond
		if given := numberPackets(&n, at, 100); given != 100 {
			t.Fatalf("%v: %d of 100 packets are numbered", at, given)
		}
		n.reported(at)
	}
}
