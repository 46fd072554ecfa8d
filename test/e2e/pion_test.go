//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media/samplebuilder"
)

// latePackets is how many packets a frame may wait for one that is missing. At 320x240 a frame has fewer than ten.
const latePackets = 64

// pionCodec is a codec as a pion registers it: its default ones by name.
type pionCodec struct {
	mime string
	fmtp string
	pt   webrtc.PayloadType
}

var (
	pionVP8      = pionCodec{mime: webrtc.MimeTypeVP8, pt: 96}
	pionH264     = pionCodec{webrtc.MimeTypeH264, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f", 106}
	pionH264Zero = pionCodec{webrtc.MimeTypeH264, "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f", 108}
	pionHigh     = pionCodec{webrtc.MimeTypeH264, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f", 112}
	pionOpus     = pionCodec{webrtc.MimeTypeOpus, "minptime=10;useinbandfec=1", 111}
)

// pionPeer is an ordinary pion on the board's side of the network, with its default interceptors. It counts what it gets.
type pionPeer struct {
	t       *testing.T
	pc      *webrtc.PeerConnection
	headers []string // of its requests by WHEP: name, value, name, value

	mu     sync.Mutex
	tracks []*pionTrack
	states []webrtc.PeerConnectionState
}

// pionTrack is one track as it was announced, and what has come of it.
type pionTrack struct {
	kind       webrtc.RTPCodecType
	stream, id string // by the peer's description
	codec      webrtc.RTPCodecParameters
	packets    int
	frames     int     // complete ones
	keyframes  int     // of frames
	aggregated int     // H.264 packets that are no single NAL unit
	unagreed   []uint8 // payload types other than the track's
}

// startSmall runs the streamer with a small picture, on a port of its own, so that several tests can wait beside one another.
func startSmall(t testing.TB, args ...string) *Program {
	t.Helper()
	return StartBoardcast(t, append([]string{"--listen", BoardAddr + ":0", "--width", "320", "--height", "240"}, args...)...)
}

// newPion makes a pion with these codecs, in this order; with none, with pion's own defaults.
func newPion(t *testing.T, own ...pionCodec) *pionPeer {
	t.Helper()
	p, err := makePion(t, own)
	if err != nil {
		t.Fatalf("make a pion: %v", err)
	}
	return p
}

// makePion may be called from any goroutine of the test.
func makePion(t *testing.T, own []pionCodec) (*pionPeer, error) {
	media, registry, settings := &webrtc.MediaEngine{}, &interceptor.Registry{}, webrtc.SettingEngine{}
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	if err := registerCodecs(media, own); err != nil {
		return nil, fmt.Errorf("register codecs: %w", err)
	}
	if err := webrtc.RegisterDefaultInterceptors(media, registry); err != nil {
		return nil, fmt.Errorf("register interceptors: %w", err)
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(settings))
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, err
	}
	p := &pionPeer{t: t, pc: pc}
	t.Cleanup(p.close)
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { p.read(track) })
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.states = append(p.states, s)
	})
	return p, nil
}

func registerCodecs(media *webrtc.MediaEngine, own []pionCodec) error {
	if len(own) == 0 {
		return media.RegisterDefaultCodecs()
	}
	feedback := []webrtc.RTCPFeedback{{Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"}}
	for _, c := range own {
		capability := webrtc.RTPCodecCapability{MimeType: c.mime, SDPFmtpLine: c.fmtp}
		params := webrtc.RTPCodecParameters{PayloadType: c.pt, RTPCodecCapability: capability}
		kind := webrtc.RTPCodecTypeVideo
		if c.mime == webrtc.MimeTypeOpus {
			kind, params.ClockRate, params.Channels = webrtc.RTPCodecTypeAudio, 48000, 2
		} else {
			params.ClockRate, params.RTCPFeedback = 90000, feedback
		}
		if err := media.RegisterCodec(params, kind); err != nil {
			return err
		}
	}
	return nil
}

func (p *pionPeer) close() {
	_ = p.pc.Close() // a second time, too
	if p.t.Failed() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.t.Logf("pion was %v", p.states)
		for _, track := range p.tracks {
			p.t.Logf("pion got %s %q of %q: %s, %d packets, %d frames, %d keyframes", track.kind, track.id, track.stream,
				track.codec.MimeType, track.packets, track.frames, track.keyframes)
		}
	}
}

// read counts a track's packets and frames until it ends.
func (p *pionPeer) read(remote *webrtc.TrackRemote) {
	track := &pionTrack{kind: remote.Kind(), stream: remote.StreamID(), id: remote.ID(), codec: remote.Codec()}
	p.mu.Lock()
	p.tracks = append(p.tracks, track)
	p.mu.Unlock()
	var depacketizer rtp.Depacketizer = &codecs.OpusPacket{}
	switch track.codec.MimeType {
	case webrtc.MimeTypeH264:
		depacketizer = &codecs.H264Packet{}
	case webrtc.MimeTypeVP8:
		depacketizer = &codecs.VP8Packet{}
	}
	frames := samplebuilder.New(latePackets, depacketizer, track.codec.ClockRate)
	for {
		packet, _, err := remote.ReadRTP()
		if err != nil {
			return
		}
		frames.Push(packet)
		p.mu.Lock()
		track.take(packet)
		for frame := frames.Pop(); frame != nil; frame = frames.Pop() {
			track.whole(frame.Data)
		}
		p.mu.Unlock()
	}
}

func (t *pionTrack) take(packet *rtp.Packet) {
	t.packets++
	const lastSingle = 23 // NAL unit types above are aggregates and fragments
	if t.codec.MimeType == webrtc.MimeTypeH264 && len(packet.Payload) > 0 && packet.Payload[0]&0x1f > lastSingle {
		t.aggregated++
	}
	if pt := packet.PayloadType; pt != uint8(t.codec.PayloadType) && !slices.Contains(t.unagreed, pt) {
		t.unagreed = append(t.unagreed, pt)
	}
}

func (t *pionTrack) whole(frame []byte) {
	t.frames++
	if isKeyframe(t.codec.MimeType, frame) {
		t.keyframes++
	}
}

// isKeyframe looks into a frame of VP8, or of H.264 with start codes.
func isKeyframe(mime string, frame []byte) bool {
	if mime == webrtc.MimeTypeVP8 {
		return len(frame) > 0 && frame[0]&1 == 0
	}
	const idr = 5
	for i := 3; i < len(frame); i++ {
		if frame[i-3] == 0 && frame[i-2] == 0 && frame[i-1] == 1 && frame[i]&0x1f == idr {
			return true
		}
	}
	return false
}

// track is a copy of what is known of the first track of a kind; nil before there is one.
func (p *pionPeer) track(kind webrtc.RTPCodecType) *pionTrack {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.tracks, func(t *pionTrack) bool { return t.kind == kind })
	if i < 0 {
		return nil
	}
	known := *p.tracks[i]
	return &known
}

// watchFor is how long a peer's packets are counted.
const watchFor = 3 * time.Second

// assertPlays waits for the first frame of each kind, and then counts for three seconds: a third of the frames must come,
// on a machine that may be busy. It returns the tracks.
func (p *pionPeer) assertPlays(kinds ...webrtc.RTPCodecType) []*pionTrack {
	p.t.Helper()
	var before, after []*pionTrack
	for _, kind := range kinds {
		waitFor(p.t, "a frame of "+kind.String(), func() bool { t := p.track(kind); return t != nil && t.frames > 0 })
	}
	for _, kind := range kinds {
		before = append(before, p.track(kind))
	}
	<-time.After(watchFor)
	for i, kind := range kinds {
		track := p.track(kind)
		after = append(after, track)
		p.assertFlows(before[i], track)
	}
	return after
}

// framesPerSecond is what the tests' streams have: of sound, one frame in 20 ms.
var framesPerSecond = map[webrtc.RTPCodecType]int{webrtc.RTPCodecTypeVideo: 30, webrtc.RTPCodecTypeAudio: 50}

// assertFlows compares a track with itself before watchFor.
func (p *pionPeer) assertFlows(before, track *pionTrack) {
	p.t.Helper()
	frames, packets := track.frames-before.frames, track.packets-before.packets
	p.t.Logf("%s %s: %d frames in %d packets in %v, names %q and %q",
		track.kind, track.codec.MimeType, frames, packets, watchFor, track.stream, track.id)
	if least := framesPerSecond[track.kind] * int(watchFor/time.Second) / 3; frames < least {
		p.t.Errorf("%d frames of %s in %v, want %d at least", frames, track.kind, watchFor, least)
	}
	if track.kind == webrtc.RTPCodecTypeVideo && track.keyframes == 0 {
		p.t.Errorf("no keyframe among %d frames of %s", track.frames, track.codec.MimeType)
	}
	if len(track.unagreed) > 0 {
		p.t.Errorf("%s on the payload types %v, agreed is %d", track.kind, track.unagreed, track.codec.PayloadType)
	}
}

// assertNamed checks what OnTrack tells of the names in the description.
func (p *pionPeer) assertNamed(tracks ...*pionTrack) {
	p.t.Helper()
	for _, track := range tracks {
		if track.stream == "" || track.id == "" {
			p.t.Errorf("pion finds %s's stream named %q and its track %q, want names", track.kind, track.stream, track.id)
		}
		if track.stream != tracks[0].stream {
			p.t.Errorf("streams %q and %q, want one", track.stream, tracks[0].stream)
		}
	}
}
