//go:build e2e

package e2e

import (
	"testing"
	"time"
)

// What is promised of a start on an idle machine, and what is asserted: the machines that run this share two cores with
// the browsers.
const (
	addressPromise, addressLimit = 500 * time.Millisecond, 1500 * time.Millisecond
	framePromise, frameLimit     = 2 * time.Second, 6 * time.Second
	firstLimit                   = 30 * time.Second // the trials of a first start take what the machine gives them
)

// TestStartup states how long it takes from executing the binary to its address line, and to the first frame shown by a
// page that waits for it: on the program's own server, with the trials of the encoders remembered and without, and on a
// separate one.
func TestStartup(t *testing.T) {
	browser := browsers.Launch(t, Chromium)
	for _, tt := range []struct {
		name  string
		first bool // start ever: every encoder is tried
	}{{"own server", false}, {"first start", true}} {
		t.Run(tt.name, func(t *testing.T) {
			gone := StartBoardcast(t)
			page := browser.Open(t, gone.Address+"/")
			page.WaitPlaying(1)
			gone.Kill()
			page.Until(`boardcast.state === "reconnecting" && boardcast.pc === null`, playWithin)
			page.AwaitFrame()
			if tt.first {
				t.Setenv("CACHE_DIRECTORY", t.TempDir())
			}
			limit := frameLimit
			if tt.first {
				limit = firstLimit
			}
			assertStartup(t, StartBoardcast(t), page, limit)
		})
	}
	t.Run("separate server", func(t *testing.T) {
		server := StartServer(t, "--listen", serverListen)
		page := browser.Open(t, server.Address+"/")
		page.Until(`globalThis.boardcast?.state === "waiting"`, playWithin)
		page.AwaitFrame()
		assertStartup(t, StartBoardcast(t, "--server", "ws://"+serverListen+"/ws", "--id", "camera"), page, frameLimit)
		timings, _ := page.Timings()
		if timings.Opened <= 0 || timings.Connected < timings.Opened || timings.FirstFrame < timings.Connected {
			t.Errorf("the page's timings = %+v, want all, in this order", timings)
		}
	})
}

func assertStartup(t *testing.T, program *Program, page *Page, limit time.Duration) {
	t.Helper()
	address := program.Ready.Sub(program.Started)
	frame := page.NextFrame().Sub(program.Started)
	t.Logf("executed to address %v (promised: %v), to first frame %v (promised: %v)",
		address.Round(time.Millisecond), addressPromise, frame.Round(time.Millisecond), framePromise)
	if address > addressLimit {
		t.Errorf("the address came after %v, want at most %v", address, addressLimit)
	}
	if frame > limit {
		t.Errorf("the first frame came after %v, want at most %v", frame, limit)
	}
}
