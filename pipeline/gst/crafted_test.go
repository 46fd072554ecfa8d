//go:build e2e && !nogst

package gst

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"
)

// rtpHeader is the fixed header of RTP.
func rtpHeader(payload byte, ssrc uint32, csrcs byte) []byte {
	h := make([]byte, 12)
	h[0], h[1] = 0x80|csrcs, payload
	binary.BigEndian.PutUint32(h[8:], ssrc)
	return h
}

// rtcpPart is one packet of RTCP: words of 32 bits follow the header.
func rtcpPart(kind, count byte, words ...uint32) []byte {
	b := []byte{0x80 | count, kind, 0, byte(len(words))}
	for _, w := range words {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	return b
}

const (
	sr, rr, sdes, bye, application, rtpfb, psfb = 200, 201, 202, 203, 204, 205, 206
	nack, twccReport, pli, fir                  = 1, 15, 1, 4
)

// RTP is let in of the payload types that were agreed on, and of four SSRCs. With RTCP there may be eight SSRCs.
func TestSRTPFilter(t *testing.T) {
	h := newSRTPFilter()
	defer h.free()
	step := func(name string, header []byte, want bool) {
		t.Helper()
		if got := h.admits(header, 100, time.Second); got != want {
			t.Errorf("%s: admitted %v", name, got)
		}
	}
	step("RTP before anything is agreed on", rtpHeader(111, 1, 0), false)
	h.take(111, 96)
	step("a mixer's RTP", rtpHeader(111, 1, 1), false)
	step("RTP of a type that was not agreed on", rtpHeader(97, 1, 0), false)
	step("RTP of a type of RTCP's", rtpHeader(72, 1, 0), false)
	for ssrc := range uint32(4) {
		step("RTP", rtpHeader(0x80|111, ssrc, 0), true)
	}
	step("RTP of a fifth source", rtpHeader(96, 5, 0), false)
	step("RTP of the first source again", rtpHeader(96, 0, 0), true)
	for ssrc := range uint32(4) {
		step("RTCP", rtcpPart(rr, 0, 100+ssrc, 0), true)
	}
	step("RTP of a source known by RTCP", rtpHeader(96, 100, 0), false)
	step("RTCP of a ninth source", rtcpPart(psfb, pli, 200, 0), false)
	step("RTCP of a source of RTP", rtcpPart(sr, 0, 2, 0), true)
	step("RTCP that begins with SDES", rtcpPart(sdes, 0, 100, 0), false)
	step("RTCP of no type", rtcpPart(222, 0, 100, 0), false)
	step("a BYE of nobody", rtcpPart(bye, 0, 100, 0), false)
	step("a BYE", rtcpPart(bye, 1, 100, 0), true)
	step("too short", rtcpPart(rr, 0), false)
	step("another version", []byte{0x40, rr, 0, 1, 0, 0, 0, 100}, false)
	h.take()
	step("RTP when nothing is received any more", rtpHeader(96, 0, 0), false)
}

// RTCP is bounded in packets and in bytes a second.
func TestSRTPFilterBudget(t *testing.T) {
	for _, c := range []struct {
		name             string
		size, burst, per int // what is admitted at once, and a second later
	}{{"small", 60, 400, 200}, {"large", 1400, 85, 42}} {
		h := newSRTPFilter()
		count := func(at time.Duration) (n int) {
			for range 1000 {
				if h.admits(rtcpPart(rr, 0, 1, 0), c.size, at) {
					n++
				}
			}
			return n
		}
		if first, second := count(0), count(time.Second); first != c.burst || second < c.per || second > c.per+1 {
			t.Errorf("%s packets: %d at once, %d a second later, want %d and %d", c.name, first, second, c.burst, c.per)
		}
		h.free()
	}
}

// block is an empty report block about an SSRC.
func block(ssrc uint32) []uint32 { return []uint32{ssrc, 0, 0, 0, 0, 0} }

// chunk is a chunk of SDES with a name.
func chunk(ssrc uint32) []uint32 { return []uint32{ssrc, 0x01046161, 0x61610000} }

func words(parts ...[]uint32) []uint32 { return slices.Concat(parts...) }

// arrivals is a TWCC report on packets. rest are its chunks, and after them the times.
func arrivals(base, count uint16, number byte, rest ...uint16) []byte {
	w := []uint32{1, 2, uint32(base)<<16 | uint32(count), uint32(number)}
	for i := 0; i < len(rest); i += 2 {
		next := uint32(rest[i]) << 16
		if i+1 < len(rest) {
			next |= uint32(rest[i+1])
		}
		w = append(w, next)
	}
	return rtcpPart(rtpfb, twccReport, w...)
}

func TestRTCPFilter(t *testing.T) {
	for _, c := range []struct {
		name string
		data []byte
		want bool
	}{
		{"a receiver's report with a name", append(rtcpPart(rr, 1, words([]uint32{1}, block(2))...), rtcpPart(sdes, 1, chunk(1)...)...), true},
		{"a sender's report", rtcpPart(sr, 1, words([]uint32{1, 0, 0, 0, 0, 0}, block(2))...), true},
		{"fewer blocks than it says", rtcpPart(rr, 2, words([]uint32{1}, block(2))...), false},
		{"a sender's report too short", rtcpPart(sr, 0, 1, 2), false},
		{"two names", rtcpPart(sdes, 2, words(chunk(1), chunk(2))...), true},
		{"more names than sources may be", rtcpPart(sdes, 9, words(chunk(1), chunk(2), chunk(3), chunk(4), chunk(5), chunk(6), chunk(7), chunk(8), chunk(9))...), false},
		{"fewer names than it says", rtcpPart(sdes, 2, chunk(1)...), false},
		{"a name without an end", rtcpPart(sdes, 1, 1, 0x01066161, 0x61616161), false},
		{"a name beyond the packet", rtcpPart(sdes, 1, 1, 0x01ff6161, 0x61610000), false},
		{"a private item", rtcpPart(sdes, 1, 1, 0x08020161, 0x00000000), false},
		{"an empty name", rtcpPart(sdes, 1, 1, 0), true},
		{"a BYE with a reason", rtcpPart(bye, 1, 1, 0x02616100), true},
		{"a BYE with fewer sources", rtcpPart(bye, 2, 1), false},
		{"a BYE with a reason beyond the packet", rtcpPart(bye, 1, 1, 0x09616100), false},
		{"feedback without a source", rtcpPart(psfb, pli, 1), false},
		{"a keyframe request", rtcpPart(psfb, pli, 1, 2), true},
		{"an application's", rtcpPart(application, 0, 1, 0x61616161), true},
		{"a length beyond the packet", []byte{0x80, rr, 0, 2, 0, 0, 0, 1}, false},
		{"half a header", append(rtcpPart(rr, 0, 1), 0x80, rr), false},
		{"another version", append(rtcpPart(rr, 0, 1), 0x40, rr, 0, 0), false},
		{"nothing", nil, false},
		{"arrivals in a run", arrivals(0, 3, 0, 0x2003, 0x0101, 0x0100), true},
		{"arrivals by bits", arrivals(0, 14, 0, 0xbfff, 0x0101, 0x0101, 0x0101, 0x0101, 0x0101, 0x0101, 0x0101), true},
		{"arrivals by pairs of bits", arrivals(0, 7, 0, 0xd555, 0x0101, 0x0101, 0x0101, 0x0100), true},
		{"fewer times than arrivals", arrivals(0, 14, 0, 0xbfff, 0x0101, 0x0101), false},
		{"fewer long times than arrivals", arrivals(0, 4, 0, 0x4004, 0x0101, 0x0101), false},
		{"fewer states than packets", arrivals(0, 100, 0, 0x0003, 0x0003), false},
		{"more packets than may be told of at once", arrivals(0, 65535, 0, 0x1fff, 0x1fff, 0x1fff, 0x1fff, 0x1fff, 0x1fff, 0x1fff, 0x1fff, 0x1fff), false},
		{"arrivals without states", rtcpPart(rtpfb, twccReport, 1, 2, 3), false},
	} {
		if got := new(rtcpFilter).admits(c.data, time.Second); got != c.want {
			t.Errorf("%s: admitted %v", c.name, got)
		}
	}
}

// What a viewer may ask for is bounded by the second.
func TestRTCPFilterBudget(t *testing.T) {
	full := make([]uint32, 52)
	for i := 2; i < len(full); i++ {
		full[i] = 0xffff // a number and the sixteen after it
	}
	for _, c := range []struct {
		name       string
		data       func(i int) []byte
		burst, per int
	}{
		{"NACKs of 850 numbers", func(int) []byte { return rtcpPart(rtpfb, nack, full...) }, 3, 3},
		{"keyframe requests", func(int) []byte { return rtcpPart(psfb, pli, 1, 2) }, 20, 10},
		{"requests of four", func(int) []byte { return rtcpPart(psfb, fir, 1, 2, 1, 0, 1, 0, 1, 0, 1, 0) }, 5, 2},
		{"reports on 4,000 packets", func(i int) []byte { return arrivals(uint16(i*4000), 4000, byte(i), 0x0fa0) }, 3, 1},
		{"reports that leave 4,000 out", func(i int) []byte { return arrivals(uint16(i*4000%60000), 1, byte(i), 0x0001) }, 3, 1},
	} {
		var r rtcpFilter
		sent := 0
		count := func(at time.Duration) (n int) {
			for range 40 {
				if r.admits(c.data(sent), at) {
					n++
					sent++
				}
			}
			return n
		}
		if first, second := count(0), count(time.Second); first < c.burst || first > c.burst+1 || second != c.per {
			t.Errorf("%s: %d at once, %d a second later, want %d and %d", c.name, first, second, c.burst, c.per)
		}
	}
}

// A browser's feedback on 5 Mbit/s of which a tenth is lost fits three times over.
func TestRTCPOfABrowser(t *testing.T) {
	const packets, reports = 3 * 550, 20 // a second
	var r rtcpFilter
	h := newSRTPFilter()
	defer h.free()
	for i := range 10 * reports {
		at := time.Duration(i) * time.Second / reports
		each := packets / reports
		states := make([]uint16, (each+6)/7+each/2+1)
		for j := range (each + 6) / 7 {
			states[j] = 0xd555 // seven that came, each with a time of a byte
		}
		lost := make([]uint32, 2, 2+each/10)
		for j := range each / 10 {
			lost = append(lost, uint32(i*each+j)<<16)
		}
		for _, data := range [][]byte{
			arrivals(uint16(i*each), uint16(each), byte(i), states...), rtcpPart(rtpfb, nack, lost...), rtcpPart(rr, 1, words([]uint32{1}, block(2))...),
		} {
			if !h.admits(data[:12], len(data)+14, at) || !r.admits(data, at) {
				t.Fatalf("%v: feedback is dropped: % x", at, data)
			}
		}
	}
}
