package pipeline

import (
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"boardcast/board"
)

// Every encoder that a board names is a row of its codec.
func TestBoardsNameEncodersThatExist(t *testing.T) {
	for _, b := range board.All() {
		for codec, names := range map[Codec][]string{H264: b.H264, VP8: b.VP8} {
			for _, name := range names {
				e, ok := EncoderByID(name)
				if !ok || e.Codec != codec {
					t.Errorf("board %s names %q for %s: row %q of codec %q", b.ID, name, codec, e.ID, e.Codec)
				}
			}
		}
	}
}

// soleMachine has one element, as a row says it is.
func soleMachine(e Encoder) Machine {
	return Machine{
		GStreamer: max1(e.Holds.From),
		Installed: func(element string) bool {
			return element == e.Element || !slices.ContainsFunc(Encoders, func(o Encoder) bool { return o.Element == element })
		},
		Has: func(_, property, _ string) bool {
			return len(e.Holds.Requires) == 0 && !isMark(property) || slices.Contains(e.Holds.Requires, property)
		},
	}
}

// max1 is a version for a row that holds from any.
func max1(v Version) Version {
	if v == (Version{}) {
		return Version{1, 20, 0}
	}
	return v
}

// isMark reports whether a property tells one row of an element from another.
func isMark(property string) bool {
	return slices.ContainsFunc(Encoders, func(e Encoder) bool { return slices.Contains(e.Holds.Requires, property) })
}

// Each row is what EncodersFor answers on some machine that has what the row asks for.
func TestEveryRowIsReachable(t *testing.T) {
	for _, row := range Encoders {
		fit, unfit := EncodersFor(board.Board{}, soleMachine(row), row.Codec)
		if len(fit) != 1 || fit[0].ID != row.ID {
			t.Errorf("%s: candidates %v, unfit %v", row.ID, ids(fit), unfit)
		}
	}
}

func ids(list []Encoder) []string {
	out := []string{}
	for _, e := range list {
		out = append(out, e.ID)
	}
	return out
}

func TestRowsAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range Encoders {
		switch {
		case seen[e.ID]:
			t.Errorf("%s: twice", e.ID)
		case !strings.HasPrefix(e.ID, e.Element) || e.Element == "" || e.Family == "" || e.Package == "" || e.Output == "":
			t.Errorf("%s: a field is empty", e.ID)
		case len(e.Inputs) == 0 || e.Keyframe == 0:
			t.Errorf("%s: no input or no keyframe method", e.ID)
		case (e.Bitrate == "") != (e.Unit == 0):
			t.Errorf("%s: a bitrate without a unit, or a unit without a bitrate", e.ID)
		case (e.Interval == "") != (e.MaxInterval == 0):
			t.Errorf("%s: an interval without a length, or a length without an interval", e.ID)
		case e.Codec == H264 && e.Parser == "":
			t.Errorf("%s: no parser: rtph264pay names no profile without one", e.ID)
		}
		seen[e.ID] = true
		uniqueProps(t, e)
		patterns(t, e)
	}
}

// uniqueProps wants each property and each control to be set once.
func uniqueProps(t *testing.T, e Encoder) {
	t.Helper()
	set := map[string]bool{}
	once := func(name string) {
		if set[name] {
			t.Errorf("%s: sets %s twice", e.ID, name)
		}
		set[name] = true
	}
	for _, p := range e.Props {
		name, value, ok := strings.Cut(p, "=")
		if once(name); !ok || value == "" || strings.TrimSpace(p) != p {
			t.Errorf("%s: property %q", e.ID, p)
		}
	}
	for _, k := range []Knob{e.Bitrate, e.Interval} {
		if k != "" {
			_, control, isControl := strings.Cut(string(k), ":")
			if once(string(k)); isControl && control == "" {
				t.Errorf("%s: knob %q", e.ID, k)
			}
		}
	}
	const most = 31 // the kernel cuts a control's name there
	for _, c := range e.Extra {
		name, _, ok := strings.Cut(c, "=")
		if once(extraControls + ":" + name); !ok || len(name) > most {
			t.Errorf("%s: control %q", e.ID, c)
		}
	}
}

func patterns(t *testing.T, e Encoder) {
	t.Helper()
	list := []string{e.Others}
	for _, d := range e.Drivers {
		list = append(list, d.Match...)
	}
	for _, p := range list {
		if _, err := path.Match(p, ""); err != nil || p != strings.ToLower(p) && p != e.Others {
			t.Errorf("%s: pattern %q: %v", e.ID, p, err)
		}
	}
	if e.Others != "" && matches(e.Others, e.Element) {
		t.Errorf("%s: pattern %q of further devices matches the first", e.ID, e.Others)
	}
}

func TestBitrateUnits(t *testing.T) {
	cases := []struct {
		name string
		c    Control
		rate int
		want string
	}{
		{"bits", Control{Unit: BitPerSecond}, 1_500_000, "1500000"},
		{"kilobits", Control{Unit: KilobitPerSecond}, 1_500_000, "1500"},
		{"less than one kilobit", Control{Unit: KilobitPerSecond}, 400, "1"},
		{"below what the driver takes", Control{Unit: BitPerSecond, Rates: BitrateRange{Min: 25_000}}, 10_000, "25000"},
		{"above", Control{Unit: BitPerSecond, Rates: BitrateRange{Max: 20_000_000}}, 25_000_000, "20000000"},
		{"between steps", Control{Unit: BitPerSecond, Rates: BitrateRange{Step: 25_000}}, 1_510_000, "1500000"},
	}
	for _, c := range cases {
		if got := (Encoder{Control: c.c}).BitrateValue(c.rate); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// What is known of each unit, row by row: a factor of a thousand is easily lost.
func TestUnitsOfTheTable(t *testing.T) {
	kilobits := []string{}
	for _, e := range Encoders {
		if e.Unit == KilobitPerSecond {
			kilobits = append(kilobits, e.ID)
		}
	}
	slices.Sort(kilobits)
	want := []string{
		"imxvpuenc_h264", "nvh264enc", "qsvh264enc", "vaapih264enc", "vaapivp8enc", "vah264enc", "vah264lpenc", "vavp8enc",
		"vpuenc_h264", "vpuenc_vp8", "x264enc",
	}
	if diff := cmp.Diff(want, kilobits); diff != "" {
		t.Errorf("encoders that count in kbit/s (-want +got):\n%s", diff)
	}
}

func TestLiveBitrate(t *testing.T) {
	cases := []struct {
		id   string
		want Prop
		live bool
	}{
		{"x264enc", Prop{"bitrate", "800"}, true},
		{"openh264enc", Prop{"bitrate", "800000"}, true},
		{"v4l2h264enc", Prop{"extra-controls", "controls,video_bitrate=800000"}, true},
		{"v4l2h264enc/properties", Prop{"bitrate", "800000"}, true},
		{"mpph264enc", Prop{"bps", "800000"}, true},
		{"v4l2slh264enc", Prop{}, false},
	}
	for _, c := range cases {
		e, _ := EncoderByID(c.id)
		deaf := e
		deaf.Live = false
		if got, live := deaf.LiveBitrate(800_000); live {
			t.Errorf("%s that takes no new bitrate: %v", c.id, got)
		}
		got, live := e.LiveBitrate(800_000)
		if got != c.want || live != c.live {
			t.Errorf("%s: %v, %t; want %v, %t", c.id, got, live, c.want, c.live)
		}
	}
}
