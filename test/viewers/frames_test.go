package viewers

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// TestFrames has frames count what a stream was made to hold.
func TestFrames(t *testing.T) {
	began := time.Unix(1_000_000, 0)
	now := began
	f := frames{now: func() time.Time { return now }}
	packet := func(seq uint16, stamp uint32, marker bool, payload ...byte) *rtp.Packet {
		return &rtp.Packet{Header: rtp.Header{SequenceNumber: seq, Timestamp: stamp, Marker: marker}, Payload: payload}
	}
	at := func(ms int, p *rtp.Packet) {
		now = began.Add(time.Duration(ms) * time.Millisecond)
		f.take(p)
	}
	f.mark()
	at(10, packet(65534, 0, false, nalStapA, 0, 1, nalSPS))
	at(10, packet(65535, 0, false, nalFuA, fuStart|nalIDR))
	at(11, packet(0, 0, true, nalFuA, nalIDR))
	at(40, packet(1, 3000, true, 1))                // whole
	at(70, packet(2, 6000, false, nalFuA, fuStart)) // the second packet comes late
	at(70, packet(4, 6000, true, nalFuA))
	at(110, packet(5, 9000, true, 1))
	at(140, packet(3, 6000, false, nalFuA))
	at(150, packet(7, 12_000, true, nalFuA)) // the first packet never comes
	at(200, packet(8, 15_000, true, 1))
	at(210, packet(8, 15_000, true, 1)) // twice
	now = began.Add(230 * time.Millisecond)
	f.report = &rtcp.SenderReport{NTPTime: uint64(began.Unix()+ntpToUnix) << 32}
	got := f.view()
	want := View{Frames: 5, Due: 6, Keyframes: 1, Bytes: got.Bytes, Gap: 70, Delays: Delays{11, got.DelayP95, 140 - 6000/90.0}}
	got.DelayMax, want.DelayMax = whole(got.DelayMax), whole(want.DelayMax)
	got.Delay = whole(got.Delay)
	if got != want {
		t.Errorf("seen %+v, want %+v", got, want)
	}
}

func whole(ms float64) float64 { return float64(int(ms)) }

// TestGapOverMark has a gap begin before a mark.
func TestGapOverMark(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	f := frames{now: func() time.Time { return now }}
	whole := &rtp.Packet{Header: rtp.Header{Marker: true}, Payload: []byte{1}}
	f.take(whole)
	for range 2 {
		now = now.Add(300 * time.Millisecond)
		f.mark()
	}
	if got := f.view(); got.Gap != 600 || got.Frames != 0 {
		t.Errorf("%d frames and a gap of %.0f ms, want none and 600", got.Frames, got.Gap)
	}
}
