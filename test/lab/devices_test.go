//go:build lab

package lab

import (
	"encoding/json"
	"slices"
	"testing"
	"time"
)

// The guest's devices, by names that don't depend on the order in which they appear.
const (
	vividCamera      = "/dev/v4l/by-path/platform-vivid.0-video-index0"
	labEncoder       = "/dev/v4l/by-path/platform-lab_h264.0-video-index0"
	loopbackPlayback = "plughw:CARD=Loopback,DEV=0"
	loopbackCapture  = "plughw:CARD=Loopback,DEV=1"
)

// loadDevices brings every kind of device that the lab has into the guest: a camera (vivid) that also has output and
// metadata nodes, memory-to-memory codecs and a converter, a loopback camera that nobody feeds, and sound cards.
const loadDevices = `
set -e
` + loadVivid + `
modprobe -a vicodec vim2m snd-aloop lab_h264
modprobe v4l2loopback devices=1 video_nr=20 exclusive_caps=1 card_label=LabCam
udevadm trigger --subsystem-match=video4linux --subsystem-match=sound
udevadm settle
`

// load loads the devices unless an earlier test did.
func load(t *testing.T, m *Machine) {
	t.Helper()
	shared.loaded.Do(func() {
		began := time.Now()
		run(t, m, time.Minute, loadDevices)
		figures.add("devices loaded", "%.1f s", time.Since(began).Seconds())
	})
}

// listing is what `boardcast devices --json` says, as far as the tests look.
type listing struct {
	Cameras []struct {
		Name   string `json:"name"`
		Driver string `json:"driver"`
		ID     string `json:"id"`
	} `json:"cameras"`
	Microphones []struct {
		PCM string `json:"pcm"`
	} `json:"microphones"`
	Speakers []struct {
		PCM string `json:"pcm"`
	} `json:"speakers"`
}

func list(t *testing.T, m *Machine) (l listing, out string) {
	t.Helper()
	out = run(t, m, time.Minute, programPath(t)+" devices --json 2>/dev/null")
	if err := json.Unmarshal([]byte(out), &l); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return l, out
}

func (l listing) drivers() []string {
	drivers := []string{}
	for _, camera := range l.Cameras {
		drivers = append(drivers, camera.Driver)
	}
	slices.Sort(drivers)
	return drivers
}

// TestDevices: among output, metadata and memory-to-memory nodes, and a loopback that nobody feeds, there is one camera,
// and the loopback card's ends are the microphones and the speakers. Once fed, the loopback is a camera too.
func TestDevices(t *testing.T) {
	m := boot(t)
	load(t, m)
	l, out := list(t, m)
	if got := l.drivers(); !slices.Equal(got, []string{"vivid"}) {
		t.Errorf("cameras %v, want vivid's alone:\n%s", got, out)
	}
	if len(l.Cameras) == 1 && l.Cameras[0].ID != vividCamera {
		t.Errorf("the camera's id is %q, want %q", l.Cameras[0].ID, vividCamera)
	}
	pcms := []string{"hw:CARD=Loopback,DEV=0", "hw:CARD=Loopback,DEV=1"}
	var microphones, speakers []string
	for _, s := range l.Microphones {
		microphones = append(microphones, s.PCM)
	}
	for _, s := range l.Speakers {
		speakers = append(speakers, s.PCM)
	}
	if !slices.Equal(microphones, pcms) || !slices.Equal(speakers, pcms) {
		t.Errorf("microphones %q, speakers %q, want %q for both:\n%s", microphones, speakers, pcms, out)
	}
	feedLoopback(t, m)
	if got, out := list(t, m); !slices.Equal(got.drivers(), []string{"v4l2 loopback", "vivid"}) {
		t.Errorf("cameras %v with a loopback that is fed:\n%s", got.drivers(), out)
	}
}

// feedLoopback has another program feed the loopback camera until the test ends.
func feedLoopback(t *testing.T, m *Machine) {
	t.Helper()
	p, err := m.Start(t.Context(), "exec gst-launch-1.0 -v videotestsrc is-live=true ! "+
		"video/x-raw,format=YUY2,width=320,height=240,framerate=5/1 ! identity silent=false ! v4l2sink device=/dev/video20")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	if _, err := p.Await(t.Context(), "last-message = chain"); err != nil {
		t.Fatal(err)
	}
}
