package configs

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Suggestion is for a name that no setting has: it is what the user probably
// wants. The zero Suggestion means that nothing is known: then no hint is given,
// because a wrong one is worse.
type Suggestion struct {
	Keys   []Key
	Value  string // what to set the one key to, where the name says so: none for no-audio
	Advice string // a remedy in one line, "" for none
}

// Suggest takes the name of a flag, without dashes. It looks for what the name
// means before it takes the name for a misspelling.
func Suggest(flag string) Suggestion { return suggestJoined(flag) }

// IsZero reports whether nothing is known.
func (s Suggestion) IsZero() bool { return len(s.Keys) == 0 && s.Advice == "" }

// As words the suggestion: write gives the words for a key and its value, which
// is "" where none is known.
func (s Suggestion) As(write func(k Key, value string) string) string {
	words := make([]string, len(s.Keys))
	for i, k := range s.Keys {
		words[i] = write(k, s.Value)
	}
	return strings.Join(words, " and ")
}

// inFile writes a key as it stands in a file.
func inFile(k Key, value string) string {
	if value == "" {
		return k.Name
	}
	return k.Name + ": " + value
}

// inEnv writes a key as a variable.
func inEnv(k Key, value string) string {
	if value == "" {
		return k.Env()
	}
	return k.Env() + "=" + value
}

var upperAfterLower = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// hyphenated writes a name as settings are written: minBitrate, Min_Bitrate and
// "min bitrate" are min-bitrate.
func hyphenated(name string) string {
	name = upperAfterLower.ReplaceAllString(strings.TrimSpace(name), "$1-$2")
	return strings.Map(func(r rune) rune {
		if r == '_' || unicode.IsSpace(r) {
			return '-'
		}
		return unicode.ToLower(r)
	}, name)
}

// suggestKey suggests for the name of a key in a file.
func suggestKey(name string) Suggestion {
	if camera, key, ok := cutCamera(name); ok {
		return ofCamera(camera, suggest("video", hyphenated(key)))
	}
	section, last, ok := strings.Cut(hyphenated(name), ".")
	if !ok {
		section, last = "", section
	}
	return suggest(section, last)
}

// ofCamera turns the keys of a suggestion into the same keys of one camera, where
// a camera may have them.
func ofCamera(camera string, s Suggestion) Suggestion {
	own := namesOfCamera(camera)
	for i, k := range s.Keys {
		_, last, _ := strings.Cut(k.Name, ".")
		if name := camerasKey + "." + camera + "." + last; slices.Contains(own, name) && common(name) == k.Name {
			k.Name = name
			s.Keys[i] = k
		}
	}
	return s
}

// suggestJoined suggests for the name of a flag, or of a variable without its
// prefix. Its first word may be a section: video-width is video.width.
func suggestJoined(name string) Suggestion {
	whole := hyphenated(name)
	if section, last, ok := strings.Cut(whole, "-"); ok && nearestSection(section) != "" {
		if s := suggest(section, last); !s.IsZero() {
			return s
		}
	}
	return suggest("", whole)
}

// suggest looks for a name in a section, which is "" where none was given and
// may be misspelt.
func suggest(section, last string) Suggestion {
	if near := nearestSection(section); near != "" {
		section = near
	}
	for _, look := range []func(section, last string) Suggestion{exactly, meantHere, elsewhere, meant, misspelt} {
		if s := look(section, last); !s.IsZero() {
			return s
		}
	}
	return Suggestion{}
}

func nearestSection(section string) string { return Nearest(section, sections()) }

// exactly finds the key of that full name, or with that flag.
func exactly(section, last string) Suggestion {
	for _, name := range []string{section + "." + last, strings.TrimPrefix(section+"-"+last, "-")} {
		if k, ok := byName(name); ok {
			return Suggestion{Keys: []Key{k}}
		}
	}
	return Suggestion{}
}

// elsewhere finds a key whose name is right but for its section.
func elsewhere(_, last string) Suggestion {
	i := slices.IndexFunc(keys, func(k Key) bool { return k.last() == last && !slices.Contains(vague, last) })
	if i < 0 {
		return Suggestion{}
	}
	return Suggestion{Keys: keys[i : i+1 : i+1]}
}

// byName finds a key by its full name or by its flag.
func byName(name string) (Key, bool) {
	i := slices.IndexFunc(keys, func(k Key) bool { return k.Name == name || k.Flag != "" && k.Flag == name })
	if i < 0 {
		return Key{}, false
	}
	return keys[i], true
}

// vague are last parts of keys that mean something else in another section:
// video.format is not log.format.
var vague = []string{"format", "id", "key", "level", "max", "mode", "port", "url"}

// last is the key's name without its section.
func (k Key) last() string { return k.Name[strings.LastIndexByte(k.Name, '.')+1:] }

// meantHere looks a word up that means something of its own in its section.
func meantHere(section, last string) Suggestion { return meaningOf(section + "." + last) }

// meant looks a word up, with and without its section.
func meant(section, last string) Suggestion {
	if s := meaningOf(strings.TrimPrefix(section+"-"+last, "-")); !s.IsZero() {
		return s
	}
	return meaningOf(last)
}

// meaningOf finds a word in the table of meanings.
func meaningOf(word string) Suggestion {
	i := slices.IndexFunc(meanings, func(m meaning) bool { return slices.Contains(m.words, word) })
	if i < 0 {
		return Suggestion{}
	}
	s := Suggestion{Value: meanings[i].value, Advice: meanings[i].advice}
	for _, name := range meanings[i].keys {
		if k, ok := byName(name); ok {
			s.Keys = append(s.Keys, k)
		}
	}
	return s
}

// misspelt looks for a name with typing mistakes, in its own section first.
func misspelt(section, last string) Suggestion {
	own, all := map[string]Key{}, map[string]Key{}
	for _, k := range keys {
		if strings.HasPrefix(k.Name, section+".") {
			own[k.last()] = k
		}
		if _, taken := all[k.last()]; !taken && !slices.Contains(vague, k.last()) {
			all[k.last()] = k
		}
		if k.Flag != "" && section == "" {
			all[k.Flag] = k
		}
	}
	for _, candidates := range []map[string]Key{own, all} {
		if k, ok := candidates[Nearest(last, namesIn(candidates))]; ok {
			return Suggestion{Keys: []Key{k}}
		}
	}
	return Suggestion{}
}

// namesIn lists the names in the order of the table, so that the same name is
// always suggested.
func namesIn(candidates map[string]Key) []string {
	var names []string
	for _, k := range keys {
		for _, name := range []string{k.last(), k.Flag} {
			if _, ok := candidates[name]; ok && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}
