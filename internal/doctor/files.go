package doctor

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode"
)

// maxFile is how many bytes of a file are read: far more than any of these files has.
const maxFile = 256 << 10

// text is the contents of a file, empty when it cannot be read.
func (x *exam) text(name string) string { return textOf(x.Root, name) }

func textOf(root fs.FS, name string) string {
	f, err := root.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close() //nolint:errcheck // only read from
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return ""
	}
	return string(data)
}

// word is the contents of a file as one line without unprintable characters.
func (x *exam) word(name string) string { return printable(x.text(name)) }

// printable removes the unprintable characters, line ends included.
func printable(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s))
}

// glob lists the files that match any of the patterns.
func (x *exam) glob(patterns ...string) []string {
	var all []string
	for _, p := range patterns {
		if found, err := fs.Glob(x.Root, p); err == nil {
			all = append(all, found...)
		}
	}
	return all
}

func (x *exam) exists(name string) bool {
	_, err := fs.Stat(x.Root, name)
	return err == nil
}

// container reports whether this process runs in a container of Docker or Podman.
func (x *exam) container() bool { return x.exists(".dockerenv") || x.exists("run/.containerenv") }

// device is a device node.
type device struct {
	path string
	info fs.FileInfo
	err  error // of opening it
}

// devices opens the nodes that match. Only opening a node proves that this user may: an access control list may permit what the mode
// does not, and a container may refuse what the mode permits.
func (x *exam) devices(patterns ...string) []device {
	var list []device
	for _, name := range x.glob(patterns...) {
		info, err := fs.Stat(x.Root, name)
		if err != nil || info.IsDir() {
			continue
		}
		d := device{path: "/" + name, info: info}
		d.err = x.Open(d.path)
		list = append(list, d)
	}
	return list
}

// locked reports whether this user may not open the node.
func (d device) locked() bool { return errors.Is(d.err, fs.ErrPermission) }

// gid is the group that may use the node. ok is false when no group may, or only root's.
func (d device) gid() (gid int, ok bool) {
	const groupMayUse = 0o060 // the group's bits for reading and writing
	stat, ok := d.info.Sys().(*syscall.Stat_t)
	if !ok || stat.Gid == 0 || d.info.Mode().Perm()&groupMayUse != groupMayUse {
		return 0, false
	}
	return int(stat.Gid), true
}

// group looks up a group in /etc/group: its name, and whether the user is a member. A group that is not there has its number as name.
func (x *exam) group(gid int) (name string, member bool) {
	number := strconv.Itoa(gid)
	const fields = 4 // name:password:gid:members
	for line := range strings.Lines(x.text("etc/group")) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) == fields && f[2] == number {
			return printable(f[0]), x.Process.User != "" && slices.Contains(strings.Split(f[3], ","), x.Process.User)
		}
	}
	return number, false
}

// paths lists nodes for people: the first few, and how many more there are.
func paths(list []device) string {
	const most = 3 // nodes: more make the line too long
	var names []string
	for _, d := range list[:min(most, len(list))] {
		names = append(names, d.path)
	}
	text := strings.Join(names, ", ")
	if more := len(list) - most; more > 0 {
		text += " and " + strconv.Itoa(more) + " more"
	}
	return text
}

// matches is path.Match, where a malformed pattern matches nothing.
func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}
