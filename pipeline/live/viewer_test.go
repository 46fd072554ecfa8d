package live

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"boardcast/internal/sdp"
	"boardcast/pipeline"
	"boardcast/pipeline/media"
	"boardcast/pipeline/media/fake"
	"boardcast/pipeline/places"
)

// ICE candidates of a viewer, in a form that is taken.
const (
	earlyCandidate = "candidate:1 1 UDP 2015363327 192.0.2.7 50001 typ host"
	lateCandidate  = "candidate:2 1 UDP 2015363327 192.0.2.7 50002 typ host"
)

type mailbox struct {
	mu  sync.Mutex
	got []string
}

func (m *mailbox) send(msg Message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if msg.Gathered {
		m.got = append(m.got, "gathered")
		return
	}
	m.got = append(m.got, msg.Type+msg.Candidate+msg.Error)
}

func (m *mailbox) all() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string{}, m.got...)
}

// join makes a viewer in a synctest bubble.
func join(t *testing.T, b *Broadcast, e *fake.Engine) (*Viewer, *fake.Peer, *mailbox) {
	t.Helper()
	box := &mailbox{}
	v, err := b.Join("v", places.Origin{}, box.send)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	return v, e.LastPeer(), box
}

// joinConnected makes a viewer whose connection is up: it gives way to nobody.
func joinConnected(t *testing.T, b *Broadcast, e *fake.Engine) *Viewer {
	t.Helper()
	v, p, _ := join(t, b, e)
	events(p, media.PeerEvent{Kind: media.ConnectionChanged, State: media.ConnectionConnected})
	return v
}

func events(p *fake.Peer, list ...media.PeerEvent) {
	for _, e := range list {
		p.Post <- e
		synctest.Wait()
	}
}

func TestViewerOffers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, e := startBroadcast(t, Options{Greeting: "hello"})
		v, p, box := join(t, b, e)
		v.Receive(Message{OfferRequest: true})
		v.Receive(Message{Candidate: earlyCandidate})
		synctest.Wait()
		events(p, media.PeerEvent{Kind: media.NegotiationNeeded}, described(p, "offer"),
			media.PeerEvent{Kind: media.CandidateFound, Text: "ours"}, media.PeerEvent{Kind: media.NegotiationNeeded})
		v.Receive(Message{Type: "answer", SDP: answerOf(chromiumVideo, opusAudio, dataSection)})
		synctest.Wait()
		events(p, media.PeerEvent{Kind: media.DescriptionSet, Index: 1})
		v.Receive(Message{Candidate: lateCandidate})
		synctest.Wait()
		if n := len(e.Started()); n != 3 {
			t.Errorf("%d producers run before the connection is up, want capture, encoder and microphone", n)
		}
		events(p, media.PeerEvent{Kind: media.ConnectionChanged, State: media.ConnectionConnected}, media.PeerEvent{Kind: media.ChannelOpened})
		want := []string{
			"media 0 at -1 sendonly", "media 1 at -1 sendrecv", "open channel", "offer", "local offer", "take []", "remote answer",
			"0 " + earlyCandidate, "attach 0 rtph264pay", "attach 1 rtpopuspay", "0 " + lateCandidate, "resume",
		}
		if diff := cmp.Diff(want, p.Said()); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"offer", "ours"}, box.all()); diff != "" {
			t.Errorf("sent (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"hello"}, p.Sent); diff != "" {
			t.Errorf("data channel (-want +got):\n%s", diff)
		}
		v.Close()
		<-v.Done()
		if last := p.Said()[len(p.Said())-1]; last != "close" {
			t.Errorf("last call %q, want close", last)
		}
		<-time.After(time.Minute)
		for _, s := range e.Started() {
			if !s.IsClosed() {
				t.Errorf("%s still runs without viewers", s.Graph[0].Factory)
			}
		}
	})
}

func TestViewerTakesWhatTheOtherSideDecodes(t *testing.T) {
	cases := []struct {
		name, answer string
		want         []string
		ends         bool
	}{
		{"firefox without H.264", answerOf(vp8Video, opusAudio), []string{"attach 0 rtpvp8pay", "attach 1 rtpopuspay"}, false},
		{"video refused", answerOf(noVideo, opusAudio), []string{"attach 1 rtpopuspay"}, false},
		{"video that is sent where we send", answerOf(sendingVideo, opusAudio), nil, true},
		{"no codec of ours", answerOf(strings.ReplaceAll(vp8Video, "VP8", "H265"), opusAudio), nil, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, e := startBroadcast(t, Options{})
				v, p, _ := join(t, b, e)
				v.Receive(Message{OfferRequest: true})
				synctest.Wait()
				events(p, media.PeerEvent{Kind: media.NegotiationNeeded}, described(p, "offer"))
				v.Receive(Message{Type: "answer", SDP: c.answer})
				synctest.Wait()
				events(p, media.PeerEvent{Kind: media.DescriptionSet, Index: 1})
				var got []string
				for _, w := range p.Said() {
					if strings.HasPrefix(w, "attach") {
						got = append(got, w)
					}
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("attached (-want +got):\n%s", diff)
				}
				<-time.After(tick)
				synctest.Wait()
				select {
				case <-v.Done():
					if !c.ends {
						t.Error("viewer ended")
					}
				default:
					if c.ends {
						t.Error("viewer goes on without a codec")
					}
				}
			})
		})
	}
}

func TestViewerAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, e := startBroadcast(t, Options{})
		v, p, box := join(t, b, e)
		v.Receive(Message{Type: "offer", SDP: sdpOf(opusAudio, firefoxVideo, dataSection)})
		synctest.Wait()
		events(p, media.PeerEvent{Kind: media.DescriptionSet, Index: 1}, described(p, "answer"),
			media.PeerEvent{Kind: media.ConnectionChanged, State: media.ConnectionConnected})
		want := []string{
			"media 0 at 0 sendonly", "media 1 at 1 sendonly", "open ", "take []", "remote offer", "answer", "local answer",
			"attach 0 rtpvp8pay", "attach 1 rtpopuspay", "resume",
		}
		if diff := cmp.Diff(want, p.Said()); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		if !strings.Contains(p.Preferences[pipeline.VideoSlot], "payload=120") {
			t.Errorf("preferences %q, want the other side's payload type 120", p.Preferences[pipeline.VideoSlot])
		}
		if diff := cmp.Diff([]string{"answer"}, box.all()); diff != "" {
			t.Errorf("sent (-want +got):\n%s", diff)
		}
	})
}

func TestViewerEnds(t *testing.T) {
	offerOut := func(v *Viewer, p *fake.Peer) {
		v.Receive(Message{OfferRequest: true})
		synctest.Wait()
		events(p, media.PeerEvent{Kind: media.NegotiationNeeded}, described(p, "offer"))
	}
	connect := func(v *Viewer, p *fake.Peer) {
		offerOut(v, p)
		v.Receive(Message{Type: "answer", SDP: answerOf(chromiumVideo)})
		synctest.Wait()
		events(p, media.PeerEvent{Kind: media.DescriptionSet, Index: 1}, media.PeerEvent{Kind: media.ConnectionChanged, State: media.ConnectionConnected})
	}
	silence := func(p *fake.Peer, d time.Duration) {
		p.Mu.Lock()
		defer p.Mu.Unlock()
		p.Silent = d
	}
	cases := []struct {
		name   string
		act    func(*Viewer, *fake.Peer)
		within time.Duration
		lives  bool
	}{
		{"says nothing", func(*Viewer, *fake.Peer) {}, answerLimit + 2*tick, false},
		{"never answers", offerOut, answerLimit + 2*tick, false},
		{"connected and reporting", connect, time.Hour, true},
		{"reports stop", func(v *Viewer, p *fake.Peer) { connect(v, p); silence(p, aliveLimit+tick) }, 2 * tick, false},
		{"never reports", func(v *Viewer, p *fake.Peer) { connect(v, p); silence(p, -1) }, aliveLimit + 2*tick, false},
		{"signalling lost, reports go on", func(v *Viewer, p *fake.Peer) { connect(v, p); v.Detach() }, time.Hour, true},
		{"signalling lost, reports stop", func(v *Viewer, p *fake.Peer) {
			connect(v, p)
			v.Detach()
			silence(p, detachedLimit+tick)
		}, 2 * tick, false},
		{"signalling lost before the connection is up", func(v *Viewer, p *fake.Peer) { offerOut(v, p); v.Detach() }, 2 * tick, false},
		{"connection failed", func(v *Viewer, p *fake.Peer) {
			connect(v, p)
			events(p, media.PeerEvent{Kind: media.ConnectionChanged, State: media.ConnectionFailed})
		}, tick, false},
		{"pipeline error", func(_ *Viewer, p *fake.Peer) {
			events(p, media.PeerEvent{Kind: media.Failed, Err: errors.New("dtls")})
		}, tick, false},
		{"hung up", func(v *Viewer, p *fake.Peer) { connect(v, p); v.Close() }, tick, false},
		{"garbage offer", func(v *Viewer, _ *fake.Peer) { v.Receive(Message{Type: "offer", SDP: "v=0"}) }, tick, false},
		{"description refused", func(v *Viewer, p *fake.Peer) {
			offerOut(v, p)
			v.Receive(Message{Type: "answer", SDP: answerOf(chromiumVideo)})
			synctest.Wait()
			events(p, media.PeerEvent{Kind: media.DescriptionSet, Index: 1, Err: errors.New("no")})
		}, tick, false},
		{"floods", func(_ *Viewer, p *fake.Peer) {
			p.Mu.Lock()
			p.Overflow = true
			p.Mu.Unlock()
		}, 2 * tick, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, e := startBroadcast(t, Options{})
				v, p, _ := join(t, b, e)
				c.act(v, p)
				timer := time.NewTimer(c.within)
				defer timer.Stop()
				select {
				case <-v.Done():
					if c.lives {
						t.Fatal("ended")
					}
					synctest.Wait()
					if n := len(b.Status().Viewers); n != 0 {
						t.Errorf("%d viewers in the status after the end", n)
					}
				case <-timer.C:
					if !c.lives {
						t.Fatalf("still there after %v: %+v", c.within, v.status())
					}
				}
			})
		})
	}
}

func TestViewerHoldsFewCandidates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, e := startBroadcast(t, Options{})
		v, p, _ := join(t, b, e)
		for i := range 100 {
			v.Receive(Message{Candidate: fmt.Sprintf("candidate:1 1 UDP 1 192.0.2.7 %d typ host", 5000+i)})
			synctest.Wait()
		}
		v.Receive(Message{OfferRequest: true})
		synctest.Wait()
		events(p, media.PeerEvent{Kind: media.NegotiationNeeded}, described(p, "offer"))
		v.Receive(Message{Type: "answer", SDP: answerOf(chromiumVideo)})
		synctest.Wait()
		events(p, media.PeerEvent{Kind: media.DescriptionSet, Index: 1})
		if n := strings.Count(strings.Join(p.Said(), "\n"), "candidate:"); n != sdp.MaxCandidates {
			t.Errorf("%d candidates taken, want %d", n, sdp.MaxCandidates)
		}
	})
}

// A media server that is tried again and again counts as a viewer, and is told of, only once it is connected.
func TestPublicationCountsOnceConnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		b, e := startBroadcast(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		publish := func() (*Viewer, *fake.Peer) {
			v, err := b.Publish("whip", func(Message) {})
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			return v, e.LastPeer()
		}
		for range 3 {
			v, _ := publish()
			v.Receive(Message{OfferRequest: true, OneWay: true})
			synctest.Wait()
			if s := b.Status(); len(s.Viewers) != 0 || s.Joined != 0 {
				t.Errorf("%d viewers of %d before the server has answered", len(s.Viewers), s.Joined)
			}
			v.Close()
			<-v.Done()
		}
		if text := log.String(); strings.Contains(text, "viewer") {
			t.Errorf("the log tells of viewers:\n%s", text)
		}
		v, p := publish()
		events(p, media.PeerEvent{Kind: media.ConnectionChanged, State: media.ConnectionConnected})
		if s := b.Status(); len(s.Viewers) != 1 || s.Joined != 1 {
			t.Errorf("%d viewers of %d once connected", len(s.Viewers), s.Joined)
		}
		v.Close()
		<-v.Done()
		if text := log.String(); !strings.Contains(text, "viewer connected") || !strings.Contains(text, `reason="publishing ended"`) {
			t.Errorf("the log does not tell of the server's session:\n%s", text)
		}
	})
}
