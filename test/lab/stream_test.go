//go:build lab

package lab

import (
	"context"
	"testing"
	"time"
)

// TestPicture plays vivid's picture in a browser at its size, by encoders in software, and sees it move.
func TestPicture(t *testing.T) {
	m := boot(t)
	load(t, m)
	for _, row := range []struct{ codec, encoder, mime string }{{"h264", "openh264enc", "video/H264"}, {"vp8", "vp8enc", "video/VP8"}} {
		t.Run(row.codec, func(t *testing.T) {
			startProgram(t, m, "--camera", vividCamera, "--microphone", "none", "--encoder", row.encoder,
				"--width", "320", "--height", "180", "--framerate", "15")
			v := view(t)
			v.playing(1, 90*time.Second)
			var first float64
			v.await(time.Second, &first, "performance.now()")
			s := v.playing(60, 90*time.Second)
			if s.Width != 320 || s.Height != 180 || s.Codec != row.mime {
				t.Errorf("decoded %dx%d %s, want 320x180 %s", s.Width, s.Height, s.Codec, row.mime)
			}
			var moved []any
			v.await(5*time.Second, &moved, "e2e.moving(5000)")
			fps, _ := v.during(4 * time.Second)
			figures.add("vivid to Chromium, "+row.codec+", first frame", "%.1f s", first/1000)
			figures.add("vivid to Chromium, "+row.codec+", 320x180", "%.1f frames/s of 15", fps)
			if fps < 5 {
				t.Errorf("%.1f frames/s", fps)
			}
		})
	}
}

// TestSound plays a tone into the loopback and receives its energy in a browser; without the tone there is none.
func TestSound(t *testing.T) {
	m := boot(t)
	load(t, m)
	startProgram(t, m, "--camera", vividCamera, "--microphone", "hw:CARD=Loopback,DEV=1", "--codec", "vp8",
		"--width", "320", "--height", "180", "--framerate", "10")
	v := view(t)
	v.playing(10, 90*time.Second)
	v.unmute()
	_, silence := v.during(3 * time.Second)
	tone := playTone(t, m)
	defer tone.Stop()
	// What was on its way before the tone is silent still.
	_, _ = v.during(2 * time.Second)
	_, loud := v.during(3 * time.Second)
	figures.add("snd-aloop to Chromium, energy", "%.4f with a tone, %.6f without", loud, silence)
	if loud < 0.01 || silence > loud/100 {
		t.Errorf("received an energy of %.5f with the tone and %.5f without", loud, silence)
	}
}

// TestCameraHeld: of a camera that another process streams from, the program says which process that is, and what to do.
func TestCameraHeld(t *testing.T) {
	m := boot(t)
	load(t, m)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	holder, err := m.Start(ctx, "exec v4l2-ctl -d "+vividCamera+" --stream-mmap --stream-count=0")
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Stop()
	if _, err = holder.Await(ctx, "fps"); err != nil {
		t.Fatal(err)
	}
	p := startProgram(t, m, "--camera", vividCamera, "--microphone", "none")
	for _, want := range []string{"held by v4l2-ctl (pid " + holder.group + ")", "hint: close v4l2-ctl"} {
		if _, err = p.Await(ctx, want); err != nil {
			t.Error(err)
		}
	}
}
