package congestion

import (
	"testing"
	"time"
)

// Of a report with more packets than the history, only the newest count.
func TestReportLongerThanTheHistory(t *testing.T) {
	const old = 100
	e := NewEstimator(Limits{})
	f := Feedback{Received: time.Second}
	for i := range old + history {
		at := time.Duration(i) * 100 * time.Microsecond
		f.Packets = append(f.Packets, Packet{Seq: uint32(i), Sent: at, Arrived: at, Size: 100, Lost: i < old})
	}
	e.Receive(f)
	if got, want := e.loss.window, (tally{sent: history}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
}

func TestFull(t *testing.T) {
	const received, carries = 1e6, 0.3e6
	for _, c := range []struct {
		name string
		busy time.Duration
		fell bool
		want float64
	}{
		{"busy for a moment", 149 * ms, false, received},
		{"busy for long enough", 150 * ms, false, 2e6},
		{"busy for a second", time.Second, false, 2e6},
		{"busy for longer, so that the link may have changed", 1001 * ms, false, received},
		{"fallen", 150 * ms, true, carries},
	} {
		a := arrivals{newest: 10*time.Second + c.busy, idle: 10 * time.Second, bits: 2e6 * c.busy.Seconds()}
		if got := full(&a, carries, c.fell, received); got != c.want {
			t.Errorf("%s: %.0f, want %.0f", c.name, got, c.want)
		}
	}
}

// A link has fallen where little arrives in a moment, or very little in half a moment.
func TestFell(t *testing.T) {
	const every = 10 * ms
	for _, c := range []struct {
		name  string
		span  time.Duration // for which the link is busy
		share float64       // of what is sent that arrives
		want  bool
	}{
		{"half a moment, very little", 60 * ms, 0.35, true},
		{"half a moment, little", 60 * ms, 0.45, false},
		{"a moment, little", 120 * ms, 0.55, true},
		{"a moment, enough", 120 * ms, 0.65, false},
		{"less than half a moment", 40 * ms, 0.1, false},
	} {
		const sending = 1e6 // bit/s
		var a arrivals
		size := int(c.share * sending * every.Seconds() / 8)
		for at := time.Duration(0); at <= c.span; at += every {
			a.add(Packet{Sent: at / 2, Arrived: at, Size: size})
		}
		if _, got := a.fell(sending); got != c.want {
			t.Errorf("%s: fell is %v, want %v", c.name, got, c.want)
		}
	}
}

// A newest packet that waits for long while too little arrives is over-use, although the line has not risen yet.
func TestStuckPacketIsOveruse(t *testing.T) {
	const sending = 1e6
	for _, c := range []struct {
		name    string
		waiting time.Duration
		recent  float64
		want    Usage
	}{
		{"both", 201 * ms, 0.74e6, Overuse},
		{"it waits, but enough arrives", 201 * ms, 0.76e6, Normal},
		{"little arrives, but it does not wait", 200 * ms, 0.74e6, Normal},
	} {
		e := NewEstimator(Limits{})
		e.trend.queue = queue{known: true, newest: c.waiting}
		if got := e.usage(false, c.recent, sending); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// A report has several frames. Over-use at one of them counts, although the usage is normal again at the last one.
func TestOveruseInTheMiddleOfAReport(t *testing.T) {
	const frame = 33 * ms
	e, at, seq := NewEstimator(Limits{Start: 1_000_000}), time.Duration(0), uint32(0)
	report := func(frames int, queue func(i int) time.Duration) {
		var f Feedback
		for i := range frames {
			at, seq = at+frame, seq+1
			f.Packets = append(f.Packets, Packet{Seq: seq, Sent: at, Arrived: at + 30*ms + queue(i), Size: 4000})
		}
		f.Received = at + 200*ms
		e.Receive(f)
	}
	for range 30 {
		report(3, func(int) time.Duration { return 0 })
	}
	report(30, func(i int) time.Duration { return min(time.Duration(i)*10*ms, 60*ms) }) // a queue that grows, and then stays
	if e.trend.detector.usage != Normal || e.fell {
		t.Fatalf("the usage at the end is %v, fell %v", e.trend.detector.usage, e.fell)
	}
	if !e.delay.everCut || e.delay.cutAt != e.now {
		t.Errorf("no cut: %+v", e.delay)
	}
}

// Where loss holds the estimate down, the delay-based rate stays near it, and the link is taken to carry no more.
func TestLossBoundHoldsTheRest(t *testing.T) {
	e := NewEstimator(Limits{Start: 2_000_000})
	list := stream(0, 13, 1e6)
	receive(e, list[:12])
	e.loss.bound = 500_000
	e.Receive(list[12])
	if got, want := e.delay.rate, 1.5*e.loss.bound; got > want+1 {
		t.Errorf("delay-based rate %.0f, want %.0f at most", got, want)
	}
	if s := e.Snapshot(e.now); e.loss.bound != 500_000 || s.Potential != 500_000 {
		t.Errorf("potential %d with a bound of %.0f", s.Potential, e.loss.bound)
	}
}

// A rate that no link has comes of a wrong report, and must fit into an int of 32 bits.
func TestReceiveRateIsBounded(t *testing.T) {
	e := NewEstimator(Limits{})
	f := Feedback{Received: time.Second}
	for i := range history {
		at := time.Duration(i) * 100 * time.Microsecond
		f.Packets = append(f.Packets, Packet{Seq: uint32(i), Sent: at, Arrived: at, Size: mostBytes})
	}
	e.Receive(f)
	if s := e.Snapshot(time.Second); s.ReceiveRate != 1e9 || s.RecentReceiveRate != 1e9 {
		t.Errorf("receive rates %d and %d, want 1 Gbit/s", s.ReceiveRate, s.RecentReceiveRate)
	}
}
