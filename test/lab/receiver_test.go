//go:build lab

package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

const (
	// loadVivid loads vivid as loadDevices does.
	loadVivid = "modprobe vivid n_devs=1 node_types=0x60101 num_inputs=2 input_types=0xc num_outputs=1; udevadm settle"
	// loadReceiver loads it as an HDMI receiver: one input of that kind, nothing that scales, and a queue that is single-planar
	// (1) or multi-planar (2).
	loadReceiver = "modprobe -r vivid; modprobe vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0x3 num_outputs=0 " +
		"ccs_cap_mode=0 multiplanar=%d; udevadm settle"
	// selectSource has the receiver see the timings of a name, whatever it is set to.
	selectSource = "n=$(v4l2-ctl -d %[1]s -L | sed -n 's/^[[:space:]]*\\([0-9]*\\): %[2]s$/\\1/p'); " +
		"v4l2-ctl -d %[1]s --set-ctrl dv_timings_signal_mode=4 --set-ctrl dv_timings=$n"
)

// receiverModes is what `boardcast devices --json` says of the first format.
type receiverModes struct {
	Cameras []struct {
		Formats []struct {
			Sizes []struct {
				Width, Height int
				Rates         []struct{ Num, Den int }
			}
		}
	}
}

func receiverSizes(t *testing.T, m *Machine) string {
	t.Helper()
	out := run(t, m, time.Minute, programPath(t)+" devices --json 2>/dev/null")
	var modes receiverModes
	if err := json.Unmarshal([]byte(out), &modes); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if len(modes.Cameras) == 0 || len(modes.Cameras[0].Formats) == 0 {
		t.Fatalf("no format in %s", out)
	}
	return fmt.Sprint(modes.Cameras[0].Formats[0].Sizes)
}

// TestReceiver: an HDMI receiver has the size and rate that its source sends now, also after the source has changed, and
// the element that captures takes them up.
func TestReceiver(t *testing.T) {
	m := boot(t)
	load(t, m)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if out, err := m.Run(ctx, "modprobe -r vivid; "+loadVivid); err != nil {
			t.Errorf("load vivid again: %v\n%s", err, out)
		}
	})
	const singlePlanar, multiPlanar = 1, 2
	for _, queue := range []int{multiPlanar, singlePlanar} {
		run(t, m, time.Minute, fmt.Sprintf(loadReceiver, queue))
		for _, source := range []struct{ name, want, caps string }{
			{"1280x720p60", "[{1280 720 [{60 1}]}]", "width=1280,height=720,framerate=60/1"},
			{"1920x1080p50", "[{1920 1080 [{50 1}]}]", "width=1920,height=1080,framerate=50/1"},
		} {
			run(t, m, time.Minute, fmt.Sprintf(selectSource, vividCamera, source.name))
			if got := receiverSizes(t, m); got != source.want {
				t.Errorf("source %s, queue %d: sizes %s, want %s", source.name, queue, got, source.want)
			}
			// In a multi-planar queue vivid puts something before the picture, which v4l2src drops as a truncated buffer.
			if queue == singlePlanar {
				run(t, m, time.Minute, "gst-launch-1.0 v4l2src device="+vividCamera+
					" num-buffers=3 ! video/x-raw,format=YUY2,"+source.caps+" ! fakesink")
			}
		}
	}
}
