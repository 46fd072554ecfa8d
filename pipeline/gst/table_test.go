//go:build !nogst

package gst

import (
	"strings"
	"testing"

	"github.com/go-gst/go-gst/gst"

	"boardcast/pipeline"
)

// Each element of the table that is installed has each property that its row names, with a value of the row's: a name that
// is wrong would be left out silently.
func TestTableAgainstGStreamer(t *testing.T) {
	m := Machine()
	tried := 0
	for _, e := range pipeline.Encoders {
		if !m.Installed(e.Element) {
			continue
		}
		if _, err := e.Fit(m); err != nil {
			continue // the row of another kind or version
		}
		tried++
		for _, p := range e.Props {
			name, value, _ := strings.Cut(p, "=")
			if strings.Contains(value, "{") {
				value = "1"
			}
			if !m.Has(e.Element, name, value) {
				t.Errorf("%s has no property %s that takes %s", e.Element, name, value)
			}
		}
		for _, k := range []pipeline.Knob{e.Bitrate, e.Interval} {
			name, _, _ := strings.Cut(string(k), ":")
			if !strings.Contains(name, "|") && name != "" && !m.Has(e.Element, name, "1") {
				t.Errorf("%s has no property %s", e.Element, name)
			}
		}
	}
	if tried < 3 {
		t.Errorf("only %d rows could be tried", tried)
	}
}

func TestMachine(t *testing.T) {
	m := Machine()
	cases := []struct {
		element, property, value string
		want                     bool
	}{
		{"videotestsrc", "pattern", "", true},
		{"videotestsrc", "pattern", "smpte", true},
		{"videotestsrc", "pattern", "nosuchpattern", false},
		{"videotestsrc", "nosuchproperty", "", false},
		{"nosuchelement", "name", "", false},
		{"x264enc", "bitrate", "1500", true},
		{"x264enc", "bitrate", "much", false},
		{"v4l2src", "extra-controls", "controls,video_bitrate=1500000", true},
	}
	for range 2 { // the second time from memory
		for _, c := range cases {
			if got := m.Has(c.element, c.property, c.value); got != c.want {
				t.Errorf("%s has %s=%s: %t", c.element, c.property, c.value, got)
			}
		}
	}
	if m.GStreamer.Less(pipeline.Version{Major: 1, Minor: 20}) || m.Cores < 1 {
		t.Errorf("GStreamer %v on %d cores", m.GStreamer, m.Cores)
	}
	if got := strings.Join(m.Like("videotestsr[a-c]"), " "); got != "" { // a glob has no classes here
		t.Errorf("like a class: %s", got)
	}
	if got := strings.Join(m.Like("videotest*rc"), " "); got != "videotestsrc" {
		t.Errorf("like videotest*rc: %q", got)
	}
	if d, c := m.Driver("x264enc"); d != "" || c != "" {
		t.Errorf("x264enc has the driver %q, %q", d, c)
	}
}

// extra-controls prints in launch syntax so that it comes out as the structure that was meant. v4l2src stands in for the
// encoder, whose element is only there where a device is.
func TestExtraControlsSurviveTheParser(t *testing.T) {
	v := pipeline.VideoFormat{Width: 640, Height: 480, FPSNum: 30, FPSDen: 1, Bitrate: 1_500_000}
	m := pipeline.Machine{Driver: func(string) (string, string) { return "wave5-enc", "" }, GStreamer: pipeline.Version{Major: 1, Minor: 26}}
	row, _ := pipeline.EncoderByID("v4l2h264enc")
	e, err := row.Fit(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range e.Graph(testRaw(v), v) {
		if node.Name != pipeline.EncoderName {
			continue
		}
		node.Factory = "v4l2src"
		want := map[string]int{
			"video_bitrate": 1_500_000, "video_gop_size": 30, "video_bitrate_mode": 1, "repeat_sequence_header": 1,
			"frame_level_rate_control_enable": 1,
		}
		compareControls(t, node.String()+" ! fakesink", "", want)
		compareControls(t, node.String()+" ! fakesink", pipeline.KeyframeControls, map[string]int{"force_key_frame": 1})
		return
	}
	t.Error("no encoder in the graph")
}

// compareControls parses a line, sets extra-controls anew unless set is empty, and reads it back.
func compareControls(t *testing.T, line, set string, want map[string]int) {
	t.Helper()
	p, err := gst.NewPipelineFromString(line)
	if err != nil {
		t.Fatal(err)
	}
	e, err := p.GetElementByName(pipeline.EncoderName)
	if err != nil {
		t.Fatal(err)
	}
	if set != "" {
		e.SetArg("extra-controls", set)
	}
	value, err := e.GetProperty("extra-controls")
	if err != nil {
		t.Fatal(err)
	}
	s, ok := value.(*gst.Structure)
	if !ok {
		t.Fatalf("extra-controls is a %T", value)
	}
	got := s.Values()
	for name, number := range want {
		if got[name] != number {
			t.Errorf("%s is %v, want %d", name, got[name], number)
		}
	}
	if len(got) != len(want) {
		t.Errorf("controls %v, want %v", got, want)
	}
}
