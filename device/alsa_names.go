package device

import (
	"slices"
	"strings"
)

// alsaNames are names that ALSA's own configuration gives to devices, alone or before a colon, as in "dmix:CARD=Codec". They are in no
// listing, and which card they stand for is the configuration's business: a user's .asoundrc says it, or a sound server.
var alsaNames = []string{
	"default", "sysdefault", "plug", "dmix", "dsnoop", "dshare", "asym", "softvol", "front", "hdmi", "iec958", "spdif", "usbstream",
	"pulse", "pipewire", "jack",
}

// isALSAName reports whether want is such a name.
func isALSAName(want string) bool {
	name, _, _ := strings.Cut(want, ":")
	return slices.Contains(alsaNames, name)
}
