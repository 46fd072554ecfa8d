package device

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// Camera is one V4L2 capture node that a program can stream from.
type Camera struct {
	Name    string   `json:"name"`     // what the driver calls it
	Driver  string   `json:"driver"`   // "uvcvideo", "vivid", ...
	Bus     string   `json:"bus"`      // "usb-0000:00:14.0-2", "platform:vivid-000", ...
	Path    string   `json:"path"`     // "/dev/video0"; may be another camera's after a reboot
	ByID    string   `json:"by_id"`    // udev's name from the serial number, full path, "" if none
	ByPath  string   `json:"by_path"`  // udev's name from the connector, full path, "" if none
	ID      string   `json:"id"`       // the stable one to write into a configuration: ByID, else ByPath, else Bus
	USBPath string   `json:"usb_path"` // connector of the USB device, "1-1.2", "" if not on USB
	Formats []Format `json:"formats"`  // in the driver's order, never nil

	nodeFacts
}

// nodeFacts are what a listing knows of a camera beyond its JSON.
type nodeFacts struct {
	aliases  []string // other symbolic links in /dev, from rules of the user's own
	index    string   // number of the node within its device, as in ByID and ByPath, "" if unknown
	twin     bool     // another camera was there that may have the same ByID in its turn, see markTwins
	unlisted bool     // the driver lists no rate for any size
}

// Format is one pixel format or codec of a camera.
type Format struct {
	FourCC      string `json:"fourcc"` // V4L2's four characters: "YUYV", "MJPG", "NV12", "YU12" (I420)
	Description string `json:"description"`
	Compressed  bool   `json:"compressed"`
	Sizes       []Size `json:"sizes"` // never nil
}

// Size is one frame size in pixels.
type Size struct {
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Rates  []Rate `json:"rates"` // highest first, never nil; empty where the driver doesn't say
}

// Rate is a frame rate in frames per second as a reduced fraction. The zero Rate is an unknown one.
type Rate struct {
	Num uint32 `json:"num"`
	Den uint32 `json:"den"`
}

// Float is the rate in frames per second, 0 for an unknown one.
func (r Rate) Float() float64 {
	if r.Den == 0 {
		return 0
	}
	return float64(r.Num) / float64(r.Den)
}

// String is the rate for people: "30", "12.5", "29.97", or "?".
func (r Rate) String() string {
	if r.Den == 0 {
		return "?"
	}
	text := strconv.FormatFloat(r.Float(), 'f', 2, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// reduced makes num/den a Rate in lowest terms, of numbers that an int holds everywhere: GStreamer's fractions have 31 bits
// too. A zero part gives the unknown Rate.
func reduced(num, den uint32) Rate {
	if num == 0 || den == 0 {
		return Rate{}
	}
	a, b := num, den
	for b != 0 {
		a, b = b, a%b
	}
	num, den = num/a, den/a
	for num > math.MaxInt32 || den > math.MaxInt32 {
		num, den = max(num/2, 1), max(den/2, 1)
	}
	return Rate{Num: num, Den: den}
}

// highestFirst sorts rates and drops doubles and unknown ones.
func highestFirst(rates []Rate) []Rate {
	rates = slices.DeleteFunc(rates, func(r Rate) bool { return r.Den == 0 })
	slices.SortFunc(rates, func(a, b Rate) int {
		// Cross-multiplied, since two rates may be nearer than a float tells.
		left, right := uint64(a.Num)*uint64(b.Den), uint64(b.Num)*uint64(a.Den)
		switch {
		case left > right:
			return -1
		case left < right:
			return 1
		}
		return 0
	})
	return slices.Compact(rates)
}

// class says how much a camera is a real one; auto takes the lowest.
type class int

const (
	classReal    class = iota // USB, CSI, a capture card
	classVirtual              // fed by another program
	classUnsure               // on the board and without a listed rate: maybe without a sensor, or without a signal
	classRaw                  // a receiver that gives what a sensor sends, Bayer, whatever it lists
	classTest                 // a kernel driver that paints test pictures
)

// classes names the drivers that have no hardware, and the receivers of raw pictures. v4l2loopback writes its name with a
// space in some versions.
var classes = []struct {
	driver string // prefix, in small letters
	class  class
}{
	{"v4l2loopback", classVirtual},
	{"v4l2 loopback", classVirtual},
	{"akvcam", classVirtual},
	{"rkcif", classRaw}, // Rockchip's, which stands beside the ISP
	{"isys", classRaw},  // Intel's IPU6
	{"qcom-camss", classRaw},
	{"vivid", classTest},
	{"vimc", classTest},
}

// driverClass is the class that the driver alone tells; classReal where it tells none.
func (c Camera) driverClass() class {
	for _, known := range classes {
		if strings.HasPrefix(strings.ToLower(c.Driver), known.driver) {
			return known.class
		}
	}
	return classReal
}

func (c Camera) class() class {
	known := c.driverClass()
	if known == classReal && c.unlisted && c.connection() == onBoard {
		return classUnsure
	}
	return known
}

// onBoard is the connection of a camera that is neither on USB nor on PCI.
const onBoard = "on board"

// connection is how the camera is attached, for people.
func (c Camera) connection() string {
	switch {
	case c.USBPath != "" || strings.HasPrefix(c.Bus, "usb-"):
		return "USB"
	case strings.HasPrefix(c.Bus, "PCI"):
		return "PCI"
	case c.virtual():
		return "virtual"
	}
	return onBoard
}

// virtual tells a camera without hardware.
func (c Camera) virtual() bool {
	known := c.driverClass()
	return known == classVirtual || known == classTest
}

// listsRates tells whether the driver says of any size how often it gives a picture. An image processor says so of a
// sensor; without one it lists only what sizes it could scale to.
func (c Camera) listsRates() bool {
	return slices.ContainsFunc(c.Formats, func(f Format) bool {
		return slices.ContainsFunc(f.Sizes, func(s Size) bool { return len(s.Rates) > 0 })
	})
}

// number is the N of /dev/videoN, for sorting.
func (c Camera) number() int {
	n, err := strconv.Atoi(strings.TrimPrefix(c.Path, "/dev/video"))
	if err != nil {
		return maxNode
	}
	return n
}
