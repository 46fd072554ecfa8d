//go:build lab

package lab

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"boardcast/test/viewers"
)

// How long things take at most in the emulated machine.
const (
	talkWithin  = 30 * time.Second // from something that happens to the speaker to the words about it
	talkPlaying = 90 * time.Second // from a viewer's call to its picture
)

// talkFrames is how many frames each viewer must be sent after something has happened to the speaker: of 10 a second, where the machine
// keeps up.
const talkFrames = 20

// fakeMicrophone has Chromium talk by beeps, on a page that is neither https nor on its own machine.
var fakeMicrophone = []string{
	"--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
	"--unsafely-treat-insecure-origin-as-secure=http://" + GuestAddress + ":8080",
}

// talking is a program with a speaker, a viewer that only watches, and a page that can talk.
type talking struct {
	viewer
	m     *Machine
	p     *Process
	peers *viewers.Process
}

// The names of viewers without a browser.
const (
	talkWatcher = "watcher"
	talkSecond  = "second"
)

// startTalking streams a small picture, with a speaker, to a viewer and to a page.
func startTalking(t *testing.T, m *Machine, speaker string) *talking {
	t.Helper()
	p := startProgram(t, m, "--camera", vividCamera, "--microphone", "none", "--speaker", speaker, "--encoder", "openh264enc",
		"--width", "320", "--height", "180", "--framerate", "10", "--bitrate", "300k")
	peers := viewers.Start(t, onHost, HostAddress)
	peers.Join(soakAddress, talkWatcher, viewers.Manner{})
	peers.Wait(talkWatcher, viewers.StagePlaying, talkPlaying)
	v := launch(t, fakeMicrophone...)(address)
	v.playing(5, talkPlaying)
	v.watch()
	return &talking{viewer: v, m: m, p: p, peers: peers}
}

// in is the same for a subtest, which is the one to fail.
func (c *talking) in(t *testing.T) *talking {
	out := *c
	out.viewer = c.viewer.in(t)
	return &out
}

// talk presses the page's button, and waits until the page says these words of it; none where it is heard.
func (c *talking) talk(words string) {
	c.t.Helper()
	c.await(talkWithin, nil, "Promise.resolve(boardcast.startTalk()).then(() => null)")
	c.says(words)
}

// says waits until the page says of its voice something with these words in it, and logs it; "" waits for nothing to be said.
func (c *talking) says(words string) {
	c.t.Helper()
	var said string
	if words == "" {
		c.await(talkWithin, nil, `e2e.until(async () => boardcast.talkTrouble === null, %d).then(() => null)`, talkWithin.Milliseconds())
		return
	}
	c.await(talkWithin, &said, `e2e.until(async () => boardcast.talkTrouble?.includes(%q) && boardcast.talkTrouble, %d)`, words, talkWithin.Milliseconds())
	c.t.Logf("the page says: %s", said)
}

// stopTalking ends what talk began, and waits until the program knows.
func (c *talking) stopTalking() {
	c.t.Helper()
	c.await(talkWithin, nil, "Promise.resolve(boardcast.stopTalk()).then(() => null)")
	eventually(c.t, talkWithin, "nobody talks, by the status", func() bool { return len(c.status()) == 0 })
}

// status are what the status says of the voices, one for each viewer that talks.
func (c *talking) status() (out []string) {
	c.t.Helper()
	for _, v := range status(c.t).Media.Viewers {
		if v.Talk.State != "" {
			out = append(out, strings.TrimSpace(v.Talk.State+" "+v.Talk.Reason))
		}
	}
	return out
}

// goesOn waits until each viewer has been sent more frames, on the connection that it had.
func (c *talking) goesOn() {
	c.t.Helper()
	c.t.Logf("the status says: %q", c.status())
	c.peers.Mark()
	before := c.watched().Frames
	c.moreFrames(talkFrames, talkWithin)
	eventually(c.t, talkWithin, "more frames for each viewer", func() bool {
		for id, v := range c.peers.Views() {
			if v.Ended {
				c.t.Fatalf("viewer %s has ended", id)
			}
			if v.Frames < talkFrames {
				return false
			}
		}
		return true
	})
	c.kept()
	c.t.Logf("frames since then: the page %d", c.watched().Frames-before)
	for id, v := range c.peers.Views() {
		c.t.Logf("frames since then: %s %d, longest gap %.0f ms", id, v.Frames, v.Gap)
	}
}

// loudness is what the loopback's other end hears for a moment, in dB.
func (c *talking) loudness() float64 {
	c.t.Helper()
	run(c.t, c.m, talkWithin, "arecord -q -D "+loopbackCapture+" -t raw -f S16_LE -r 48000 -c 2 -d 2 /mnt/share/heard.raw")
	raw, sum := readShared(c.t, c.m, "heard.raw"), 0.0
	for i := 0; i+1 < len(raw); i += 2 {
		x := float64(int16(binary.LittleEndian.Uint16(raw[i:]))) / math.MaxInt16
		sum += x * x
	}
	return 10 * math.Log10(sum/float64(max(1, len(raw)/2))+1e-12)
}

// hold has another program hold all of the loopback's playback ends, until stopped.
func (c *talking) hold() *Process {
	c.t.Helper()
	p, err := c.m.Start(context.WithoutCancel(c.t.Context()), `for i in 0 1 2 3 4 5 6 7; do
			aplay -q -D hw:CARD=Loopback,DEV=0,SUBDEV=$i -t raw -f S16_LE -r 8000 -c 1 /dev/zero &
		done
		until ! grep -q closed /proc/asound/Loopback/pcm0p/sub*/status; do sleep 0.1; done
		echo all held
		wait`)
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(c.t.Context(), talkWithin)
	defer cancel()
	if _, err := p.Await(ctx, "all held"); err != nil {
		p.Stop()
		c.t.Fatal(err)
	}
	return p
}

// spoken are the program's log lines about the speaker.
func (c *talking) spoken() string {
	var lines []string
	for line := range strings.Lines(c.p.Output()) {
		if strings.Contains(line, "component=speaker") || strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines, "\n")
}

// TestTalk has viewers talk to a board whose speaker is taken, held, unplugged and given back: nobody's picture stops.
func TestTalk(t *testing.T) {
	m := boot(t)
	load(t, m)
	t.Cleanup(func() { restore(t, m) })
	c := startTalking(t, m, "hw:CARD=Loopback,DEV=0")
	t.Run("heard", func(t *testing.T) { c.in(t).heard() })
	t.Run("two talkers", func(t *testing.T) { c.in(t).second() })
	t.Run("unplugged", func(t *testing.T) { c.in(t).unplugged() })
	t.Run("busy", func(t *testing.T) { c.in(t).busy() })
	t.Logf("the log says:\n%s", c.spoken())
}

// heard: what the page says comes out of the speaker.
func (c *talking) heard() {
	c.t.Logf("before anybody talks the speaker plays %.0f dB", c.loudness())
	c.talk("")
	loud := 0.0
	eventually(c.t, talkWithin, "the speaker plays the page's voice", func() bool { loud = c.loudness(); return loud > -45 })
	c.t.Logf("the speaker plays %.0f dB", loud)
	c.goesOn()
}

// second: another viewer talks and is heard, and the page is told so; then the other has gone, and the page is heard again.
func (c *talking) second() {
	c.peers.Join(soakAddress, talkSecond, viewers.Manner{Talk: true})
	c.peers.Wait(talkSecond, viewers.StagePlaying, talkPlaying)
	c.says("another viewer is talking")
	eventually(c.t, talkWithin, "the second talker is played", func() bool { return c.peers.Views()[talkSecond].Talk == "playing" })
	c.goesOn()
	c.peers.Leave(talkSecond)
	c.says("")
}

// unplugged: the speaker goes while the page talks, and comes back.
func (c *talking) unplugged() {
	run(c.t, c.m, talkWithin, unbindAloop)
	c.says("You are not heard")
	c.goesOn()
	run(c.t, c.m, talkWithin, bindAloop)
	c.says("")
	eventually(c.t, talkWithin, "the voice is played again, by the status", func() bool { return fmt.Sprint(c.status()) == "[playing]" })
	c.t.Logf("given back, the speaker plays %.0f dB", c.loudness())
	c.stopTalking()
}

// busy: another program holds the card when the page begins to talk, and lets it go.
func (c *talking) busy() {
	closed := "grep -q closed /proc/asound/Loopback/pcm0p/sub0/status"
	run(c.t, c.m, talkWithin, "until "+closed+"; do sleep 0.2; done")
	holder := c.hold()
	defer holder.Stop()
	c.talk("You are not heard")
	c.goesOn()
	holder.Stop()
	c.says("")
	c.goesOn()
	c.stopTalking()
}

// TestTalkWithoutASpeaker: where there is no speaker the page does not offer to talk, and a viewer that talks nevertheless is told. Then
// a speaker is plugged in.
func TestTalkWithoutASpeaker(t *testing.T) {
	m := boot(t)
	load(t, m)
	t.Cleanup(func() { restore(t, m) })
	run(t, m, talkWithin, unbindAloop)
	c := startTalking(t, m, "auto")
	var words string
	c.await(talkWithin, &words, `e2e.until(async () => document.getElementById("talk").hidden && document.getElementById("facts").title, %d)`, talkWithin.Milliseconds())
	t.Logf("the page has no button; it says: %s", words)
	c.peers.Join(soakAddress, talkSecond, viewers.Manner{Talk: true})
	c.peers.Wait(talkSecond, viewers.StagePlaying, talkPlaying)
	eventually(t, talkWithin, "the talker is told", func() bool { return strings.HasPrefix(c.peers.Views()[talkSecond].Talk, "failed") })
	t.Logf("the talker is told: %s", c.peers.Views()[talkSecond].Talk)
	c.goesOn()
	c.comes()
	t.Logf("the log says:\n%s", c.spoken())
}

// comes: a speaker is plugged in. The viewer that talks all the time is heard, and a page that is opened now has the button.
func (c *talking) comes() {
	run(c.t, c.m, talkWithin, bindAloop)
	eventually(c.t, talkWithin, "the talker is heard", func() bool { return c.peers.Views()[talkSecond].Talk == "playing" })
	c.goesOn()
	c.peers.Leave(talkSecond)
	later := *c
	later.viewer = launch(c.t, fakeMicrophone...)(address)
	later.playing(5, talkPlaying)
	later.await(talkWithin, nil, `e2e.until(async () => !document.getElementById("talk").hidden, %d).then(() => null)`, talkWithin.Milliseconds())
	later.talk("")
	eventually(c.t, talkWithin, "the page is heard, by the status", func() bool { return slices.Contains(c.status(), "playing") })
}
