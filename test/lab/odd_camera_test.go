//go:build lab

package lab

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestSeldomFrames has a camera that gives a frame every five seconds, after it was slower and slower: it is never taken for gone, and
// the other camera's viewer sees all its frames.
func TestSeldomFrames(t *testing.T) {
	m := boot(t)
	loadCameras(t, m)
	p := startProgramWith(t, m, "CACHE_DIRECTORY=/run/trials-away "+fullRate,
		small(t, m, "front="+vividCamera, "rear="+rearCamera)...)
	front, rear := viewAt(t, address+"?camera=front"), viewAt(t, address+"?camera=rear")
	front.playing(10, 90*time.Second)
	rear.playing(10, 90*time.Second)
	watch := front.steadily("front")
	rear.watch()
	for _, step := range []struct {
		ms, frames int
	}{{500, 6}, {1000, 4}, {2500, 4}, {5000, 6}} {
		misbehave(t, m, "period", fmt.Sprintf("0,%d", step.ms))
		before, shown := given(t, m, 1), rear.decoded()
		began := time.Now()
		rear.moreFrames(step.frames, time.Duration(step.frames+2)*time.Duration(step.ms)*time.Millisecond+10*time.Second)
		gave, saw := given(t, m, 1)-before, rear.decoded()-shown
		figures.add("a frame every "+strconv.Itoa(step.ms)+" ms", "%d given, %d shown in %.1f s", gave, saw, time.Since(began).Seconds())
		if saw < gave-2 { // one may be on its way at either end
			t.Errorf("a frame every %d ms: %d given, %d shown", step.ms, gave, saw)
		}
	}
	has(t, "a frame every five seconds:", "rear", "live", "")
	t.Logf("a frame every five seconds: the page says %s", rear.words())
	rear.kept()
	watch.check("the other one gives a frame every five seconds")
	if strings.Contains(p.Output(), "camera gone") {
		t.Error("a camera that gives frames seldom was taken for gone")
	}
}

// TestSeldomFramesFromTheStart opens a camera that gives its frames every five seconds already.
func TestSeldomFramesFromTheStart(t *testing.T) {
	m := boot(t)
	loadCameras(t, m)
	misbehave(t, m, "period", "5000,0")
	p := startProgramIn(t, m, "/run/trials-away", small(t, m, labCamera)...)
	v := view(t)
	v.playing(1, 90*time.Second)
	v.watch()
	before, shown := given(t, m, 0), v.decoded()
	v.moreFrames(4, 40*time.Second)
	figures.add("a frame every five seconds from the start", "%d given, %d shown", given(t, m, 0)-before, v.decoded()-shown)
	v.kept()
	if strings.Contains(p.Output(), "camera gone") {
		t.Error("a camera that gives frames seldom was taken for gone")
	}
}

// TestRefusedMode has a driver that refuses STREAMON above a size, with a full bus, and of a mode that it lists: the next mode plays,
// and page and status say why.
func TestRefusedMode(t *testing.T) {
	m := boot(t)
	loadCameras(t, m)
	for _, row := range []struct {
		name           string
		errno, above   int
		width          int
		reason, refuse string
	}{
		{"full bus", 28, 320 * 180, 320, "its bus has no room left for YUYV 640x360 at 15 frames/s; it runs with YUYV 320x180", "no space left on device"},
		{"listed mode", 22, 480 * 270, 480, "it lists YUYV 640x360 at 15 frames/s, and refuses it; it runs with YUYV 480x270", "invalid argument"},
	} {
		t.Run(row.name, func(t *testing.T) {
			setParameter(t, m, "between", changedOnly)
			misbehave(t, m, "refuse_above", strconv.Itoa(row.above))
			misbehave(t, m, "refuse_errno", strconv.Itoa(row.errno))
			p := startProgramIn(t, m, "/run/trials-away", "--camera", "door="+labCamera, "--microphone", "none", "--codec", "h264")
			v := viewAt(t, address+"?camera=door")
			v.playing(1, 90*time.Second)
			has(t, row.name+":", "door", "live", row.reason)
			comes(t, row.name+":", "door")
			v.await(60*time.Second, nil, `e2e.until(async () => (await e2e.stats()).width === %d, 50000).then(() => null)`, row.width)
			v.saysOfCamera(row.name+":", "Lesser picture: "+row.reason)
			t.Log(awaitLine(t, p, row.refuse, 10*time.Second))
		})
	}
}

// TestSlowStop has a viewer come while the camera is still being closed, which takes four seconds: it is waited for, and neither
// reported busy nor gone.
func TestSlowStop(t *testing.T) {
	m := boot(t)
	loadCameras(t, m)
	misbehave(t, m, "stop_ms", "4000")
	p := startProgramWith(t, m, "CACHE_DIRECTORY=/run/trials-away BOARDCAST_VIEWERS_GRACE=1s "+fullRate,
		small(t, m, labCamera)...)
	first, open := view(t), launch(t)
	first.playing(10, 90*time.Second)
	first.await(5*time.Second, nil, `void (location.href = "about:blank")`)
	awaitLine(t, p, `msg="producer stopped" component=media producer=capture`, 30*time.Second)
	began := time.Now()
	second := open(address)
	second.playing(5, 30*time.Second)
	figures.add("viewer that comes while the camera is closed (4 s)", "plays after %.1f s", time.Since(began).Seconds())
	misbehave(t, m, "stop_ms", "0") // or the program, which has less than that to end, would end without waiting for the driver
	for _, wrong := range []string{"camera gone", "in use by", "busy"} {
		if strings.Contains(strings.ToLower(p.Output()), wrong) {
			t.Errorf("the program said %q", wrong)
		}
	}
}
