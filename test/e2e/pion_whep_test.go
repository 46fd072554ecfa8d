//go:build e2e

package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"
)

// whepSession is what a POST began.
type whepSession struct {
	url    string
	answer string
}

// request makes one request of HTTP and reads its answer. headers are name, value, name, value.
func request(t testing.TB, method, address, media, body string, headers ...string) (reply, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, address, err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("read the answer to %s %s: %v", method, address, err)
	}
	return replyOf(response), string(text)
}

// reply is an answer by HTTP whose body has been read.
type reply struct {
	Status     string
	StatusCode int
	Header     http.Header
}

func replyOf(r *http.Response) reply { return reply{r.Status, r.StatusCode, r.Header} }

// playWHEP POSTs pion's offer as it is before any candidate, takes the answer, and sends the candidates after it in one
// PATCH, without If-Match as most players do.
func (p *pionPeer) playWHEP(address string) whepSession {
	p.t.Helper()
	offer, err := p.pc.CreateOffer(nil)
	if err != nil {
		p.t.Fatalf("make pion's offer: %v", err)
	}
	response, answer := request(p.t, http.MethodPost, address, "application/sdp", offer.SDP, p.headers...)
	if response.StatusCode != http.StatusCreated {
		p.t.Fatalf("POST answered %s: %q; the offer:\n%s", response.Status, answer, offer.SDP)
	}
	base, err := url.Parse(address)
	if err != nil {
		p.t.Fatal(err)
	}
	location, err := base.Parse(response.Header.Get("Location"))
	if err != nil {
		p.t.Fatalf("read the Location: %v", err)
	}
	gathered := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(offer); err != nil {
		p.t.Fatalf("set pion's offer: %v", err)
	}
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		p.t.Fatalf("take the answer: %v\n%s", err, answer)
	}
	<-gathered
	s := whepSession{url: location.String(), answer: answer}
	candidates := fragment(p.pc.LocalDescription().SDP)
	response, text := request(p.t, http.MethodPatch, s.url, "application/trickle-ice-sdpfrag", candidates, p.headers...)
	if response.StatusCode != http.StatusNoContent {
		p.t.Errorf("PATCH without If-Match answered %s: %q, want 204; sent:\n%s", response.Status, text, candidates)
	}
	return s
}

var fragmentLine = regexp.MustCompile(`(?m)^(m=.*|a=(mid|ice-ufrag|ice-pwd|candidate|end-of-candidates).*)\r\n`)

// fragment is what a PATCH says of the first section of a description.
func fragment(sdp string) string {
	_, media, _ := strings.Cut(sdp, "\r\nm=")
	first, _, _ := strings.Cut("m="+media, "\r\nm=")
	return strings.Join(fragmentLine.FindAllString(first+"\r\n", -1), "")
}

const (
	picture = webrtc.RTPCodecTypeVideo
	sound   = webrtc.RTPCodecTypeAudio
)

// TestPionWHEP plays by WHEP in a pion that wants to receive, with codecs and sections in an order of its own.
func TestPionWHEP(t *testing.T) {
	both := []webrtc.RTPCodecType{picture, sound}
	tests := []struct {
		name    string
		codecs  []pionCodec
		kinds   []webrtc.RTPCodecType
		want    string // of the picture
		singles bool   // single NAL units alone may come
	}{
		{"pion's defaults", nil, both, webrtc.MimeTypeH264, false},
		{"sound's section first", nil, []webrtc.RTPCodecType{sound, picture}, webrtc.MimeTypeH264, false},
		{"vp8 alone", []pionCodec{pionVP8}, both[:1], webrtc.MimeTypeVP8, false},
		{"h264 alone", []pionCodec{pionH264}, both[:1], webrtc.MimeTypeH264, false},
		{"vp8 before h264", []pionCodec{pionVP8, pionH264, pionOpus}, both, webrtc.MimeTypeH264, false},
		{"high profile before ours", []pionCodec{pionHigh, pionVP8, pionH264, pionOpus}, both, webrtc.MimeTypeH264, false},
		{"mode 0 before mode 1", []pionCodec{pionH264Zero, pionH264, pionOpus}, both, webrtc.MimeTypeH264, false},
		{"mode 0 alone", []pionCodec{pionH264Zero, pionOpus}, both, webrtc.MimeTypeH264, true},
		{"other payload types", []pionCodec{
			{mime: webrtc.MimeTypeVP8, pt: 111}, {pionH264.mime, pionH264.fmtp, 96}, {pionOpus.mime, pionOpus.fmtp, 102},
		}, both, webrtc.MimeTypeH264, false},
		{"sound alone", []pionCodec{pionOpus}, both[1:], "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			program := startSmall(t)
			p := newPion(t, tt.codecs...)
			p.receive(tt.kinds...)
			session := p.playWHEP(program.Address + "/whep")
			tracks := p.assertPlays(tt.kinds...)
			p.assertNamed(tracks...)
			for _, track := range tracks {
				if track.kind == picture && track.codec.MimeType != tt.want {
					t.Errorf("plays %s, want %s; the answer:\n%s", track.codec.MimeType, tt.want, session.answer)
				}
				if tt.singles && track.aggregated > 0 {
					t.Errorf("%d of %d packets are no single NAL units", track.aggregated, track.packets)
				}
			}
			if loss := lossOf(t, program); loss > mostLoss {
				t.Errorf("the viewer's reports tell of a loss of %.3f, on a link that loses nothing", loss)
			}
			assertViewers(t, program, 1)
			if response, _ := request(t, http.MethodDelete, session.url, "", ""); response.StatusCode != http.StatusOK {
				t.Errorf("DELETE answered %s", response.Status)
			}
			assertViewers(t, program, 0)
		})
	}
}

// receive adds the sections of a player, in this order.
func (p *pionPeer) receive(kinds ...webrtc.RTPCodecType) {
	p.t.Helper()
	for _, kind := range kinds {
		init := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
		if _, err := p.pc.AddTransceiverFromKind(kind, init); err != nil {
			p.t.Fatalf("add a section for %s: %v", kind, err)
		}
	}
}

// mostLoss is what may be lost between two sockets of one machine that is busy.
const mostLoss = 0.05

// lossOf is the share of packets that the program's only viewer reports as lost, lately.
func lossOf(t *testing.T, program *Program) float64 {
	t.Helper()
	_, text := request(t, http.MethodGet, program.Address+"/api/status", "", "")
	var status struct {
		Media struct{ Viewers []struct{ Loss float64 } }
	}
	if err := json.Unmarshal([]byte(text), &status); err != nil || len(status.Media.Viewers) != 1 {
		t.Fatalf("status %.300q: %v, want one viewer", text, err)
	}
	return status.Media.Viewers[0].Loss
}
