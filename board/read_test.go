package board

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

var stringsCases = []struct {
	name string
	data string
	want []string
}{
	{"list", "raspberrypi,4-model-b\x00brcm,bcm2711\x00", []string{"raspberrypi,4-model-b", "brcm,bcm2711"}},
	{"one", "Raspberry Pi 5\x00", []string{"Raspberry Pi 5"}},
	{"no NUL at the end", "a,b", []string{"a,b"}},
	{"empty strings", "\x00\x00a,b\x00\x00", []string{"a,b"}},
	{"escape sequence", "a\x1b[31mb\x00", []string{"a[31mb"}},
	{"not UTF-8", "a\xffb\x00", []string{"ab"}},
	{"empty", "", nil},
}

func TestSplitStrings(t *testing.T) {
	for _, tt := range stringsCases {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, splitStrings([]byte(tt.data))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzSplitStrings(f *testing.F) {
	for _, tt := range stringsCases {
		f.Add([]byte(tt.data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		list := splitStrings(data)
		for _, s := range list {
			if s == "" || s != printable(s) {
				t.Errorf("%q is empty or not printable", s)
			}
		}
		again := splitStrings([]byte(strings.Join(list, "\x00")))
		if diff := cmp.Diff(list, again); diff != "" {
			t.Errorf("joined and split again (-first +second):\n%s", diff)
		}
	})
}

var l4tCases = []struct {
	name string
	text string
	want string
}{
	{"r36", "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64, DATE: Wed Jan  8 01:49:37 UTC 2025\n# KERNEL_VARIANT: oot\n", "36.4.3"},
	{"r32 with a short revision", "# R32 (release), REVISION: 5, GCID: 25531747, BOARD: t186ref", "32.5"},
	{"no revision", "# R32 (release), GCID: 1", ""},
	{"no comma", "# R32 (release)", ""},
	{"revision in the second line", "# R32 (release)\n, REVISION: 5", ""},
	{"not a number", "# Rxx (release), REVISION: 5", ""},
	{"revision is not a number", "# R32 (release), REVISION: 5.x, ", ""},
	{"no release number", "# R (release), REVISION: 4.3, ", ""},
	{"dots without numbers", "# R36 (release), REVISION: 4..3, ", ""},
	{"not a release", "# X36 (release), REVISION: 4.3, ", ""},
	{"another file", "PRETTY_NAME=Debian", ""},
	{"empty", "", ""},
}

func TestParseL4T(t *testing.T) {
	for _, tt := range l4tCases {
		t.Run(tt.name, func(t *testing.T) {
			if got := parseL4T(tt.text); got != tt.want {
				t.Errorf("parseL4T = %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzParseL4T(f *testing.F) {
	for _, tt := range l4tCases {
		f.Add(tt.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := parseL4T(text)
		if got == "" {
			return
		}
		release, revision, ok := strings.Cut(got, ".")
		if !ok || !dotted(got) {
			t.Fatalf("parseL4T(%q) = %q", text, got)
		}
		// A release may itself be dotted; writing it back must still give the same whole.
		if again := parseL4T("# R" + release + " (release), REVISION: " + revision + ", "); again != got {
			t.Errorf("%q became %q", got, again)
		}
	})
}

func TestReadIsBounded(t *testing.T) {
	root := fstest.MapFS{
		"proc/device-tree/compatible": {Data: bytes.Repeat([]byte("a,b\x00"), 1<<20)},
	}
	if got := len(Detect(root).Raw.Compatible); got != maxFile/4 {
		t.Errorf("%d strings read, want %d", got, maxFile/4)
	}
}

func TestRaw(t *testing.T) {
	root := fstest.MapFS{
		"sys/class/dmi/id/sys_vendor":   {Data: []byte("LENOVO\n")},
		"sys/class/dmi/id/product_name": {Data: []byte("20XW\n")},
		"proc/driver/nvidia/version":    {Data: []byte("NVRM\n")},
		"etc/nv_tegra_release":          {Data: []byte("# R36 (release), REVISION: 4.3, ")},
	}
	want := Raw{Model: "LENOVO 20XW", DMI: "LENOVO 20XW", L4T: "36.4.3", NVIDIA: true}
	if diff := cmp.Diff(want, Detect(root).Raw); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
