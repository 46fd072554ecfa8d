//go:build e2e

package e2e

import (
	"syscall"
	"testing"
)

const serverListen = BoardAddr + ":8443"

// TestServerRestart takes the signalling server away under a running viewer, by force and in order, and brings it back:
// the picture never stops, and once the server is there again new viewers find the streamer through it.
func TestServerRestart(t *testing.T) {
	server := StartServer(t, "--listen", serverListen)
	StartBoardcast(t, "--server", "ws://"+serverListen+"/ws", "--id", "camera", "--width", "320", "--height", "240")
	browser := browsers.Launch(t, Chromium)
	page := browser.Open(t, server.Address+"/")
	page.WaitPlaying(30)
	page.Watch()

	server.Kill()
	page.WaitWatched(page.Watched().Frames + 60)
	assertUnbroken(t, page.Watched())

	server = StartServer(t, "--listen", serverListen)
	assertNewViewer(t, browser, server)
	assertUnbroken(t, page.Watched())

	server.Signal(syscall.SIGTERM)
	if code, inTime := server.Wait(stopWithin); code != 0 || !inTime {
		t.Errorf("the server exited with %d, in time %v", code, inTime)
	}
	page.WaitWatched(page.Watched().Frames + 60)
	server = StartServer(t, "--listen", serverListen)
	assertNewViewer(t, browser, server)
	assertUnbroken(t, page.WaitWatched(page.Watched().Frames+30))
}

func assertNewViewer(t *testing.T, browser *Browser, server *Program) {
	t.Helper()
	page := browser.Open(t, server.Address+"/")
	page.WaitPlaying(10)
	page.Close()
}

// TestStreamerRestart takes the streamer away instead: the page comes back by itself.
func TestStreamerRestart(t *testing.T) {
	program := StartBoardcast(t, "--width", "320", "--height", "240")
	page := browsers.Launch(t, Chromium).Open(t, program.Address+"/")
	page.WaitPlaying(10)
	program.Kill()
	page.Until(`boardcast.state !== "playing"`, playWithin)
	StartBoardcast(t, "--width", "320", "--height", "240")
	page.WaitPlaying(10)
	page.WaitMoving()
}
