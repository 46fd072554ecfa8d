package pipeline

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// maxSDP bounds a session description: a browser's is under 20 kB.
const maxSDP = 128 << 10

// maxSections bounds its media sections: webrtcbin makes something of each.
const maxSections = 32

// section is what matters of one m-line of the other side.
type section struct {
	kind     string // "video", "audio", "application"
	rejected bool
	takes    bool // the other side receives on it
	formats  []sdp.Codec
	twcc     int // number of the header extension for transport-wide reports, 0 without
}

func parseSDP(text string) ([]section, error) {
	if len(text) > maxSDP {
		return nil, fmt.Errorf("parse session description: %d bytes are more than %d", len(text), maxSDP)
	}
	var d sdp.SessionDescription
	if err := d.UnmarshalString(text); err != nil {
		return nil, fmt.Errorf("parse session description: %w", err)
	}
	if len(d.MediaDescriptions) == 0 {
		return nil, fmt.Errorf("parse session description: no media section")
	}
	if n := len(d.MediaDescriptions); n > maxSections {
		return nil, fmt.Errorf("parse session description: %d media sections are more than %d", n, maxSections)
	}
	codecs := d.GetCodecMap() // once: it goes through everything
	out := make([]section, 0, len(d.MediaDescriptions))
	for _, m := range d.MediaDescriptions {
		s := section{kind: m.MediaName.Media, takes: true}
		_, bundleOnly := m.Attribute("bundle-only")
		s.rejected = m.MediaName.Port.Value == 0 && !bundleOnly
		for _, no := range []string{"sendonly", "inactive"} {
			if _, found := m.Attribute(no); found {
				s.takes = false
			}
		}
		s.twcc = transportCCOf(m)
		seen := map[uint64]bool{}
		for _, f := range m.MediaName.Formats {
			pt, err := strconv.ParseUint(f, 10, 8)
			if err != nil || seen[pt] {
				continue
			}
			seen[pt] = true
			if c, known := codecs[uint8(pt)]; known {
				s.formats = append(s.formats, c)
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// transportCCOf finds the number of the header extension for transport-wide reports in a section. Numbers from 15 on would
// need headers of two bytes, which webrtcbin does not write.
func transportCCOf(m *sdp.MediaDescription) int {
	const most = 14
	for _, a := range m.Attributes {
		if a.Key != "extmap" {
			continue
		}
		number, rest, _ := strings.Cut(a.Value, " ")
		number, direction, _ := strings.Cut(number, "/")
		name, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
		id, err := strconv.Atoi(number)
		if name == transportCC && err == nil && id >= 1 && id <= most && direction != "inactive" {
			return id
		}
	}
	return 0
}

// following is the number of the extension to write for a payload type: 0 unless the section has the extension and asks for
// the reports.
func (s section) following(pt int) int {
	for _, f := range s.formats {
		if int(f.PayloadType) == pt && slices.Contains(f.RTCPFeedback, "transport-cc") {
			return s.twcc
		}
	}
	return 0
}

// wantsVideo says whether the other side is there for a picture: it is not served with sound alone.
func (s section) wantsVideo() bool { return s.kind == "video" && s.takes && !s.rejected }

// pick finds the first of our codecs, in our order, that the section takes, and its payload type there.
func (s section) pick(order []Codec) (Codec, int, bool) {
	for _, c := range order {
		for _, f := range s.formats {
			if codecOf(f) == c {
				return c, int(f.PayloadType), true
			}
		}
	}
	return "", 0, false
}

// codecOf reads a format as one of ours, or as "opus"; H.264 counts only as constrained baseline in packetization mode 1.
func codecOf(f sdp.Codec) Codec {
	switch strings.ToUpper(f.Name) {
	case "VP8":
		return VP8
	case "OPUS":
		return opus
	case "H264":
		if h264Fits(f.Fmtp) {
			return H264
		}
	}
	return ""
}

const opus Codec = "opus"

// h264Fits reports whether a decoder of these parameters decodes constrained baseline (RFC 6184: every profile named here
// is a superset of it) in non-interleaved packets.
func h264Fits(fmtp string) bool {
	mode, profile := "0", "42e0"
	for p := range strings.SplitSeq(fmtp, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch strings.ToLower(name) {
		case "packetization-mode":
			mode = value
		case "profile-level-id":
			profile = strings.ToLower(value)
		}
	}
	if mode != "1" || len(profile) < 4 {
		return false
	}
	constraints, err := strconv.ParseUint(profile[2:4], 16, 8)
	constrained := err == nil && constraints&0x40 != 0
	return profile[:2] == "42" && constrained
}
