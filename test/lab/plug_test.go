//go:build lab

package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// Where the guest's kernel takes devices away and gives them back.
const (
	vividDriver = "/sys/bus/platform/drivers/vivid/"
	aloopDriver = "/sys/bus/platform/drivers/snd_aloop/"
	bindVivid   = "test -e " + vividDriver + "vivid.0 || { echo vivid.0 >" + vividDriver + "bind; udevadm settle; }; test -e " + vividCamera
	unbindVivid = "echo vivid.0 >" + vividDriver + "unbind; udevadm settle; ! test -e " + vividCamera
	bindAloop   = "test -e " + aloopDriver + "snd_aloop.0 || { echo snd_aloop.0 >" + aloopDriver + "bind; udevadm settle; }"
	unbindAloop = "echo snd_aloop.0 >" + aloopDriver + "unbind; udevadm settle"
)

// replugs is how often the camera is taken away and given back.
const replugs = 10

// TestPlug has one viewer of one run of the program see everything come and go: the program starts without a camera,
// one is plugged in, it is unplugged and plugged in again and again, and then the microphone is.
func TestPlug(t *testing.T) {
	m := boot(t)
	load(t, m)
	ours := cameraPicture(t, m)
	t.Cleanup(func() { restore(t, m) })
	run(t, m, 20*time.Second, unbindVivid)
	setParameter(t, m, "between", changedOnly)
	p := startProgramIn(t, m, "/run/trials-plug", "--microphone", "hw:CARD=Loopback,DEV=1",
		"--width", "320", "--height", "180", "--framerate", "15", "--bitrate", "4M")
	v := view(t)
	v.playing(20, 90*time.Second)
	c := &plugged{viewer: v, m: m, p: p, ours: ours}
	v.watch()
	t.Run("late camera", c.late)
	t.Run("camera", c.again)
	t.Run("microphone", c.microphone)
}

// restore gives back whatever a test left away.
func restore(t *testing.T, m *Machine) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if out, err := m.Run(ctx, bindVivid+"; "+bindAloop); err != nil {
		t.Errorf("give the devices back: %v\n%s", err, out)
	}
}

// plugged is the program, the viewer and the camera's picture, by which it is known.
type plugged struct {
	viewer
	m    *Machine
	p    *Process
	ours string // 64 values of luma as e2e.pixels has them, in JSON
}

// cameraPicture is what the camera shows, in eight rows of eight points, without the program.
func cameraPicture(t *testing.T, m *Machine) string {
	t.Helper()
	const width, height, frames, points = 320, 180, 5, 8
	run(t, m, 30*time.Second, fmt.Sprintf("v4l2-ctl -d %s --set-fmt-video=width=%d,height=%d,pixelformat=YUYV --set-parm=15 "+
		"--stream-mmap --stream-count=%d --stream-to=/mnt/share/camera.yuv >/dev/null 2>&1", vividCamera, width, height, frames))
	last := pictures(t, readShared(t, m, "camera.yuv"), frames)[frames-1]
	var luma []int
	for row := range points {
		for column := range points {
			x, y := (2*column+1)*width/(2*points), (2*row+1)*height/(2*points)
			luma = append(luma, (int(last[2*(y*width+x)])-16)*255/219)
		}
	}
	text, err := json.Marshal(luma)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// alike counts the points, of 64, at which the page's picture is about as bright as the camera's. The clock and the
// counters in vivid's picture change a few.
const alike = `((ours) => e2e.pixels().luma.filter((luma, i) => Math.abs(luma - ours[i]) < 32).length)(%s)`

// Of 64 points alike: at least so many is the camera's picture, fewer is not.
const sameAlike = 50

// shows waits until the page shows the camera's picture, or another, and returns how many points are alike.
func (c *plugged) shows(t *testing.T, camera bool, limit time.Duration) int {
	t.Helper()
	v, n := c.in(t), 0
	eventually(t, limit, fmt.Sprintf("the camera's picture: %v", camera), func() bool {
		v.await(5*time.Second, &n, alike, c.ours)
		return (n >= sameAlike) == camera
	})
	return n
}

// plug binds the camera and returns how long the viewer waited for its picture, from when its node was there.
func (c *plugged) plug(t *testing.T, limit time.Duration) time.Duration {
	t.Helper()
	v := c.in(t)
	v.await(5*time.Second, nil, `void (globalThis.back = e2e.until(() => `+alike+` >= %d, 60000).then(() => Date.now()))`, c.ours, sameAlike)
	run(t, c.m, 30*time.Second, bindVivid)
	ready := time.Now()
	var shown int64
	v.await(limit, &shown, "back")
	return max(0, time.UnixMilli(shown).Sub(ready))
}

// late: the viewer who saw the test picture sees the camera when there is one.
func (c *plugged) late(t *testing.T) {
	v := c.in(t)
	before := c.shows(t, false, 5*time.Second)
	wait := c.plug(t, 60*time.Second)
	v.moreFrames(10, 20*time.Second)
	v.kept()
	figures.add("first camera plugged in", "%.2f s from its node to its picture (%d of 64 points alike before)", wait.Seconds(), before)
	if wait > c.m.limit() {
		t.Errorf("%v from the camera's node to its picture, want at most %v", wait, c.m.limit())
	}
}

// again unplugs the camera and plugs it in again, every other time on another node.
func (c *plugged) again(t *testing.T) {
	run(t, c.m, 20*time.Second, bindVivid) // should the camera be away still
	t.Logf("%d of 64 points alike under the camera", c.shows(t, true, 30*time.Second))
	v := c.in(t)
	var longest, silence time.Duration
	var gaps, nodes []string
	for n := range replugs {
		v.watch()
		gap, node := c.replug(t, n%2 == 1)
		longest, silence = max(longest, gap), max(silence, v.watched().gap())
		gaps, nodes = append(gaps, fmt.Sprintf("%.2f", gap.Seconds())), append(nodes, node)
		v.kept()
		if t.Failed() {
			break
		}
	}
	figures.add("camera plugged in again, node to picture", "%s s", strings.Join(gaps, " "))
	figures.add("camera away, longest time without a frame", "%.2f s; nodes %s", silence.Seconds(), strings.Join(nodes, " "))
	if longest > c.m.limit() {
		t.Errorf("%v from the camera's node to its picture, want at most %v", longest, c.m.limit())
	}
	for _, m := range []string{`level=WARN msg="camera gone; showing a placeholder"`, `level=INFO msg="camera back"`} {
		if n := strings.Count(c.p.Output(), m); n != len(gaps) {
			t.Errorf("said %q %d times, want %d", m, n, len(gaps))
		}
	}
}

// replug unplugs the camera, looks at what stands in for it, and plugs it in again. With elsewhere, its old node stays
// in use meanwhile, so that it comes back on another.
func (c *plugged) replug(t *testing.T, elsewhere bool) (gap time.Duration, node string) {
	t.Helper()
	if elsewhere {
		holder, err := c.m.Start(t.Context(), "exec sleep 60 <"+vividCamera)
		if err != nil {
			t.Fatal(err)
		}
		defer holder.Stop()
	}
	run(t, c.m, 20*time.Second, unbindVivid)
	eventually(t, 10*time.Second, "a placeholder, by the status", func() bool { return line(t, lineCapture).Placeholder })
	c.shows(t, false, 10*time.Second)
	c.legible(t)
	gap = c.plug(t, 60*time.Second)
	if line(t, lineCapture).Placeholder {
		t.Error("the status says that a placeholder is shown, with the camera's picture on the screen")
	}
	return gap, strings.TrimSpace(run(t, c.m, 5*time.Second, "readlink -f "+vividCamera))
}

// legible fails the test if the picture is of one colour: it is to say something.
func (c *plugged) legible(t *testing.T) {
	t.Helper()
	var contrast int
	c.in(t).await(5*time.Second, &contrast, `(() => {
		const video = document.querySelector("video"), canvas = document.createElement("canvas");
		Object.assign(canvas, { width: video.videoWidth, height: video.videoHeight });
		const context = canvas.getContext("2d");
		context.drawImage(video, 0, 0);
		const green = context.getImageData(0, 0, canvas.width, canvas.height).data.filter((_, i) => i %% 4 === 1);
		return green.reduce((most, g) => Math.max(most, g), 0) - green.reduce((least, g) => Math.min(least, g), 255);
	})()`)
	if contrast < 100 {
		t.Errorf("the placeholder's brightest and darkest points differ by %d of 255: no words in it", contrast)
	}
}

// microphone unplugs the microphone and plugs it in again, as often as the camera. The picture must not notice.
func (c *plugged) microphone(t *testing.T) {
	v := c.in(t)
	v.unmute()
	tone := playTone(t, c.m)
	c.sound(t, 20*time.Second)
	v.watch()
	v.moreFrames(10, 10*time.Second)
	usual := v.watched()
	var waits []string
	for n := range replugs {
		tone.Stop()
		run(t, c.m, 20*time.Second, unbindAloop)
		if n == 0 {
			eventually(t, 10*time.Second, "no sound without a microphone", func() bool { // what was on its way, and what conceals it, comes first
				_, energy := v.during(time.Second)
				return energy < 0.001
			})
		}
		run(t, c.m, 20*time.Second, bindAloop)
		tone = playTone(t, c.m)
		waits = append(waits, fmt.Sprintf("%.1f", c.sound(t, 30*time.Second).Seconds()))
	}
	tone.Stop()
	fps, _ := v.during(2 * time.Second)
	v.kept()
	w := v.watched()
	figures.add("microphone plugged in again, tone to sound", "%s s", strings.Join(waits, " "))
	figures.add("microphone away", "%.1f frames/s afterwards; longest time without a frame %.2f s (%.2f before), timer's delay %.2f s",
		fps, w.gap().Seconds(), usual.gap().Seconds(), w.Lag/1000)
	if most := 500*time.Millisecond + usual.gap(); w.gap() > most {
		t.Errorf("the picture was away for %v when the microphone went and came, want at most %v", w.gap(), most)
	}
}

// sound waits until the page receives a tone, and returns for how long.
func (c *plugged) sound(t *testing.T, limit time.Duration) time.Duration {
	t.Helper()
	began := time.Now()
	c.in(t).await(limit, nil, `(async () => {
		const before = (await e2e.stats()).audioEnergy;
		await e2e.until(async () => (await e2e.stats()).audioEnergy > before + 0.001, %d);
	})()`, limit.Milliseconds())
	return time.Since(began)
}
