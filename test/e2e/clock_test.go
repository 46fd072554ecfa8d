//go:build e2e

package e2e

import (
	"math"
	"testing"
)

// played is what a browser says of one stream: when, by the program's clock, what it shows now was captured.
type played struct {
	Captured float64 `json:"captured"` // ms since 1970 by the sender reports
	At       float64 `json:"at"`       // ms since 1970 by the browser's clock, which is the program's here
}

// Sender reports come every five seconds or so; the browser needs two.
const playedScript = `(async () => {
  const since1900 = 2208988800000, out = {};
  (await boardcast.pc.getStats()).forEach((s) => {
    if (s.type === "inbound-rtp" && s.estimatedPlayoutTimestamp)
      out[s.kind] = { captured: s.estimatedPlayoutTimestamp - since1900, at: s.timestamp };
  });
  return out;
})()`

// TestClock has a browser tell, from the sender reports, when what it plays was captured: sound and picture go together only if
// that is so.
func TestClock(t *testing.T) {
	program := StartBoardcast(t, "--codec", "h264", "--width", "320", "--height", "240")
	page := browsers.Launch(t, Chromium).Open(t, program.Address+"/")
	page.WaitPlaying(1)
	page.Until(`boardcast.pc.getStats().then((all) => [...all.values()].filter((s) => s.type === "remote-outbound-rtp" && s.reportsSent >= 3).length === 2)`, playWithin)
	first, frames := page.played(), page.Stats().Frames
	page.WaitPlaying(frames + 90)
	last := page.played()
	for _, kind := range []string{"audio", "video"} {
		from, to := first[kind], last[kind]
		passed, went := to.At-from.At, to.Captured-from.Captured
		t.Logf("%s: %.0f ms of it in %.0f ms, %.0f ms after it was captured", kind, went, passed, to.At-to.Captured)
		if math.Abs(went-passed) > passed/10 {
			t.Errorf("%s: %.0f ms of it were played in %.0f ms", kind, went, passed)
		}
	}
	if apart := math.Abs(last["audio"].Captured - last["video"].Captured); apart > 150 {
		t.Errorf("sound and picture are %.0f ms apart", apart)
	}
}

// played waits until the browser knows of both streams.
func (p *Page) played() map[string]played {
	p.t.Helper()
	p.Until(playedScript+`.then((o) => o.audio && o.video)`, playWithin)
	var out map[string]played
	p.Eval(playedScript, &out)
	return out
}
