//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"testing"
)

// speechDB is the loudness above which something was heard: Chromium's fake microphone beeps at about -20 dB, and digital
// silence is -infinity or null.
const speechDB = -60

// TestTalkback sends Chromium's fake microphone to the streamer, which has no speaker here but measures what came in. The page says that
// the speaker fails, and its picture goes on.
func TestTalkback(t *testing.T) {
	program := StartBoardcast(t, "--width", "320", "--height", "240")
	browser := browsers.Launch(t, Chromium, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
		"--unsafely-treat-insecure-origin-as-secure="+program.Address)
	defer browsers.Shut(browser)
	page := browser.Open(t, program.Address+"/")
	page.WaitPlaying(10)
	page.Until(`boardcast.channel?.readyState === "open"`, callWithin)
	if heard := incoming(page); heard != nil && *heard > speechDB {
		t.Errorf("before talking the streamer heard %v dB", *heard)
	}
	page.Eval("Promise.resolve(boardcast.startTalk()).then(() => null)", nil)
	var heard float64
	page.in(playWithin, &heard, `e2e.until(async () => {
		const { incoming_audio_rms_db: db } = await boardcast.request("stats", {});
		return db !== null && db > %d && db;
	}, %d)`, speechDB)
	t.Logf("the streamer hears %.1f dB", heard)
	page.Until(`document.getElementById("talk").dataset.tip.includes("there is no speaker")`, callWithin)
	page.Watch()
	watched := page.WaitWatched(60)
	t.Logf("the picture with a speaker that fails: %+v", watched)
	if !watched.SamePC {
		t.Error("a speaker that fails costs the connection")
	}
	page.Eval("Promise.resolve(boardcast.stopTalk()).then(() => null)", nil)
	page.Watch()
	page.WaitWatched(10)
}

// TestNoTalkback wants neither the button nor a section that takes sound where the settings want no speaker.
func TestNoTalkback(t *testing.T) {
	program := StartBoardcast(t, "--width", "320", "--height", "240", "--speaker", "none")
	browser := browsers.Launch(t, Chromium)
	defer browsers.Shut(browser)
	page := browser.Open(t, program.Address+"/")
	page.WaitPlaying(10)
	var got struct {
		Hidden     bool     `json:"hidden"`
		Reason     string   `json:"reason"`
		Directions []string `json:"directions"`
	}
	page.Eval(`({ hidden: document.getElementById("talk").hidden, reason: document.getElementById("facts").title,
		directions: boardcast.pc.getTransceivers().map((t) => t.receiver.track.kind + " " + t.currentDirection).sort() })`, &got)
	if !strings.Contains(got.Reason, "no speaker") {
		t.Errorf("the page gives the reason %q", got.Reason)
	}
	if want := []string{"audio recvonly", "video recvonly"}; !got.Hidden || !slices.Equal(got.Directions, want) {
		t.Errorf("hidden %v, sections %q; want it hidden, and %q", got.Hidden, got.Directions, want)
	}
}

// TestTalkComesWithASpeaker has a board without a speaker come back with one: from the page's next session on there is a button. The speaker
// is ALSA's default, which does not open here: the page says so, and its picture goes on.
func TestTalkComesWithASpeaker(t *testing.T) {
	program := StartBoardcast(t, "--width", "320", "--height", "240")
	browser := browsers.Launch(t, Chromium, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
		"--unsafely-treat-insecure-origin-as-secure="+program.Address)
	defer browsers.Shut(browser)
	page := browser.Open(t, program.Address+"/")
	page.WaitPlaying(10)
	page.Until(`document.getElementById("talk").hidden && document.getElementById("facts").title.includes("the board has no speaker")`, callWithin)
	program.Kill()
	page.Until(`boardcast.state !== "playing"`, playWithin)
	StartBoardcast(t, "--width", "320", "--height", "240", "--speaker", "default")
	page.WaitPlaying(10)
	page.Until(`!document.getElementById("talk").hidden && document.getElementById("facts").title === ""`, callWithin)
	page.Eval("Promise.resolve(boardcast.startTalk()).then(() => null)", nil)
	page.Until(`document.getElementById("talk").dataset.tip.includes("the speaker cannot be used")`, playWithin)
	var said string
	page.Eval(`document.getElementById("talk").dataset.tip`, &said)
	t.Logf("the page says: %s", said)
	page.Watch()
	if watched := page.WaitWatched(60); !watched.SamePC {
		t.Errorf("a speaker that fails costs the connection: %+v", watched)
	}
}

// incoming is the loudness in dB that the streamer measures, nil for nothing.
func incoming(page *Page) *float64 {
	page.t.Helper()
	var stats struct {
		RMS *float64 `json:"incoming_audio_rms_db"`
	}
	page.Eval(`boardcast.request("stats", {})`, &stats)
	return stats.RMS
}
