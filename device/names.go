package device

import (
	"io"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// The folders in which udev and users put links to capture nodes.
const (
	byIDDir   = "dev/v4l/by-id"
	byPathDir = "dev/v4l/by-path"
	devDir    = "dev"
)

// links has, for each of these folders, the links to each capture node: from the node's path to the links' paths. All paths
// are absolute, and the links are in the order of their names.
type links map[string]map[string][]string

func readLinks(root fs.FS) links {
	all := links{}
	for _, dir := range []string{byIDDir, byPathDir, devDir} {
		all[dir] = linksIn(root, dir)
	}
	return all
}

// linksIn reads one directory's symbolic links to capture nodes.
func linksIn(root fs.FS, dir string) map[string][]string {
	found := map[string][]string{}
	entries, err := fs.ReadDir(root, dir)
	if err != nil {
		return found // no udev, or no camera: absence is not failure
	}
	for _, e := range entries {
		if e.Type()&fs.ModeSymlink == 0 {
			continue
		}
		name := path.Join(dir, e.Name())
		target, err := fs.ReadLink(root, name)
		if err != nil {
			continue
		}
		if !path.IsAbs(target) {
			target = path.Join("/", dir, target)
		}
		if _, ok := nodeNumber(target); ok {
			found[target] = append(found[target], "/"+name)
		}
	}
	return found
}

// identify fills in the camera's names beyond the driver's own.
func (c *Camera) identify(root fs.FS, l links) {
	c.ByID = first(l[byIDDir][c.Path])
	c.ByPath = first(l[byPathDir][c.Path])
	c.aliases = l[devDir][c.Path]
	sys := "sys/class/video4linux/" + path.Base(c.Path)
	c.USBPath = usbPath(root, sys+"/device")
	c.index = clean(readText(root, sys+"/index"))
	if c.Name == "" { // the driver wasn't asked: sysfs is readable by everyone
		c.Name = clean(readText(root, sys+"/name"))
	}
	switch {
	case c.ByID != "":
		c.ID = c.ByID
	case c.ByPath != "":
		c.ID = c.ByPath
	default:
		c.ID = c.Bus
	}
}

// The folders in which udev puts links to sound cards: by serial number, and by connector. A link leads to the card's control
// node.
const (
	soundByIDDir   = "dev/snd/by-id"
	soundByPathDir = "dev/snd/by-path"
)

// soundLinks maps the numbers of cards to their links in a directory.
func soundLinks(root fs.FS, dir string) map[int]string {
	found := map[int]string{}
	entries, err := fs.ReadDir(root, dir)
	if err != nil {
		return found // no udev, or no card with such a name
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		target, err := fs.ReadLink(root, name)
		if err != nil {
			continue
		}
		digits, ok := strings.CutPrefix(path.Base(target), "controlC")
		if n, err := strconv.Atoi(digits); ok && err == nil && found[n] == "" {
			found[n] = "/" + name
		}
	}
	return found
}

// readText returns a small file's text, "" when it can't be read.
func readText(root fs.FS, name string) string {
	const most = 256 << 10 // far above any file read here
	f, err := root.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close() //nolint:errcheck // only read from
	data, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return ""
	}
	return string(data)
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// usbInterface is the kernel's name of a USB interface, "1-1.2:1.0": bus, ports down to the device, then
// configuration and interface. Some drivers hang on the device itself, without the latter.
var usbInterface = regexp.MustCompile(`^(\d+-\d+(?:\.\d+)*)(?::\d+\.\d+)?$`)

// usbPath is the USB device that a class device belongs to, by its "device" link in sysfs; "" if it isn't on USB.
// The interfaces of one device, such as a webcam's picture and its microphone, have the same.
func usbPath(root fs.FS, link string) string {
	target, err := fs.ReadLink(root, link)
	if err != nil {
		return ""
	}
	m := usbInterface.FindStringSubmatch(path.Base(strings.TrimSpace(target)))
	if m == nil {
		return ""
	}
	return m[1]
}
