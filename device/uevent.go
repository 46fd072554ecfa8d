package device

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"strings"
)

// Change is one thing that happened to a device. The zero value says only that something did.
type Change struct {
	Action    string // "add", "remove", "change"; seldom another of the kernel's words
	Subsystem string // "video4linux", "sound"
	Path      string // the node, "/dev/video0"; "" where the device has none
}

// parseUevent reads a message of the kernel ("add@/devices/..." and then properties) or of udev (a header of its own,
// and then properties). ok is false for what is neither, and for a message without an action or a subsystem.
func parseUevent(message []byte) (c Change, ok bool) {
	properties, ok := udevProperties(message)
	if !ok {
		properties, ok = kernelProperties(message)
	}
	if !ok {
		return Change{}, false
	}
	for property := range bytes.SplitSeq(properties, []byte{0}) {
		key, value, _ := strings.Cut(string(property), "=")
		switch key {
		case "ACTION":
			c.Action = plain(value)
		case "SUBSYSTEM":
			c.Subsystem = plain(value)
		case "DEVNAME":
			c.Path = nodePath(value)
		}
	}
	if c.Action == "" || c.Subsystem == "" {
		return Change{}, false
	}
	return c, true
}

// kernelProperties cuts off the kernel's first string, ACTION@DEVPATH.
func kernelProperties(message []byte) ([]byte, bool) {
	header, properties, ok := bytes.Cut(message, []byte{0})
	return properties, ok && bytes.Contains(header, []byte("@/"))
}

// The header of libudev's messages: "libudev" and a zero, then 32-bit numbers. The magic number is in network order, the
// others are in the machine's. The numbers that are not named here are hashes to filter by.
const (
	udevPrefix       = "libudev\x00"
	udevMagic        = 0xfeedcafe
	udevMagicAt      = 8
	udevPropertiesAt = 16 // offset of the properties in the message; before it stands the header's size
	udevLengthAt     = 20 // their length in bytes
	udevHeaderLeast  = 24
)

// udevProperties finds the properties behind udev's header.
func udevProperties(message []byte) ([]byte, bool) {
	if len(message) < udevHeaderLeast || !bytes.HasPrefix(message, []byte(udevPrefix)) ||
		binary.BigEndian.Uint32(message[udevMagicAt:]) != udevMagic {
		return nil, false
	}
	from := uint64(binary.NativeEndian.Uint32(message[udevPropertiesAt:]))
	to := from + uint64(binary.NativeEndian.Uint32(message[udevLengthAt:]))
	if from < udevHeaderLeast || to > uint64(len(message)) {
		return nil, false
	}
	return message[from:to], true
}

// nodePath is the absolute path of a node: the kernel names it within /dev, udev in full.
func nodePath(name string) string {
	name = strings.TrimPrefix(name, "/dev/")
	if plain(name) == "" || !fs.ValidPath(name) || name == "." {
		return ""
	}
	return "/dev/" + name
}

// plain is a word that is safe to print as it stands, "" for any other.
func plain(word string) string {
	if word != clean(word) {
		return ""
	}
	return word
}
