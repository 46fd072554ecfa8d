package board

import (
	"cmp"
	"io"
	"io/fs"
	"strings"
	"unicode"
)

// maxFile bounds what is read of any one file: device tree properties and DMI strings are far below it.
const maxFile = 64 << 10

// Where the device tree is seen. The first is a symbolic link to the second, and an absolute one, so a root that
// doesn't follow those (os.Root, a container without /proc) still finds the second.
var treeDirs = []string{"proc/device-tree", "sys/firmware/devicetree/base"}

func read(root fs.FS) Raw {
	var r Raw
	for _, dir := range treeDirs {
		if r.Compatible = splitStrings(slurp(root, dir+"/compatible")); r.Compatible != nil {
			r.Model = strings.Join(splitStrings(slurp(root, dir+"/model")), " ")
			break
		}
	}
	r.DMI = readDMI(root)
	r.Model = cmp.Or(r.Model, r.DMI)
	r.L4T = parseL4T(string(slurp(root, "etc/nv_tegra_release")))
	_, err := fs.Stat(root, "proc/driver/nvidia/version")
	r.NVIDIA = err == nil
	return r
}

// readDMI returns "vendor product", "" where the machine has no DMI.
func readDMI(root fs.FS) string {
	const dir = "sys/class/dmi/id/"
	vendor := printable(string(slurp(root, dir+"sys_vendor")))
	product := printable(string(slurp(root, dir+"product_name")))
	return strings.TrimSpace(vendor + " " + product)
}

// slurp returns at most maxFile bytes of a file, nil when it can't be read.
func slurp(root fs.FS, name string) []byte {
	f, err := root.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close() //nolint:errcheck // only read from
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil
	}
	return data
}

// splitStrings splits a device tree property that holds NUL-terminated strings. Empty ones are dropped; nil when
// nothing is left.
func splitStrings(data []byte) []string {
	var list []string
	for s := range strings.SplitSeq(string(data), "\x00") {
		if s = printable(s); s != "" {
			list = append(list, s)
		}
	}
	return list
}

// parseL4T reads the first line of /etc/nv_tegra_release,
//
//	# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64, DATE: ...
//
// and returns "36.4.3", or "" when it isn't of that form.
func parseL4T(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	head, rest, ok := strings.Cut(strings.TrimLeft(line, "# \t"), ",")
	if !ok || !strings.HasPrefix(head, "R") {
		return ""
	}
	release, _, _ := strings.Cut(head[1:], " ")
	_, revision, ok := strings.Cut(rest, "REVISION:")
	if !ok {
		return ""
	}
	revision, _, _ = strings.Cut(revision, ",")
	revision = strings.TrimSpace(revision)
	if !dotted(release) || !dotted(revision) {
		return ""
	}
	return release + "." + revision
}

// dotted tells whether s is numbers joined by dots.
func dotted(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		if part == "" || strings.Trim(part, "0123456789") != "" {
			return false
		}
	}
	return true
}

// printable drops what would disturb a terminal or a log line: firmware strings come from outside.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}
