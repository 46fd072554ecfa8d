package viewers

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// Stage is how far a viewer has come.
type Stage string

// The stages, in their order; a viewer may be refused or end at any time.
const (
	StageHello     Stage = "hello"     // registered
	StageSession   Stage = "session"   // in a session
	StageOffered   Stage = "offered"   // the offer is here
	StageAnswered  Stage = "answered"  // ours is sent
	StageConnected Stage = "connected" // ICE and DTLS are up
	StagePlaying   Stage = "playing"   // a first frame is complete
	StageRefused   Stage = "refused"   // by the server, before the session
	StageEnded     Stage = "ended"     // by the program, or an error
)

// Manner is how a viewer behaves; the zero value is a good one's.
type Manner struct {
	Leave   Stage         `json:"leave,omitempty"`   // it goes without a word at this stage,
	After   time.Duration `json:"after,omitempty"`   // or so long after it
	Garble  uint64        `json:"garble,omitempty"`  // seed of what is done to its answer; 0: nothing
	Silent  bool          `json:"silent,omitempty"`  // never says a word of DTLS
	Garbage bool          `json:"garbage,omitempty"` // sends absurd RTCP without end, and datagrams that are nothing
	Talk    bool          `json:"talk,omitempty"`    // sends a tone as its voice
}

// viewer is one viewer without a browser: it calls the streamer on its own server and counts what it gets. The fields, but for
// reception's, belong to the caller until the viewer is started.
type viewer struct {
	id     string
	local  string // address of its own sockets, where its manner needs one
	manner Manner
	tell   func(word)
	began  time.Time
	ws     *websocket.Conn
	pc     *webrtc.PeerConnection
	own    *socket // nil unless its manner needs one
	write  sync.Mutex
	done   chan struct{} // closed when it goes
	once   sync.Once
	reception
}

// reception is what a viewer got. mu guards the other fields.
type reception struct {
	mu        sync.Mutex
	seen      frames
	told      string // what became of the viewer's voice, as the streamer says; empty while it says nothing
	connected time.Time
	ended     bool
}

func newViewer(id, local string, m Manner, tell func(word)) *viewer {
	return &viewer{id: id, local: local, manner: m, tell: tell, began: time.Now(), done: make(chan struct{}), reception: reception{seen: frames{now: time.Now}}}
}

// run calls the streamer and returns when the call is over.
func (v *viewer) run(url string) {
	err := v.call(url)
	v.close()
	v.mu.Lock()
	v.ended = true
	v.mu.Unlock()
	v.tell(word{ID: v.id, Stage: StageEnded, Text: fmt.Sprint(err)})
}

// reached tells the stage, and leaves at it if that is its manner.
func (v *viewer) reached(s Stage) {
	v.tell(word{ID: v.id, Stage: s, Since: ms(time.Since(v.began))})
	if v.manner.Leave == s {
		time.AfterFunc(v.manner.After, v.abort)
	}
}

// abort breaks off without a word to the server.
func (v *viewer) abort() {
	_ = v.ws.NetConn().Close()
	v.close()
}

// leave hangs up as a browser does whose page is closed.
func (v *viewer) leave() {
	if v.ws == nil {
		return
	}
	_ = v.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(answerWithin))
	v.close()
}

func (v *viewer) close() {
	v.once.Do(func() { close(v.done) })
	if v.ws != nil {
		_ = v.ws.Close()
	}
	if v.pc != nil {
		_ = v.pc.Close()
	}
}

// withoutUser moves the user and the password of an address into a header, as the dialer wants it.
func withoutUser(address string) (string, http.Header) {
	u, err := url.Parse(address)
	if err != nil || u.User == nil {
		return address, nil
	}
	password, _ := u.User.Password()
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(u.User.Username(), password)
	u.User = nil
	return u.String(), r.Header
}

func (v *viewer) call(address string) error {
	dialer := websocket.Dialer{HandshakeTimeout: answerWithin}
	address, header := withoutUser(address)
	ws, response, err := dialer.Dial(address, header)
	if err != nil {
		return fmt.Errorf("dial %s: %w", address, err)
	}
	_ = response.Body.Close()
	v.ws = ws
	if err := v.connection(); err != nil {
		return err
	}
	for _, step := range []struct {
		say, hear string
		stage     Stage
	}{{"HELLO " + v.id, "HELLO", StageHello}, {"SESSION camera", "SESSION_OK", StageSession}} {
		if err := v.send(step.say); err != nil {
			return err
		}
		_, text, err := ws.ReadMessage()
		if err != nil {
			return fmt.Errorf("read the answer to %q: %w", step.say, err)
		}
		if got := string(text); !strings.HasPrefix(got, step.hear) {
			v.tell(word{ID: v.id, Stage: StageRefused, Text: got})
			return fmt.Errorf("%q was answered %q", step.say, got)
		}
		v.reached(step.stage)
	}
	if err := v.send("OFFER_REQUEST"); err != nil {
		return err
	}
	for {
		_, text, err := ws.ReadMessage()
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		if err := v.hear(text); err != nil {
			return err
		}
	}
}

func (v *viewer) send(text string) error {
	v.write.Lock()
	defer v.write.Unlock()
	return v.ws.WriteMessage(websocket.TextMessage, []byte(text))
}

func (v *viewer) sendJSON(m any) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return v.send(string(text))
}

// connection makes the peer connection, which begins with the offer.
func (v *viewer) connection() error {
	media, registry, settings := &webrtc.MediaEngine{}, &interceptor.Registry{}, webrtc.SettingEngine{}
	settings.LoggerFactory = &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled}
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	if err := media.RegisterDefaultCodecs(); err != nil {
		return err
	}
	if err := webrtc.RegisterDefaultInterceptors(media, registry); err != nil {
		return err
	}
	if v.manner.Silent || v.manner.Garbage {
		conn, err := new(net.ListenConfig).ListenPacket(background, "udp4", v.local+":0")
		if err != nil {
			return err
		}
		v.own = &socket{PacketConn: conn}
		v.own.noDTLS.Store(v.manner.Silent)
		settings.SetICEUDPMux(webrtc.NewICEUDPMux(settings.LoggerFactory.NewLogger("ice"), v.own))
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(settings))
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return err
	}
	v.pc = pc
	pc.OnICECandidate(func(c *webrtc.ICECandidate) {
		if c == nil {
			return
		}
		init := c.ToJSON()
		_ = v.sendJSON(map[string]any{"ice": map[string]any{"candidate": init.Candidate, "sdpMLineIndex": init.SDPMLineIndex}})
	})
	pc.OnConnectionStateChange(v.state)
	pc.OnTrack(func(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		if track.Kind() == webrtc.RTPCodecTypeVideo {
			go v.reports(receiver, uint32(track.SSRC()))
		}
		v.read(track)
	})
	return v.prepareTalk()
}

func (v *viewer) state(s webrtc.PeerConnectionState) {
	switch s {
	case webrtc.PeerConnectionStateConnected:
		v.mu.Lock()
		v.connected = time.Now()
		v.mu.Unlock()
		v.reached(StageConnected)
		if v.manner.Garbage {
			go v.flood()
		}
	case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
		if v.ws != nil {
			_ = v.ws.Close() // ends run
		}
	default:
	}
}

// read counts a track's packets, and takes sound without counting.
func (v *viewer) read(track *webrtc.TrackRemote) {
	video, played := track.Kind() == webrtc.RTPCodecTypeVideo, false
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		if !video {
			continue
		}
		v.mu.Lock()
		v.seen.take(packet)
		first := !played && !v.seen.first.IsZero()
		v.mu.Unlock()
		if first {
			played = true
			v.reached(StagePlaying)
		}
	}
}

// reports keeps the newest sender report of a source. It skips reports about other sources, which may come in the same RTCP packet.
func (v *viewer) reports(receiver *webrtc.RTPReceiver, source uint32) {
	for {
		packets, _, err := receiver.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			if r, ok := p.(*rtcp.SenderReport); ok && r.SSRC == source {
				v.mu.Lock()
				v.seen.report = r
				v.mu.Unlock()
			}
		}
	}
}

// hear takes a message of the streamer's.
func (v *viewer) hear(text []byte) error {
	var m struct {
		SDP *webrtc.SessionDescription
		ICE *webrtc.ICECandidateInit
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return fmt.Errorf("read %.100q: %w", text, err)
	}
	switch {
	case m.ICE != nil:
		_ = v.pc.AddICECandidate(*m.ICE) // one over TCP, or of another family, is none of ours
	case m.SDP != nil && m.SDP.Type == webrtc.SDPTypeOffer:
		return v.answer(*m.SDP)
	}
	return nil
}

func (v *viewer) answer(offer webrtc.SessionDescription) error {
	v.reached(StageOffered)
	if err := v.pc.SetRemoteDescription(offer); err != nil {
		return err
	}
	answer, err := v.pc.CreateAnswer(nil)
	if err != nil {
		return err
	}
	said := answer
	if v.manner.Garble != 0 {
		said.SDP = garble(answer.SDP, rand.New(rand.NewPCG(v.manner.Garble, 0)))
	}
	// The answer goes first: candidates that overtake it would be kept, but no browser sends them so.
	if err := v.sendJSON(map[string]any{"sdp": map[string]string{"type": "answer", "sdp": said.SDP}}); err != nil {
		return err
	}
	if err := v.pc.SetLocalDescription(answer); err != nil {
		return err
	}
	v.reached(StageAnswered)
	return nil
}

func (v *viewer) mark() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seen.mark()
}

func (v *viewer) view() View {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := v.seen.view()
	out.Ended, out.Talk = v.ended, v.told
	if !v.connected.IsZero() {
		out.Connected = ms(v.connected.Sub(v.began))
		if !v.seen.first.IsZero() {
			out.FirstFrame = ms(v.seen.first.Sub(v.connected))
		}
	}
	return out
}

var errNoViewer = errors.New("no such viewer")
