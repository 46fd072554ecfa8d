package hostile

import (
	"embed"
	"errors"
	"math/rand/v2"
	"strings"

	"github.com/pion/webrtc/v4"
)

//go:embed testdata
var recorded embed.FS

// AnswerTo is an answer to an offer that is right but for what a seed did to it, and tells what that is.
func AnswerTo(offer string, seed uint64) (text string, did []string, err error) {
	return answerTo(offer, random(Callee, seed))
}

func answerTo(offer string, r *rand.Rand) (text string, did []string, err error) {
	right, err := rightAnswer(offer, r)
	if err != nil {
		return "", nil, err
	}
	text, did = Mutate(right, r)
	return text, did, nil
}

// rightAnswer is pion's, a browser's that was recorded, or the offer's own text turned round.
func rightAnswer(offer string, r *rand.Rand) (string, error) {
	switch r.IntN(4) {
	case 0:
		return Answer(offer, Credentials()), nil
	case 1, 2:
		return pionAnswer(offer)
	}
	texts, err := texts("answer")
	if err != nil {
		return "", err
	}
	return Fit(texts[r.IntN(len(texts))], offer), nil
}

// pionAnswer is the answer of a peer connection that is not used any further.
func pionAnswer(offer string) (string, error) {
	media := &webrtc.MediaEngine{}
	if err := media.RegisterDefaultCodecs(); err != nil {
		return "", err
	}
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithSettingEngine(quiet())).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return "", err
	}
	defer func() { _ = pc.Close() }()
	if err = pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", err
	}
	answer, err := pc.CreateAnswer(nil)
	return answer.SDP, err
}

// texts are the recorded descriptions whose names end so.
func texts(kind string) ([]string, error) {
	entries, err := recorded.ReadDir("testdata")
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), "-"+kind+".sdp") {
			continue
		}
		text, err := recorded.ReadFile("testdata/" + e.Name())
		if err != nil {
			return nil, err
		}
		out = append(out, string(text))
	}
	if len(out) == 0 {
		return nil, errors.New("nothing recorded: " + kind)
	}
	return out, nil
}
