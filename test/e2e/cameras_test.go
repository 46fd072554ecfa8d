//go:build e2e

package e2e

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// twoCameras are two test pictures that can be told apart by their size; only the first has sound.
const twoCameras = `
video: { bitrate: 500k }
audio: { microphone: test }
cameras:
  front: { camera: test, width: 320, height: 240 }
  rear: { camera: test, width: 480, height: 272 }
`

// startCameras runs the streamer with what a settings file says of the cameras.
func startCameras(t *testing.T, settings string, args ...string) *Program {
	t.Helper()
	path := filepath.Join(t.TempDir(), "boardcast.yaml")
	if err := os.WriteFile(path, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, append([]string{"--config", path}, args...)...)
}

// TestCameras plays two cameras of one program at once, from the page, which lists them, and one by WHEP.
func TestCameras(t *testing.T) {
	program := startCameras(t, twoCameras+"signalling: { origins: ['*'] }\n") // the WHEP page is of another port
	browser := browsers.Launch(t, Chromium)
	front := browser.Open(t, program.Address+"/")
	rear := browser.Open(t, program.Address+"/?camera=rear")
	for page, want := range map[*Page]Stats{front: {Width: 320, Height: 240, AudioCodec: "audio/OPUS"}, rear: {Width: 480, Height: 272}} {
		got := page.WaitPlaying(30)
		if got.Width != want.Width || got.Height != want.Height || got.AudioCodec != want.AudioCodec {
			t.Errorf("stats = %+v, want %+v", got, want)
		}
		page.WaitMoving()
		assertPing(t, page)
		assertQuiet(t, page)
	}
	assertViewers(t, program, 1) // the first camera's

	// The list says what there is, which is shown, and that it is live.
	rear.Until(`document.querySelectorAll('#cameras a[data-state="live"]').length === 2`, playWithin)
	var list []string
	rear.Eval(`[...document.querySelectorAll("#cameras a")].map((a) => a.textContent + (a.ariaCurrent ? " *" : ""))`, &list)
	if want := []string{"frontlive", "rearlive *"}; !slices.Equal(list, want) {
		t.Errorf("the page lists %q, want %q", list, want)
	}
	if path := os.Getenv("BOARDCAST_SCREENSHOT"); path != "" {
		rear.Click("#video") // the list fades when nothing moves
		rear.Until(`getComputedStyle(document.getElementById("cameras")).opacity === "1"`, callWithin)
		rear.Screenshot(path)
	}

	// A click goes over to the other one, and the address keeps it.
	rear.Click(`#cameras a[data-name="front"]`)
	rear.Arrived(`location.search === "?camera=front"`)
	if got := rear.WaitPlaying(10); got.Width != 320 {
		t.Errorf("after the click: %+v, want 320 wide", got)
	}

	// By WHEP each has an address of its own; the first is also where the only one would be.
	pages, _ := servePages(t)
	for path, width := range map[string]int{"/whep": 320, "/whep/front": 320, "/whep/rear": 480} {
		player := browser.Open(t, pages+"whep.html?"+url.Values{"whep": {program.Address + path}}.Encode())
		if got := player.WaitPlaying(10); got.Width != width {
			t.Errorf("%s: %+v, want %d wide", path, got, width)
		}
		var status int
		player.Eval("boardcast.hangUp()", &status)
		if status != 200 {
			t.Errorf("%s: DELETE answered %d", path, status)
		}
		player.Close()
	}
}

// TestCamerasShareTheViewerLimit has the only place taken by a viewer of the other camera.
func TestCamerasShareTheViewerLimit(t *testing.T) {
	program := startCameras(t, twoCameras+"viewers: { max: 1 }\n")
	browser := browsers.Launch(t, Chromium)
	first := browser.Open(t, program.Address+"/?camera=rear")
	first.WaitPlaying(10)
	second := browser.Open(t, program.Address+"/")
	second.Until(`boardcast.state === "busy"`, callWithin)
	first.Close()
	second.WaitPlaying(10)
}

// TestCamerasElsewhere has each camera called under an id of its own at a server elsewhere.
func TestCamerasElsewhere(t *testing.T) {
	server := StartServer(t, "--listen", BoardAddr+":0")
	startCameras(t, twoCameras, "--listen", BoardAddr+":0", "--server", "ws"+strings.TrimPrefix(server.Address, "http"), "--id", "door")
	browser := browsers.Launch(t, Chromium)
	for id, width := range map[string]int{"door-front": 320, "door-rear": 480} {
		page := browser.Open(t, server.Address+"/#peer="+id)
		if got := page.WaitPlaying(10); got.Width != width {
			t.Errorf("%s: %+v, want %d wide", id, got, width)
		}
	}
}
