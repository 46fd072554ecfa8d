//go:build e2e

package e2e

import (
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

// atOnce is what "at once" may take on two busy cores.
const atOnce = time.Second

// TestTerminate ends the program while a browser watches.
func TestTerminate(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			program := StartBoardcast(t, "--width", "320", "--height", "240")
			page := browsers.Launch(t, Chromium).Open(t, program.Address+"/")
			page.WaitPlaying(10)
			program.Signal(sig)
			begin := time.Now()
			code, inTime := program.Wait(stopWithin)
			t.Logf("ended after %v with %d", time.Since(begin).Round(time.Millisecond), code)
			if code != 0 || !inTime {
				t.Errorf("exit code %d, within %v: %v; want 0 in time", code, stopWithin, inTime)
			}
			if sig == syscall.SIGTERM {
				page.Until(`boardcast.state !== "playing"`, playWithin)
			}
		})
	}
}

// TestTerminateTwice holds an orderly end up, by a peer that reads nothing and so never agrees to the closing of its
// socket, and ends the program at once by a second signal.
func TestTerminateTwice(t *testing.T) {
	program := StartBoardcast(t)
	register(t, webSocket(program), "mute")
	program.Signal(syscall.SIGTERM)
	waitRefused(t, program)
	program.Signal(syscall.SIGINT)
	begin := time.Now()
	code, inTime := program.Wait(atOnce)
	t.Logf("ended after %v with %d", time.Since(begin).Round(time.Millisecond), code)
	if code == 0 || !inTime {
		t.Errorf("exit code %d, within %v: %v; want not 0, in time", code, atOnce, inTime)
	}
}

// waitRefused waits until the program takes no more connections: it is ending.
func waitRefused(t *testing.T, program *Program) {
	t.Helper()
	address := strings.TrimPrefix(program.Address, "http://")
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(stopWithin); time.Now().Before(end); <-tick.C {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
		if err != nil {
			return
		}
		_ = conn.Close()
	}
	t.Fatalf("still takes connections %v after SIGTERM", stopWithin)
}

// webSocket is the signalling address of a program's own server.
func webSocket(p *Program) string {
	scheme, host, _ := strings.Cut(p.Address, "://")
	if p.keys != nil {
		host = "viewer:" + p.keys.viewer + "@" + host
	}
	return "ws" + strings.TrimPrefix(scheme, "http") + "://" + host + "/ws"
}

// TestTerminateAtTheFirstStart ends the program while it tries its encoders: in order too, as cleaning up sees to.
func TestTerminateAtTheFirstStart(t *testing.T) {
	t.Setenv("CACHE_DIRECTORY", t.TempDir())
	StartBoardcast(t)
}
