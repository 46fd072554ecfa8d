//go:build e2e && !nogst

package gst

import (
	"encoding/binary"
	"slices"
	"testing"
)

// sctpChunk is a chunk with its length and padding.
func sctpChunk(kind byte, value ...byte) []byte {
	c := binary.BigEndian.AppendUint16([]byte{kind, 3}, uint16(4+len(value)))
	c = append(c, value...)
	return append(c, make([]byte, -len(c)&3)...)
}

func sctpData(stream uint16) []byte {
	return sctpChunk(0, 0, 0, 0, 1, byte(stream>>8), byte(stream), 0, 0, 0, 0, 0, 51, 'x')
}

// sctpReset is the request to reset streams of the sender's.
func sctpReset(streams ...uint16) []byte {
	p := binary.BigEndian.AppendUint16([]byte{0, 13}, uint16(16+2*len(streams)))
	p = append(p, make([]byte, 12)...)
	for _, s := range streams {
		p = binary.BigEndian.AppendUint16(p, s)
	}
	return sctpChunk(130, p...)
}

func sctpPacket(chunks ...[]byte) []byte {
	return append(make([]byte, 12), slices.Concat(chunks...)...)
}

func TestSCTPFilter(t *testing.T) {
	shutdown := sctpChunk(7, 0, 0, 0, 1)
	type step struct {
		data []byte
		want int
	}
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"four streams in one packet, and a fifth", []step{
			{sctpPacket(sctpData(0), sctpData(2), sctpData(4), sctpData(6)), fits}, {sctpPacket(sctpData(2)), fits}, {sctpPacket(sctpData(1)), tooMany}, {sctpPacket(sctpData(0)), fits},
		}},
		{"five streams in one packet", []step{{sctpPacket(sctpData(0), sctpData(2), sctpData(4), sctpData(6), sctpData(8)), tooMany}}},
		{"interleaved", []step{
			{sctpPacket(sctpData(0), sctpData(2), sctpData(4), sctpData(6)), fits}, {sctpPacket(sctpChunk(64, sctpData(8)[4:]...)), tooMany},
		}},
		{"resets of streams that were never opened", []step{{sctpPacket(sctpReset(1, 2, 3, 4)), fits}, {sctpPacket(sctpReset(5)), tooMany}}},
		{"one that is closed and opened again and again", []step{
			{sctpPacket(sctpData(0), sctpReset(0), sctpData(0), sctpReset(0), sctpData(0), sctpReset(0)), fits},
			{sctpPacket(sctpData(0), sctpReset(0)), fits},
			{sctpPacket(sctpData(0)), tooMany},
		}},
		{"data after the end", []step{{sctpPacket(sctpData(0)), fits}, {sctpPacket(shutdown, sctpData(2)), malformed}, {sctpPacket(sctpData(0)), fits}}},
		{"a handshake", []step{{sctpPacket(sctpChunk(1, make([]byte, 16)...)), fits}, {sctpPacket(sctpChunk(10, make([]byte, 33)...), sctpData(0)), fits}}},
		{"no whole header", []step{{make([]byte, 11), malformed}}},
		{"a header alone", []step{{make([]byte, 12), fits}}},
		{"a chunk of no length", []step{{sctpPacket([]byte{3, 0, 0, 0}), malformed}}},
		{"a chunk beyond the packet", []step{{sctpPacket([]byte{3, 0, 0, 8}), malformed}}},
		{"data without a stream", []step{{sctpPacket(sctpChunk(0, 0, 0, 0, 1)), malformed}}},
		{"a parameter of no length", []step{{sctpPacket(sctpChunk(130, 0, 13, 0, 0)), malformed}}},
		{"a parameter beyond the chunk", []step{{sctpPacket(sctpChunk(130, 0, 13, 0, 20, 0, 0)), malformed}}},
		{"bytes after the last chunk", []step{{sctpPacket(sctpData(0), []byte{0, 0, 0}), fits}}},
	} {
		var s sctpFilter
		for i, st := range c.steps {
			if got := s.check(st.data); got != st.want {
				t.Errorf("%s: packet %d is answered %d, want %d", c.name, i, got, st.want)
			}
		}
	}
}
