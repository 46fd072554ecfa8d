//go:build e2e

package e2e

import (
	"fmt"
	"testing"
)

// What a link that loses a tenth of its packets may do to a picture of 300 frames.
const (
	lossyFrozen = 0.1 // of the time
	lossyAgain  = 1.2 // of what is lost comes again: each packet twice
)

// TestLossyLink has packets lost on the way to a page with sound: each is asked for and sent again at once.
func TestLossyLink(t *testing.T) {
	links := NewLinks(t)
	far := links.Network(Shape{Loss: 0.1}, Shape{}, 1)
	program := StartBoardcast(t, "--codec", "h264", "--width", "640", "--height", "360", "--bitrate", "1500k")
	page, _ := links.open(t, program, far)
	var before, after inbound
	page.Eval(linkScript, &before)
	page.Until(fmt.Sprintf("(await e2e.stats()).frames >= %d", before.Frames+300), 2*playWithin)
	page.Eval(linkScript, &after)
	frozen := (after.Freezes - before.Freezes) / 10
	lost, again := after.Lost-before.Lost, after.Again-before.Again
	t.Logf("%d packets lost, %d came again, %d NACKs, frozen for %.0f %% of the time", lost, again, after.NACKs-before.NACKs, frozen*100)
	if frozen > lossyFrozen {
		t.Errorf("frozen for %.0f %% of the time, want %.0f %%", frozen*100, lossyFrozen*100)
	}
	if float64(again) < lossyAgain*float64(lost) || lost == 0 {
		t.Errorf("%d of %d packets came again, want %.0f %%", again, lost, lossyAgain*100)
	}
}
