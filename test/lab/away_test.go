//go:build lab

package lab

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The cameras that can misbehave; module/camera.c says how.
const (
	cameraDriver = "/sys/bus/platform/drivers/lab_camera/"
	labCamera    = "/dev/v4l/by-path/platform-lab_camera.0-video-index0"
	rearCamera   = "/dev/v4l/by-path/platform-lab_camera.1-video-index0"
	bindRear     = "echo lab_camera.1 >" + cameraDriver + "bind; udevadm settle; test -e " + rearCamera
	unbindRear   = "echo lab_camera.1 >" + cameraDriver + "unbind; udevadm settle; ! test -e " + rearCamera
)

// loadCameras loads the cameras that can misbehave, until the test ends.
func loadCameras(t *testing.T, m *Machine) {
	t.Helper()
	load(t, m)
	run(t, m, time.Minute, "modprobe lab_camera && udevadm settle && test -e "+labCamera+" && test -e "+rearCamera)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if out, err := m.Run(ctx, "modprobe -r lab_camera"); err != nil {
			t.Errorf("unload the cameras: %v\n%s", err, out)
		}
	})
}

// misbehave sets a parameter of the cameras. They are unloaded when the test ends, and behave again when they are next loaded.
func misbehave(t *testing.T, m *Machine, parameter, value string) {
	t.Helper()
	run(t, m, 10*time.Second, "echo "+value+" >/sys/module/lab_camera/parameters/"+parameter)
}

// given is how many frames a camera has given.
func given(t *testing.T, m *Machine, camera int) int {
	t.Helper()
	list := strings.Split(strings.TrimSpace(run(t, m, 10*time.Second, "cat /sys/module/lab_camera/parameters/frames")), ",")
	n, err := strconv.Atoi(list[camera])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// small has the lab's encoder make little of what does not change, and returns arguments with pictures that are small.
func small(t *testing.T, m *Machine, cameras ...string) []string {
	t.Helper()
	setParameter(t, m, "between", changedOnly)
	var args []string
	for _, c := range cameras {
		args = append(args, "--camera", c)
	}
	return append(args, smallPicture...)
}

// smallPicture are settings with which two cameras can be encoded in the guest.
var smallPicture = []string{"--width", "320", "--height", "180", "--framerate", "5", "--microphone", "none", "--codec", "h264"}

// words is what a page says of the cameras: in the line of facts, and in the list.
func (v viewer) words() string {
	v.t.Helper()
	var said struct {
		Facts string
		List  []string
	}
	v.await(10*time.Second, &said, `({
		facts: document.querySelector("#facts").textContent,
		list: [...document.querySelectorAll("#cameras a")].map((a) => a.textContent + (a.title ? " (" + a.title + ")" : "")),
	})`)
	return fmt.Sprintf("%q, list %q", said.Facts, said.List)
}

// saysOfCamera waits until the page says a text of its camera, and logs all that it says.
func (v viewer) saysOfCamera(when, text string) {
	v.t.Helper()
	v.await(30*time.Second, nil, `e2e.until(() => document.querySelector("#facts").textContent.includes(%q), 20000).then(() => null)`, text)
	v.t.Logf("%s the page says %s", when, v.words())
}

// has waits until the status has a state and a part of the reason for a camera, and logs it.
func has(t *testing.T, when, camera, state, reason string) {
	t.Helper()
	var last cameraStatus
	eventually(t, 30*time.Second, fmt.Sprintf("%s: camera %s is %s, %q", when, camera, state, reason), func() bool {
		last = status(t).camera(t, camera)
		return last.State == state && strings.Contains(last.Reason, reason) && (reason != "" || last.Reason == "")
	})
	t.Logf("%s the status says of %s: state %q, reason %q", when, camera, last.State, last.Reason)
}

// elsewhere unplugs a camera and has it come back on another node: the old one stays in use meanwhile.
func elsewhere(t *testing.T, m *Machine, node, unbind string, meanwhile func(), bind string) {
	t.Helper()
	before := run(t, m, 5*time.Second, "readlink -f "+node)
	holder, err := m.Start(t.Context(), "exec <"+node+" && echo held && exec sleep 120")
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Stop()
	awaitLine(t, holder, "held", 10*time.Second)
	run(t, m, 20*time.Second, unbind)
	meanwhile()
	run(t, m, 30*time.Second, bind)
	if after := run(t, m, 5*time.Second, "readlink -f "+node); after == before {
		t.Fatalf("the camera is on %s again", strings.TrimSpace(after))
	}
}

// steady watches a viewer of one camera while something happens to the other camera.
type steady struct {
	viewer
	camera      string
	made, shown int // frames that the camera's encoder had made, and the browser had decoded, when the watch began
}

// steadily begins to watch.
func (v viewer) steadily(camera string) steady {
	v.t.Helper()
	v.watch()
	return steady{v, camera, encoded(v.t, camera), v.decoded()}
}

// decoded is how many frames the browser has decoded of this connection.
func (v viewer) decoded() int {
	v.t.Helper()
	var s stats
	v.await(10*time.Second, &s, "e2e.stats()")
	return s.Frames
}

// encoded is how many frames a camera's H.264 encoder has made.
func encoded(t *testing.T, camera string) int {
	t.Helper()
	for _, p := range status(t).camera(t, camera).Media.Producers {
		if p.Name == lineH264 {
			return p.Frames
		}
	}
	t.Fatalf("camera %s has no producer %s", camera, lineH264)
	return 0
}

// check fails the test if the viewer lost its connection, was without a frame for long, or did not get each frame that was made. The
// guest is slow, and a browser beside it: what a timer in the page was late is allowed for, as in the soak.
func (s steady) check(when string) {
	s.t.Helper()
	made := encoded(s.t, s.camera) - s.made
	const onTheWay = 3 // frames that were made when the watch began and decoded before, or the other way round
	shown := 0
	eventually(s.t, 10*time.Second, fmt.Sprintf("%s: %d frames of camera %s are decoded", when, made-onTheWay, s.camera), func() bool {
		shown = s.decoded() - s.shown
		return shown >= made-onTheWay
	})
	s.kept()
	w := s.watched()
	figures.add("the other camera's viewer", "%s: %d frames made, %d decoded, at most %.2f s without one, a timer was %.2f s late",
		when, made, shown, w.gap().Seconds(), w.Lag/1000)
	if most := pictureBack + 5*time.Duration(w.Lag)*time.Millisecond; made < 5 || w.gap() > most {
		s.t.Errorf("%s: %d frames of camera %s were made, and for %v none was shown, want at most %v", when, made, s.camera, w.gap(), most)
	}
}

// TestAwayCameras begins with one of two cameras absent. Each comes, or comes back, under another number, while the other's viewer is
// watched; and the settings are read again while one is away.
func TestAwayCameras(t *testing.T) {
	m := boot(t)
	loadCameras(t, m)
	t.Cleanup(func() { restore(t, m) })
	elsewhere(t, m, rearCamera, unbindRear, func() { awayAtTheStart(t, m) }, bindRear)
}

func awayAtTheStart(t *testing.T, m *Machine) {
	env := "CACHE_DIRECTORY=/run/trials-away NOTIFY_SOCKET=/run/nobody " + fullRate
	p := startProgramWith(t, m, env, small(t, m, "front="+vividCamera, "rear="+rearCamera)...)
	front, rear := viewAt(t, address+"?camera=front"), viewAt(t, address+"?camera=rear")
	front.playing(10, 90*time.Second)
	rear.playing(10, 60*time.Second)
	watch := front.steadily("front")
	has(t, "absent at the start,", "rear", "away", "is not there")
	has(t, "absent at the start,", "front", "live", "")
	rear.saysOfCamera("absent at the start,", "No picture: ")
	t.Log(awaitLine(t, p, "camera is away; showing a placeholder", 10*time.Second))
	front.moreFrames(20, 30*time.Second)
	watch.check("one is absent")

	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	rear.watch()
	if err := p.Signal(ctx, "HUP"); err != nil {
		t.Fatal(err)
	}
	t.Log(awaitLine(t, p, "reload done", 60*time.Second))
	front.playsAnew(5, 60*time.Second)
	rear.playsAnew(5, 60*time.Second)
	has(t, "read anew,", "rear", "away", "is not there")

	watch = front.steadily("front")
	run(t, m, 30*time.Second, bindRear)
	has(t, "plugged in,", "rear", "live", "")
	comes(t, "plugged in,", "rear")
	rear.moreFramesOf("plugged in,", m, 1)
	watch.check("the other one came")

	watch = front.steadily("front")
	elsewhere(t, m, rearCamera, unbindRear, func() {
		has(t, "unplugged,", "rear", "away", "was unplugged")
		rear.saysOfCamera("unplugged,", "was unplugged")
	}, bindRear)
	has(t, "back under another number,", "rear", "live", "")
	comes(t, "back under another number,", "rear")
	watch.check("the other one went and came")

	rear.playing(5, 30*time.Second)
	watch = rear.steadily("rear")
	elsewhere(t, m, vividCamera, unbindVivid, func() { has(t, "unplugged,", "front", "away", "was unplugged") }, bindVivid)
	has(t, "back under another number,", "front", "live", "")
	comes(t, "back under another number,", "front")
	watch.check("the first one went and came")
	run(t, m, 20*time.Second, unbindRear) // as elsewhere found it
}

// comes waits until a camera's own picture is captured.
func comes(t *testing.T, when, camera string) {
	t.Helper()
	eventually(t, 30*time.Second, when+" the picture is the camera's", func() bool {
		c := status(t).camera(t, camera).capture(t)
		return c.Users > 0 && !c.Placeholder
	})
}

// moreFramesOf waits until a camera has given frames, and the page has shown as many.
func (v viewer) moreFramesOf(when string, m *Machine, camera int) {
	v.t.Helper()
	before := given(v.t, m, camera)
	v.watch()
	v.moreFrames(10, 30*time.Second)
	if n := given(v.t, m, camera) - before; n < 10 {
		v.t.Errorf("%s the page showed 10 frames, and the camera gave %d", when, n)
	}
}
