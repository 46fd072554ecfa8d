//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// pionSide is a pion in a session of the classic family. Candidates go as they are found, after the description.
type pionSide struct {
	*pionPeer
	say say
}

func newPionSide(p *pionPeer) func(say) side {
	return func(say say) side {
		p.pc.OnICECandidate(func(c *webrtc.ICECandidate) {
			if c != nil {
				init := c.ToJSON()
				say("candidate", int(*init.SDPMLineIndex), init.Candidate)
			}
		})
		return &pionSide{p, say}
	}
}

func (p *pionSide) hear(word string, line int, text string) error {
	switch word {
	case "request":
		return p.speak("offer", func() (webrtc.SessionDescription, error) { return p.pc.CreateOffer(nil) })
	case "offer":
		if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: text}); err != nil {
			return fmt.Errorf("take the offer: %w", err)
		}
		return p.speak("answer", func() (webrtc.SessionDescription, error) { return p.pc.CreateAnswer(nil) })
	case "answer":
		if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: text}); err != nil {
			return fmt.Errorf("take the answer: %w", err)
		}
	case "candidate":
		index := uint16(line)
		_ = p.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: text, SDPMLineIndex: &index}) // one over TCP is none of ours
	}
	return nil
}

// speak makes a description and says it, before the candidates that setting it brings.
func (p *pionSide) speak(word string, create func() (webrtc.SessionDescription, error)) error {
	description, err := create()
	if err != nil {
		return fmt.Errorf("make an %s: %w", word, err)
	}
	p.say(word, 0, description.SDP)
	if err := p.pc.SetLocalDescription(description); err != nil {
		return fmt.Errorf("set the %s: %w", word, err)
	}
	return nil
}

// TestPionSession has a pion call and be called, offer and answer, as the classic family does.
func TestPionSession(t *testing.T) {
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			p := newPion(t)
			p.receive(picture, sound)
			session, _ := startCall(t, f, newPionSide(p))
			p.assertNamed(p.assertPlays(picture, sound)...)
			if err := session.over(); err != nil {
				t.Errorf("the session has ended: %v", err)
			}
		})
	}
}

// closeWithin is how soon a viewer that has closed its connection is gone: its alert is there at once.
const closeWithin = 2 * time.Second

// TestPionCloses has a pion end its connection and say nothing else: the alert that closes DTLS ends the viewer, and where its
// call is still there, the call.
func TestPionCloses(t *testing.T) {
	t.Run("WHEP", func(t *testing.T) {
		t.Parallel()
		program := startSmall(t)
		p := newPion(t)
		p.receive(picture, sound)
		p.playWHEP(program.Address + "/whep")
		p.assertClosed(program)
	})
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			p := newPion(t)
			p.receive(picture, sound)
			call, program := startCall(t, f, newPionSide(p))
			p.assertClosed(program)
			select {
			case <-call.done:
			case <-time.After(callWithin):
				t.Error("the call has not ended")
			}
		})
	}
}

// assertClosed closes the connection as soon as it plays, and times the end of the viewer.
func (p *pionPeer) assertClosed(program *Program) {
	p.t.Helper()
	waitFor(p.t, "a picture", func() bool { track := p.track(picture); return track != nil && track.frames > 0 })
	assertViewers(p.t, program, 1)
	closed := time.Now()
	_ = p.pc.Close()
	assertViewers(p.t, program, 0)
	took := time.Since(closed)
	p.t.Logf("gone after %v", took.Round(time.Millisecond))
	if took > closeWithin {
		p.t.Errorf("the viewer is gone %v after its close, want %v at most", took, closeWithin)
	}
}
