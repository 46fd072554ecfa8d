//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// pionWHIP is a WHIP server (RFC 9725) whose media half is a pion of its own for each POST. It takes no candidates
// after the offer.
type pionWHIP struct {
	t         *testing.T
	codecs    []pionCodec
	omitsType bool // no Content-Type on the answer
	relative  bool // a Location that is relative to the POST's path

	mu       sync.Mutex
	sessions []*pionPeer
	log      []string
	posted   []time.Time
}

// whipPath is where offers go; a session has a name below it.
const whipPath = "/live/board/whip"

func (s *pionWHIP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // a body cut short is no offer to pion
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, r.Method+" "+r.URL.Path)
	switch {
	case r.URL.Path == whipPath && r.Method == http.MethodPost:
		s.answer(w, string(body))
	case strings.HasPrefix(r.URL.Path, whipPath+"/") && r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusOK)
	default: // PATCH too: candidates are not taken one by one
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func (s *pionWHIP) answer(w http.ResponseWriter, offer string) {
	s.posted = append(s.posted, time.Now())
	p, err := makePion(s.t, s.codecs)
	var text string
	if err == nil {
		text, err = p.answerAll(offer)
	}
	if err != nil {
		s.t.Errorf("answer %q: %v", offer, err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	s.sessions = append(s.sessions, p)
	name := strconv.Itoa(len(s.sessions))
	location := whipPath + "/" + name
	if s.relative {
		location = "whip/" + name
	}
	w.Header().Set("Location", location)
	if s.omitsType {
		w.Header()["Content-Type"] = nil // or net/http guesses one
	} else {
		w.Header().Set("Content-Type", "application/sdp")
	}
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, text)
}

// answerAll answers an offer when all candidates are found.
func (p *pionPeer) answerAll(offer string) (string, error) {
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", err
	}
	answer, err := p.pc.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(answer); err != nil {
		return "", err
	}
	<-gathered
	return p.pc.LocalDescription().SDP, nil
}

// session waits for the n-th session, counted from 1, and returns it and when its POST came.
func (s *pionWHIP) session(n int) (*pionPeer, time.Time) {
	s.t.Helper()
	waitFor(s.t, "POST number "+strconv.Itoa(n), func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.sessions) >= n
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[n-1], s.posted[n-1]
}

func (s *pionWHIP) saw(line string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.log, line)
}

// whipRepublish is how long boardcast may take to publish anew after the server has ended the session: two seconds to notice the
// alert that closes DTLS, and the pause before the next try, which is a second at most.
const whipRepublish = 3 * time.Second

// TestPionWHIP publishes to a WHIP server that is written with pion, and again when that one has ended the session.
func TestPionWHIP(t *testing.T) {
	tests := []struct {
		name   string
		server pionWHIP
		want   string
	}{
		{"pion's defaults", pionWHIP{}, webrtc.MimeTypeH264},
		{"h264 and opus", pionWHIP{codecs: []pionCodec{pionH264, pionOpus}}, webrtc.MimeTypeH264},
		{"no Content-Type", pionWHIP{omitsType: true, codecs: []pionCodec{pionH264, pionOpus}}, webrtc.MimeTypeH264},
		{"relative Location", pionWHIP{relative: true, codecs: []pionCodec{pionVP8, pionOpus}}, webrtc.MimeTypeVP8},
	}
	for i := range tests {
		tt := &tests[i]
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.server.t = t
			address := serve(t, &tt.server)
			program := startSmall(t, "--whip", "http://"+address+whipPath)
			first, _ := tt.server.session(1)
			tracks := first.assertPlays(picture, sound)
			if got := tracks[0].codec.MimeType; got != tt.want {
				t.Errorf("%s comes, want %s", got, tt.want)
			}
			first.assertNamed(tracks...)
			ended := time.Now()
			_ = first.pc.Close()
			second, posted := tt.server.session(2)
			t.Logf("published anew %v after the end of the first session", posted.Sub(ended).Round(time.Millisecond))
			if took := posted.Sub(ended); took > whipRepublish {
				t.Errorf("published anew after %v, want %v at most", took, whipRepublish)
			}
			waitFor(t, "a picture once more", func() bool { t := second.track(picture); return t != nil && t.frames > 0 })
			program.Stop()
			for _, gone := range []string{"DELETE " + whipPath + "/1", "DELETE " + whipPath + "/2"} {
				waitFor(t, gone, func() bool { return tt.server.saw(gone) })
			}
		})
	}
}
