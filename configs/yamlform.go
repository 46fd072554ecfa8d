package configs

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// slip is a mistake in the form of a file, found by looking at its lines.
type slip struct {
	line         int
	reason, hint string
	nearest      string
}

// slips are the mistakes that are looked for in a file that is not YAML, the
// surest first. Each returns the first of its kind; line 0 means none.
var slips = []func(data []byte) slip{controlCharacter, tabIndent, tightColon, tightDash, bareColon}

// findSlip returns the first mistake of form, line 0 for none that is known.
func findSlip(data []byte) slip {
	for _, look := range slips {
		if s := look(data); s.line > 0 {
			return s
		}
	}
	return slip{}
}

// firstLine returns the number of the first line that matches, and its groups.
func firstLine(data []byte, form *regexp.Regexp) (number int, groups []string) {
	for line := range bytes.Lines(data) {
		number++
		if m := form.FindStringSubmatch(strings.TrimRight(string(line), "\r\n")); m != nil {
			return number, m
		}
	}
	return 0, nil
}

var (
	controlForm = regexp.MustCompile(`[\x00-\x08\x0b-\x1f\x7f]`)
	tabForm     = regexp.MustCompile(`^ *\t`)
	colonForm   = regexp.MustCompile(`^\s*([A-Za-z-]+):([^\s"'].*)$`)
	bareForm    = regexp.MustCompile(`^\s*([A-Za-z-]+): +([^\s"'\[{|>&*!#].*:(?: .*)?)$`)
	dashForm    = regexp.MustCompile(`^\s*-[^\s-]`)
)

func controlCharacter(data []byte) slip {
	line, m := firstLine(data, controlForm)
	if line == 0 {
		return slip{}
	}
	return slip{
		line:   line,
		reason: fmt.Sprintf("the line has the control character U+%04X in it", m[0][0]),
		hint:   "take the character out: it may have come along when the text was copied from a terminal",
	}
}

func tabIndent(data []byte) slip {
	line, _ := firstLine(data, tabForm)
	return slip{line: line, reason: "the line is indented with a tab", hint: "indent with blanks"}
}

// tightColon finds a key with its value right behind the colon: to YAML that is
// one word.
func tightColon(data []byte) slip {
	line, m := firstLine(data, colonForm)
	if line == 0 || !isKeyWord(m[1]) {
		return slip{}
	}
	s := noBlankAfterColon(m[1], m[2])
	s.line = line
	return s
}

// bareColon finds a value without quotes that has a colon and a blank in it, or
// a colon at its end: YAML takes that for another key.
func bareColon(data []byte) slip {
	line, m := firstLine(data, bareForm)
	if line == 0 || !isKeyWord(m[1]) {
		return slip{}
	}
	s := slip{line: line, reason: `the value has ": " in it and no quotes around it`, hint: "put the value into quotes"}
	if value := strings.TrimSpace(m[2]); !holdsSecret(m[1]) && !strings.ContainsAny(value, `"\`) {
		s.nearest = m[1] + `: "` + value + `"`
	}
	return s
}

// isKeyWord reports whether a word is a section, or what a key ends with.
func isKeyWord(word string) bool {
	return slices.Contains(sections(), word) || slices.ContainsFunc(keys, func(k Key) bool { return k.last() == word })
}

// noBlankAfterColon words a missing blank. The value is shown only where no key
// of that name holds a password.
func noBlankAfterColon(key, value string) slip {
	s := slip{reason: fmt.Sprintf("a blank is missing after %q", key+":"), hint: "write `" + key + ": ` and the value"}
	if value = strings.TrimSpace(value); !holdsSecret(key) && unprintable(value) == "" {
		s.nearest = key + ": " + value
	}
	return s
}

// holdsSecret reports whether there is a key that ends with the word and whose
// value may have a password in it.
func holdsSecret(word string) bool {
	return slices.ContainsFunc(keys, func(k Key) bool { return k.last() == word && k.holdsSecret() })
}

// tightDash finds an item of a list right behind its dash.
func tightDash(data []byte) slip {
	line, _ := firstLine(data, dashForm)
	return slip{line: line, reason: noBlankAfterDash, hint: dashHint}
}

const (
	noBlankAfterDash = `a blank is missing after the "-" of an item`
	dashHint         = "write each item of a list on a line of its own, as `- item`"
)

// utf16Text reports whether the data is UTF-16 without a byte order mark, which
// is then taken for bytes with zeros between them.
func utf16Text(data []byte) bool {
	const enough = 8 // bytes that tell
	if len(data) < enough {
		return false
	}
	for i := 0; i < enough; i += 2 {
		if (data[i] == 0) == (data[i+1] == 0) {
			return false
		}
	}
	return true
}

// scalarSection complains of a single value where keys should be.
func (w *walk) scalarSection(key, value *yaml.Node, name string) {
	p := &Problem{Source: w.at(key.Line), Key: name, Reason: "is a section with keys below it, not " + describe(value), hint: keysHint}
	m := colonForm.FindStringSubmatch(firstWords(value.Value))
	switch {
	case value.Kind != yaml.ScalarNode:
		p.Nearest = firstKey(name)
	case m != nil && isKeyWord(m[1]):
		s := noBlankAfterColon(m[1], m[2])
		p.Source, p.Reason, p.Nearest, p.hint = w.at(value.Line), s.reason, s.nearest, s.hint
	case strings.HasPrefix(name, camerasKey+"."):
		p.Nearest = w.cameraInShort(name, value.Value)
	default:
		p.Nearest = firstKey(name)
	}
	w.problems = append(w.problems, p)
}

// firstWords is a value up to the next key: YAML joins lines that it takes for
// one value.
func firstWords(text string) string {
	words := strings.Fields(text)
	i := slices.IndexFunc(words[min(1, len(words)):], func(word string) bool {
		m := colonForm.FindStringSubmatch(word)
		return m != nil && isKeyWord(m[1])
	})
	if i >= 0 {
		words = words[:i+1]
	}
	return strings.Join(words, " ")
}

// cameraInShort spells out what `front: /dev/video0` below cameras means.
func (w *walk) cameraInShort(name, device string) string {
	if device == "" || unprintable(device) != "" || strings.ContainsAny(device, "{},:#&*!|>'\"%@`") {
		return firstKey(name)
	}
	return strings.TrimPrefix(name, camerasKey+".") + ": { camera: " + device + " }"
}

// tight complains of list items with no blank after their dash: YAML makes one
// value of all of them. No item of any list has a blank in it.
func (w *walk) tight(k Key, n *yaml.Node) bool {
	first := n.Value
	if _, second, found := strings.Cut(first, " -"); !dashForm.MatchString(first) && (!found || second == "" || second[0] == ' ') {
		return false
	}
	w.problems = append(w.problems, &Problem{Source: w.at(n.Line), Key: k.Name, Reason: noBlankAfterDash, hint: dashHint})
	return true
}

// misplaced complains of an item that is no single value.
func (w *walk) misplaced(k Key, item *yaml.Node) {
	p := &Problem{Source: w.at(item.Line), Key: k.Name, Reason: "has " + describe(target(item)) + " where an item should be", hint: keysHint}
	if k.Kind == KindCamera && target(item).Kind == yaml.MappingNode {
		p.Reason = "has further keys where a camera's name should be"
		p.hint = cameraHint
	}
	w.problems = append(w.problems, p)
}

const cameraHint = "write each camera without a dash, its name first: `front: { camera: /dev/video0 }`"
