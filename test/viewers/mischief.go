package viewers

import (
	endian "encoding/binary"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
)

// socket is the UDP socket of a viewer that misbehaves. The test sends datagrams through it that pion would not send. With noDTLS set, it
// drops pion's DTLS packets.
type socket struct {
	net.PacketConn

	noDTLS atomic.Bool
	to     atomic.Value // net.Addr, where the viewer sent last
}

// WriteTo implements [net.PacketConn].
func (s *socket) WriteTo(data []byte, to net.Addr) (int, error) {
	if s.noDTLS.Load() && len(data) > 0 && data[0] >= 20 && data[0] <= 63 { // RFC 7983
		return len(data), nil
	}
	s.to.Store(to)
	return s.PacketConn.WriteTo(data, to)
}

// floodEvery is how long a viewer of bad manners waits between two handfuls of garbage.
const floodEvery = 5 * time.Millisecond

// flood sends garbage until the viewer is gone: RTCP that is well encrypted and absurd, and datagrams that are nothing.
func (v *viewer) flood() {
	random := rand.New(rand.NewPCG(1, 2))
	tick := time.NewTicker(floodEvery)
	defer tick.Stop()
	for {
		select {
		case <-v.done:
			return
		case <-tick.C:
		}
		for _, p := range absurd(random, v.sources()) {
			_ = v.pc.WriteRTCP([]rtcp.Packet{p}) // what cannot be written is the sender's own business
		}
		if to, ok := v.own.to.Load().(net.Addr); ok {
			for range 3 {
				_, _ = v.own.PacketConn.WriteTo(datagram(random), to)
			}
		}
	}
}

// sources are those that the streamer sends.
func (v *viewer) sources() []uint32 {
	var out []uint32
	for _, r := range v.pc.GetReceivers() {
		if t := r.Track(); t != nil {
			out = append(out, uint32(t.SSRC()))
		}
	}
	return append(out, 0)
}

// absurd is a handful of RTCP that no receiver would send.
func absurd(r *rand.Rand, sources []uint32) []rtcp.Packet {
	ssrc, own := sources[r.IntN(len(sources))], uint32(1) // mostly the same sender SSRC: the streamer ignores feedback from a sender that it has not heard before
	if r.IntN(8) == 0 {
		own = r.Uint32()
	}
	lost := make([]rtcp.NackPair, 100)
	for i := range lost {
		lost[i] = rtcp.NackPair{PacketID: uint16(r.Uint32()), LostPackets: 0xffff}
	}
	report := rtcp.ReceptionReport{
		SSRC: ssrc, FractionLost: 255, TotalLost: 0x7fffff, LastSequenceNumber: r.Uint32(), Jitter: r.Uint32(),
		LastSenderReport: r.Uint32(), Delay: r.Uint32(),
	}
	return []rtcp.Packet{
		&rtcp.PictureLossIndication{SenderSSRC: own, MediaSSRC: ssrc},
		&rtcp.FullIntraRequest{SenderSSRC: own, MediaSSRC: ssrc, FIR: []rtcp.FIREntry{{SSRC: ssrc, SequenceNumber: uint8(r.Uint32())}}},
		&rtcp.TransportLayerNack{SenderSSRC: own, MediaSSRC: ssrc, Nacks: lost},
		&rtcp.ReceiverEstimatedMaximumBitrate{SenderSSRC: own, Bitrate: float32(r.IntN(2)), SSRCs: sources},
		&rtcp.ReceiverReport{SSRC: own, Reports: slices.Repeat([]rtcp.ReceptionReport{report}, 31)},
		&rtcp.SenderReport{SSRC: own, NTPTime: r.Uint64(), RTPTime: r.Uint32(), PacketCount: r.Uint32()},
		&rtcp.SliceLossIndication{SenderSSRC: own, MediaSSRC: ssrc, SLI: []rtcp.SLIEntry{{First: 0x1fff, Number: 0x1fff, Picture: 0x3f}}},
		&rtcp.Goodbye{Sources: []uint32{ssrc, r.Uint32()}, Reason: "garbage"},
		garbledRTCP(r, 200, ssrc),                                         // sender report
		garbledRTCP(r, 201, ssrc),                                         // receiver report
		garbledRTCP(r, 205, ssrc),                                         // feedback on transport
		garbledRTCP(r, 206, ssrc),                                         // feedback on the payload
		garbledRTCP(r, byte(r.Uint32()), ssrc),                            // of a type that may not be
		transportFeedback(r, ssrc, 0xffff), transportFeedback(r, ssrc, 1), // of packets never sent
	}
}

// garbledRTCP has a header of that type, a length that may be wrong, and nothing sensible behind it.
func garbledRTCP(r *rand.Rand, kind byte, ssrc uint32) rtcp.Packet {
	p := endian.BigEndian.AppendUint32([]byte{0x80 | byte(r.IntN(64)), kind, 0, 0}, ssrc)
	for range r.IntN(40) {
		p = append(p, byte(r.Uint32()))
	}
	words := len(p)/4 - 1
	if r.IntN(2) == 0 {
		words = r.IntN(1 << 16)
	}
	endian.BigEndian.PutUint16(p[2:], uint16(words))
	raw := rtcp.RawPacket(p)
	return &raw
}

// transportFeedback reports on so many packets, of which it holds next to nothing.
func transportFeedback(r *rand.Rand, ssrc uint32, count uint16) rtcp.Packet {
	p := []byte{0x8f, 205, 0, 0, 0, 0, 0, 1}
	p = endian.BigEndian.AppendUint32(p, ssrc)
	p = endian.BigEndian.AppendUint16(p, uint16(r.Uint32())) // the first packet
	p = endian.BigEndian.AppendUint16(p, count)
	p = endian.BigEndian.AppendUint32(p, r.Uint32()) // reference time and number of the report
	for range 1 + r.IntN(20) {
		p = endian.BigEndian.AppendUint16(p, uint16(r.Uint32()))
	}
	for len(p)%4 != 0 {
		p = append(p, byte(r.Uint32()))
	}
	endian.BigEndian.PutUint16(p[2:], uint16(len(p)/4-1))
	raw := rtcp.RawPacket(p)
	return &raw
}

// datagram is nothing, but looks like something to the first glance.
func datagram(r *rand.Rand) []byte {
	p := make([]byte, 1+r.IntN(1400))
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	first := []byte{0, 1, 20, 22, 63, 64, 128, 129, 191, 255} // STUN, DTLS, TURN, RTP
	p[0] = first[r.IntN(len(first))]
	if len(p) > 1 && p[0] >= 128 && r.IntN(2) == 0 {
		p[1] = byte(192 + r.IntN(32)) // RTCP
	}
	return p
}

// garble does something to an answer that no browser would.
func garble(sdp string, r *rand.Rand) string {
	lines := strings.Split(strings.TrimSpace(sdp), "\r\n")
	absurdities := []string{
		"a=setup:holdconn", "a=fingerprint:sha-256 00:11", "a=ice-pwd:", "a=mid:999999", "a=rtpmap:999 NOTHING/0",
		"a=fmtp:96 profile-level-id=zzzzzz;packetization-mode=-1", "a=extmap:99999 urn:nothing", "m=video 0 UDP/TLS/RTP/SAVPF",
		"m=", "a=rtcp-fb:* ", "a=ssrc:4294967296 cname:", "a=group:BUNDLE 0 0 0 7", "c=IN IP6 ::", "a=candidate:1 1 UDP 1 ::1 1 typ host",
		"a=sctp-port:-1", "a=max-message-size:99999999999999999999", "a=sendonly", "a=inactive", strings.Repeat("a", 10_000),
	}
	switch r.IntN(5) {
	case 0: // it ends too early
		return sdp[:r.IntN(len(sdp))]
	case 1: // some bytes are others
		text := []byte(sdp)
		for range 1 + r.IntN(20) {
			text[r.IntN(len(text))] = byte(' ' + r.IntN(95))
		}
		return string(text)
	case 2: // lines lack
		for range 1 + r.IntN(len(lines)/2) {
			at := r.IntN(len(lines))
			lines = slices.Delete(lines, at, at+1)
		}
	case 3: // lines are absurd
		for range 1 + r.IntN(5) {
			lines[r.IntN(len(lines))] = absurdities[r.IntN(len(absurdities))]
		}
	case 4: // the order is another
		r.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	}
	return strings.Join(lines, "\r\n") + "\r\n"
}
