//go:build e2e

package e2e

import "testing"

// speechDB is the loudness above which something was heard: Chromium's fake microphone beeps at about -20 dB, and digital
// silence is -infinity or null.
const speechDB = -60

// TestTalkback sends Chromium's fake microphone to the streamer, which has no speaker here but measures what came in.
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
	page.Eval("Promise.resolve(boardcast.stopTalk()).then(() => null)", nil)
	page.Watch()
	page.WaitWatched(10)
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
