// Package board answers "which board is this, and what is it known for?".
//
// It reads a few files of the running system (device tree, DMI, L4T release) and looks them up in a table whose
// rows are data only: which encoders are worth trying, in which order, within which limits. A row orders the
// candidates; it proves nothing. Kernel, vendor packages and permissions decide what works, so every candidate must
// still be tried by whoever runs it.
//
// The package opens no device and never fails: a board that no row knows is the value with ID "generic", its own
// strings kept for the log.
//
//	b := board.Detect(os.DirFS("/"))
//	fmt.Fprintln(w, b, b.H264)   // Raspberry Pi 4 (Raspberry Pi 4 Model B Rev 1.4) [v4l2h264enc ...]
package board

import (
	"io/fs"
	"path"
	"slices"
)

// Generic is the ID of the last row: software encoders only, matched by every machine that no other row names.
const Generic = "generic"

// Board is one row of the table and, when it comes from Detect, what the machine said of itself. It is a plain
// value; the caller may change it.
type Board struct {
	ID   string // stable, lower case, unique in the table
	Name string // for people

	// Match lists patterns (as of path.Match) that are compared with each entry of the device tree's compatible
	// list, and with a few keys of the same form for machines without one: "driver:nvidia" where NVIDIA's desktop
	// driver is loaded, "dmi:VENDOR PRODUCT" from DMI, "l4t:36.4.3" from /etc/nv_tegra_release. Most specific first.
	Match []string

	H264 []string // GStreamer encoder elements worth trying for H.264, best first, software last; never empty
	VP8  []string // the same for VP8

	Limits Limits // of the hardware encoder; zero where none is known or there is none
	CSI    string // GStreamer source element for a camera on the CSI connector, "" where V4L2 is the way or none is known
	Note   string // what a person should know, one or two sentences, may be empty
	Source string // where the row's facts come from

	Raw Raw // what the machine said of itself; filled by Detect, zero in the table
}

// Limits are what a hardware encoder is known to take. A zero field is unknown, not unlimited.
type Limits struct {
	MacroblocksPerSecond int // of 16x16 pixels, over all streams together
	SizeMultiple         int // width and height must be multiples of it
	MinWidth, MinHeight  int // pixels
	MaxWidth, MaxHeight  int // pixels
}

// Raw holds the strings that Detect read, trimmed and made printable; each is empty where the machine has none.
type Raw struct {
	Model      string   // device tree model, else DMI vendor and product
	Compatible []string // device tree compatible, most specific first
	DMI        string   // DMI vendor and product
	L4T        string   // release of NVIDIA's Linux for Tegra, such as "36.4.3"
	NVIDIA     bool     // NVIDIA's desktop driver is loaded
}

// Detect reads the machine under root (os.DirFS("/") for the running one) and returns the first row that matches it.
// It never fails: what can't be read counts as absent, and the last row matches everything.
func Detect(root fs.FS) Board {
	raw := read(root)
	b := find(boards(), raw.keys())
	b.Raw = raw
	return b
}

// All returns the table in the order in which it is searched, each row a copy. The last one is Generic.
func All() []Board {
	return boards()
}

// String is the row's name with the machine's own words for itself where they add something.
func (b Board) String() string {
	if b.Raw.Model == "" || b.Raw.Model == b.Name {
		return b.Name
	}
	return b.Name + " (" + b.Raw.Model + ")"
}

// find returns the first row one of whose patterns matches one of the keys, else the last row.
func find(rows []Board, keys []string) Board {
	for _, row := range rows {
		if row.matches(keys) {
			return row
		}
	}
	return rows[len(rows)-1]
}

func (b Board) matches(keys []string) bool {
	return slices.ContainsFunc(b.Match, func(pattern string) bool {
		return slices.ContainsFunc(keys, func(key string) bool {
			ok, err := path.Match(pattern, key) // a bad pattern matches nothing; a test forbids it
			return ok && err == nil
		})
	})
}

// keys are what the rows' patterns are compared with.
func (r Raw) keys() []string {
	keys := slices.Clone(r.Compatible)
	if r.NVIDIA {
		keys = append(keys, "driver:nvidia")
	}
	if r.L4T != "" {
		keys = append(keys, "l4t:"+r.L4T)
	}
	if r.DMI != "" {
		keys = append(keys, "dmi:"+r.DMI)
	}
	return keys
}
