package pipeline

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"boardcast/board"
	"boardcast/device"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestPlans runs testdata/plans: a file says board, camera, request and what is installed, then, after a line of dashes, what
// is to come of it. Check what -update wrote against what is known of the encoders before believing it.
func TestPlans(t *testing.T) {
	files, err := filepath.Glob("testdata/plans/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			head, want, _ := strings.Cut(string(text), dashes)
			c := readCase(t, head)
			seen[c["board"]] = true
			got := c.run(t)
			if *update {
				if err := os.WriteFile(file, []byte(head+dashes+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
	for _, b := range board.All() {
		if !seen[b.ID] {
			t.Errorf("no case for board %s", b.ID)
		}
	}
}

const dashes = "----\n"

// goldenCase is the head of a file: "key: value" lines.
type goldenCase map[string]string

func readCase(t *testing.T, head string) goldenCase {
	t.Helper()
	c := goldenCase{}
	known := []string{"board", "camera", "request", "gstreamer", "driver", "installed", "trials", "own"}
	for line := range strings.Lines(head) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok || !slices.Contains(known, key) {
			t.Fatalf("line %q", line)
		}
		c[key] = strings.TrimSpace(value)
	}
	return c
}

// run chooses and prints.
func (c goldenCase) run(t *testing.T) string {
	t.Helper()
	p, err := Choose(t.Context(), c.request(t), c.given(t))
	var out strings.Builder
	if err != nil {
		fmt.Fprintln(&out, "error:", err)
		return out.String()
	}
	for _, why := range p.Why {
		fmt.Fprintln(&out, why)
	}
	if p.Capture != nil {
		fmt.Fprintln(&out, "capture:", p.Capture)
	}
	for _, choice := range p.Choices {
		fmt.Fprintf(&out, "%s: %s\n", choice.Encoder.Codec, choice.Graph)
		if choice.Encoder.Codec == H264 {
			fmt.Fprintln(&out, "sdp:", Preferences(H264, choice.Format, 102))
		}
	}
	for _, lower := range p.Lower {
		fmt.Fprintf(&out, "lower: %s, %s, %d kbit/s\n", lower.Encoder.Element, lower.Format, lower.Format.Bitrate/1000)
	}
	for _, spare := range p.Spares {
		fmt.Fprintf(&out, "spare: %s, %s\n", spare.Encoder.Element, spare.Format)
	}
	return out.String()
}

func (c goldenCase) request(t *testing.T) Request {
	t.Helper()
	var w Request
	for word := range strings.FieldsSeq(c["request"]) {
		key, value, _ := strings.Cut(word, "=")
		n, err := strconv.Atoi(value)
		switch key {
		case "codec":
			w.Codec, err = value, nil
		case "encoder":
			w.Encoder, err = value, nil
		case "width":
			w.Width = n
		case "height":
			w.Height = n
		case "fps":
			w.FPS = n
		case "bitrate":
			w.Bitrate = n
		default:
			t.Fatalf("request %q", word)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// everywhere is installed on every machine of the cases.
var everywhere = []string{"videoconvert", "videoscale", "x264enc", "openh264enc", "vp8enc", "jpegdec", "clockoverlay"}

func (c goldenCase) given(t *testing.T) Given {
	t.Helper()
	boards := board.All()
	at := slices.IndexFunc(boards, func(b board.Board) bool { return b.ID == c["board"] })
	if at < 0 {
		t.Fatalf("no board %q", c["board"])
	}
	installed := append(strings.Fields(c["installed"]), everywhere...)
	g := Given{
		Board: boards[at], Connector: c["camera"] == "connector", Direct: true,
		Machine: Machine{
			GStreamer: ParseVersion(c["gstreamer"]), Cores: 6,
			Installed: func(e string) bool { return slices.Contains(installed, e) },
			Driver:    func(string) (string, string) { return c["driver"], "" },
			Has: func(element, property, _ string) bool {
				isV4L2 := strings.HasPrefix(element, "v4l2") && (property == "bitrate" || property == "gop-size")
				return !isV4L2 || !ParseVersion(c["gstreamer"]).Less(v4l2Properties)
			},
		},
		Trials: scripted{c["trials"], c["own"]},
	}
	if cam, ok := goldenCameras[c["camera"]]; ok {
		g.Camera = &cam
	} else if c["camera"] != "test" && c["camera"] != "connector" {
		t.Fatalf("no camera %q", c["camera"])
	}
	return g
}

// goldenCameras are of the usual kinds.
var goldenCameras = map[string]device.Camera{
	"usb": { // a webcam on USB 2: raw pictures are slow
		Name: "HD Webcam", Path: "/dev/video0", Formats: []device.Format{
			{FourCC: "YUYV", Sizes: []device.Size{rates(640, 480, 30), rates(1280, 720, 10), rates(1920, 1080, 5)}},
			{FourCC: "MJPG", Sizes: []device.Size{rates(640, 480, 30), rates(1280, 720, 30), rates(1920, 1080, 30)}},
		},
	},
	"usb3": { // fast enough for raw pictures, and more than boards manage
		Name: "USB 3 Camera", Path: "/dev/video0", Formats: []device.Format{
			{FourCC: "YUYV", Sizes: []device.Size{rates(640, 480, 60, 30), rates(1280, 720, 60, 30), rates(1920, 1080, 60, 30), rates(3840, 2160, 30)}},
		},
	},
	"h264": { // encodes by itself
		Name: "C920", Path: "/dev/video0", Formats: []device.Format{
			{FourCC: "YUYV", Sizes: []device.Size{rates(640, 480, 30), rates(1280, 720, 10)}},
			{FourCC: "H264", Sizes: []device.Size{rates(640, 480, 30), rates(1280, 720, 30)}},
		},
	},
	"hdmi": { // a bridge that does not list rates
		Name: "HDMI Bridge", Path: "/dev/video0", Formats: []device.Format{
			{FourCC: "UYVY", Sizes: []device.Size{{Width: 1920, Height: 1080}}},
		},
	},
}

func rates(width, height int, list ...uint32) device.Size {
	s := device.Size{Width: width, Height: height}
	for _, r := range list {
		s.Rates = append(s.Rates, device.Rate{Num: r, Den: 1})
	}
	return s
}

// scripted answers as a case says: "x264enc=45" is frames/s at 1280x720, "v4l2h264enc=fails" a failure; all else passes.
// own is what a camera's own H.264 was seen to be: "fails" or the distance between its keyframes.
type scripted struct{ encoders, own string }

func (s scripted) Encoder(_ context.Context, e Encoder, _ Raw, f VideoFormat) Verdict {
	v := Verdict{Outcome: OutcomeUsable, FramesPerSecond: 120, CPUMillis: 2, Complete: true}
	for word := range strings.FieldsSeq(s.encoders) {
		element, result, _ := strings.Cut(word, "=")
		if element != e.Element {
			continue
		}
		if result == "fails" {
			return failure("%s0: could not open the device", element)
		}
		fps, err := strconv.ParseFloat(result, 64)
		if err != nil {
			return failure("%v", err)
		}
		v.FramesPerSecond = fps * 1280 * 720 / float64(f.Width*f.Height)
		v.CPUMillis = 1000 / v.FramesPerSecond
	}
	return v
}

func (s scripted) Source(_ context.Context, _ Graph, _ string, codec Codec) Verdict {
	if codec == "" {
		return Verdict{Outcome: OutcomeUsable}
	}
	gop, err := strconv.Atoi(s.own)
	if err != nil {
		return failure("stream has profile 100 instead of constrained baseline")
	}
	return Verdict{Outcome: OutcomeUsable, ProfileLevelID: "42e01f", Source: SourceFacts{GOP: gop}}
}
