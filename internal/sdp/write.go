package sdp

import (
	"fmt"
	"strconv"
	"strings"
)

// MediaPort stands in the m-line of a section that is not rejected. It means nothing: ICE finds the address (RFC 8840).
const MediaPort = 9

// String writes the description: known attributes only, each once, always in the same order. In a sending section the names of the
// stream and the track come before the SSRCs, because Pion looks for them there.
func (d Description) String() string {
	var w writer
	w.line("v=0")
	w.line("o=- %d %d IN IP4 0.0.0.0", d.Session, d.Version)
	w.line("s=-")
	w.line("t=0 0")
	if len(d.Bundle) > 0 {
		w.line("a=group:BUNDLE %s", strings.Join(d.Bundle, " "))
	}
	if d.Lite {
		w.line("a=ice-lite")
	}
	w.line("a=ice-options:trickle")
	for _, s := range d.Sections {
		w.section(s)
	}
	return w.String()
}

type writer struct{ strings.Builder }

func (w *writer) line(format string, args ...any) { fmt.Fprintf(w, format+"\r\n", args...) }

// flag writes an attribute without a value, if it is set.
func (w *writer) flag(set bool, name string) {
	if set {
		w.line("a=%s", name)
	}
}

func (w *writer) section(s Section) {
	w.line("m=%s", s.Media())
	w.line("c=IN IP4 0.0.0.0")
	w.line("a=mid:%s", s.Mid)
	if s.Rejected() {
		w.line("a=inactive")
		return
	}
	w.transport(s)
	if s.Kind == "application" {
		w.line("a=sctp-port:%d", s.SCTPPort)
	} else {
		w.media(s)
	}
	for _, c := range s.Candidates {
		w.line("a=%s", c)
	}
	w.flag(s.Gathered, "end-of-candidates")
}

// Media is the m-line without "m=".
func (s Section) Media() string {
	return fmt.Sprintf("%s %d %s %s", s.Kind, s.Port, s.Proto, strings.Join(s.words(), " "))
}

// words are the formats of the m-line. The grammar wants at least one: "0" stands for none.
func (s Section) words() []string {
	var out []string
	for _, f := range s.Formats {
		out = append(out, strconv.Itoa(f.Type))
	}
	for _, word := range s.Words {
		if isToken(word) {
			out = append(out, word)
		}
	}
	if len(out) == 0 {
		return []string{"0"}
	}
	return out
}

func isToken(text string) bool {
	const most = 32
	bad := func(r rune) bool { return !isLetterOrDigit(r) && r != '-' && r != '.' && r != '_' }
	return text != "" && len(text) <= most && !strings.ContainsFunc(text, bad)
}

func (w *writer) transport(s Section) {
	w.line("a=ice-ufrag:%s", s.Credentials.Ufrag)
	w.line("a=ice-pwd:%s", s.Credentials.Pwd)
	for _, f := range s.Fingerprints {
		w.line("a=fingerprint:%s %s", f.Hash, f.Value)
	}
	w.line("a=setup:%s", s.Setup)
	w.flag(s.BundleOnly, "bundle-only")
}

func (w *writer) media(s Section) {
	w.flag(s.Mux, "rtcp-mux")
	w.flag(s.MuxOnly, "rtcp-mux-only")
	w.flag(s.Reduced, "rtcp-rsize")
	w.line("a=%s", s.Direction)
	for _, e := range s.Extensions {
		w.line("a=extmap:%d %s", e.ID, e.URI)
	}
	for _, f := range s.Formats {
		w.format(f)
	}
	if s.Direction.Sends() && s.Stream != "" {
		w.line("a=msid:%s", s.Stream)
	}
	if s.Repair != [2]uint32{} {
		w.line("a=ssrc-group:FID %d %d", s.Repair[0], s.Repair[1])
	}
	for _, source := range s.Sources {
		w.line("a=ssrc:%d cname:%s", source.SSRC, source.CNAME)
	}
}

func (w *writer) format(f Format) {
	if f.Name != "" {
		channels := ""
		if f.Channels > 1 {
			channels = "/" + strconv.Itoa(f.Channels)
		}
		w.line("a=rtpmap:%d %s/%d%s", f.Type, f.Name, f.Clock, channels)
	}
	for _, text := range f.Feedback {
		w.line("a=rtcp-fb:%d %s", f.Type, text)
	}
	if len(f.Params) == 0 {
		return
	}
	params := make([]string, 0, len(f.Params))
	for _, p := range f.Params {
		if p.Value == "" {
			params = append(params, p.Name)
		} else {
			params = append(params, p.Name+"="+p.Value)
		}
	}
	w.line("a=fmtp:%d %s", f.Type, strings.Join(params, ";"))
}
