package hostile

import (
	"math/rand/v2"
	"strings"
)

func setValue(lines []string, name, value string) {
	for i, line := range lines {
		if strings.HasPrefix(line, "a="+name+":") {
			lines[i] = "a=" + name + ":" + value
		}
	}
}

// kindOf is what a line is about: its letter, and of an attribute its name.
func kindOf(line string) string {
	kind, _, _ := strings.Cut(line, ":")
	if !strings.HasPrefix(kind, "a=") {
		kind, _, _ = strings.Cut(kind, "=")
	}
	return kind
}

// parts are the lists of a description's lines, the session's first.
func parts(d *Description) []*[]string {
	out := []*[]string{&d.Session}
	for i := range d.Sections {
		out = append(out, &d.Sections[i])
	}
	return out
}

func anyPart(d *Description, r *rand.Rand) *[]string {
	all := parts(d)
	return all[r.IntN(len(all))]
}

// anyLine is one line of a description, empty where the part that was chosen has none.
func anyLine(d *Description, r *rand.Rand) string {
	part := *anyPart(d, r)
	if i, ok := any1(r, part); ok {
		return part[i]
	}
	return ""
}

// any1 is the place of one of a list, unless it is empty.
func any1[T any](r *rand.Rand, list []T) (int, bool) {
	if len(list) == 0 {
		return 0, false
	}
	return r.IntN(len(list)), true
}

func swap[T any](r *rand.Rand, list []T) {
	i, ok := any1(r, list)
	if j, both := any1(r, list); ok && both {
		list[i], list[j] = list[j], list[i]
	}
}
