package live

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"boardcast/pipeline"
	"boardcast/pipeline/agreement"
	"boardcast/pipeline/congestion"
	"boardcast/pipeline/media"
	"boardcast/pipeline/media/fake"
	"boardcast/pipeline/produce"
)

const followingVideo = "m=video 9 UDP/TLS/RTP/SAVPF 102\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\n" +
	"a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n" +
	"a=rtpmap:102 H264/90000\r\na=fmtp:102 packetization-mode=1;profile-level-id=42c01f\r\na=rtcp-fb:102 transport-cc\r\n"

// connectFollowing connects a viewer whose bitrate follows its link.
func connectFollowing(v *Viewer, p *fake.Peer) {
	v.Receive(Message{OfferRequest: true})
	synctest.Wait()
	events(p, media.PeerEvent{Kind: media.NegotiationNeeded}, described(p, "offer"))
	v.Receive(Message{Type: "answer", SDP: answerOf(followingVideo)})
	synctest.Wait()
	events(p, media.PeerEvent{Kind: media.DescriptionSet, Index: 1}, media.PeerEvent{Kind: media.ConnectionChanged, State: media.ConnectionConnected})
}

// fakeLink is the link of a fake viewer, over which 30 frames a second are sent.
type fakeLink struct {
	at   time.Duration // by the media clock, which is not the program's clock
	seq  uint32
	free time.Duration // when the link has sent all that it holds
}

// report sends for 100 ms at a bitrate, over a link that carries another, and hands over the feedback.
func (l *fakeLink) report(p *fake.Peer, sending, carries int) {
	f := congestion.Feedback{}
	for range 3 {
		for range 4 {
			size := sending / 30 / 8 / 4
			l.free = max(l.free, l.at) + time.Duration(float64(size*8)/float64(carries)*float64(time.Second))
			lost := l.free-l.at > time.Second
			if lost {
				l.free = l.at + time.Second
			}
			f.Packets = append(f.Packets, congestion.Packet{Seq: l.seq, Sent: l.at, Arrived: l.free + time.Hour, Size: size, Lost: lost})
			l.seq++
		}
		l.at += time.Second / 30
	}
	f.Received = max(l.at, l.free)
	<-time.After(100 * time.Millisecond)
	events(p, media.PeerEvent{Kind: media.Reported, Report: f})
}

func encoderOf(t *testing.T, e *fake.Engine) *fake.Stage {
	t.Helper()
	for _, s := range e.Started() {
		if slices.ContainsFunc(s.Graph, func(n pipeline.Node) bool { return n.Name == pipeline.EncoderName }) {
			return s
		}
	}
	t.Fatal("no encoder runs")
	return nil
}

// The encoder is set to what its only viewer's link carries, and a fresh encoder is told at once.
func TestEncoderFollowsItsViewer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, e := startBroadcast(t, Options{Grace: time.Second})
		v, p, _ := join(t, b, e)
		connectFollowing(v, p)
		if !strings.Contains(p.Preferences[pipeline.VideoSlot], "extmap-3=(string)"+agreement.TransportCC) {
			t.Errorf("preferences %q lack the extension", p.Preferences[pipeline.VideoSlot])
		}
		rate := func() int { return int(b.coded[pipeline.H264].Bitrate()) }
		if rate() != 1_500_000 {
			t.Fatalf("begins at %d bit/s", rate())
		}
		l := &fakeLink{at: time.Hour}
		for range 100 {
			l.report(p, rate(), 600_000)
		}
		if r := rate(); r < 400_000 || r > 650_000 {
			t.Errorf("%d bit/s on a link of 600 kbit/s", r)
		}
		told := encoderOf(t, e).Told()
		if want := "encoder bitrate=" + strconv.Itoa(rate()/1000); len(told) == 0 || told[len(told)-1] != want {
			t.Errorf("encoder was told %v, at last want %s", told, want)
		}
		s := b.Status()
		if got := s.Viewers[0]; got.EstimateBPS < 400_000 || got.EstimateBPS > 700_000 || got.RTTMS == 0 || got.KeyframesOnly {
			t.Errorf("status %+v", got)
		}
		if i := slices.IndexFunc(s.Producers, func(l produce.Status) bool { return l.Bitrate > 0 && l.Users > 0 }); i < 0 || s.Producers[i].Bitrate != int64(rate()) {
			t.Errorf("producers %+v", s.Producers)
		}
		// The encoder fails: its replacement begins at the bitrate of its graph, and is told the wanted one at once.
		before := len(e.Started())
		encoderOf(t, e).Post <- media.StageEvent{Ended: true}
		<-time.After(time.Millisecond)
		synctest.Wait()
		fresh := e.Started()[before:]
		if len(fresh) != 1 || len(fresh[0].Told()) != 1 {
			t.Errorf("the encoder was not started anew and told its rate: %d", len(fresh))
		}
		v.Close()
		<-v.Done()
		if n := b.coded[pipeline.H264].Rate().Viewers(); n != 0 || rate() != 1_500_000 {
			t.Errorf("%d viewers are still counted, and the next one begins at %d bit/s", n, rate())
		}
	})
}

// Without a lower rendition the slow one of two viewers gets keyframes only, and asks for some. It gets all frames again when its link
// carries them.
func TestSlowViewerGetsKeyframesOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, e := startPlan(t, testPlan(t, pipeline.Request{OneRendition: true}), Options{})
		first, p1, _ := join(t, b, e)
		connectFollowing(first, p1)
		second, p2, _ := join(t, b, e)
		connectFollowing(second, p2)
		rate := func() int { return int(b.coded[pipeline.H264].Bitrate()) }
		fast, slow := &fakeLink{}, &fakeLink{}
		keyframesOnly := func() []string {
			return slices.DeleteFunc(p2.Said(), func(s string) bool { return !strings.HasPrefix(s, "keyframes only") })
		}
		run := func(seconds, carries int) {
			for range seconds * 10 {
				fast.report(p1, rate(), 10_000_000)
				if n := len(keyframesOnly()); n%2 == 0 { // else only keyframes are sent
					slow.report(p2, rate(), carries)
				}
			}
		}
		run(9, 150_000)
		if diff := cmp.Diff([]string{"keyframes only true"}, keyframesOnly()); diff != "" {
			t.Fatalf("keyframesOnly (-want +got):\n%s", diff)
		}
		if rate() < 1_400_000 {
			t.Errorf("%d bit/s: the slow viewer costs the other", rate())
		}
		if s := b.Status(); !slices.ContainsFunc(s.Viewers, func(v ViewerStatus) bool { return v.KeyframesOnly }) {
			t.Errorf("status %+v", s.Viewers)
		}
		run(30, 10_000_000)
		if diff := cmp.Diff([]string{"keyframes only true", "keyframes only false"}, keyframesOnly()); diff != "" {
			t.Errorf("keyframesOnly (-want +got):\n%s", diff)
		}
		if slices.Contains(strings.Split(strings.Join(p1.Said(), "\n"), "\n"), "keyframes only true") {
			t.Error("the fast viewer got keyframes only")
		}
		if n := len(encoderOf(t, e).Forced()); n < 3 {
			t.Errorf("%d keyframes were forced, want some for the slow viewer", n)
		}
	})
}

// With a fixed bitrate the encoder is left alone, whatever a link carries.
func TestFixedBitrate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, e := startBroadcast(t, Options{FixedBitrate: true})
		v, p, _ := join(t, b, e)
		connectFollowing(v, p)
		l := &fakeLink{}
		for range 50 {
			l.report(p, 1_500_000, 200_000)
		}
		if told := encoderOf(t, e).Told(); len(told) != 0 {
			t.Errorf("the encoder was told %v", told)
		}
		if slices.Contains(p.Said(), "keyframes only true") {
			t.Error("the viewer gets keyframes only")
		}
	})
}
