package agreement

import (
	"fmt"
	"strings"

	"boardcast/internal/sdp"
	"boardcast/pipeline"
)

// payloadTypes are the numbers of our own offers; when the other side offers, its numbers are taken.
var payloadTypes = map[pipeline.Codec]int{pipeline.H264: 102, pipeline.VP8: 96, pipeline.VP9: 98}

// opusPayloadTypes are those of our own offers. Browsers use the first; the well-known native demos take no other than 97.
var opusPayloadTypes = []int{111, 97}

// TransportCC names the header extension that numbers all packets of a connection, so that the other side can report when
// each arrived.
const TransportCC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

// transportCCID is the extension's number in our own offers; when the other side offers, its number is taken.
const transportCCID = 3

// following adds the extension to preferences; id 0 leaves them as they are.
func following(preferences string, id int) string {
	if id == 0 {
		return preferences
	}
	return fmt.Sprintf("%s,rtcp-fb-transport-cc=true,extmap-%d=(string)%s", preferences, id, TransportCC)
}

func opusPreferences(pt int) string {
	return fmt.Sprintf("application/x-rtp,media=audio,encoding-name=OPUS,payload=%d,clock-rate=48000,"+
		"encoding-params=(string)2,minptime=(string)10,useinbandfec=(string)1", pt)
}

// VideoPreferences are the caps of the video section of an offer of ours: all codecs, the preferred first, which make pictures of
// the format.
func VideoPreferences(codecs []pipeline.Codec, f pipeline.VideoFormat) string {
	var prefs []string
	for _, c := range codecs {
		prefs = append(prefs, following(pipeline.Preferences(c, f, payloadTypes[c]), transportCCID))
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

// Preferences are the caps of what the part sends; f is the format of its pictures.
func (p Part) Preferences(f pipeline.VideoFormat) string {
	if p.Slot == pipeline.AudioSlot {
		return opusPreferences(p.Type)
	}
	return following(pipeline.Preferences(p.Codec, f, p.Type), p.TWCCID)
}

// NameTracks completes an offer of ours, in place: both tracks are in one stream. 42c0 and 42e0 are the same constrained baseline (RFC 6184, table
// 5), but servers that compare the text know the one that browsers write; it goes out where the session is one-way. Chromium refuses
// sound with a source for retransmissions, so it gets none named.
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

// streamID is the one stream that our tracks belong to: they are played in step.
const streamID = "boardcast"
