package agreement

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"boardcast/internal/sdp"
	"boardcast/pipeline"
)

// opusParams are the parameters of our sound. opusPreferences has the same.
var opusParams = []sdp.Param{{Name: "minptime", Value: "10"}, {Name: "useinbandfec", Value: "1"}}

// h264Params are H.264's parameters in the order that browsers write. An empty mode is left out.
func h264Params(profileLevelID, mode string, asymmetry bool) []sdp.Param {
	var out []sdp.Param
	if asymmetry {
		out = append(out, sdp.Param{Name: "level-asymmetry-allowed", Value: "1"})
	}
	if mode != "" {
		out = append(out, sdp.Param{Name: "packetization-mode", Value: mode})
	}
	return append(out, sdp.Param{Name: "profile-level-id", Value: profileLevelID})
}

// replyParams are H.264's parameters in our answer: the profile that was offered, in the same spelling, and our level. Without
// level-asymmetry-allowed both sides must have the same level (RFC 6184 section 8.2.2); it is then the lower one.
func replyParams(f sdp.Format, v pipeline.VideoFormat) []sdp.Param {
	const standard = "42e01f" // in place of a profile-level-id that is missing or cannot be read
	id, _ := f.Param("profile-level-id")
	if _, err := strconv.ParseUint(id, 16, 32); err != nil || len(id) != len(standard) {
		id = standard
	}
	mode, _ := f.Param("packetization-mode") // unfit has refused formats with other modes
	asymmetry, _ := f.Param("level-asymmetry-allowed")
	level := v.ProfileLevelID()[4:]
	if theirs := strings.ToLower(id[4:]); asymmetry != "1" && theirs < level {
		level = theirs
	}
	return h264Params(id[:4]+level, mode, asymmetry == "1")
}

// isCodec reports whether a format is of a codec, by its name, its clock and its channels.
func isCodec(f sdp.Format, c pipeline.Codec) bool {
	if c == pipeline.Opus { // its two channels (RFC 7587) are left out by some players
		return strings.EqualFold(f.Name, "opus") && f.Clock == 48000 && f.Channels <= 2
	}
	return strings.EqualFold(f.Name, c.EncodingName()) && f.Clock == 90000
}

// modes are the packetization modes that a codec is served in. Without the parameter the mode is 0.
var modes = map[pipeline.Codec][]string{pipeline.H264: {"1"}, pipeline.H264Slices: {"0", ""}}

// unfit tells a person why a format of the codec cannot be served; empty where it can.
func unfit(f sdp.Format, c pipeline.Codec) string {
	served := modes[c]
	if served == nil {
		return ""
	}
	mode, _ := f.Param("packetization-mode")
	id, given := f.Param("profile-level-id")
	switch {
	case given && !constrainedBaseline(id):
		return fmt.Sprintf("a=fmtp:%d: profile-level-id is not that of constrained baseline, which is sent", f.Type)
	case !slices.Contains(served, mode):
		return fmt.Sprintf("a=fmtp:%d: packetization-mode %s is not served here", f.Type, cmp.Or(mode, "0"))
	}
	return ""
}

// constrainedBaseline reports whether a profile-level-id is that of constrained baseline (RFC 6184, table 5): the baseline profile with
// constraint_set1.
func constrainedBaseline(profileLevelID string) bool {
	if len(profileLevelID) < 4 || profileLevelID[:2] != "42" {
		return false
	}
	constraints, err := strconv.ParseUint(profileLevelID[2:4], 16, 8)
	return err == nil && constraints&0x40 != 0
}
