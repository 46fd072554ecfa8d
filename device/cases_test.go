package device

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// fieldCase is a machine as somebody met it: its capture nodes, and what /proc/asound says. The files are in testdata/cases.
type fieldCase struct {
	Nodes      []caseNode
	Cards, PCM []string
	USBIDs     map[string]string // by the card's number
}

// caseNode is a capture node of a case, as its driver answers.
type caseNode struct {
	Path, Driver, Card, Bus string
	Caps                    uint32
	USB                     string // the connector
	ByID, ByPath            string
	Formats                 []struct {
		CC    string
		Z     bool // compressed
		Sizes []caseSize
	}
	now *Current // what the source sends
}

// caseSize is one size, or a range of them (least, most, step), with its rates.
type caseSize struct {
	D     []uint32
	S     []uint32
	FPS   [][2]uint32
	Range [][2]uint32 // intervals, the shortest and the longest
}

func (n caseNode) Close() error { return nil }

func (n caseNode) Capability() (Capability, error) {
	return Capability{Driver: clean(n.Driver), Card: clean(n.Card), Bus: clean(n.Bus), Caps: n.Caps}, nil
}

func (n caseNode) Format(i uint32) (FormatDesc, error) {
	if int(i) >= len(n.Formats) {
		return FormatDesc{}, errEnd
	}
	f := n.Formats[i]
	return FormatDesc{Code: code(f.CC), Description: f.CC, Compressed: f.Z}, nil
}

func (n caseNode) sizes(c uint32) []caseSize {
	for _, f := range n.Formats {
		if code(f.CC) == c {
			return f.Sizes
		}
	}
	return nil
}

func (n caseNode) FrameSize(c, i uint32) (SizeRange, error) {
	list := n.sizes(c)
	if int(i) >= len(list) {
		return SizeRange{}, errEnd
	}
	if s := list[i].S; s != nil {
		return SizeRange{MinWidth: s[0], MinHeight: s[1], MaxWidth: s[2], MaxHeight: s[3], StepWidth: s[4], StepHeight: s[5]}, nil
	}
	return discrete(list[i].D[0], list[i].D[1]), nil
}

func (n caseNode) FrameInterval(c, width, height, i uint32) (IntervalRange, error) {
	for _, s := range n.sizes(c) {
		switch {
		case s.S == nil && (s.D[0] != width || s.D[1] != height):
		case int(i) < len(s.FPS):
			v := Interval{Num: s.FPS[i][1], Den: s.FPS[i][0]}
			return IntervalRange{Discrete: true, Min: v, Max: v}, nil
		case i == 0 && s.Range != nil:
			return IntervalRange{Min: Interval{s.Range[0][0], s.Range[0][1]}, Max: Interval{s.Range[1][0], s.Range[1][1]}}, nil
		}
	}
	return IntervalRange{}, errEnd
}

func (n caseNode) Current() (Current, error) {
	if n.now == nil {
		return Current{}, errNoPicture
	}
	return *n.now, nil
}

// readCase reads a case; the name is the beginning of its file's.
func readCase(t testing.TB, name string) fieldCase {
	t.Helper()
	files, err := filepath.Glob("testdata/cases/" + name + "-*.json")
	if err != nil || len(files) != 1 {
		t.Fatalf("%s: %d files, %v", name, len(files), err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var c fieldCase
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatalf("%s: %v", files[0], err)
	}
	return c
}

// list lists the case's machine. What its first node captures now is given for receivers.
func (c fieldCase) list(t testing.TB, now *Current) Listing {
	t.Helper()
	root, nodes := fstest.MapFS{}, map[string]any{}
	for i, n := range c.Nodes {
		if i == 0 {
			n.now = now
		}
		nodes[n.Path] = n
		root[n.Path[1:]] = charDevice()
		if n.USB != "" {
			root["sys/class/video4linux/"+filepath.Base(n.Path)+"/device"] = symlink("../../../" + n.USB + ":1.0")
		}
		for _, link := range []string{n.ByID, n.ByPath} {
			if link != "" {
				root[link[1:]] = symlink(n.Path)
			}
		}
	}
	root["proc/asound/cards"] = text(strings.Join(c.Cards, "\n") + "\n")
	root["proc/asound/pcm"] = text(strings.Join(c.PCM, "\n") + "\n")
	for number, id := range c.USBIDs {
		root["proc/asound/card"+number+"/usbid"] = text(id)
	}
	return List(t.Context(), Options{Root: root, Open: openFrom(nodes)})
}

// held counts the cases of a kind that came out right, and wants every file of it to be a row.
func held(t *testing.T, kind string, rows []string, run func(t *testing.T, i int)) {
	t.Helper()
	files, err := filepath.Glob("testdata/cases/" + kind[:1] + "*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name, _, _ := strings.Cut(filepath.Base(f), "-")
		if !slices.Contains(rows, name) {
			t.Errorf("%s is in no row", f)
		}
	}
	right := 0
	for i, name := range rows {
		if t.Run(name, func(t *testing.T) { run(t, i) }) {
			right++
		}
	}
	t.Logf("%s: %d of %d held", kind, right, len(rows))
}

// cameraCases are the cameras that auto takes of each listing, and their modes where the user says nothing.
var cameraCases = []struct {
	name string
	path string // "" where no camera can be used
	mode string // format, size and rate as they stand in Mode
	now  *Current
}{
	{"d01", "/dev/video0", "MJPG 1280x720 30/1", nil},
	{"d02", "/dev/video3", "YUYV 640x480 30/1", nil},
	{"d03", "/dev/video0", "MJPG 1280x720 30/1", nil},
	{"d04b", "/dev/video0", "NV12 1920x1080 60000/1001", nil},
	{"d05", "/dev/video0", "NV12 1280x720 0/0", nil},
	{"d06", "/dev/video4", "YUYV 1280x720 30/1", nil},
	{"d06b", "/dev/video2", "UYVY 640x480 30/1", nil}, // not counted: either node gives a picture
	{"d08", "/dev/video0", "UYVY 160x120 9/1", nil},
	{"d09", "/dev/video0", "YUYV 256x192 25/1", nil},
	{"d10", "/dev/video0", "YUYV 640x480 30/1", nil},
	{"d11", "/dev/video0", "NV12 1280x720 30/1", nil},
	{"d13", "/dev/video0", "NV12 1280x720 30/1", nil},
	{"d14", "/dev/video10", "MJPG 1280x720 30/1", nil},
	{"d14b", "/dev/video12", "MJPG 1280x720 30/1", nil},
	{"d15", "/dev/video11", "NV12 1280x720 30/1", nil},
	{"d16", "/dev/video0", "NV24 3840x2160 0/0", &Current{Width: 3840, Height: 2160}},
	{"d16b", "/dev/video1", "MJPG 1280x720 30/1", &Current{Width: 1920, Height: 1080, Interval: Interval{1, 60}}},
	{"d18", "/dev/video0", "MJPG 1280x720 30/1", nil},
	{"d19", "/dev/video0", "MJPG 1280x720 30/1", nil},
	{"d20", "/dev/video0", "YUYV 640x480 30/1", nil},
	{"d21", "", "", nil},
	{"d21b", "/dev/video0", "JPEG 640x480 0/0", nil},
	{"d22", "/dev/video0", "MJPG 1280x720 30/1", nil},
	{"d23", "/dev/video0", "MJPG 1279x719 30/1", nil},
	{"d24", "/dev/video0", "YUYV 1280x720 10000000/333333", nil},
	{"d25", "/dev/video3", "MJPG 1280x720 30/1", nil},
}

func TestCameraCases(t *testing.T) {
	var rows []string
	for _, c := range cameraCases {
		rows = append(rows, c.name)
	}
	held(t, "d: camera listings", rows, func(t *testing.T, i int) {
		want := cameraCases[i]
		choice, err := readCase(t, want.name).list(t, want.now).PickCamera("auto")
		if err != nil || choice.Camera.Path != want.path {
			t.Fatalf("camera %q, %v, want %q: %s", choice.Camera.Path, err, want.path, choice)
		}
		if want.path == "" {
			if choice.Source != SourceTest || choice.Reason == noCamera {
				t.Errorf("got %v, want a word on the camera that gives raw pictures only", choice)
			}
			return
		}
		m, _, err := PickMode(choice.Camera, Request{})
		if got := modeText(m); err != nil || got != want.mode {
			t.Errorf("mode %q, %v, want %q", got, err, want.mode)
		}
	})
}

// soundCases are the devices that auto takes of each machine's cards, "none" where it takes none.
var soundCases = []struct{ name, microphone, speaker string }{
	{"e01", "hw:CARD=rockchipes8388,DEV=0", "hw:CARD=rockchipes8388,DEV=0"},
	{"e03", "hw:CARD=Audio,DEV=0", "hw:CARD=Audio,DEV=0"},
	{"e04", "none", "hw:CARD=HDA,DEV=3"},
	{"e05", "hw:CARD=Device,DEV=0", "hw:CARD=Device,DEV=0"},
	{"e06", "hw:CARD=seeed8micvoicec,DEV=0", "hw:CARD=ALSA,DEV=0"},
	{"e07", "hw:CARD=ODROIDN2,DEV=3", "hw:CARD=ODROIDN2,DEV=0"},
	{"e09", "hw:CARD=I2SES8316,DEV=0", "hw:CARD=I2SES8316,DEV=0"},
	{"e10", "hw:CARD=MS2109,DEV=0", "hw:CARD=Mic,DEV=0"},
}

func TestSoundCases(t *testing.T) {
	var rows []string
	for _, c := range soundCases {
		rows = append(rows, c.name)
	}
	held(t, "e: sound cards", rows, func(t *testing.T, i int) {
		want := soundCases[i]
		l := readCase(t, want.name).list(t, nil)
		camera, err := l.PickCamera("auto")
		if err != nil {
			t.Fatal(err)
		}
		camera.Source = SourceDevice // where the case has none: with a camera there is no test tone
		m, err1 := PickMicrophone(l.Microphones, "auto", camera)
		s, err2 := PickSpeaker(l.Speakers, "auto")
		if err1 != nil || err2 != nil || soundText(m) != want.microphone || soundText(s) != want.speaker {
			t.Errorf("got %v, %v; %v, %v, want %s and %s", m, err1, s, err2, want.microphone, want.speaker)
		}
	})
}

// soundText is the device that was chosen, or the source where there is none.
func soundText(c SoundChoice) string {
	if c.Source != SourceDevice {
		return string(c.Source)
	}
	return c.Sound.PCM
}

// A port of a Jetson's audio engine is taken when it is named, by the only words that there are for it.
func TestUnroutedByName(t *testing.T) {
	l := readCase(t, "e04").list(t, nil)
	for _, want := range []string{"hw:CARD=APE,DEV=1", "ADMAIF2-1"} {
		m, err := PickMicrophone(l.Microphones, want, Choice{})
		if err != nil || m.Sound.PCM != "hw:CARD=APE,DEV=1" {
			t.Errorf("%s: %v, %v", want, m, err)
		}
	}
	m, err := PickMicrophone(l.Microphones, "auto", Choice{Source: SourceDevice})
	if err != nil || !strings.Contains(m.Reason, "name one") {
		t.Errorf("auto: %v, %v, want a word on the ports that are there", m, err)
	}
}

// Names are shown whole, but for what no terminal should print.
func TestNamesOfCases(t *testing.T) {
	var names []string
	for _, c := range readCase(t, "d19").list(t, nil).Cameras {
		names = append(names, c.Name)
	}
	if want := []string{"Microsoft LifeCam HD-3000", "高清摄像头", "uvcvideo"}; !slices.Equal(names, want) {
		t.Errorf("names %q, want %q", names, want)
	}
}

// modeText is a mode with its rate as the fraction that it is.
func modeText(m Mode) string {
	return fmt.Sprintf("%s %dx%d %d/%d", m.FourCC, m.Width, m.Height, m.Rate.Num, m.Rate.Den)
}
