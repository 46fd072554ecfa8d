//go:build e2e

package e2e

import (
	"context"
	_ "embed"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

//go:embed browser/inpage.js
var inPage string

const (
	callWithin = 30 * time.Second // a question that a page answers at once
	playWithin = 30 * time.Second // from a page's opening to its n-th frame, on two busy cores
	moveWithin = 5 * time.Second  // between two different pictures
)

// Page is one page of a browser. All its methods fail the test on error, and so belong to the test's goroutine.
type Page struct {
	t       testing.TB
	browser *Browser
	id      int
}

// Stats is what the page's RTCPeerConnection has received, summed over its inbound streams.
type Stats struct {
	Width       int     `json:"width"`
	Height      int     `json:"height"`
	Frames      int     `json:"frames"` // decoded
	FPS         float64 `json:"fps"`
	Codec       string  `json:"codec"` // "video/H264"
	VideoBytes  int     `json:"videoBytes"`
	PLIs        int     `json:"plis"`
	AudioCodec  string  `json:"audioCodec"` // "audio/opus"
	AudioBytes  int     `json:"audioBytes"`
	AudioEnergy float64 `json:"audioEnergy"` // totalAudioEnergy
}

// Pixels is what the page's <video> shows.
type Pixels struct {
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Hash   string `json:"hash"` // of every pixel
	Luma   []int  `json:"luma"` // 8 by 8 samples, row by row, 0 to 255
}

// Watched is what Watch has seen so far.
type Watched struct {
	Frames int     `json:"frames"`
	GapMS  float64 `json:"gap"`    // the longest time without a new frame, up to now
	LagMS  float64 `json:"lag"`    // the longest delay of one of the page's timers meanwhile
	SamePC bool    `json:"samePC"` // the RTCPeerConnection is the one it was
}

// Timings are the moments that the product's page notes, in ms since it was opened; zero: not yet.
type Timings struct {
	Opened     float64 `json:"opened"`
	Connected  float64 `json:"connected"`
	FirstFrame float64 `json:"firstFrame"`
}

// Open opens a URL in a page of its own, closed at the end of the test. If the test failed, its console is printed.
func (b *Browser) Open(t testing.TB, url string) *Page {
	t.Helper()
	p := &Page{t: t, browser: b}
	var opened struct {
		ID int `json:"id"`
	}
	ctx, cancel := context.WithTimeout(t.Context(), launchWithin)
	defer cancel()
	if err := b.bridge.call(ctx, "open", map[string]any{"browser": b.id, "url": url}, &opened); err != nil {
		t.Fatalf("open %s in %s: %v", url, b.Kind, err)
	}
	p.id = opened.ID
	t.Cleanup(func() { p.close(url) })
	p.Eval(inPage+"\nnull", nil)
	return p
}

func (p *Page) close(url string) {
	if p.id == 0 {
		return
	}
	if p.t.Failed() {
		var where string
		if err := p.try("e2e.situation()", &where, callWithin); err != nil {
			where = err.Error()
		}
		p.t.Logf("%s at %s: %s\nconsole:\n%s", p.browser.Kind, url, where, strings.Join(p.Console(), "\n"))
	}
	ctx, cancel := context.WithTimeout(context.Background(), callWithin)
	defer cancel()
	if err := p.browser.bridge.call(ctx, "closePage", map[string]any{"page": p.id}, nil); err != nil {
		p.t.Errorf("close page of %s: %v", p.browser.Kind, err)
	}
	p.id = 0
}

// Close closes the page now.
func (p *Page) Close() { p.close("") }

// Console is what the page has written to its console, uncaught errors included.
func (p *Page) Console() []string { return p.browser.bridge.consoleOf(p.id) }

// Eval evaluates an expression in the page, awaits it, and decodes its JSON into out, which may be nil.
func (p *Page) Eval(expression string, out any) {
	p.t.Helper()
	if err := p.try(expression, out, callWithin); err != nil {
		p.t.Fatalf("%s: %v", p.browser.Kind, err)
	}
}

func (p *Page) try(expression string, out any, within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return p.browser.bridge.call(ctx, "evaluate", map[string]any{"page": p.id, "expression": expression}, out)
}

// in evaluates one of inpage.js's functions that takes its own deadline in ms as the last argument.
func (p *Page) in(within time.Duration, out any, format string, args ...any) {
	p.t.Helper()
	expression := fmt.Sprintf(format, append(args, within.Milliseconds())...)
	if err := p.try(expression, out, within+callWithin); err != nil {
		p.t.Fatalf("%s: %v", p.browser.Kind, err)
	}
}

// Until waits in the page until a JavaScript expression, which may be a promise, is true.
func (p *Page) Until(condition string, within time.Duration) {
	p.t.Helper()
	p.in(within, nil, "e2e.until(async () => !!(await (%s)), %d)", condition)
}

// Rest lets the page be for a time.
func (p *Page) Rest(long time.Duration) {
	p.t.Helper()
	expression := fmt.Sprintf("new Promise((done) => setTimeout(done, %d))", max(0, long.Milliseconds()))
	if err := p.try(expression, nil, long+callWithin); err != nil {
		p.t.Fatalf("%s: %v", p.browser.Kind, err)
	}
}

// Arrived waits for the page that a click leads to, which the condition is true of, and readies it.
func (p *Page) Arrived(condition string) {
	p.t.Helper()
	deadline := time.After(callWithin)
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for arrived := false; !arrived; { // an error only says that the old page has gone meanwhile
		select {
		case <-poll.C:
			_ = p.try("document.readyState === 'complete' && "+condition, &arrived, callWithin)
		case <-deadline:
			p.t.Fatalf("%s: not at a page where %s", p.browser.Kind, condition)
		}
	}
	p.Eval(inPage+"\nnull", nil)
}

// WaitPlaying waits until the page says that it plays and so many frames are decoded in its present connection.
func (p *Page) WaitPlaying(frames int) Stats {
	p.t.Helper()
	var s Stats
	p.in(playWithin, &s, "e2e.playing(%d, %d)", frames)
	return s
}

// Stats reads the page's connection; all zero if there is none.
func (p *Page) Stats() Stats {
	p.t.Helper()
	var s Stats
	p.Eval("e2e.stats()", &s)
	return s
}

// Pixels reads the picture that is shown now.
func (p *Page) Pixels() Pixels {
	p.t.Helper()
	var px Pixels
	p.Eval("e2e.pixels()", &px)
	return px
}

// WaitMoving waits until the picture has changed, and returns two different ones.
func (p *Page) WaitMoving() (first, second Pixels) {
	p.t.Helper()
	var both [2]Pixels
	p.in(moveWithin, &both, "e2e.moving(%d)")
	return both[0], both[1]
}

// Watch begins to count the frames shown and the time between them.
func (p *Page) Watch() {
	p.t.Helper()
	p.Eval("e2e.watch()", nil)
}

// Watched is what Watch has seen so far.
func (p *Page) Watched() Watched {
	p.t.Helper()
	var w Watched
	p.Eval("e2e.watchedSoFar()", &w)
	return w
}

// WaitWatched waits until Watch has seen so many frames.
func (p *Page) WaitWatched(frames int) Watched {
	p.t.Helper()
	p.Until(fmt.Sprintf("e2e.watchedSoFar().frames >= %d", frames), playWithin)
	return p.Watched()
}

// AwaitFrame begins to wait for a new frame, whose time NextFrame tells.
func (p *Page) AwaitFrame() {
	p.t.Helper()
	p.Eval("e2e.awaitFrame()", nil)
}

// NextFrame is when the first frame since AwaitFrame was shown.
func (p *Page) NextFrame() time.Time {
	p.t.Helper()
	var ms float64
	p.in(playWithin, &ms, "e2e.nextFrame(%d)")
	return wallClock(ms)
}

// Timings are the product page's own figures, and the wall-clock time that they count from.
func (p *Page) Timings() (Timings, time.Time) {
	p.t.Helper()
	var all struct {
		Timings Timings `json:"timings"`
		Origin  float64 `json:"origin"`
	}
	p.Eval("({timings: boardcast.timings, origin: performance.timeOrigin})", &all)
	return all.Timings, wallClock(all.Origin)
}

func wallClock(ms float64) time.Time {
	whole, part := math.Modf(ms)
	return time.UnixMilli(int64(whole)).Add(time.Duration(part * float64(time.Millisecond)))
}

// Click clicks on the element that a CSS selector names, as a person does.
func (p *Page) Click(selector string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), callWithin)
	defer cancel()
	if err := p.browser.bridge.call(ctx, "click", map[string]any{"page": p.id, "selector": selector}, nil); err != nil {
		p.t.Fatalf("%s: %v", p.browser.Kind, err)
	}
}

// WaitSound clicks on the page's #sound button and waits until sound arrives. Chromium measures what a muted element
// plays as silence.
func (p *Page) WaitSound() {
	p.t.Helper()
	p.Click("#sound")
	p.Until("(await e2e.stats()).audioEnergy > 0", callWithin)
}

// Screenshot writes a PNG of the page.
func (p *Page) Screenshot(path string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), callWithin)
	defer cancel()
	if err := p.browser.bridge.call(ctx, "screenshot", map[string]any{"page": p.id, "path": path}, nil); err != nil {
		p.t.Fatalf("%s: %v", p.browser.Kind, err)
	}
}

// Spread is the difference between the brightest and the darkest sample: near zero for a blank picture.
func (px Pixels) Spread() int {
	if len(px.Luma) == 0 {
		return 0
	}
	low, high := px.Luma[0], px.Luma[0]
	for _, l := range px.Luma {
		low, high = min(low, l), max(high, l)
	}
	return high - low
}
