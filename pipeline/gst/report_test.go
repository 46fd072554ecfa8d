//go:build !nogst

package gst

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-gst/go-gst/gst"

	"boardcast/pipeline"
	"boardcast/pipeline/media"
)

// sendingCaps are the caps that a viewer's session has of what is sent, empty before there are any.
func sendingCaps(t *testing.T, p *peer) string {
	t.Helper()
	for _, session := range elements(t, p, "rtpsession") {
		if pad := session.GetStaticPad("send_rtp_sink"); pad != nil {
			if caps := pad.GetCurrentCaps(); caps != nil {
				return caps.String()
			}
		}
	}
	return ""
}

// soundFirst is an engine that holds each viewer's video back until its sound has reached the session.
type soundFirst struct {
	*Engine
	t        *testing.T
	sounding chan string // the session's caps at that moment
}

func (s soundFirst) Peer(ctx context.Context, o media.PeerOptions) (media.Peer, error) {
	p, err := s.Engine.Peer(ctx, o)
	if err != nil {
		return nil, err
	}
	return soundFirstPeer{p, s}, nil
}

type soundFirstPeer struct {
	media.Peer
	s soundFirst
}

func (p soundFirstPeer) AddMedia(slot pipeline.Slot, section int, preferences, direction string) error {
	if err := p.Peer.AddMedia(slot, section, preferences, direction); err != nil || slot != pipeline.VideoSlot {
		return err
	}
	viewer := p.Peer.(*peer)
	pads, err := element(p.s.t, viewer, "webrtcbin").GetSinkPads()
	if err != nil {
		return err
	}
	pads[len(pads)-1].AddProbe(gst.PadProbeTypeEventDownstream, func(_ *gst.Pad, info *gst.PadProbeInfo) gst.PadProbeReturn {
		if info.GetEvent().Type() == gst.EventTypeCaps {
			var caps string
			within(5*time.Second, func() bool { caps = sendingCaps(p.s.t, viewer); return caps != "" })
			p.s.sounding <- caps
		}
		return gst.PadProbeOK
	})
	return nil
}

// A viewer's packets are numbered from the first picture on, also when its sound comes before. The session's caps say so.
func TestSoundBeforePictureIsFollowed(t *testing.T) {
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	sounding := make(chan string, 10)
	a, b := broadcast(t, soundFirst{e, t, sounding}, testPlan(t, e, "vp8")), broadcast(t, e, testPlan(t, e, "auto"))
	// webrtcbin 1.22 does not take TWCC up in its answers, as browsers do.
	takes := regexp.MustCompile(`(?m)^m=video .*\n`)
	va, vb := callEdited(t, a, b, nil, func(sdp string) string {
		return takes.ReplaceAllString(sdp, "${0}a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\na=rtcp-fb:96 transport-cc\r\n")
	})
	defer hangUp(va, vb)
	select {
	case caps := <-sounding:
		if !strings.Contains(caps, "draft-holmer-rmcat-transport-wide-cc") {
			t.Errorf("when its sound comes a session knows no extension for numbers: %q", caps)
		}
	case <-time.After(10 * time.Second):
		t.Error("no video comes")
	}
}
