//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"
)

// What is promised of a page that joins, in the median.
const (
	joinAlone  = 60 * time.Millisecond  // from the connection to the first frame
	joinBurst  = 300 * time.Millisecond // the same, among thirty that join at once
	joinOpened = 450 * time.Millisecond // from the opening of the page to its first frame
	joins      = 20
	bursts     = 10
	burstSize  = 30
)

// BenchmarkJoin states how long Chromium waits for the first frame of a stream that runs, whose keyframes are more than ten
// seconds apart where nobody asks for one: joining alone, and among thirty.
func BenchmarkJoin(b *testing.B) {
	for b.Loop() {
		file := settings(b, "viewers:\n  max: 100\n")
		program := StartBoardcast(b, append([]string{"--config", file}, viewersFlags...)...)
		steady := StartViewers(b)
		steady.PlayOne(program, "steady")
		browser := browsers.Launch(b, Chromium)
		browser.Open(b, program.Address+"/").Close() // what a browser reads once is read
		before := loadNow(b)
		var waited, opened []float64
		for range joins {
			w, o := joinPage(b, browser, program)
			waited, opened = append(waited, w), append(opened, o)
			settle(b, program)
		}
		b.Logf("%s: alone, ms from the connection to the first frame: %.0f", before, waited)
		b.Logf("ms from the opening to the first frame: %.0f", opened)
		among, others := joinBursts(b, browser, program)
		b.Logf("%s: among %d, ms from the connection to the first frame: %.0f", loadNow(b), burstSize, among)
		b.Logf("median: alone %.0f ms (promised %v), among %d %.0f ms (%v; viewers without a browser: %.0f), opened to first frame %.0f ms (%v)",
			median(waited), joinAlone, burstSize, median(among), joinBurst, median(others), median(opened), joinOpened)
		b.ReportMetric(median(waited), "ms-alone")
		b.ReportMetric(median(among), "ms-burst")
		b.ReportMetric(median(opened), "ms-opened")
		b.ReportMetric(0, "ns/op")
	}
}

// joinBursts has a page join beside the others, again and again, and returns what the pages and the others waited for.
func joinBursts(b *testing.B, browser *Browser, program *Program) (pages, others []float64) {
	b.Helper()
	for burst := range bursts {
		crowd := StartViewers(b)
		for i := range burstSize - 1 {
			crowd.Join(program, fmt.Sprintf("burst-%d-%d", burst, i), Manner{})
		}
		waited, _ := joinPage(b, browser, program)
		pages = append(pages, waited)
		for i := range burstSize - 1 {
			crowd.Wait(fmt.Sprintf("burst-%d-%d", burst, i), StagePlaying, playWithin)
		}
		for id, v := range crowd.Views() {
			others = append(others, v.FirstFrame)
			crowd.Leave(id)
		}
		crowd.Kill()
		settle(b, program)
	}
	return pages, others
}

// joinPage opens the page and returns, in ms, how long it waited from its connection and from its opening to the first frame.
func joinPage(b *testing.B, browser *Browser, program *Program) (waited, opened float64) {
	b.Helper()
	page := browser.Open(b, program.Address+"/")
	page.Until(`boardcast?.timings.firstFrame > 0`, playWithin)
	timings, _ := page.Timings()
	page.Close()
	return timings.FirstFrame - timings.Connected, timings.FirstFrame
}

// settle waits until only the steady viewer is left, and for the time that keyframes are apart at least.
func settle(b *testing.B, program *Program) {
	b.Helper()
	waitFor(b, "the others gone", func() bool { return len(program.status().Media.Viewers) == 1 })
	pause(time.Second)
}
