//go:build e2e

package e2e

import (
	"os/exec"
	"strings"
	"testing"
)

// deadWithin is how long, in ms, the opening of a page may take to its connection with a board of two networks.
const deadWithin = 3000

// TestDeadAddress gives the board a second network, which no viewer's answers come back to: it costs them no time. (libnice
// nominates nothing while a check by that address is under way.)
func TestDeadAddress(t *testing.T) {
	for _, line := range []string{"link add dead type veth peer name end", "addr add 10.1.0.1/16 dev dead", "link set dead up", "link set end up"} {
		if err := run(exec.CommandContext(t.Context(), "ip", strings.Fields(line)...)); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { ip(t, false, "link del dead") })
	program := StartBoardcast(t, "--width", "320", "--height", "240")
	browser := browsers.Launch(t, Chromium)
	for range 6 {
		page := browser.Open(t, program.Address+"/")
		page.WaitPlaying(1)
		timings, _ := page.Timings()
		page.Close()
		if t.Logf("%+v", timings); timings.Connected > deadWithin {
			t.Errorf("connected after %.0f ms, want at most %d", timings.Connected, deadWithin)
		}
	}
}
