//go:build e2e

package e2e

import (
	big "encoding/binary"
	"net"
	"slices"
	"testing"
	"time"
)

// try pushes packets of a size at a rate, for a time, and returns when each arrived after it was sent; lost ones are absent.
func (q *linkQueue) try(rate, size int, long time.Duration) map[int]time.Duration {
	out, sent := map[int]time.Duration{}, []time.Duration{}
	every := time.Duration(float64(size*8) / float64(rate) * float64(time.Second))
	for now := time.Duration(0); now < long+10*time.Second; now += 100 * time.Microsecond {
		for next := time.Duration(len(sent)) * every; next <= now && next < long; next += every {
			data := make([]byte, size)
			big.BigEndian.PutUint32(data, uint32(len(sent)))
			sent = append(sent, now)
			q.push(now, data)
		}
		for data, ok := q.pop(now); ok; data, ok = q.pop(now) {
			n := int(big.BigEndian.Uint32(data))
			out[n] = now - sent[n]
		}
	}
	return out
}

func TestLinkQueue(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name        string
		shape       Shape
		sending     int // bit/s, for 10 s in packets of 1250 bytes
		most, least float64
		min, max    time.Duration
	}{
		{"open", Shape{}, 10_000_000, 1, 1, 0, 0},
		{"wide enough", Shape{Rate: 2_000_000, Queue: 100 * ms}, 1_000_000, 1, 1, 5 * ms, 6 * ms},
		{"half", Shape{Rate: 1_000_000, Queue: 500 * ms}, 2_000_000, 0.53, 0.52, 10 * ms, 501 * ms},
		{"delay", Shape{Delay: 40 * ms}, 1_000_000, 1, 1, 40 * ms, 41 * ms},
		{"jitter", Shape{Delay: 40 * ms, Jitter: 20 * ms}, 1_000_000, 1, 1, 40 * ms, 60 * ms},
		{"loss", Shape{Loss: 0.1}, 10_000_000, 0.91, 0.89, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := newLinkQueue(c.shape, 1).try(c.sending, 1250, 10*time.Second)
			share := float64(len(got)) / float64(c.sending/1000)
			least, most := time.Hour, time.Duration(0)
			for _, took := range got {
				least, most = min(least, took), max(most, took)
			}
			if share > c.most || share < c.least || least < c.min || most > c.max {
				t.Errorf("%.3f arrived within %v to %v, want %.3f to %.3f and %v to %v", share, least, most, c.least, c.most, c.min, c.max)
			}
			again := newLinkQueue(c.shape, 1).try(c.sending, 1250, 10*time.Second)
			other := newLinkQueue(c.shape, 2).try(c.sending, 1250, 10*time.Second)
			if len(again) != len(got) || c.shape.Jitter > 0 && again[7] != got[7] || c.shape.Jitter > 0 && other[7] == got[7] {
				t.Error("chance does not come from the seed alone")
			}
		})
	}
}

// What waits when the rate changes goes at the new one.
func TestLinkQueueChangesItsRate(t *testing.T) {
	q := newLinkQueue(Shape{Rate: 1_000_000, Queue: time.Second}, 1)
	for range 20 {
		q.push(0, make([]byte, 1250)) // 10 ms each
	}
	q.advance(100 * time.Millisecond)
	q.shape.Rate = 10_000_000
	last := time.Duration(0)
	for at, ok := q.next(); ok; at, ok = q.next() {
		q.pop(at)
		last = at
	}
	if last != 119*time.Millisecond { // one was on its way at the old rate
		t.Errorf("the last one arrived after %v", last)
	}
}

// TestLinkCarries sends UDP over the devices. A busy machine may make things late, but never early.
func TestLinkCarries(t *testing.T) {
	const (
		rate, size = 1_000_000, 1000
		delay      = 40 * time.Millisecond
	)
	f := NewLinks(t).Network(Shape{Rate: rate, Queue: 300 * time.Millisecond, Loss: 0.05, Delay: delay}, Shape{}, 1)
	var far net.PacketConn
	err := inNetworkOf(f.network.holder.Process.Pid, func() (err error) {
		far, err = (&net.ListenConfig{}).ListenPacket(t.Context(), "udp4", ":9")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = far.Close() }()
	to, err := net.ResolveUDPAddr("udp4", f.address.String()+":9")
	if err != nil {
		t.Fatal(err)
	}
	near, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp4", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = near.Close() }()

	const packets = 600 // 2.4 s at twice what the link carries
	go func() {
		clock := time.NewTicker(4 * time.Millisecond)
		defer clock.Stop()
		for range packets {
			<-clock.C
			data := big.BigEndian.AppendUint64(nil, uint64(time.Now().UnixNano()))
			_, _ = near.WriteTo(append(data, make([]byte, size-8-28)...), to)
		}
	}()
	var took []time.Duration
	var first, last time.Time
	_ = far.SetReadDeadline(time.Now().Add(30 * time.Second))
	buffer := make([]byte, 2*size)
	for {
		n, _, err := far.ReadFrom(buffer)
		if err != nil {
			break
		}
		last = time.Now()
		if first.IsZero() {
			first = last
		}
		took = append(took, last.Sub(time.Unix(0, int64(big.BigEndian.Uint64(buffer)))))
		if n != size-28 {
			t.Fatalf("%d bytes came", n)
		}
		_ = far.SetReadDeadline(last.Add(time.Second))
	}
	if len(took) < 2 {
		t.Fatalf("%d packets came", len(took))
	}
	carried := float64(len(took)-1) * size * 8 / last.Sub(first).Seconds()
	slices.Sort(took)
	t.Logf("%d of %d packets, %.0f kbit/s, within %v to %v", len(took), packets, carried/1000, took[0], took[len(took)-1])
	if carried > 1.05*rate || carried < 0.7*rate {
		t.Errorf("%.0f bit/s were carried, want %d less what was lost", carried, rate)
	}
	if took[0] < delay || took[len(took)-1] < 250*time.Millisecond {
		t.Errorf("the fastest took %v, the slowest %v", took[0], took[len(took)-1])
	}
}
