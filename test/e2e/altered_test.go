//go:build e2e

package e2e

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// re is short, for a table.
var re = regexp.MustCompile

// altered are the ways in which testdata/altered.js writes a browser's own offer anew. Those of H.264 are Chromium's alone:
// Firefox may have none.
var altered = []struct {
	name    string
	firefox bool           // it plays there too
	silent  bool           // it has no sound
	said    *regexp.Regexp // what proves that the offer was altered
	heard   *regexp.Regexp // what the answer must have
}{
	{name: "setup and direction at session level", firefox: true, said: re(`a=setup:actpass\r\na=recvonly\r\nm=`)},
	{name: "no direction", firefox: true, heard: re(`(?s)a=sendonly.*\r\nm=.*a=sendonly`)},
	{name: "no mid", firefox: true, said: re(`(?s)\r\nm=.*\r\nm=`)},
	{name: "no mid, one section", firefox: true, silent: true},
	{name: "no BUNDLE", firefox: true, heard: re(`(?s)a=setup:.*a=setup:`)},
	{name: "BUNDLE of one section", firefox: true, silent: true, heard: re(`a=group:BUNDLE 0\r\n`)},
	{name: "BUNDLE of one of two sections", firefox: true, said: re(`a=group:BUNDLE 0\r\n`)},
	{name: "no end of the last line", firefox: true, said: re(`[^\n]$`)},
	{name: "blanks at the ends of lines", firefox: true, said: re(`a=rtcp-mux \r\n`)},
	{
		name: "opus at 16 kHz first", firefox: true, said: re(`a=rtpmap:\d+ opus/16000\r\na=rtpmap:`),
		heard: re(`(?i)a=rtpmap:(111|109) opus/48000/2\r\n`),
	},
	{name: "a rejected section first", firefox: true, heard: re(`^(?:[^m][^\n]*\n)*m=video 0 `)},
	{name: "no level-asymmetry-allowed", said: re(`a=fmtp:\d+ packetization-mode=1;`), heard: re(`a=rtpmap:\d+ H264/90000\r\n`)},
	{name: "packetization-mode 0 alone", said: re(`packetization-mode=0;`), heard: re(`a=rtpmap:\d+ H264/90000\r\n`)},
	{name: "no packetization-mode", heard: re(`a=rtpmap:\d+ H264/90000\r\n`)},
}

// unaltered is what no altered offer may say, by the name of the alteration.
var unaltered = map[string]string{
	"no direction":               "a=recvonly",
	"no mid":                     "a=mid:",
	"no mid, one section":        "a=mid:",
	"no BUNDLE":                  "a=group:",
	"no level-asymmetry-allowed": "level-asymmetry-allowed",
	"packetization-mode 0 alone": "packetization-mode=1",
	"no packetization-mode":      "packetization-mode",
}

// TestAlteredOffers plays in browsers whose own offer is written in other ways than theirs before it is sent.
func TestAlteredOffers(t *testing.T) {
	pages, _ := servePages(t)
	origin := strings.TrimSuffix(pages, "/testdata/")
	allowed := settings(t, "signalling: { origins: ["+origin+"] }\n")
	program := StartBoardcast(t, "--config", allowed, "--width", "320", "--height", "240")
	for _, kind := range []Kind{Chromium, Firefox} {
		for _, tt := range altered {
			if kind == Firefox && !tt.firefox {
				continue
			}
			t.Run(string(kind)+"/"+tt.name, func(t *testing.T) {
				address := url.Values{"whep": {program.Address + "/whep"}, "alter": {tt.name}}
				page := browsers.Launch(t, kind).Open(t, pages+"altered.html?"+address.Encode())
				page.Until("boardcast.hangUp", callWithin)
				defer page.Eval("boardcast.hangUp().then(() => null)", nil)
				var b struct {
					Status      int
					Said, Heard string
				}
				page.Eval("({status: boardcast.status, said: boardcast.said, heard: boardcast.heard})", &b)
				never := unaltered[tt.name]
				if never != "" && strings.Contains(b.Said, never) || tt.said != nil && !tt.said.MatchString(b.Said) {
					t.Fatalf("the offer is not what it should be:\n%s", b.Said)
				}
				if b.Status != http.StatusCreated {
					t.Fatalf("POST answered %d: %q; the offer:\n%s", b.Status, b.Heard, b.Said)
				}
				if tt.heard != nil && !tt.heard.MatchString(b.Heard) {
					t.Errorf("the answer does not match %s:\n%s\nthe offer:\n%s", tt.heard, b.Heard, b.Said)
				}
				assertShown(t, page, tt.silent)
			})
		}
	}
}

// assertShown checks that a page decodes, and where it is not silent that sound comes too.
func assertShown(t *testing.T, page *Page, silent bool) {
	t.Helper()
	stats := page.WaitPlaying(60)
	if stats.Width != 320 || stats.Height != 240 {
		t.Errorf("stats = %+v, want 320x240", stats)
	}
	page.WaitMoving()
	if !silent {
		page.Until("(await e2e.stats()).audioBytes > 0", callWithin)
	}
}
