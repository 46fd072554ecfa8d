//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// closing is a WHIP server that closes a connection as soon as media comes, by DTLS alone: nothing is said over HTTP.
type closing struct {
	t    *testing.T
	once sync.Once
	at   chan time.Time
}

func (c *closing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	offer, _ := io.ReadAll(r.Body)
	if r.Method != http.MethodPost {
		return
	}
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		c.t.Error(err)
		return
	}
	c.t.Cleanup(func() { _ = pc.Close() })
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		_, _, _ = track.ReadRTP()
		c.once.Do(func() {
			at := time.Now()
			_ = pc.Close()
			c.at <- at
		})
	})
	gathered := webrtc.GatheringCompletePromise(pc)
	if err = pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: string(offer)}); err != nil {
		c.t.Error(err)
		return
	}
	answer, err := pc.CreateAnswer(nil)
	if err == nil {
		err = pc.SetLocalDescription(answer)
	}
	if err != nil {
		c.t.Error(err)
		return
	}
	<-gathered
	w.Header().Set("Content-Type", "application/sdp")
	w.Header().Set("Location", "/session")
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, pc.LocalDescription().SDP)
}

// TestClosedByTheServer has a WHIP server end its connection in order: the program notices at once.
func TestClosedByTheServer(t *testing.T) {
	server := &closing{t: t, at: make(chan time.Time, 1)}
	program := StartBoardcast(t, "--codec", "vp8", "--width", "320", "--height", "240", "--whip", "http://"+serve(t, server)+"/whip")
	closed := <-server.at
	_, heard := program.WaitLine("stderr", regexp.MustCompile("closed by the other side"), 10*time.Second)
	if late := heard.Sub(closed); late > time.Second {
		t.Errorf("it is noticed %v after the server closed", late)
	}
}
