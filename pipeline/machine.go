package pipeline

import (
	"cmp"
	"fmt"
	"path"
	"strings"
)

// Version is GStreamer's. The zero value is an unknown version, which every row of the encoder table is for.
type Version struct{ Major, Minor, Micro int }

// ParseVersion reads a text like "1.22.0". It returns the zero Version for other texts.
func ParseVersion(text string) Version {
	var v Version
	if _, err := fmt.Sscanf(text, "%d.%d.%d", &v.Major, &v.Minor, &v.Micro); err != nil {
		return Version{}
	}
	return v
}

// Less reports whether v is older than o.
func (v Version) Less(o Version) bool {
	return cmp.Or(cmp.Compare(v.Major, o.Major), cmp.Compare(v.Minor, o.Minor), cmp.Compare(v.Micro, o.Micro)) < 0
}

// String is the version as GStreamer writes it.
func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Micro) }

// Machine is what an encoder's row asks of the computer. A nil function answers so that a graph is built all the same: everything is
// installed, and no driver is known.
type Machine struct {
	GStreamer Version
	Cores     int // 1 when zero
	// Installed reports whether an element can be made.
	Installed func(element string) bool
	// Like lists the installed elements whose names match a pattern (as of path.Match).
	Like func(pattern string) []string
	// Has reports whether an element has a property and, unless value is empty, takes that value.
	Has func(element, property, value string) bool
	// Driver names the V4L2 driver and the card behind an element; empty for elements without a device.
	Driver func(element string) (driver, card string)
}

func (m Machine) installed(element string) bool { return m.Installed == nil || m.Installed(element) }

// chain reports whether every element of a launch line is installed.
func (m Machine) chain(line string) bool {
	for part := range strings.SplitSeq(line, " ! ") {
		factory, _, _ := strings.Cut(part, " ")
		if !m.installed(factory) {
			return false
		}
	}
	return true
}

func (m Machine) has(element, property, value string) bool {
	return m.Has == nil || m.Has(element, property, value)
}

func (m Machine) like(pattern string) []string {
	if m.Like == nil || pattern == "" {
		return nil
	}
	return m.Like(pattern)
}

func (m Machine) driver(element string) []string {
	if m.Driver == nil {
		return nil
	}
	driver, card := m.Driver(element)
	return []string{strings.ToLower(driver), strings.ToLower(card)}
}

func (m Machine) cores() int { return max(1, m.Cores) }

// matches is path.Match.
func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil // a wrong pattern matches nothing; a test sees to it that there is none
}
