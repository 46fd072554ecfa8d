package configs

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// entry is what one place says about one key: the words of one value, or of a
// list's items, not yet parsed.
type entry struct {
	name  string
	from  Source
	items []item
	shape string // what stands there instead of a value or a list, "" for these
}

type item struct {
	text string
	line int
}

func (e entry) texts() []string {
	texts := make([]string, len(e.items))
	for i, it := range e.items {
		texts[i] = it.text
	}
	return texts
}

const yamlHint = "write `key: value` with a blank after the colon, indent the keys of a section alike, with blanks and not tabs, " +
	"and put values with special characters into quotes; `boardcast config --default` prints a whole file"

// parseFile returns what a file says, and everything wrong with its form and
// its keys. The values are not looked at.
func parseFile(from Source, data []byte) ([]entry, Problems) {
	w := walk{from: from, data: data, lines: map[string]int{}}
	if utf16Text(data) {
		w.problems = append(w.problems, &Problem{
			Source: w.at(1), Reason: "not text in UTF-8, but in UTF-16", hint: "save the file as UTF-8: `iconv -f UTF-16LE -t UTF-8` does it",
		})
		return nil, w.problems
	}
	docs := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := docs.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		w.syntax(err)
		return nil, w.problems
	}
	w.root(doc.Content[0])
	var second yaml.Node
	if err := docs.Decode(&second); err == nil {
		w.complain(&second, "", "a second document starts here (---); only one is read", "")
		w.problems[len(w.problems)-1].hint = "take the --- out, and keep each section once"
	} else if !errors.Is(err, io.EOF) {
		w.syntax(err)
	}
	return w.entries, w.problems
}

// walk goes through a file's nodes and collects.
type walk struct {
	from     Source
	data     []byte         // the whole file
	lines    map[string]int // where each key was set
	entries  []entry
	problems Problems
}

func (w *walk) at(line int) Source {
	s := w.from
	s.Line = line
	return s
}

func (w *walk) complain(n *yaml.Node, key, reason, nearest string) {
	key, _, _ = strings.Cut(key, ":") // see unknown
	w.problems = append(w.problems, &Problem{Source: w.at(n.Line), Key: key, Reason: reason, Nearest: nearest})
}

var yamlError = regexp.MustCompile(`^yaml: (?:line ([0-9]+): )?(.*)`)

func (w *walk) syntax(err error) {
	p := &Problem{Source: w.at(1), Reason: err.Error(), hint: yamlHint}
	if m := yamlError.FindStringSubmatch(err.Error()); m != nil {
		if line, err := strconv.Atoi(m[1]); err == nil {
			p.Source.Line = line
		}
		p.Reason = "not YAML: " + m[2]
	}
	if s := findSlip(w.data); s.line > 0 {
		p.Source.Line, p.Reason, p.Nearest, p.hint = s.line, "not YAML: "+s.reason, s.nearest, s.hint
	}
	w.problems = append(w.problems, p)
}

func (w *walk) root(n *yaml.Node) {
	switch n = target(n); {
	case isNull(n):
	case n.Kind == yaml.MappingNode:
		w.mapping(n, "")
	default:
		w.complain(n, "", "a settings file holds `key: value` lines, not "+describe(n), "")
		p := w.problems[len(w.problems)-1]
		p.hint = yamlHint
		if s := tightColon(w.data); n.Kind == yaml.ScalarNode && s.line > 0 {
			p.Source.Line, p.Reason, p.Nearest, p.hint = s.line, s.reason, s.nearest, s.hint
		}
	}
}

func (w *walk) mapping(n *yaml.Node, prefix string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		w.pair(n.Content[i], target(n.Content[i+1]), prefix)
	}
}

func (w *walk) pair(key, value *yaml.Node, prefix string) {
	if target(key).Kind != yaml.ScalarNode {
		w.complain(key, strings.TrimSuffix(prefix, "."), "has "+describe(target(key))+" where a key should be", "")
		return
	}
	name := prefix + target(key).Value
	if line, twice := w.lines[name]; twice {
		w.complain(key, name, fmt.Sprintf("is set twice, first on line %d", line), "")
		w.problems[len(w.problems)-1].hint = "keep one of the two; of a section, put all its keys below one"
		return
	}
	w.lines[name] = key.Line
	k, known := lookup(name)
	switch {
	case known && k.Kind == KindCamera && value.Kind == yaml.MappingNode:
		w.cameras(k, key, value)
	case known:
		w.value(k, key, value)
	case slices.Contains(sections(), name):
		w.section(key, value, name)
	default:
		w.unknown(key, value, name)
	}
}

func (w *walk) section(key, value *yaml.Node, name string) {
	switch {
	case isNull(value): // all of it commented out
	case value.Kind == yaml.MappingNode:
		w.mapping(value, name+".")
	case value.Kind == yaml.ScalarNode && shortFor[name] != "":
		k, _ := lookup(shortFor[name])
		w.value(k, key, value)
	default:
		w.scalarSection(key, value, name)
	}
}

// shortFor are the keys that a single value in place of a section stands for: `tls: auto` is `tls: { mode: auto }`.
var shortFor = map[string]string{"tls": "tls.mode"}

func firstKey(section string) string {
	if camera, ok := strings.CutPrefix(section, camerasKey+"."); ok {
		return namesOfCamera(camera)[0]
	}
	i := slices.IndexFunc(keys, func(k Key) bool { return strings.HasPrefix(k.Name, section+".") })
	return keys[i].Name
}

// unknown complains of a name that no key and no section has. What follows a
// colon in the name is a value in the wrong place: it may be a password.
func (w *walk) unknown(key, value *yaml.Node, name string) {
	name, behind, tight := strings.Cut(name, ":")
	last := name[strings.LastIndexByte(name, '.')+1:]
	p := &Problem{Source: w.at(key.Line), Key: name, Reason: "unknown key", hint: keysHint}
	switch shown := strings.TrimSpace(name); {
	case tight && isKeyWord(last):
		s := noBlankAfterColon(last, behind)
		p.Reason, p.Nearest, p.hint = s.reason, s.nearest, s.hint
	case last == mergeKey:
		p.Reason, p.hint = "YAML's merge key is not read here", "write the keys out in each section that has them"
	case value.Kind == yaml.MappingNode && !strings.Contains(name, "."):
		if p.Nearest = suggestSection(shown); p.Nearest == "" {
			p.hint = cmp.Or(meaningOf(hyphenated(shown)).Advice, keysHint)
		}
	default:
		p.suggest(suggestKey(name), inFile)
		if shown != name {
			p.Key, p.Reason = shown, "unknown key: a character beside it looks like a blank and is none (a no-break space, say)"
		}
	}
	w.problems = append(w.problems, p)
}

// mergeKey is what YAML 1.1 merges another mapping by.
const mergeKey = "<<"

// suggestSection finds the section that a name with keys below it stands for,
// "" for none.
func suggestSection(name string) string {
	name = hyphenated(name)
	return cmp.Or(sectionMeanings[name], Nearest(name, append(sections(), camerasKey)))
}

const keysHint = "`boardcast config --default` prints every setting with its meaning"

func keyNames() []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.Name
	}
	return names
}

// value takes a scalar, and for a list also a sequence of them. A key without
// a value is one whose value was commented out: it is not set.
func (w *walk) value(k Key, key, n *yaml.Node) {
	e := entry{name: k.Name, from: w.at(key.Line), items: []item{}}
	switch {
	case isNull(n):
		return
	case n.Kind == yaml.ScalarNode && k.List && n.Value == "":
	case n.Kind == yaml.ScalarNode && k.List && w.tight(k, n):
		return
	case n.Kind == yaml.ScalarNode:
		e.items = append(e.items, item{n.Value, key.Line})
	case n.Kind == yaml.SequenceNode && k.List:
		for _, c := range n.Content {
			switch t := target(c); {
			case t.Kind != yaml.ScalarNode || isNull(t):
				w.misplaced(k, c)
			case !w.tight(k, t):
				e.items = append(e.items, item{t.Value, c.Line})
			}
		}
	default:
		e.shape = describe(n)
	}
	w.entries = append(w.entries, e)
}

// target follows an alias. An alias of an alias cannot be written.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// aList is the shape of a list.
const aList = "a list"

func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "further keys"
	case n.Kind == yaml.SequenceNode:
		return aList
	case isNull(n):
		return "nothing"
	default:
		return "a single value"
	}
}
