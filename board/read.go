package board

import (
	"cmp"
	"io"
	"io/fs"
	"strings"
	"unicode"
)

// maxFile is how many bytes are read of one file. Device tree properties and DMI strings are far smaller.
const maxFile = 64 << 10

// treeDirs are where the device tree is. The first is an absolute symbolic link to the second. A root that does not follow absolute links
// (os.Root, a container without /proc) still finds the second.
var treeDirs = []string{"proc/device-tree", "sys/firmware/devicetree/base"}

// read reads what the machine says of itself.
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

// readDMI returns "VENDOR PRODUCT", empty where the machine has no DMI.
func readDMI(root fs.FS) string {
	const dir = "sys/class/dmi/id/"
	vendor := printable(string(slurp(root, dir+"sys_vendor")))
	product := printable(string(slurp(root, dir+"product_name")))
	return strings.TrimSpace(vendor + " " + product)
}

// slurp returns the first maxFile bytes of a file, nil if it cannot be read.
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

// splitStrings returns the NUL-terminated strings of a device tree property, without empty ones; nil if there are none.
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
// and returns "36.4.3", or "" if the line has another form.
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

// dotted reports whether s is numbers joined by dots.
func dotted(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		if part == "" || strings.Trim(part, "0123456789") != "" {
			return false
		}
	}
	return true
}

// printable drops the characters of a firmware's text that would disturb a terminal or a line of the log.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}
