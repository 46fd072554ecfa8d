//go:build e2e

package e2e

import (
	"regexp"
	"strings"
	"testing"
)

// oneAway are a test picture, and a camera and a microphone that are not there.
const oneAway = `
video: { bitrate: 500k, width: 320, height: 240 }
cameras:
  front: { camera: test }
  rear: { camera: /dev/video77, microphone: "hw:CARD=Nosuch,DEV=0" }
`

// TestAwayCamera plays the placeholder of a camera that is not there, and silence of a microphone that is not, while the other camera
// plays; page and log say what is missing.
func TestAwayCamera(t *testing.T) {
	program := startCameras(t, oneAway)
	browser := browsers.Launch(t, Chromium)
	front, rear := browser.Open(t, program.Address+"/"), browser.Open(t, program.Address+"/?camera=rear")
	front.WaitPlaying(30)
	stats := rear.WaitPlaying(30)
	if stats.Width != 320 || stats.AudioCodec != "audio/OPUS" {
		t.Errorf("the placeholder's page plays %+v, want 320 wide, with sound", stats)
	}
	rear.WaitMoving()
	rear.Until(`e2e.stats().then((s) => s.audioBytes > 500)`, playWithin)
	const missing = `"/dev/video77" is not there: there is no camera`
	rear.Until(`document.querySelector("#facts").textContent === 'No picture: `+missing+`'`, playWithin)
	const said = `[...document.querySelectorAll("#cameras a")].map((a) => a.textContent + (a.title && " (" + a.title + ")")).join(", ")`
	list := "frontlive, rearno camera (" + missing + ")"
	rear.Until(said+" === `"+list+"`", playWithin) // the page asks how the cameras do from time to time
	t.Logf("the page says %q in its list", list)
	for _, what := range []string{"camera is away; showing a placeholder", "microphone is away; sending silence"} {
		line, _ := program.WaitLine("stderr", regexp.MustCompile(`.*`+what+`.*`), callWithin)
		if !strings.Contains(line[0], "camera=rear") || !strings.Contains(line[0], "hint=") {
			t.Errorf("no camera's name, or no hint, in %s", line[0])
		}
		t.Log(line[0])
	}
	for _, page := range []*Page{front, rear} {
		assertPing(t, page)
		assertQuiet(t, page)
	}
}
