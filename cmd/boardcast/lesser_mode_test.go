package main

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"boardcast/device"
	"boardcast/pipeline"
	"boardcast/pipeline/live"
)

// choosy is a node of a camera whose driver refuses to start above a size.
type choosy struct {
	above  int // pixels
	errno  error
	busy   *int // times that it answers that it is busy, first
	starts *[]string
}

func (choosy) Close() error                           { return nil }
func (choosy) Capability() (device.Capability, error) { return device.Capability{}, nil }
func (choosy) Format(uint32) (device.FormatDesc, error) {
	return device.FormatDesc{}, errors.New("no more")
}

func (choosy) FrameSize(uint32, uint32) (device.SizeRange, error) {
	return device.SizeRange{}, errors.New("no more")
}

func (choosy) FrameInterval(uint32, uint32, uint32, uint32) (device.IntervalRange, error) {
	return device.IntervalRange{}, errors.New("no more")
}

func (c choosy) Start(m device.Mode) error {
	*c.starts = append(*c.starts, m.String())
	if *c.busy > 0 {
		*c.busy--
		return syscall.EBUSY
	}
	if m.Width*m.Height > c.above {
		return c.errno
	}
	return nil
}

// TestLesserMode has a camera that its driver does not start in the mode that it lists: the next one that it takes is adopted, and
// the status says why.
func TestLesserMode(t *testing.T) {
	sized := func(width, height int) device.Size {
		return device.Size{Width: width, Height: height, Rates: []device.Rate{{Num: 30, Den: 1}}}
	}
	cam := device.Camera{
		Name: "Cam", Path: "/dev/video0", ByID: "/dev/v4l/by-id/cam", ID: "/dev/v4l/by-id/cam",
		Formats: []device.Format{{FourCC: "YUYV", Sizes: []device.Size{sized(1280, 720), sized(640, 480), sized(320, 240)}}},
	}
	refused := func(errno string) string { return "start /dev/video0: refused: YUYV 1280x720 at 30 frames/s: " + errno }
	failed := errors.New("v4l2src0: failed to allocate memory")
	tests := []struct {
		name    string
		above   int
		errno   error
		busy    int
		error   string // what is logged
		mode    string // that is adopted; "" for none
		limited string
		starts  int // of the driver
	}{
		{
			"a full bus", 640 * 480, syscall.ENOSPC, 0, refused("no space left on device"), "YUYV 640x480",
			"its bus has no room left for YUYV 1280x720 at 30 frames/s; it runs with YUYV 640x480 at 30 frames/s", 2,
		},
		{
			"a fuller bus", 320 * 240, syscall.ENOSPC, 0, refused("no space left on device"), "YUYV 320x240",
			"its bus has no room left for YUYV 1280x720 at 30 frames/s; it runs with YUYV 320x240 at 30 frames/s", 3,
		},
		{
			"a mode that it lists", 640 * 480, syscall.EINVAL, 0, refused("invalid argument"), "YUYV 640x480",
			"it lists YUYV 1280x720 at 30 frames/s, and refuses it; it runs with YUYV 640x480 at 30 frames/s", 2,
		},
		{
			"busy by ourselves for a moment", 640 * 480, syscall.ENOSPC, 2, refused("no space left on device"), "YUYV 640x480",
			"its bus has no room left for YUYV 1280x720 at 30 frames/s; it runs with YUYV 640x480 at 30 frames/s", 4,
		},
		{"no mode at all", 0, syscall.ENOSPC, 0, refused("no space left on device"), "", "", 3},
		{"another fault", 0, syscall.EIO, 0, failed.Error(), "", "", 1},
		{"it starts by now", 1280 * 720, nil, 0, failed.Error(), "", "", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var starts []string
			on(t, device.Options{Root: fstest.MapFS{}, Open: func(string) (device.Node, error) {
				return choosy{tt.above, tt.errno, &tt.busy, &starts}, nil
			}})
			cfg, _ := settings(t, "cameras: {a: {camera: cam, microphone: none}}\n")
			list := device.Listing{Cameras: []device.Camera{cam}}
			all := newStreams(t.Context(), cfg)
			all[0].broadcast = live.NewBroadcast(nil, pipeline.Plan{}, live.Options{})
			from := chosen(t, cfg, list)
			plan, err := planner{cfg: cfg, save: func() {}}.plan(t.Context(), from[0])
			if err != nil || plan.Source.Width != 1280 {
				t.Fatalf("%+v, %v", plan.Source, err)
			}
			p := newPlug(prepared{planner: planner{cfg: cfg, save: func() {}}, sources: from, plans: []pipeline.Plan{plan}}, all, slog.New(slog.DiscardHandler))
			if got := p.explain(t.Context(), 0, "capture", failed); brief(got) != tt.error || strings.Contains(got.Error(), "; hint: ") != !errors.Is(got, failed) {
				t.Errorf("logged %q, want %q, with a hint", got, tt.error)
			}
			got, mode := p.plans[0].Source, ""
			if p.sources()[0].reduced != nil {
				mode = device.Mode{FourCC: got.FourCC, Width: got.Width, Height: got.Height}.String()
				mode, _, _ = strings.Cut(mode, " at ")
			}
			if _, limited := p.said(0); mode != tt.mode || limited != tt.limited || len(starts) != tt.starts {
				t.Errorf("adopted %q, says %q after %q; want %+v", mode, limited, starts, tt)
			}
			p.look(t.Context()) // an empty machine: the camera is unplugged
			back := lookAgain(list, p.sources())[0]
			if told := slices.ContainsFunc(back.why, func(w string) bool { return strings.HasPrefix(w, "camera: ") }); back.reduced != nil || told != (tt.mode != "") {
				t.Errorf("plugged in again it is reduced %+v, says %q", back.reduced, back.why)
			}
		})
	}
}

// What is no failure of a camera's is returned as it is, and no device is asked.
func TestExplainOfOtherProducers(t *testing.T) {
	on(t, device.Options{Root: fstest.MapFS{}, Open: func(string) (device.Node, error) {
		t.Error("a device was opened")
		return nil, syscall.ENOENT
	}})
	cfg, _ := settings(t, "cameras: {a: {camera: test, microphone: none}}\n")
	from := chosen(t, cfg, device.Listing{})
	p := newPlug(prepared{sources: from, plans: make([]pipeline.Plan, 1)}, newStreams(t.Context(), cfg), slog.New(slog.DiscardHandler))
	failed := errors.New("it failed")
	for _, producer := range []string{"capture", "microphone", "h264"} {
		if got := p.explain(t.Context(), 0, producer, failed); !errors.Is(got, failed) {
			t.Errorf("%s: %v", producer, got)
		}
	}
}

// brief is the error as the status has it.
func brief(err error) string {
	if r, ok := errors.AsType[remedied](err); ok {
		return r.Brief()
	}
	return err.Error()
}
