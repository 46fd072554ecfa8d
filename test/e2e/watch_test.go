//go:build e2e

package e2e

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"
)

// assertWatchable checks everything that a viewer of the product's page is promised, once it plays.
func assertWatchable(t *testing.T, page *Page, codec string, width, height int) {
	t.Helper()
	stats := page.WaitPlaying(90)
	if stats.Width != width || stats.Height != height || stats.Codec != codec || !strings.EqualFold(stats.AudioCodec, "audio/opus") {
		t.Errorf("stats = %+v, want %s at %dx%d and audio/opus", stats, codec, width, height)
	}
	first, second := page.WaitMoving()
	if second.Width != width || second.Height != height || first.Hash == second.Hash || second.Spread() < 40 {
		t.Errorf("pictures = %+v, %+v, want two different ones of %dx%d, not blank", first, second, width, height)
	}
	page.WaitSound()
	assertPing(t, page)
	assertQuiet(t, page)
}

func assertPing(t *testing.T, page *Page) {
	t.Helper()
	page.Until(`boardcast.channel?.readyState === "open"`, callWithin)
	var pong struct {
		Pong   bool    `json:"pong"`
		TimeMS float64 `json:"time_ms"`
	}
	page.Eval(`boardcast.request("ping", {})`, &pong)
	if age := time.Since(wallClock(pong.TimeMS)); !pong.Pong || math.Abs(age.Seconds()) > callWithin.Seconds() {
		t.Errorf("ping = %+v, %v old, want a pong with the time of now", pong, age)
	}
}

// assertQuiet checks that the page had no error and fetched nothing from elsewhere.
func assertQuiet(t *testing.T, page *Page) {
	t.Helper()
	for _, line := range page.Console() {
		if strings.Contains(line, "error: ") || strings.Contains(line, "pageerror: ") {
			t.Errorf("console: %s", line)
		}
	}
	var outside []string
	page.Eval(`performance.getEntriesByType("resource").map((e) => e.name).filter((n) => !n.startsWith(location.origin))`, &outside)
	if len(outside) > 0 {
		t.Errorf("the page fetched %q", outside)
	}
}

// TestWatch plays the embedded page in each browser with each codec, at a size of its own. BOARDCAST_SCREENSHOT names a
// file for a picture of the page, as the README shows.
func TestWatch(t *testing.T) {
	tests := []struct {
		name          string
		kind          Kind
		codec         string
		width, height int
		want          string
	}{
		{"chromium h264", Chromium, "h264", 640, 360, "video/H264"},
		{"chromium vp8", Chromium, "vp8", 480, 272, "video/VP8"},
		{"firefox auto", Firefox, "auto", 320, 240, "video/VP8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			program := StartBoardcast(t, "--codec", tt.codec, "--width", fmt.Sprint(tt.width), "--height", fmt.Sprint(tt.height))
			page := browsers.Launch(t, tt.kind).Open(t, program.Address+"/")
			assertWatchable(t, page, tt.want, tt.width, tt.height)
			page.Until(`fetch("/api/status").then((r) => r.json()).then((s) => s.media.viewers.some((v) => v.estimate_bps > 0))`, playWithin)
			if path := os.Getenv("BOARDCAST_SCREENSHOT"); path != "" && tt.codec == "h264" {
				page.Click("#sound") // the buttons fade when nothing moves
				page.Until(`getComputedStyle(document.getElementById("bar")).opacity === "1"`, callWithin)
				page.Screenshot(path)
			}
			var own struct{ Width, Height, FramesDecoded int }
			page.Eval("boardcast.stats()", &own)
			if own.Width != tt.width || own.Height != tt.height || own.FramesDecoded < 90 {
				t.Errorf("the page's own stats = %+v, want %dx%d and at least 90 frames", own, tt.width, tt.height)
			}
		})
	}
}

// TestTwoBrowsers has both browsers watch one program at once, each with the codec it does best.
func TestTwoBrowsers(t *testing.T) {
	program := StartBoardcast(t, "--width", "320", "--height", "240")
	chromium := browsers.Launch(t, Chromium).Open(t, program.Address+"/")
	firefox := browsers.Launch(t, Firefox).Open(t, program.Address+"/")
	chromium.WaitPlaying(1)
	firefox.WaitPlaying(1)
	chromium.Watch()
	firefox.Watch()
	assertWatchable(t, chromium, "video/H264", 320, 240)
	assertWatchable(t, firefox, "video/VP8", 320, 240)
	for _, page := range []*Page{chromium, firefox} {
		if w := page.WaitWatched(90); !w.SamePC {
			t.Errorf("%s: the connection was replaced meanwhile", page.browser.Kind)
		}
	}
}

// TestTwoViewers has one viewer leave and come back beside another, whose picture must not notice.
func TestTwoViewers(t *testing.T) {
	program := StartBoardcast(t, "--width", "320", "--height", "240")
	browser := browsers.Launch(t, Chromium)
	stays := browser.Open(t, program.Address+"/")
	stays.WaitPlaying(1)
	stays.Watch()
	for range 3 {
		other := browser.Open(t, program.Address+"/")
		other.WaitPlaying(10)
		other.Close()
	}
	before := stays.Watched()
	after := stays.WaitWatched(before.Frames + 30)
	assertUnbroken(t, after)
}

// A picture that stops is one that stands still for longer than this, where a frame is due every 33 ms, and than five
// times what the page's own timers were late: on two cores with ten times the work they can do, everything stands still.
const pictureStops = time.Second

func assertUnbroken(t *testing.T, w Watched) {
	t.Helper()
	t.Logf("longest time without a frame: %.0f ms over %d frames; timers late by up to %.0f ms", w.GapMS, w.Frames, w.LagMS)
	if limit := float64(pictureStops.Milliseconds()) + 5*w.LagMS; w.GapMS > limit {
		t.Errorf("the picture stood still for %.0f ms, want at most %.0f", w.GapMS, limit)
	}
	if !w.SamePC {
		t.Error("the page has a new connection, want the old one kept")
	}
}
