package configs

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestTableAndDefaultFileAgree(t *testing.T) {
	entries, problems := parseFile(Source{}, defaultFile)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var inFile []string
	for _, e := range entries {
		inFile = append(inFile, e.name)
	}
	if got := keyNames(); !slices.Equal(got, inFile) {
		t.Errorf("keys of the table\n%q\nkeys of the file\n%q", got, inFile)
	}
}

// TestDefaultFileExplains wants a comment above each key and section, the flag
// in it, and the limits and the words that the table holds.
func TestDefaultFileExplains(t *testing.T) {
	comments := commentsByKey(t)
	for _, k := range Keys() {
		text := comments[k.Name]
		for _, word := range k.mentions() {
			if !strings.Contains(text, word) {
				t.Errorf("the comment of %s does not mention %q: %s", k.Name, word, text)
			}
		}
	}
	for _, s := range sections() {
		if comments[s] == "" {
			t.Errorf("section %s has no comment", s)
		}
	}
}

// mentions is what a person has to be told about a key.
func (k Key) mentions() []string {
	words := []string{"."}
	if k.Flag != "" {
		words = append(words, "--"+k.Flag+")")
	}
	if k.Kind != KindPeer {
		words = append(words, k.Words...)
	}
	if k.ZeroAuto {
		words = append(words, "0 = choose for me")
	}
	for _, n := range []int64{k.Min, k.Max} {
		switch k.Kind {
		case KindWhole:
			words = append(words, strconv.FormatInt(n, 10))
		case KindBitrate:
			words = append(words, Bitrate(n).String())
		case KindBool:
			words = append(words, "true or false")
		}
	}
	return words
}

func commentsByKey(t *testing.T) map[string]string {
	t.Helper()
	comments := map[string]string{}
	var text, section string
	for line := range strings.Lines(string(Default())) {
		bare := strings.TrimSpace(line)
		switch name, _, isKey := strings.Cut(bare, ":"); {
		case strings.HasPrefix(bare, "#"):
			text += strings.TrimPrefix(bare, "#")
		case !isKey:
			text = ""
		case strings.HasPrefix(line, " "):
			comments[section+"."+name], text = text, ""
		default:
			comments[name], text, section = text, "", name
		}
	}
	return comments
}

func TestTableIsWhole(t *testing.T) {
	seen := map[string]string{}
	for _, k := range Keys() {
		for _, name := range []string{"key " + k.Name, "env " + k.Env(), "flag " + k.Flag} {
			if other, twice := seen[name]; twice && name != "flag " {
				t.Errorf("%s belongs to both %s and %s", name, other, k.Name)
			}
			seen[name] = k.Name
		}
		if parsers[k.Kind] == nil {
			t.Errorf("%s: no parser for kind %s", k.Name, k.Kind)
		}
		numeric := k.Kind == KindWhole || k.Kind == KindBitrate || k.Kind == KindDuration
		if numeric != (k.Max > k.Min) || numeric != (k.Step > 0) {
			t.Errorf("%s: a number needs limits and a step, others none", k.Name)
		}
		if (k.Flag == "") != (k.Help == "") || (k.Flag == "") != (k.Group == "") {
			t.Errorf("%s: a flag needs help and a group, a key without one none", k.Name)
		}
		if strings.Contains(k.Help, "`") {
			t.Errorf("%s: a backtick in the help would name the flag's value", k.Name)
		}
		if _, f := parsers[k.Kind](k, k.Default()); f != nil && !k.List {
			t.Errorf("%s: default %q: %s", k.Name, k.Default(), f.reason)
		}
	}
}

// TestEveryKeyHasItsField follows the mapstructure tags to each key's field.
func TestEveryKeyHasItsField(t *testing.T) {
	var fields []string
	var collect func(prefix string, of reflect.Type)
	collect = func(prefix string, of reflect.Type) {
		for f := range of.Fields() {
			tag := f.Tag.Get("mapstructure")
			switch {
			case tag == "":
			case tag == ",squash":
				collect(prefix, f.Type)
			case f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[URL]() && f.Type != reflect.TypeFor[Secret]() && f.Type != reflect.TypeFor[Ports]():
				collect(tag+".", f.Type)
			default:
				fields = append(fields, prefix+tag)
			}
		}
	}
	collect("", reflect.TypeFor[Config]())
	slices.Sort(fields)
	want := keyNames()
	slices.Sort(want)
	if !slices.Equal(fields, want) {
		t.Errorf("fields %q\nkeys %q", fields, want)
	}
}

func TestEnv(t *testing.T) {
	k, _ := lookup("signalling.remote-offerer")
	if got := k.Env(); got != "BOARDCAST_SIGNALLING_REMOTE_OFFERER" {
		t.Errorf("Env = %s", got)
	}
}

func TestCallersCannotChangeTheTable(t *testing.T) {
	Keys()[0].Name = "changed"
	Default()[0] = 'x'
	if Keys()[0].Name == "changed" || Default()[0] == 'x' {
		t.Error("Keys and Default hand out the package's own memory")
	}
}
