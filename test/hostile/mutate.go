package hostile

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
)

// Most mutations of one text. One alone finds what one mistake does; several find what two do together.
const mostMutations = 4

// mutation is one way to alter a description. It may find nothing to alter.
type mutation struct {
	name  string
	apply func(d *Description, r *rand.Rand)
}

// Mutate alters a description by a seed, and tells the names of what it did.
func Mutate(text string, r *rand.Rand) (string, []string) {
	d := Read(text)
	count := 1
	for count < mostMutations && r.IntN(2) == 0 {
		count++
	}
	names := make([]string, count)
	for i := range names {
		m := mutations[r.IntN(len(mutations))]
		m.apply(&d, r)
		names[i] = m.name
	}
	out := d.Text()
	if r.IntN(6) == 0 {
		e := endings[r.IntN(len(endings))]
		out, names = e.apply(out, r), append(names, e.name)
	}
	return out, names
}

// mutations alter the structure. What the values may become stands in values.go.
var mutations = []mutation{
	{"drop a section", func(d *Description, r *rand.Rand) {
		if i, ok := any1(r, d.Sections); ok {
			d.Sections = slices.Delete(d.Sections, i, i+1)
		}
	}},
	{"double a section", func(d *Description, r *rand.Rand) {
		if i, ok := any1(r, d.Sections); ok {
			d.Sections = append(d.Sections, slices.Clone(d.Sections[i]))
		}
	}},
	{"double a section under a new name", func(d *Description, r *rand.Rand) {
		if i, ok := any1(r, d.Sections); ok {
			copied := slices.Clone(d.Sections[i])
			setValue(copied, "mid", "another")
			d.Sections = append(d.Sections, copied)
		}
	}},
	{"swap two sections", func(d *Description, r *rand.Rand) { swap(r, d.Sections) }},
	{"a section many times", func(d *Description, r *rand.Rand) {
		if i, ok := any1(r, d.Sections); ok {
			for range 1 << r.IntN(7) {
				d.Sections = append(d.Sections, slices.Clone(d.Sections[i]))
			}
		}
	}},
	{"drop a line", func(d *Description, r *rand.Rand) {
		part := anyPart(d, r)
		if i, ok := any1(r, *part); ok {
			*part = slices.Delete(*part, i, i+1)
		}
	}},
	{"drop every line of a kind", func(d *Description, r *rand.Rand) {
		kind := kindOf(anyLine(d, r))
		for _, part := range parts(d) {
			*part = slices.DeleteFunc(*part, func(line string) bool { return kindOf(line) == kind })
		}
	}},
	{"double a line", func(d *Description, r *rand.Rand) {
		part := anyPart(d, r)
		if i, ok := any1(r, *part); ok {
			*part = slices.Insert(*part, i, (*part)[i])
		}
	}},
	{"swap two lines", func(d *Description, r *rand.Rand) { swap(r, *anyPart(d, r)) }},
	{"a line many times", func(d *Description, r *rand.Rand) {
		part := anyPart(d, r)
		if i, ok := any1(r, *part); ok {
			*part = slices.Insert(*part, i, slices.Repeat([]string{(*part)[i]}, 1<<r.IntN(10))...)
		}
	}},
	{"move a kind of lines to session level", func(d *Description, r *rand.Rand) {
		kind, moved := kindOf(anyLine(d, r)), ""
		for _, part := range parts(d)[1:] {
			*part = slices.DeleteFunc(*part, func(line string) bool {
				is := kindOf(line) == kind && !strings.HasPrefix(line, "m=")
				if is {
					moved = line
				}
				return is
			})
		}
		if moved != "" {
			d.Session = append(d.Session, moved)
		}
	}},
	{"move a line of the session into a section", func(d *Description, r *rand.Rand) {
		from, ok := any1(r, d.Session)
		to, both := any1(r, d.Sections)
		if ok && both {
			d.Sections[to] = append(d.Sections[to], d.Session[from])
			d.Session = slices.Delete(d.Session, from, from+1)
		}
	}},
	{"a line of one section in another", func(d *Description, r *rand.Rand) {
		line, to := anyLine(d, r), anyPart(d, r)
		*to = append(*to, line)
	}},
	{"another name of a section", replace(regexp.MustCompile(`^a=mid:(.*)$`), names)},
	{"names of sections by their number", func(d *Description, r *rand.Rand) {
		mids := r.Perm(len(d.Sections))
		for i, lines := range d.Sections {
			setValue(lines, "mid", digits[mids[i]%len(digits)])
		}
	}},
	{"another group", func(d *Description, r *rand.Rand) { regroup(d, r) }},
	{"other payload types in m=", replace(regexp.MustCompile(`^m=\S+ \S+ \S+ (.*)$`), payloadTypes)},
	{"another payload type", replace(regexp.MustCompile(`^a=(?:rtpmap|fmtp|rtcp-fb):(\S+)`), payloadTypes)},
	{"another codec", replace(regexp.MustCompile(`^a=rtpmap:\S+ (.*)$`), codecs)},
	{"other parameters", replace(regexp.MustCompile(`^a=fmtp:\S+ (.*)$`), parameters)},
	{"other feedback", replace(regexp.MustCompile(`^a=rtcp-fb:(.*)$`), feedback)},
	{"another port", replace(regexp.MustCompile(`^m=\S+ (\S+)`), ports)},
	{"another protocol", replace(regexp.MustCompile(`^m=\S+ \S+ (\S+)`), protocols)},
	{"another kind of media", replace(regexp.MustCompile(`^m=(\S+)`), kinds)},
	{"another direction", replace(regexp.MustCompile(`^a=(sendrecv|sendonly|recvonly|inactive)$`), directions)},
	{"another setup", replace(regexp.MustCompile(`^a=setup:(.*)$`), setups)},
	{"another fingerprint", replace(regexp.MustCompile(`^a=fingerprint:(.*)$`), fingerprints)},
	{"another ufrag", replace(regexp.MustCompile(`^a=ice-ufrag:(.*)$`), secrets)},
	{"another pwd", replace(regexp.MustCompile(`^a=ice-pwd:(.*)$`), secrets)},
	{"another extension", replace(regexp.MustCompile(`^a=extmap:(.*)$`), extensions)},
	{"another source", replace(regexp.MustCompile(`^a=ssrc:(.*)$`), sources)},
	{"another msid", replace(regexp.MustCompile(`^a=msid:(.*)$`), words)},
	{"another address", replace(regexp.MustCompile(`^c=(.*)$`), addresses)},
	{"another origin", replace(regexp.MustCompile(`^o=(.*)$`), origins)},
	{"another sctp-port", replace(regexp.MustCompile(`^a=sctp-port:(.*)$`), numbers)},
	{"another message size", replace(regexp.MustCompile(`^a=max-message-size:(.*)$`), numbers)},
	{"another number", func(d *Description, r *rand.Rand) { renumber(d, r) }},
	{"no value", replace(regexp.MustCompile(`^a=[^:]+(:.*)$`), []string{"", ":", ": "})},
	{"another value", replace(regexp.MustCompile(`^a=[^:]+:(.*)$`), words)},
	{"another letter", replace(regexp.MustCompile(`^([a-z])=`), []string{"A", "a", "m", "z", "=", "v", "b"})},
	{"a line too many", insert(extras)},
	{"a candidate", insert(candidates)},
	{"upper case", func(d *Description, r *rand.Rand) {
		part := anyPart(d, r)
		if i, ok := any1(r, *part); ok && len((*part)[i]) > 2 {
			(*part)[i] = (*part)[i][:2] + strings.ToUpper((*part)[i][2:])
		}
	}},
}

// endings alter the text as a whole.
var endings = []struct {
	name  string
	apply func(text string, r *rand.Rand) string
}{
	{"LF alone", func(text string, _ *rand.Rand) string { return strings.ReplaceAll(text, "\r\n", "\n") }},
	{"CR alone", func(text string, _ *rand.Rand) string { return strings.ReplaceAll(text, "\r\n", "\r") }},
	{"no last end", func(text string, _ *rand.Rand) string { return strings.TrimSuffix(text, "\r\n") }},
	{"blank lines", func(text string, _ *rand.Rand) string { return strings.ReplaceAll(text, "\r\n", "\r\n\r\n") }},
	{"trailing blanks", func(text string, _ *rand.Rand) string { return strings.ReplaceAll(text, "\r\n", " \r\n") }},
	{"leading blanks", func(text string, _ *rand.Rand) string { return strings.ReplaceAll(text, "\r\n", "\r\n  ") }},
	{"cut off", func(text string, r *rand.Rand) string { return text[:r.IntN(len(text)+1)] }},
	{"some bytes are others", func(text string, r *rand.Rand) string {
		b := []byte(text)
		for range min(len(b), 1+r.IntN(20)) {
			b[r.IntN(len(b))] = byte(r.IntN(256))
		}
		return string(b)
	}},
	{"twice", func(text string, _ *rand.Rand) string { return text + text }},
	{"nothing", func(string, *rand.Rand) string { return "" }},
}

// replace alters what the first group of a pattern matches, in one line that matches or, one time in three, in all.
func replace(pattern *regexp.Regexp, by []string) func(*Description, *rand.Rand) {
	return func(d *Description, r *rand.Rand) {
		var found []*string
		for _, part := range parts(d) {
			for i := range *part {
				if pattern.MatchString((*part)[i]) {
					found = append(found, &(*part)[i])
				}
			}
		}
		chosen, ok := any1(r, found)
		if !ok {
			return
		}
		value := by[r.IntN(len(by))]
		if r.IntN(3) > 0 {
			found = found[chosen : chosen+1]
		}
		for _, line := range found {
			at := pattern.FindStringSubmatchIndex(*line)
			*line = (*line)[:at[2]] + value + (*line)[at[3]:]
		}
	}
}

// insert adds a line from a list somewhere behind a part's first line.
func insert(from []string) func(*Description, *rand.Rand) {
	return func(d *Description, r *rand.Rand) {
		part := anyPart(d, r)
		*part = slices.Insert(*part, min(len(*part), 1+r.IntN(len(*part)+1)), from[r.IntN(len(from))])
	}
}

// renumber gives one number of one line another value.
func renumber(d *Description, r *rand.Rand) {
	part := anyPart(d, r)
	line, ok := any1(r, *part)
	if !ok {
		return
	}
	all := regexp.MustCompile(`\d+`).FindAllStringIndex((*part)[line], -1)
	if i, ok := any1(r, all); ok {
		text := (*part)[line]
		(*part)[line] = text[:all[i][0]] + numbers[r.IntN(len(numbers))] + text[all[i][1]:]
	}
}

// regroup writes the line of the bundle anew.
func regroup(d *Description, r *rand.Rand) {
	mids := d.Mids()
	r.Shuffle(len(mids), func(i, j int) { mids[i], mids[j] = mids[j], mids[i] })
	first := ""
	if len(mids) > 0 {
		first = mids[0]
	}
	group := "a=group:BUNDLE " + strings.Join(mids, " ")
	choice := []string{
		"", group, "a=group:BUNDLE " + first, "a=group:BUNDLE", "a=group:BUNDLE ", group + " nobody", group + " " + first, "a=group:LS " + first,
		"a=group:BUNDLE " + first + "\r\n" + group, group + "\r\na=group:BUNDLE nobody", "a=group:", "a=group:BUNDLE  " + first + "  ",
		"a=group:BUNDLE " + strings.Join(mids[:len(mids)/2], " ") + "\r\na=group:BUNDLE " + strings.Join(mids[len(mids)/2:], " "),
	}[r.IntN(13)]
	d.Session = slices.DeleteFunc(d.Session, func(line string) bool { return strings.HasPrefix(line, "a=group:") })
	if choice != "" {
		d.Session = append(d.Session, choice)
	}
}
