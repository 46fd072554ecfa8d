package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"maps"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// badPi is a Pi 4 as people set it up: user in no group, codecs left out of the firmware, a webcam taken by another
// program, a weak supply, an old clock.
func badPi() machine {
	files := piFiles()
	files["dev/video0"] = charNode(videoGID, 0o660)
	files["dev/snd/controlC1"] = charNode(audioGID, 0o660)
	files["proc/device-tree/compatible"] = text("raspberrypi,4-model-b\x00brcm,bcm2711\x00")
	files["proc/meminfo"] = text("MemTotal:        3884360 kB\nCmaTotal:          32768 kB\nCmaFree:            2048 kB\n")
	files["boot/firmware/config.txt"] = text("# mine\ndtparam=audio=on\n[all]\ngpu_mem=16\n")
	files["home/pi/.cache/gstreamer-1.0/registry.aarch64.bin"] = made(99)
	files["sys/class/hwmon/hwmon1/name"] = text("rpi_volt\n")
	files["sys/class/hwmon/hwmon1/in0_lcrit_alarm"] = text("1\n")
	files["sys/devices/system/cpu/cpufreq/policy0/scaling_governor"] = text("powersave\n")
	files["sys/devices/system/cpu/cpufreq/policy0/scaling_driver"] = text("cpufreq-dt\n")
	files["sys/devices/system/cpu/cpufreq/policy0/scaling_available_governors"] = text("ondemand powersave performance\n")
	maps.Copy(files, listens("python3"))
	return machine{
		files: files, env: map[string]string{"HOME": "/home/pi"}, groups: []int{videoGID},
		lacks: []string{"v4l2h264enc", "nicesink", "clockoverlay"}, rescan: []string{"v4l2h264enc"},
		camera: Device{
			Text: "HD Cam (/dev/video0): the only camera found", Busy: true,
			Err: errors.New("open /dev/video0: in use by another program: held by motion (pid 640)"), Hint: "close motion",
		},
		microphone: Device{Text: "test tone: no microphone found", Missing: true, Hint: "plug one in"},
		claim:      errTaken, now: time.Unix(1e9, 0),
		request: Request{Listen: ":8080", Encoders: []Encoder{v4l2, x264, vp8}, STUN: "stun://example.org:3478"},
	}
}

// TestReport compares the whole report of one machine, for people and for scripts, with the golden files.
func TestReport(t *testing.T) {
	m := badPi()
	r := Run(t.Context(), m.host(), m.request)
	var human bytes.Buffer
	if err := r.Write(&human); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/pi-4.txt", human.Bytes())
	asJSON, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/pi-4.json", append(asJSON, '\n'))
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// When a driver, the network or GStreamer hangs, the other checks are reported all the same.
func TestNothingHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		defer close(stuck)
		m := badPi()
		h := m.host()
		h.Camera = func(context.Context) Device { <-stuck; return Device{} }
		h.Port.Claim = func() error { <-stuck; return nil }
		h.GStreamer.Installed = func(string) bool { <-stuck; return false }
		began := time.Now()
		r := Run(t.Context(), h, m.request)
		if took := time.Since(began); took != slow {
			t.Errorf("took %v, want %v", took, slow)
		}
		late := warn("no answer in time", "something hangs: the kernel's log (dmesg) may say what")
		for _, name := range []string{"plugins", "encoder", "registry", "camera", "port"} {
			late.Name = name
			if diff := cmp.Diff(late, result(t, r, name)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		if got := result(t, r, "groups"); got.Status != Warning || got.Detail == late.Detail {
			t.Errorf("a check that answered: %+v", got)
		}
	})
}

// Checks that have to wait do so at the same time.
func TestChecksRunAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := machine{}.host()
		wait := func(context.Context) Device { <-time.After(3 * time.Second); return Device{} }
		h.Camera, h.Microphone = wait, wait
		began := time.Now()
		Run(t.Context(), h, Request{})
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestRunEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		defer close(stuck)
		ctx, end := context.WithTimeout(t.Context(), time.Second)
		defer end()
		h := machine{}.host()
		h.Camera = func(context.Context) Device { <-stuck; return Device{} }
		began := time.Now()
		Run(ctx, h, Request{})
		if took := time.Since(began); took != time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestCount(t *testing.T) {
	r := Report{Checks: []Result{{Status: OK}, {Status: Failure}, {Status: OK}}}
	if r.Count(OK) != 2 || r.Count(Warning) != 0 || r.Count(Failure) != 1 {
		t.Errorf("%d ok, %d warnings, %d failures", r.Count(OK), r.Count(Warning), r.Count(Failure))
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, fs.ErrInvalid }

func TestWriteTellsItsError(t *testing.T) {
	if err := (Report{}).Write(full{}); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("error %v", err)
	}
}
