package main

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"boardcast/board"
	"boardcast/configs"
	"boardcast/device"
	"boardcast/pipeline"
	"boardcast/pipeline/live"
)

// plugged is a plug for settings on a machine without devices, with its log.
func plugged(t *testing.T, text string, g pipeline.Given) (*plug, *configs.Config, *bytes.Buffer) {
	t.Helper()
	cfg, _ := settings(t, text)
	all := newStreams(t.Context(), cfg)
	for i := range all {
		all[i].broadcast = live.NewBroadcast(nil, pipeline.Plan{}, live.Options{})
	}
	from, err := chooseSources(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	p := prepared{planner: planner{cfg: cfg, given: g, save: func() {}, known: g.Trials}, sources: from}
	for _, s := range from {
		plan, err := p.planner.plan(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		p.plans = append(p.plans, plan)
	}
	return newPlug(p, all, slog.New(slog.NewTextHandler(&log, nil))), cfg, &log
}

// connectorTrials finds a camera on the board's connector from some trial on.
type connectorTrials struct {
	tried *atomic.Int32
	found int32
}

func (connectorTrials) Encoder(context.Context, pipeline.Encoder, pipeline.Raw, pipeline.VideoFormat) pipeline.Verdict {
	return pipeline.Verdict{Outcome: pipeline.OutcomeUsable, FramesPerSecond: 100}
}

func (c connectorTrials) Source(context.Context, pipeline.Graph, string, pipeline.Codec) pipeline.Verdict {
	if c.tried.Add(1) < c.found {
		return pipeline.Verdict{Outcome: pipeline.OutcomeFailed, Reason: "no cameras available"}
	}
	return pipeline.Verdict{Outcome: pipeline.OutcomeUsable}
}

// A camera on the board's connector is looked for again, ever less often, until it is found and adopted.
func TestCameraOnTheConnectorIsSought(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on(t, device.Options{Root: fstest.MapFS{}})
		trials := connectorTrials{&atomic.Int32{}, 4}
		p, _, log := plugged(t, "audio: {microphone: none}\n", pipeline.Given{Board: board.Board{CSI: "libcamerasrc"}, Trials: trials})
		if away, _ := p.said(0); p.sources()[0].connector.found || away == "" {
			t.Fatalf("found, away %q, before it is there", away)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go p.await(ctx)
		<-time.After(9 * time.Second)
		if n := trials.tried.Load(); n != 2 {
			t.Errorf("%d trials within nine seconds, want the one at the start and one more", n)
		}
		<-time.After(time.Hour)
		synctest.Wait()
		away, _ := p.said(0)
		if n := trials.tried.Load(); n != trials.found || away != "" || p.plans[0].Source.Element != "libcamerasrc" {
			t.Errorf("%d trials, away %q, source %+v", n, away, p.plans[0].Source)
		}
		if want := "camera: one on the board's connector"; strings.Count(log.String(), want) != 1 {
			t.Errorf("the log says %q not once:\n%s", want, log)
		}
	})
}

// A camera that is not found is not tried for more often than each ten minutes in the end.
func TestCameraOnTheConnectorIsSoughtSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on(t, device.Options{Root: fstest.MapFS{}})
		for csi, most := range map[string]int32{"libcamerasrc": 20, "": 0} {
			trials := connectorTrials{&atomic.Int32{}, 1000}
			p, _, _ := plugged(t, "audio: {microphone: none}\n", pipeline.Given{Board: board.Board{CSI: csi}, Trials: trials})
			ctx, cancel := context.WithCancel(t.Context())
			go p.await(ctx)
			<-time.After(2 * time.Hour)
			cancel()
			synctest.Wait()
			if n := trials.tried.Load(); n > most || n < most/2 {
				t.Errorf("%d trials in two hours on a board with %q, want about %d", n, csi, most)
			}
		}
	})
}

// A camera that may not be opened at the start is away, and is adopted once it may, although no message tells of that.
func TestForbiddenCameraIsAdopted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var allowed atomic.Bool
		var looks atomic.Int32
		on(t, device.Options{
			Root: fstest.MapFS{"dev/video0": &fstest.MapFile{}},
			Open: func(string) (device.Node, error) {
				looks.Add(1)
				if !allowed.Load() {
					return nil, syscall.EACCES
				}
				return yuyv{}, nil
			},
		})
		p, _, log := plugged(t, "video: {camera: /dev/video0}\naudio: {microphone: none}\n", pipeline.Given{})
		p.tellAway()
		if away, _ := p.said(0); !strings.Contains(away, "open /dev/video0: not permitted") {
			t.Fatalf("away %q", away)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go p.await(ctx)
		<-time.After(time.Hour)
		if n := looks.Load(); n < 40 || n > 80 {
			t.Errorf("%d looks in an hour, want about one a minute", n)
		}
		allowed.Store(true)
		p.news <- struct{}{} // something else was plugged in: it may as well be about this one
		<-time.After(lookPause + time.Second)
		synctest.Wait()
		if away, _ := p.said(0); away != "" || p.plans[0].Source.Device != "/dev/video0" {
			t.Errorf("away %q, source %+v", away, p.plans[0].Source)
		}
		if n := strings.Count(log.String(), "camera is away; showing a placeholder until it comes"); n != 1 {
			t.Errorf("told %d times that it is away:\n%s", n, log)
		}
	})
}

// yuyv is a node of a camera with one mode.
type yuyv struct{ choosy }

func (yuyv) Capability() (device.Capability, error) {
	const capture, streaming = 0x1, 0x4000000 // V4L2_CAP_VIDEO_CAPTURE, V4L2_CAP_STREAMING
	return device.Capability{Driver: "uvcvideo", Card: "Cam", Bus: "usb-1", Caps: capture | streaming}, nil
}

func (yuyv) Format(i uint32) (device.FormatDesc, error) {
	if i > 0 {
		return device.FormatDesc{}, syscall.EINVAL
	}
	return device.FormatDesc{Code: 'Y' | 'U'<<8 | 'Y'<<16 | 'V'<<24}, nil
}

func (yuyv) FrameSize(_, i uint32) (device.SizeRange, error) {
	if i > 0 {
		return device.SizeRange{}, syscall.EINVAL
	}
	return device.SizeRange{Discrete: true, MinWidth: 640, MaxWidth: 640, MinHeight: 480, MaxHeight: 480}, nil
}
