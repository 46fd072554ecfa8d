//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"
)

// TestSlowViewer has one viewer on a free link and one whose link is cut below what the other is sent: it gets the lower
// rendition, a whole picture that moves, and the other notices nothing.
func TestSlowViewer(t *testing.T) {
	wide := Shape{Rate: 5_000_000, Queue: 300 * time.Millisecond}
	links := NewLinks(t)
	far, near := links.Network(wide, Shape{}, 1), links.Network(Shape{}, Shape{}, 2)
	program := StartBoardcast(t, "--codec", "h264", "--width", "320", "--height", "240", "--framerate", "15", "--bitrate", "600k",
		"--microphone", "none")
	slow, viewer := links.open(t, program, far)
	free := near.Launch(t, Chromium).Open(t, links.page(program))
	free.WaitPlaying(10)
	free.Watch()
	before, made := program.status(), program.status().frames("h264")

	narrow := wide
	narrow.Rate = 150_000
	far.Shape(ToBrowser, narrow)
	slow.Until("(await e2e.stats()).width === 160", playWithin)
	if _, moved := slow.WaitMoving(); moved.Width != 160 || moved.Height != 120 || moved.Spread() < 40 {
		t.Errorf("the slow viewer sees %dx%d with a spread of %d", moved.Width, moved.Height, moved.Spread())
	}
	seen := slow.Stats().Frames
	slow.Until(fmt.Sprintf("(await e2e.stats()).frames >= %d", seen+30), playWithin) // not keyframes only, which come once in 4 s

	after := program.status()
	if v := after.viewer(viewer); v.Rendition != "lower" || v.KeyframesOnly {
		t.Errorf("the slow viewer is %+v", v)
	}
	if s := free.Stats(); s.Width != 320 || s.Height != 240 {
		t.Errorf("the other sees %dx%d", s.Width, s.Height)
	}
	assertUnbroken(t, free.Watched())
	for _, v := range after.Media.Viewers {
		if v.ID == viewer {
			continue
		}
		sent, all := v.Sent.VideoFrames-before.viewer(v.ID).Sent.VideoFrames, after.frames("h264")-made
		t.Logf("the other was sent %d of %d frames", sent, all)
		if v.Rendition != "" || v.KeyframesOnly || float64(sent) < linkFrames*float64(all)-20 { // counted once a second
			t.Errorf("the other is %+v and was sent %d of %d frames", v, sent, all)
		}
	}
	for _, page := range []*Page{slow, free} {
		assertQuiet(t, page)
	}
}

// TestFirstPacketOfTheLowerRendition loses one packet in twenty of a viewer's video, then cuts its link, and loses the very first
// packet of the lower rendition, in which its size stands. One that comes after the others would cost half a second: until the
// browser, which takes the keyframe to be of the size before, asks for another.
func TestFirstPacketOfTheLowerRendition(t *testing.T) {
	full := Shape{Rate: 3_000_000, Queue: 300 * time.Millisecond}
	links := NewLinks(t)
	far, near := links.Network(full, Shape{}, 1), links.Network(Shape{}, Shape{}, 2)
	program := StartBoardcast(t, "--codec", "h264", "--width", "640", "--height", "480", "--bitrate", "2500k", "--microphone", "none")
	page, _ := links.open(t, program, far)
	free := near.Launch(t, Chromium).Open(t, links.page(program))
	free.WaitPlaying(10)
	n, lossy := 0, full
	lossy.Lose = func(packet []byte) bool {
		if !carriesVideo(packet) {
			return false
		}
		n++
		return n%20 == 0
	}
	far.Shape(ToBrowser, lossy)
	seen := page.Stats().Frames
	page.Until(fmt.Sprintf("(await e2e.stats()).frames >= %d", seen+90), playWithin)
	var before, after inbound
	page.Eval(linkScript, &before)
	var newest time.Time
	lost, cut := false, full
	cut.Rate = linkLow
	cut.Lose = func(packet []byte) bool {
		if !carriesVideo(packet) {
			return false
		}
		first := !lost && !newest.IsZero() && time.Since(newest) > 150*time.Millisecond // the full link was given nothing
		newest = time.Now()
		lost = lost || first
		return first
	}
	far.Shape(ToBrowser, cut)
	page.Until("(await e2e.stats()).width === 320", playWithin)
	seen = page.Stats().Frames
	page.Until(fmt.Sprintf("(await e2e.stats()).frames >= %d", seen+60), playWithin)
	page.Eval(linkScript, &after)
	t.Logf("%d packets were asked for; %d keyframes; frozen for %.2f s", after.NACKs-before.NACKs, after.PLIs-before.PLIs, after.Freezes-before.Freezes)
	if after.PLIs > before.PLIs {
		t.Errorf("the browser asked for %d keyframes", after.PLIs-before.PLIs)
	}
}

// carriesVideo tells whether an IP packet carries H.264 that is sent for the first time.
func carriesVideo(packet []byte) bool {
	const rtp, video = 28, 102 // IPv4 and UDP without options; the payload type
	return len(packet) > rtp+12 && packet[9] == 17 && packet[rtp]>>6 == 2 && packet[rtp+1]&0x7f == video
}
