package board

import (
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestDetectFixtures(t *testing.T) {
	for name, f := range fixtures(t) {
		t.Run(name, func(t *testing.T) {
			if f.source == "" {
				t.Error("the fixture does not say where its strings come from")
			}
			got := Detect(f.root())
			if got.ID != f.want {
				t.Errorf("ID = %q, want %q (compatible %q)", got.ID, f.want, got.Raw.Compatible)
			}
			if model, ok := f.files["proc/device-tree/model"]; ok {
				if want := strings.TrimSpace(model); got.Raw.Model != want {
					t.Errorf("Raw.Model = %q, want %q", got.Raw.Model, want)
				}
			}
			if tree, ok := f.files["proc/device-tree/compatible"]; ok {
				if diff := cmp.Diff(strings.Fields(tree), got.Raw.Compatible); diff != "" {
					t.Errorf("Raw.Compatible (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestEveryRowHasItsFixture(t *testing.T) {
	all := fixtures(t)
	for _, b := range All() {
		f, ok := all[b.ID]
		if !ok || f.want != b.ID {
			t.Errorf("row %s: testdata/%s.txtar wants %q", b.ID, b.ID, f.want)
		}
	}
}

// Each pattern must reach its own row when nothing else is known of the machine: a row before it that takes the
// same string would make it dead.
func TestNoPatternIsShadowed(t *testing.T) {
	for _, b := range All() {
		for _, pattern := range b.Match {
			if _, err := path.Match(pattern, ""); err != nil {
				t.Errorf("row %s: pattern %q: %v", b.ID, pattern, err)
			}
			key := strings.ReplaceAll(pattern, "*", "x")
			if got := find(boards(), []string{key}); got.ID != b.ID {
				t.Errorf("row %s: pattern %q is taken by row %s", b.ID, pattern, got.ID)
			}
		}
	}
}

func TestOrder(t *testing.T) {
	tests := []struct {
		name string
		keys []string
		want string
	}{
		{"module before SoC", []string{"nvidia,p3768-0000+p3767-0005", "nvidia,tegra234"}, "orin-nano"},
		{"unknown carrier, known module", []string{"acme,board+p3767-0003", "nvidia,tegra234"}, "orin-nano"},
		{"unknown p3767 counts as the one with an encoder", []string{"nvidia,p3768-0000+p3767-0009", "nvidia,tegra234"}, "orin-nx"},
		{"unknown Orin", []string{"acme,carrier", "nvidia,tegra234"}, "agx-orin"},
		{"unknown X1 board", []string{"nvidia,p2894-0050-a08", "nvidia,darcy", "nvidia,tegra210"}, "jetson-nano"},
		{"TX2 NX is not a TX2", []string{"nvidia,p3509-0000+p3636-0001", "nvidia,tegra186"}, "jetson-tx2-nx"},
		{"Zero 2 is not a Zero", []string{"raspberrypi,model-zero-2-w", "brcm,bcm2837"}, "pi-zero-2"},
		{"stepping of a SoC on an unknown carrier", []string{"acme,carrier", "brcm,bcm2712d0"}, "pi-5"},
		{"unknown bcm2837", []string{"acme,carrier", "brcm,bcm2837"}, "pi-3"},
		{"device tree before L4T", []string{"nvidia,tegra194", "l4t:35.4.1"}, "agx-xavier"},
		{"device tree before DMI", []string{"rockchip,rk3588", "dmi:Radxa ROCK 5B"}, "rk3588"},
		{"NVIDIA's driver before DMI", []string{"driver:nvidia", "dmi:LENOVO 20XW"}, "pc-nvidia"},
		{"unknown tree with DMI", []string{"acme,board", "dmi:Acme Board"}, "pc"},
		{"case matters, as in the device tree", []string{"Rockchip,RK3588"}, Generic},
		{"nothing", nil, Generic},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := find(boards(), tt.keys); got.ID != tt.want {
				t.Errorf("find(%q) = %s, want %s", tt.keys, got.ID, tt.want)
			}
		})
	}
}

// elements are the encoder elements that the facts this table rests on name.
var elements = []string{
	"v4l2h264enc", "v4l2vp8enc", "v4l2slh264enc", "v4l2slvp8enc",
	"nvv4l2h264enc", "nvv4l2vp8enc", "omxh264enc", "omxvp8enc", "mpph264enc", "mppvp8enc",
	"vpuenc_h264", "vpuenc_vp8", "imxvpuenc_h264", "vah264enc", "vah264lpenc", "vavp8enc",
	"vaapih264enc", "vaapivp8enc", "qsvh264enc", "nvh264enc", "qtic2venc", "x264enc", "openh264enc", "vp8enc",
}

func TestRowsAreSound(t *testing.T) {
	seen := map[string]bool{}
	rows := All()
	for i, b := range rows {
		if b.ID == "" || b.Name == "" || b.Source == "" || seen[b.ID] {
			t.Errorf("row %d (%s): needs a unique ID, a name and a source", i, b.ID)
		}
		seen[b.ID] = true
		if last := i == len(rows)-1; last != (len(b.Match) == 0) || last != (b.ID == Generic) {
			t.Errorf("row %s: only the last row is generic and has no patterns", b.ID)
		}
		if !slices.Equal(b.H264[len(b.H264)-2:], []string{"x264enc", "openh264enc"}) || b.VP8[len(b.VP8)-1] != "vp8enc" {
			t.Errorf("row %s: software must come last: %v, %v", b.ID, b.H264, b.VP8)
		}
		for _, list := range [][]string{b.H264, b.VP8} {
			for j, e := range list {
				if !slices.Contains(elements, e) || slices.Contains(list[:j], e) {
					t.Errorf("row %s: %s is unknown or there twice", b.ID, e)
				}
			}
		}
		if b.Raw.Model != "" || b.Raw.Compatible != nil {
			t.Errorf("row %s: Raw belongs to Detect", b.ID)
		}
	}
}

// What the boards are known for, where getting it wrong would cost a user the hardware or promise what isn't there.
func TestHardware(t *testing.T) {
	tests := []struct {
		id        string
		h264, vp8 string // first candidate
		csi       string
	}{
		{"pi-4", "v4l2h264enc", "vp8enc", "libcamerasrc"},
		{"pi-5", "x264enc", "vp8enc", "libcamerasrc"},
		{"orin-nano", "x264enc", "vp8enc", "nvarguscamerasrc"},
		{"orin-nx", "nvv4l2h264enc", "vp8enc", "nvarguscamerasrc"},
		{"jetson-nano", "nvv4l2h264enc", "nvv4l2vp8enc", "nvarguscamerasrc"},
		{"rk3588", "mpph264enc", "mppvp8enc", ""},
		{"rk3528", "mpph264enc", "vp8enc", ""},
		{"imx8mm", "vpuenc_h264", "vpuenc_vp8", ""},
		{"imx8mp", "vpuenc_h264", "vp8enc", ""},
		{"imx8mq", "x264enc", "vp8enc", ""},
		{"am62a", "v4l2h264enc", "vp8enc", ""},
		{"qualcomm", "v4l2h264enc", "v4l2vp8enc", ""},
		{"pc", "vah264enc", "vavp8enc", ""},
		{"pc-nvidia", "nvh264enc", "vavp8enc", ""},
		{Generic, "x264enc", "vp8enc", ""},
	}
	rows := All()
	for _, tt := range tests {
		t.Run(tt.id, func(t *testing.T) {
			i := slices.IndexFunc(rows, func(b Board) bool { return b.ID == tt.id })
			if i < 0 {
				t.Fatal("no such row")
			}
			b := rows[i]
			if b.H264[0] != tt.h264 || b.VP8[0] != tt.vp8 || b.CSI != tt.csi {
				t.Errorf("got %s, %s, %q", b.H264[0], b.VP8[0], b.CSI)
			}
		})
	}
}

func TestTableIsNotShared(t *testing.T) {
	for _, b := range All() {
		b.H264[0] = "broken"
	}
	if b := Detect(fstest.MapFS{}); b.H264[0] != "x264enc" {
		t.Errorf("a caller's change reached the table: %v", b.H264)
	}
}

func TestString(t *testing.T) {
	tests := []struct {
		name string
		b    Board
		want string
	}{
		{"with model", Board{Name: "Raspberry Pi 4", Raw: Raw{Model: "Raspberry Pi 4 Model B Rev 1.4"}}, "Raspberry Pi 4 (Raspberry Pi 4 Model B Rev 1.4)"},
		{"silent", Board{Name: "unknown board"}, "unknown board"},
		{"same", Board{Name: "NVIDIA Jetson TX2", Raw: Raw{Model: "NVIDIA Jetson TX2"}}, "NVIDIA Jetson TX2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.b.String(); got != tt.want {
				t.Errorf("String() = %q, want %q", got, tt.want)
			}
		})
	}
}
