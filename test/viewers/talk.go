package viewers

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
)

// opusFrame is how long the sound of one packet is.
const opusFrame = 20 * time.Millisecond

// tone is one Opus packet out of the middle of a tone. Sent again and again it is heard as a tone, at about -20 dB.
var tone, _ = hex.DecodeString("f8adb428e9478c5406ab4051554975616b3fd3c67fc474ad1b438075587d76ad01bd164288cb2dc2b4463405d5dd4ce5279f81dd07d1e3aa3d428450c3c7a3f71e7a00fd285ca541d06dd784f81353f2263c42fc38dfae")

// prepareTalk gives the connection a voice, if it is the viewer's manner to talk.
func (v *viewer) prepareTalk() error {
	v.pc.OnDataChannel(func(c *webrtc.DataChannel) {
		c.OnMessage(func(m webrtc.DataChannelMessage) { v.hearOfTalk(m.Data) })
	})
	if !v.manner.Talk {
		return nil
	}
	track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "voice", v.id)
	if err != nil {
		return err
	}
	if _, err = v.pc.AddTrack(track); err != nil {
		return err
	}
	go v.talk(track)
	return nil
}

// talk sends the tone until the viewer is gone. What is sent before the connection is up goes nowhere.
func (v *viewer) talk(track *webrtc.TrackLocalStaticSample) {
	tick := time.NewTicker(opusFrame)
	defer tick.Stop()
	for {
		select {
		case <-v.done:
			return
		case <-tick.C:
			_ = track.WriteSample(media.Sample{Data: tone, Duration: opusFrame}) // a connection that is lost is noticed by others
		}
	}
}

// hearOfTalk keeps what the streamer says became of the viewer's voice.
func (v *viewer) hearOfTalk(text []byte) {
	var m struct {
		Talk *struct{ State, Reason string }
	}
	if json.Unmarshal(text, &m) != nil || m.Talk == nil {
		return // another message
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.told = strings.TrimSpace(m.Talk.State + " " + m.Talk.Reason)
}
