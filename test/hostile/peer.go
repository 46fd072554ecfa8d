package hostile

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

const (
	joinWithin = 15 * time.Second // from the call to the connection, on a busy machine
	// numberedURI is the extension that numbers packets for transport-wide feedback.
	numberedURI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
)

// errNoConnection is what a peer gets whose connection does not come up.
var errNoConnection = errors.New("the connection failed")

// Peer is one viewer that is connected. It answers nothing by itself: no reports, no requests, no feedback.
type Peer struct {
	line *Line
	pc   *webrtc.PeerConnection
	api  *webrtc.API
	own  *rawTrack                  // of sound, as a page has that talks
	said func(answer string) string // what is sent in place of an answer that is right; nil: the answer
	done chan struct{}              // closed when the connection has failed or was closed
	once sync.Once

	Video    atomic.Int64 // packets of video that came
	Numbered atomic.Int64 // of these, packets with a transport-wide number
	first    chan struct{}
	played   sync.Once
}

// quiet are settings for connections that say nothing on stderr and ask nobody for names.
func quiet() webrtc.SettingEngine {
	var s webrtc.SettingEngine
	s.LoggerFactory = &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled}
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	return s
}

// newPeer makes a connection whose socket is at an address. It has no interceptors.
func (d Door) newPeer() (*Peer, error) {
	media, settings := &webrtc.MediaEngine{}, quiet()
	if err := media.RegisterDefaultCodecs(); err != nil {
		return nil, fmt.Errorf("register codecs: %w", err)
	}
	media.RegisterFeedback(webrtc.RTCPFeedback{Type: "transport-cc"}, webrtc.RTPCodecTypeVideo)
	extension := webrtc.RTPHeaderExtensionCapability{URI: numberedURI}
	if err := media.RegisterHeaderExtension(extension, webrtc.RTPCodecTypeVideo); err != nil {
		return nil, fmt.Errorf("register an extension: %w", err)
	}
	conn, err := d.listenUDP()
	if err != nil {
		return nil, fmt.Errorf("open a socket: %w", err)
	}
	settings.SetICEUDPMux(webrtc.NewICEUDPMux(settings.LoggerFactory.NewLogger("ice"), conn))
	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(&interceptor.Registry{}), webrtc.WithSettingEngine(settings))
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("make a connection: %w", err)
	}
	p := &Peer{pc: pc, api: api, own: &rawTrack{bound: make(chan webrtc.TrackLocalWriter, 1)}, done: make(chan struct{}), first: make(chan struct{})}
	if _, err := pc.AddTrack(p.own); err != nil {
		return nil, errors.Join(fmt.Errorf("add a track: %w", err), pc.Close(), conn.Close())
	}
	p.pc.OnTrack(func(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) { p.count(track, receiver) })
	go func() {
		<-p.done
		_ = conn.Close()
	}()
	return p, nil
}

// Join calls the streamer as a page does, and returns when the connection is up.
func (d Door) Join(ctx context.Context, id string) (*Peer, error) {
	return d.join(ctx, id, joinWithin, nil)
}

// join calls the streamer. said is what is sent in place of an answer; nil: the answer itself.
func (d Door) join(ctx context.Context, id string, within time.Duration, said func(string) string) (*Peer, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	p, err := d.newPeer()
	if err != nil {
		return nil, err
	}
	p.said = said
	connected, failed := make(chan struct{}), make(chan error, 1)
	p.pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		switch s {
		case webrtc.PeerConnectionStateConnected:
			close(connected)
		case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
			p.once.Do(func() { close(p.done) })
		default:
		}
	})
	if p.line, err = d.Call(ctx, id); err != nil {
		p.Leave()
		return nil, err
	}
	go func() { failed <- p.talk() }()
	select {
	case <-connected:
		return p, nil
	case err = <-failed:
	case <-p.done:
		err = errNoConnection
	case <-ctx.Done():
		err = fmt.Errorf("not connected: %w", ctx.Err())
	}
	p.Leave()
	return nil, err
}

// talk speaks for the connection until the line ends.
func (p *Peer) talk() error {
	p.pc.OnICECandidate(func(c *webrtc.ICECandidate) {
		if c != nil {
			_ = p.line.Candidate(c.ToJSON().Candidate, 0) // a line that has ended is heard of by Hear
		}
	})
	if err := p.line.Say("OFFER_REQUEST"); err != nil {
		return fmt.Errorf("ask for an offer: %w", err)
	}
	for {
		m, err := p.line.Hear(time.Hour)
		switch {
		case err != nil:
			return err
		case m.Words != "":
			return fmt.Errorf("%w: %s", ErrRefused, m.Words)
		case m.ICE != nil:
			_ = p.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: m.ICE.Candidate, SDPMLineIndex: m.ICE.SDPMLineIndex})
		case m.SDP != nil:
			if err := p.answer(m.SDP.SDP); err != nil {
				return err
			}
		}
	}
}

func (p *Peer) answer(offer string) error {
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return fmt.Errorf("take the offer: %w", err)
	}
	answer, err := p.pc.CreateAnswer(nil)
	if err != nil {
		return fmt.Errorf("make an answer: %w", err)
	}
	said := answer.SDP
	if p.said != nil {
		said = p.said(said)
	}
	if err := p.line.Describe("answer", said); err != nil {
		return fmt.Errorf("send the answer: %w", err)
	}
	if err := p.pc.SetLocalDescription(answer); err != nil {
		return fmt.Errorf("take the answer: %w", err)
	}
	return nil
}

// count counts a track's packets of video.
func (p *Peer) count(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	var number uint8
	for _, e := range receiver.GetParameters().HeaderExtensions {
		if e.URI == numberedURI {
			number = uint8(e.ID)
		}
	}
	var packet *rtp.Packet
	var err error
	for {
		if packet, _, err = track.ReadRTP(); err != nil {
			return
		}
		if track.Kind() != webrtc.RTPCodecTypeVideo {
			continue
		}
		p.Video.Add(1)
		if number > 0 && packet.GetExtension(number) != nil {
			p.Numbered.Add(1)
		}
		p.played.Do(func() { close(p.first) })
	}
}

// Leave hangs up.
func (p *Peer) Leave() {
	if p.line != nil {
		p.line.Close()
	}
	_ = p.pc.Close()
	p.once.Do(func() { close(p.done) })
}

// Watch is an honest viewer for a moment: it joins, waits for a packet of the picture and leaves.
func (d Door) Watch(ctx context.Context, id string) error {
	p, err := d.Join(ctx, id)
	if err != nil {
		return err
	}
	defer p.Leave()
	timer := time.NewTimer(answerWithin)
	defer timer.Stop()
	select {
	case <-p.first:
		return nil
	case <-p.done:
		return errors.New("ended before the picture came")
	case <-timer.C:
		return errors.New("connected, and no picture")
	}
}

// stream gives access to the connection's SRTP: what is written there goes out as it is, from any source. It does where the
// program takes no sound, too.
func (p *Peer) stream() (webrtc.TrackLocalWriter, error) {
	select {
	case out := <-p.own.bound:
		return out, nil
	default:
	}
	sender, err := p.api.NewRTPSender(p.own, p.pc.SCTP().Transport())
	if err != nil {
		return nil, fmt.Errorf("make a sender: %w", err)
	}
	if err := sender.Send(sender.GetParameters()); err != nil {
		return nil, fmt.Errorf("begin to send: %w", err)
	}
	return <-p.own.bound, nil
}

// rawTrack implements [webrtc.TrackLocal] by handing out what it could write to.
type rawTrack struct{ bound chan webrtc.TrackLocalWriter }

// Bind implements [webrtc.TrackLocal].
func (t *rawTrack) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	t.bound <- c.WriteStream()
	for _, codec := range c.CodecParameters() {
		if strings.EqualFold(codec.MimeType, webrtc.MimeTypeOpus) {
			return codec, nil
		}
	}
	return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
}

// Unbind implements [webrtc.TrackLocal].
func (t *rawTrack) Unbind(webrtc.TrackLocalContext) error { return nil }

// ID implements [webrtc.TrackLocal].
func (t *rawTrack) ID() string { return "raw" }

// RID implements [webrtc.TrackLocal].
func (t *rawTrack) RID() string { return "" }

// StreamID implements [webrtc.TrackLocal].
func (t *rawTrack) StreamID() string { return "raw" }

// Kind implements [webrtc.TrackLocal].
func (t *rawTrack) Kind() webrtc.RTPCodecType { return webrtc.RTPCodecTypeAudio }
