//go:build e2e

package e2e

import "testing"

// TestSenderReports checks that they tie the time stamps to the clock: a browser keeps picture and sound together by them,
// and the tests measure the delay.
func TestSenderReports(t *testing.T) {
	program := StartBoardcast(t, "--codec", "h264", "--width", "320", "--height", "240")
	viewers := StartViewers(t)
	viewers.PlayOne(program, "one")
	waitFor(t, "ninety frames", func() bool { return viewers.Views()["one"].Frames >= 90 })
	seen := viewers.Views()["one"]
	t.Log(seen)
	if seen.Delay <= 0 || seen.Delay > 500 { // a frame is late on a busy machine, and never early
		t.Errorf("frames took %.1f ms by the reports, want more than 0 and at most 500", seen.Delay)
	}
}
