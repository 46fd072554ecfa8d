//go:build lab

package lab

import (
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// The lab itself, without boardcast: when a test of the program fails and these pass, it is the program.

// TestKernelCamera takes frames from vivid at the size and rate that the other tests stream at.
func TestKernelCamera(t *testing.T) {
	m := boot(t)
	load(t, m)
	out := run(t, m, time.Minute, "v4l2-ctl -d "+vividCamera+
		" --set-fmt-video=width=320,height=180 --set-parm=15 --stream-mmap --stream-count=45 --stream-to=/dev/null 2>&1")
	rates := regexp.MustCompile(`([\d.]+) fps`).FindAllStringSubmatch(out, -1)
	if len(rates) == 0 {
		t.Fatalf("no frame rate in %q", out)
	}
	fps, err := strconv.ParseFloat(rates[len(rates)-1][1], 64)
	if err != nil {
		t.Fatal(err)
	}
	figures.add("vivid alone, 320x180", "%.1f frames/s of 15", fps)
	if fps < 13 || fps > 16 {
		t.Errorf("vivid delivers %.1f frames/s, want 15:\n%s", fps, out)
	}
}

// TestKernelSound plays a tone into snd-aloop and records it at the other end.
func TestKernelSound(t *testing.T) {
	m := boot(t)
	load(t, m)
	silence := record(t, m)
	tone := playTone(t, m)
	defer tone.Stop()
	if loud := record(t, m); loud < 0.1 || silence > 0.001 {
		t.Errorf("recorded a level of %.4f with the tone and %.4f without", loud, silence)
	}
}

// record returns the root of the mean square, at most 1, of a second of what the loopback's capture end hears.
func record(t *testing.T, m *Machine) float64 {
	t.Helper()
	run(t, m, 20*time.Second, "arecord -q -D "+loopbackCapture+" -t raw -f S16_LE -r 48000 -c 2 -d 2 /mnt/share/sound.raw")
	samples, err := os.ReadFile(filepath.Join(m.Share, "sound.raw"))
	if err != nil {
		t.Fatal(err)
	}
	samples = samples[len(samples)/2:] // its start may still be from before
	var sum float64
	for i := 0; i+1 < len(samples); i += 2 {
		v := float64(int16(binary.LittleEndian.Uint16(samples[i:]))) / 32768
		sum += v * v
	}
	return math.Sqrt(sum / float64(len(samples)/2))
}

// playTone plays a sine into the loopback's playback end until it is stopped. It returns when it sounds.
func playTone(t *testing.T, m *Machine) *Process {
	t.Helper()
	p, err := m.Start(context.WithoutCancel(t.Context()), "exec speaker-test -D "+loopbackPlayback+
		" -t sine -f 440 -c 2 -r 48000 -l 0 -b 200000 -p 20000")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := p.Await(ctx, "Front Left"); err != nil {
		p.Stop()
		t.Fatal(err)
	}
	return p
}
