package hostile

import (
	"context"
	endian "encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

const (
	sourceCount  = 1000
	opusType     = 111 // payload type of Opus in the program's offer
	packetsEach  = 5   // of RTP from each source: more than one is on probation for
	rtcpPerTick  = 20  // compounds of RTCP each 50 ms
	nacksPerTick = 10  // each 5 ms: 2,000 a second
	nackPairs    = 290 // of 17 packets each: as many as fit a packet of 1200 bytes
	// mostNumbered is how many packets the program may number for a viewer that never reports. Its own bound is 5,000; some
	// are under way, and now and then one is sent to find out.
	mostNumbered = 5500
)

// joined has one stranger join, do something and leave.
func joined(ctx context.Context, d Door, id string, do func(*Peer) (string, error)) (string, error) {
	p, err := d.Join(ctx, id)
	if err != nil {
		return "", fmt.Errorf("join: %w", err)
	}
	defer p.Leave()
	return do(p)
}

// alive returns what the attack did. If the connection has ended meanwhile, it says so too. The program may end an attacker's connection,
// so that is not an error.
func (p *Peer) alive(what string) string {
	select {
	case <-p.done:
		return what + "; the viewer was ended"
	default:
		return what
	}
}

// manySources sends sound as if from a thousand microphones.
func manySources(ctx context.Context, s Scene) (string, error) {
	return joined(ctx, s.Door(1), "sources", func(p *Peer) (string, error) {
		out, err := p.stream()
		if err != nil {
			return "", err
		}
		sent := 0
		err = every(ctx, 5*time.Millisecond, 5*time.Second, func() error {
			sent += say(out, sent, packetsEach)
			return nil
		})
		return p.alive(fmt.Sprintf("%d packets of %d sources", sent, sourceCount)), err
	})
}

// say sends packets of sound, each from the next of the thousand sources, and returns how many went.
func say(out webrtc.TrackLocalWriter, from, count int) int {
	for n := range count {
		i := from + n
		header := &rtp.Header{Version: 2, PayloadType: opusType, SSRC: 10_000 + uint32(i%sourceCount), SequenceNumber: uint16(i / sourceCount)}
		if _, err := out.WriteRTP(header, []byte{0xf8, 0xff, 0xfe}); err != nil {
			return n
		}
	}
	return count
}

// manyChannels opens two hundred channels from each of five viewers.
func manyChannels(ctx context.Context, s Scene) (string, error) {
	const peers, channels = 5, 200
	joined := 0
	for i := range peers {
		p, err := s.Door(i+1).Join(ctx, fmt.Sprint("channels", i))
		if err != nil {
			return "", fmt.Errorf("join as number %d: %w", i+1, err)
		}
		defer p.Leave()
		joined++
		for n := range channels {
			if _, err := p.pc.CreateDataChannel(fmt.Sprint("c", n), nil); err != nil {
				break // it was ended meanwhile
			}
		}
	}
	wait(ctx, 5*time.Second)
	return fmt.Sprintf("%d viewers, %d channels each", joined, channels), nil
}

// randomRTCP sends RTCP that names ever new sources, in every place where a source is named.
func randomRTCP(ctx context.Context, s Scene) (string, error) {
	return joined(ctx, s.Door(1), "rtcp", func(p *Peer) (string, error) {
		r, sent := rand.New(rand.NewPCG(7, 7)), 0
		err := every(ctx, 50*time.Millisecond, s.For, func() error {
			for range rtcpPerTick {
				if p.pc.WriteRTCP(manyNamed(r)) == nil {
					sent++
				}
			}
			return nil
		})
		return p.alive(fmt.Sprintf("%d compounds", sent)), err
	})
}

// manyNamed is one compound.
func manyNamed(r *rand.Rand) []rtcp.Packet {
	own := r.Uint32()
	reports := make([]rtcp.ReceptionReport, 10)
	for i := range reports {
		reports[i] = rtcp.ReceptionReport{SSRC: r.Uint32(), LastSequenceNumber: r.Uint32()}
	}
	chunks := make([]rtcp.SourceDescriptionChunk, 20)
	leaving := make([]uint32, 20)
	for i := range chunks {
		item := rtcp.SourceDescriptionItem{Type: rtcp.SDESCNAME, Text: fmt.Sprint(r.Uint64())}
		chunks[i] = rtcp.SourceDescriptionChunk{Source: r.Uint32(), Items: []rtcp.SourceDescriptionItem{item}}
		leaving[i] = r.Uint32()
	}
	report := []rtcp.Packet{&rtcp.ReceiverReport{SSRC: own, Reports: reports}, &rtcp.SourceDescription{Chunks: chunks}}
	switch r.IntN(3) {
	case 0:
		return append(report, &rtcp.Goodbye{Sources: leaving})
	case 1:
		return append([]rtcp.Packet{&rtcp.SenderReport{SSRC: own, NTPTime: r.Uint64(), Reports: reports}}, report[1:]...)
	}
	return report
}

// floodNACK asks for as many packets again as can be asked for.
func floodNACK(ctx context.Context, s Scene) (string, error) {
	return joined(ctx, s.Door(1), "nacks", func(p *Peer) (string, error) {
		var sources []uint32
		for _, receiver := range p.pc.GetReceivers() {
			if t := receiver.Track(); t != nil {
				sources = append(sources, uint32(t.SSRC()))
			}
		}
		if len(sources) == 0 {
			return "", fmt.Errorf("no track is received")
		}
		r, sent := rand.New(rand.NewPCG(8, 8)), 0
		err := every(ctx, 5*time.Millisecond, s.For, func() error {
			for range nacksPerTick {
				if p.pc.WriteRTCP([]rtcp.Packet{nack(r, sources[r.IntN(len(sources))])}) == nil {
					sent++
				}
			}
			return nil
		})
		return p.alive(fmt.Sprintf("%d packets of NACK", sent)), err
	})
}

// nack is one packet that asks for as many as fit.
func nack(r *rand.Rand, source uint32) rtcp.Packet {
	raw := endian.BigEndian.AppendUint32([]byte{0x81, 205, 0, 2 + nackPairs&0xff}, 1)
	endian.BigEndian.PutUint16(raw[2:], 2+nackPairs)
	raw = endian.BigEndian.AppendUint32(raw, source)
	first := uint16(r.Uint32())
	for i := range nackPairs {
		raw = endian.BigEndian.AppendUint16(raw, first+uint16(17*i))
		raw = endian.BigEndian.AppendUint16(raw, 0xffff)
	}
	packet := rtcp.RawPacket(raw)
	return &packet
}

// neverReport watches and never tells which packets came, as was agreed.
func neverReport(ctx context.Context, s Scene) (string, error) {
	return joined(ctx, s.Door(1), "silent", func(p *Peer) (string, error) {
		// What keeps the connection alive without reports: an empty receiver report, and a request for a keyframe now and then,
		// whose many packets are the point.
		var source uint32
		for _, receiver := range p.pc.GetReceivers() {
			if t := receiver.Track(); t != nil && t.Kind() == webrtc.RTPCodecTypeVideo {
				source = uint32(t.SSRC())
			}
		}
		err := every(ctx, 500*time.Millisecond, s.For, func() error {
			_ = p.pc.WriteRTCP([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 1}, &rtcp.PictureLossIndication{SenderSSRC: 1, MediaSSRC: source}})
			return nil
		})
		found := fmt.Sprintf("%d packets, %d of them numbered", p.Video.Load(), p.Numbered.Load())
		switch {
		case err != nil:
			return found, err
		case p.Video.Load() < mostNumbered:
			return found, fmt.Errorf("only %d packets came: nothing is shown by them", p.Video.Load())
		case p.Numbered.Load() > mostNumbered:
			return found, fmt.Errorf("%d packets were numbered for one who never reports, want at most %d", p.Numbered.Load(), mostNumbered)
		}
		return p.alive(found), nil
	})
}
