//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

const (
	strayPT    = 97                    // a payload type that nobody has agreed on
	opusFrame  = 20 * time.Millisecond // of sound in one packet
	opusClock  = 48_000                // Hz, of RTP time stamps
	strayFor   = 5 * time.Second       // a session has to live this long at least
	opusSilent = "\xf8\xff\xfe"        // the three bytes of a silent frame
)

// strayTrack is sound in Opus that goes out on the payload type given, whatever was agreed.
type strayTrack struct {
	pt   uint8
	kind webrtc.RTPCodecType
	stop chan struct{}
	sent chan int // how many packets went out, when it stops
}

var errNoCodec = errors.New("nothing was agreed")

func (s *strayTrack) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	if len(c.CodecParameters()) == 0 {
		return webrtc.RTPCodecParameters{}, fmt.Errorf("send %s: %w", s.kind, errNoCodec)
	}
	go s.send(c.WriteStream(), uint32(c.SSRC()))
	return c.CodecParameters()[0], nil
}

func (s *strayTrack) send(to webrtc.TrackLocalWriter, ssrc uint32) {
	tick := time.NewTicker(opusFrame)
	defer tick.Stop()
	for n := 0; ; n++ {
		stamp := uint32(n) * uint32(opusClock*opusFrame/time.Second)
		header := rtp.Header{Version: 2, PayloadType: s.pt, SequenceNumber: uint16(n), Timestamp: stamp, SSRC: ssrc}
		_, _ = to.WriteRTP(&header, []byte(opusSilent)) // before the connection there is nobody to write to
		select {
		case <-tick.C:
		case <-s.stop:
			s.sent <- n
			return
		}
	}
}

func (s *strayTrack) Unbind(webrtc.TrackLocalContext) error { return nil }
func (s *strayTrack) ID() string                            { return "stray" }
func (s *strayTrack) RID() string                           { return "" }
func (s *strayTrack) StreamID() string                      { return "guest" }
func (s *strayTrack) Kind() webrtc.RTPCodecType             { return s.kind }

// deafSide says of all its sections that it only receives, whatever it means to do, and takes us to receive all the same.
type deafSide struct{ side }

func (d deafSide) hear(word string, line int, text string) error {
	return d.side.hear(word, line, strings.ReplaceAll(text, "a=sendonly", "a=sendrecv"))
}

func newDeafSide(p *pionPeer) func(say) side {
	return func(say say) side {
		return deafSide{newPionSide(p)(func(word string, line int, text string) {
			say(word, line, strings.ReplaceAll(text, "a=sendrecv", "a=recvonly"))
		})}
	}
}

// TestStraySender has a peer send sound on a payload type that was not agreed, where sound is taken and where nothing is:
// its picture goes on, and the session lives.
func TestStraySender(t *testing.T) {
	sides := []struct {
		name string
		make func(*pionPeer) func(say) side
	}{{"sound is taken", newPionSide}, {"nothing is taken", newDeafSide}}
	for _, tt := range sides {
		for _, f := range forms {
			t.Run(tt.name+"/"+f.name, func(t *testing.T) {
				t.Parallel()
				p := newPion(t)
				p.receive(picture)
				stray := &strayTrack{pt: strayPT, kind: sound, stop: make(chan struct{}), sent: make(chan int, 1)}
				if _, err := p.pc.AddTrack(stray); err != nil {
					t.Fatalf("add a track: %v", err)
				}
				session, program := startCall(t, f, tt.make(p))
				p.assertPlays(picture)
				assertLives(t, session, program, strayFor-watchFor)
				close(stray.stop)
				select {
				case n := <-stray.sent:
					if n < int(strayFor/opusFrame)/2 {
						t.Errorf("only %d packets have been sent on payload type %d", n, strayPT)
					}
				case <-time.After(watchFor):
					t.Error("nothing has been sent")
				}
			})
		}
	}
}

// assertLives checks that a session has, after so long, one viewer that is connected, and has not been ended.
func assertLives(t *testing.T, session *call, program *Program, long time.Duration) {
	t.Helper()
	select {
	case <-session.done:
		t.Errorf("the session has ended: %v", session.over())
	case <-time.After(long):
	}
	viewers := viewersOf(t, program)
	for id, state := range viewers {
		if state != "connected" {
			t.Errorf("viewer %s is %s, want connected", id, state)
		}
	}
	if len(viewers) != 1 {
		t.Errorf("viewers %v, want one", viewers)
	}
}
