//go:build e2e

package e2e

import (
	"testing"
	"time"
)

// tcpWithin is how long a page may take to play where UDP does not get through.
const tcpWithin = 5 * time.Second

// TestTCP drops all UDP between a page and the board: the page plays by the one TCP port.
func TestTCP(t *testing.T) {
	onlyThrough(t, "tcp dport { 8080, 8081 }")
	program := StartBoardcast(t, "--config", settings(t, "ice: { tcp-port: 8081 }\n"), "--width", "640", "--height", "480")
	browser := browsers.Launch(t, Chromium)
	begin := time.Now()
	page := browser.Open(t, program.Address+"/")
	page.WaitPlaying(1)
	took := time.Since(begin)
	if took > tcpWithin {
		t.Errorf("the first frame came after %v, want at most %v", took, tcpWithin)
	}
	if pair := page.Pair(); pair.Protocol != "tcp" || pair.Address != BoardAddr || pair.Port != 8081 {
		t.Errorf("the page is connected by %+v, want TCP to %s:8081", pair, BoardAddr)
	}
	first, at := page.Stats().Frames, time.Now()
	last := page.WaitPlaying(first + 150)
	rate := float64(last.Frames-first) / time.Since(at).Seconds()
	shown := page.played()["video"]
	t.Logf("first frame after %v, then %.1f frames/s, shown %.0f ms after they were captured",
		took.Round(time.Millisecond), rate, shown.At-shown.Captured)
	page.WaitMoving()
}

// TestContainer runs the board in a network of its own, which a browser reaches by two ports of the host alone: one for the page, one
// for the media.
func TestContainer(t *testing.T) {
	container := NewContainer(t, map[string]string{"tcp dport 8080": "", "udp dport 50000": ""})
	container.Start("--config", settings(t, "ice: { port: 50000, addresses: ["+BoardAddr+"] }\nviewers: { max: 1 }\n"))
	page := browsers.Launch(t, Chromium).Open(t, "http://"+BoardAddr+":8080/")
	page.WaitPlaying(30)
	if pair := page.Pair(); pair.Protocol != "udp" || pair.Address != BoardAddr || pair.Port != 50000 {
		t.Errorf("the page is connected by %+v, want UDP to %s:50000", pair, BoardAddr)
	}
	page.WaitMoving()
}
