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

// maxFile bounds what is read of any one file.
const maxFile = 256 << 10

// text returns a file's contents, "" when it can't be read.
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

// word is a file's contents on one line, safe to print.
func (x *exam) word(name string) string { return printable(x.text(name)) }

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

// container reports whether this process is in one of Docker's or Podman's.
func (x *exam) container() bool { return x.exists(".dockerenv") || x.exists("run/.containerenv") }

// device is a device node and what came of opening it.
type device struct {
	path string
	info fs.FileInfo
	err  error
}

// devices opens the nodes that match, since only that proves a permission: an access list may give it, and a container
// may refuse it, whatever the mode says.
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

// locked reports whether this user may not open it.
func (d device) locked() bool { return errors.Is(d.err, fs.ErrPermission) }

// gid is the group that may use the node; false when none may, or it is root's.
func (d device) gid() (int, bool) {
	const groupMayUse = 0o060
	stat, ok := d.info.Sys().(*syscall.Stat_t)
	if !ok || stat.Gid == 0 || d.info.Mode().Perm()&groupMayUse != groupMayUse {
		return 0, false
	}
	return int(stat.Gid), true
}

// group looks a group up in /etc/group: its name, the number where it isn't there, and whether the user is a member.
func (x *exam) group(gid int) (name string, member bool) {
	number := strconv.Itoa(gid)
	const fields = 4 // name:password:gid:members
	for line := range strings.Lines(x.text("etc/group")) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) == fields && f[2] == number {
			return printable(f[0]), x.User != "" && slices.Contains(strings.Split(f[3], ","), x.User)
		}
	}
	return number, false
}

// paths are the nodes for people: the first few by name.
func paths(list []device) string {
	const most = 3
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

// matches is path.Match of which a bad pattern matches nothing.
func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}
