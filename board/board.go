// Package board answers "which board is this, and what is it known for?".
//
// It reads a few files of the running system (device tree, DMI, L4T release) and finds the row of a table that matches them. A row is
// data: which encoders to try, in which order, within which limits. It proves nothing. The kernel, the vendor's packages and permissions
// decide whether an encoder works, so each must still be tried before it is used.
//
// The package opens no device and never fails. A board that no row knows gets the row with the ID "generic", and what the board says of
// itself is kept for the log.
//
//	b := board.Detect(os.DirFS("/"))
//	fmt.Fprintln(w, b, b.H264)   // Raspberry Pi 4 (Raspberry Pi 4 Model B Rev 1.4) [v4l2h264enc ...]
package board

import (
	"io/fs"
	"path"
	"slices"
)

// Generic is the ID of the last row, which has software encoders only. It is for every machine that no other row matches.
const Generic = "generic"

// Board is one row of the table. From Detect, it also has what the machine says of itself. It is a plain value, which the caller may
// change.
type Board struct {
	ID   string // stable, lower case, unique in the table
	Name string // for people

	// Match lists patterns (as of path.Match), the most specific first. They are compared with each entry of the device tree's compatible
	// list. For machines without a device tree there are keys of the same form: "driver:nvidia" where NVIDIA's desktop driver is loaded,
	// "dmi:VENDOR PRODUCT" from DMI, "l4t:36.4.3" from /etc/nv_tegra_release.
	Match []string

	H264 []string // GStreamer's encoder elements to try for H.264, the best first, software last; never empty
	VP8  []string // the same for VP8

	Limits Limits // of the hardware encoder; zero where none is known, or there is no such encoder
	CSI    string // GStreamer's source element for a camera on the CSI connector; empty where it is V4L2's, or none is known
	Note   string // what a person should know, in one or two sentences; may be empty
	Source string // where the facts of the row come from

	Raw Raw // what the machine says of itself; zero in the table
}

// Limits are what a hardware encoder is known to take. A zero field is unknown, not unlimited.
type Limits struct {
	MacroblocksPerSecond int // of 16x16 pixels, over all streams together
	SizeMultiple         int // width and height must be multiples of it
	MinWidth, MinHeight  int // pixels
	MaxWidth, MaxHeight  int // pixels
}

// Raw holds the texts that Detect has read, trimmed and without characters that cannot be printed. A text that the machine lacks is empty.
type Raw struct {
	Model      string   // device tree model, else DMI vendor and product
	Compatible []string // device tree compatible, most specific first
	DMI        string   // DMI vendor and product
	L4T        string   // release of NVIDIA's Linux for Tegra, such as "36.4.3"
	NVIDIA     bool     // NVIDIA's desktop driver is loaded
}

// Detect reads the machine under root (os.DirFS("/") for the running one) and returns the first row that matches it.
// It never fails: a file that cannot be read counts as missing, and the last row matches everything.
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

// String is the row's name, with what the machine calls itself if that is different.
func (b Board) String() string {
	if b.Raw.Model == "" || b.Raw.Model == b.Name {
		return b.Name
	}
	return b.Name + " (" + b.Raw.Model + ")"
}

// find returns the first row that matches, else the last row.
func find(rows []Board, keys []string) Board {
	for _, row := range rows {
		if row.matches(keys) {
			return row
		}
	}
	return rows[len(rows)-1]
}

// matches reports whether one of the row's patterns matches one of the keys.
func (b Board) matches(keys []string) bool {
	return slices.ContainsFunc(b.Match, func(pattern string) bool {
		return slices.ContainsFunc(keys, func(key string) bool {
			ok, err := path.Match(pattern, key) // a wrong pattern matches nothing; a test sees to it that there is none
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
