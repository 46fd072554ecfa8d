//go:build e2e

package e2e

import (
	"fmt"
	"testing"

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
