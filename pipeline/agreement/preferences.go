package agreement

import (
	"fmt"
	"strings"

	"boardcast/internal/sdp"
	"boardcast/pipeline"
)

// payloadTypes are the payload types of our own offers. When the peer offers, its payload types are taken.
var payloadTypes = map[pipeline.Codec]int{pipeline.H264: 102, pipeline.VP8: 96, pipeline.VP9: 98}

// opusPayloadTypes are those of our own offers. Browsers use the first; webrtcbin's well-known native demos take 97 alone.
var opusPayloadTypes = []int{111, 97}

// TransportCC names the RTP header extension with the transport-wide sequence number, by which the peer reports when each packet arrived.
const TransportCC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

// transportCCID is the TWCC extension id of our own offers. When the peer offers, its id is taken.
const transportCCID = 3

// withTWCC adds the TWCC extension to preferences. With id 0 they stay as they are.
func withTWCC(preferences string, id int) string {
	if id == 0 {
		return preferences
	}
	return fmt.Sprintf("%s,rtcp-fb-transport-cc=true,extmap-%d=(string)%s", preferences, id, TransportCC)
}

// opusPreferences are the caps of Opus under a payload type.
func opusPreferences(pt int) string {
	return fmt.Sprintf("application/x-rtp,media=audio,encoding-name=OPUS,payload=%d,clock-rate=48000,"+
		"encoding-params=(string)2,minptime=(string)10,useinbandfec=(string)1", pt)
}

// VideoPreferences are the caps of the video section of an offer of ours: all our codecs, the preferred one first, in the format.
func VideoPreferences(codecs []pipeline.Codec, f pipeline.VideoFormat) string {
	var prefs []string
	for _, c := range codecs {
		prefs = append(prefs, withTWCC(pipeline.Preferences(c, f, payloadTypes[c]), transportCCID))
	}
	return strings.Join(prefs, ";")
}

// AudioPreferences are the caps of the audio section of an offer of ours.
func AudioPreferences() string {
	var prefs []string
	for _, pt := range opusPayloadTypes {
		prefs = append(prefs, opusPreferences(pt))
	}
	return strings.Join(prefs, ";")
}

// Preferences are the caps of what the part sends. f is the format of video.
func (p Part) Preferences(f pipeline.VideoFormat) string {
	if p.Slot == pipeline.AudioSlot {
		return opusPreferences(p.Type)
	}
	return withTWCC(pipeline.Preferences(p.Codec, f, p.Type), p.TWCCID)
}

// NameTracks completes an offer of ours, in place. Both tracks are put into one stream. Sound is named no SSRC for retransmissions, since
// Chromium refuses it then. In a one-way session, 42c0 in a profile-level-id becomes 42e0. Both are constrained baseline (RFC 6184, table
// 5), but media servers that compare the text know only what browsers write.
func NameTracks(offer sdp.Description, oneWay bool) {
	for i := range offer.Sections {
		s := &offer.Sections[i]
		s.Stream = streamID + " " + s.Kind
		if s.Kind == "audio" {
			s.Repair, s.Sources = [2]uint32{}, s.Sources[:min(1, len(s.Sources))]
		}
		for _, f := range s.Formats {
			for n, p := range f.Params {
				if id, ok := strings.CutPrefix(p.Value, "42c0"); ok && p.Name == "profile-level-id" && oneWay {
					f.Params[n].Value = "42e0" + id
				}
			}
		}
	}
}

// streamID names the stream of our tracks. As they are in one stream, browsers play them in step.
const streamID = "boardcast"
