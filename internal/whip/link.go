package whip

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// ICEServer is a STUN or TURN server that players may use.
type ICEServer struct {
	URL                  string // such as turn:host:3478?transport=udp
	Username, Credential string // for a TURN server
}

// link writes the server as the value of a Link header (RFC 9725 section 4.6).
func (s ICEServer) link() string {
	text := "<" + s.URL + `>; rel="ice-server"`
	if s.Username != "" {
		text += "; username=" + quoted(s.Username) + "; credential=" + quoted(s.Credential) + `; credential-type="password"`
	}
	return text
}

func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

var iceServerLink = regexp.MustCompile(`<((?:stun|turns?):[^>]*)>\s*;[^<]*rel="?ice-server"?`)

// iceServers are the URLs of the STUN and TURN servers in Link headers, without their credentials.
func iceServers(links []string) []string {
	var found []string
	for _, match := range iceServerLink.FindAllStringSubmatch(strings.Join(links, ", "), -1) {
		found = append(found, match[1])
	}
	return found
}

func sortedKeys(c credentials) []string { return slices.Sorted(maps.Keys(c)) }
