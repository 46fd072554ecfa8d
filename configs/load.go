package configs

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/viper"
)

const (
	envPrefix = "BOARDCAST_"
	// EnvFile names the variable that stands in for Options.File.
	EnvFile = envPrefix + "CONFIG"
)

// foreignEnv are variables that Kubernetes and Docker make up for a service
// that happens to be called boardcast; nobody set them for us.
var foreignEnv = regexp.MustCompile(`^BOARDCAST_(SERVICE_(HOST|PORT)|PORT)(_|$)`)

// Options says where to look. The zero value reads the defaults alone.
type Options struct {
	File  string            // must be there; "" = EnvFile, else the first FileName in Dirs
	Dirs  []string          // see [SearchDirs]
	Env   []string          // NAME=value as from os.Environ; an empty value counts as not set
	Flags map[string]string // by key, only those given; a list's items joined by commas
}

// SearchDirs returns where a settings file is looked for when none is named:
// the working directory, then /etc/boardcast.
func SearchDirs() []string { return []string{".", "/etc/boardcast"} }

// Load reads and checks all settings. What is wrong with them comes back as
// [Problems], all at once; any other error means that the file cannot be read.
func Load(o Options) (*Config, error) {
	path, err := findFile(cmp.Or(o.File, lookupEnv(o.Env, EnvFile)), o.Dirs)
	if err != nil {
		return nil, err
	}
	l := loader{v: viper.New(), from: map[string]Source{}, credentials: lookupEnv(o.Env, credentialsEnv)}
	l.read(defaults(), l.setDefault)
	if path != "" {
		data, err := readFile(path)
		if err != nil {
			return nil, err
		}
		entries, problems := parseFile(Source{Layer: LayerFile, Name: path}, data)
		l.problems = append(l.problems, problems...)
		l.read(entries, l.merge)
		l.checkModes(path)
		slices.SortStableFunc(l.problems, func(a, b *Problem) int { return a.Source.Line - b.Source.Line })
	}
	entries, problems := parseEnv(o.Env)
	l.problems = append(l.problems, problems...)
	l.read(entries, l.merge)
	entries, problems = parseFlags(o.Flags)
	l.problems = append(l.problems, problems...)
	l.read(entries, l.set)
	return l.config(path)
}

func lookupEnv(env []string, name string) string {
	for _, line := range env {
		if value, ok := strings.CutPrefix(line, name+"="); ok {
			return value
		}
	}
	return ""
}

func parseEnv(env []string) ([]entry, Problems) {
	var entries []entry
	var problems Problems
	for _, line := range slices.Sorted(slices.Values(env)) {
		name, value, _ := strings.Cut(line, "=")
		if !strings.HasPrefix(name, envPrefix) || value == "" || name == EnvFile || foreignEnv.MatchString(name) {
			continue
		}
		from := Source{Layer: LayerEnv, Name: name}
		i := slices.IndexFunc(keys, func(k Key) bool { return k.Env() == name })
		if i < 0 {
			problems = append(problems, unknownEnv(from))
			continue
		}
		entries = append(entries, entry{name: keys[i].Name, from: from, items: split(keys[i], value)})
	}
	return entries, problems
}

func unknownEnv(from Source) *Problem {
	p := &Problem{Source: from, Reason: "unknown variable", hint: keysHint}
	name := strings.TrimPrefix(from.Name, envPrefix)
	p.suggest(suggestJoined(name), inEnv)
	if file := Nearest(name, []string{strings.TrimPrefix(EnvFile, envPrefix)}); p.Nearest == "" && file != "" {
		p.Nearest = EnvFile
	}
	return p
}

func parseFlags(flags map[string]string) ([]entry, Problems) {
	var entries []entry
	var problems Problems
	for _, name := range slices.Sorted(maps.Keys(flags)) {
		k, ok := lookup(name)
		from := Source{Layer: LayerFlag, Name: k.Flag}
		if k.Kind == KindCamera {
			from.Name = cameraFlag
		}
		if !ok {
			from.Name = name
			p := &Problem{Source: from, Reason: "unknown key", hint: keysHint}
			p.suggest(suggestKey(name), inFile)
			problems = append(problems, p)
			continue
		}
		entries = append(entries, entry{name: name, from: from, items: split(k, flags[name])})
	}
	return entries, problems
}

func split(k Key, text string) []item {
	if !k.List {
		return []item{{text: text}}
	}
	items := []item{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			items = append(items, item{text: part})
		}
	}
	return items
}

// loader parses entries into viper, which knows which of them wins. Viper is
// given values that are checked already, and the environment as it was passed
// to Load, so that it neither guesses types nor looks at the process.
type loader struct {
	v        *viper.Viper
	from     map[string]Source // of the winning values
	names    []string          // of the cameras
	problems Problems

	credentials string // systemd's directory, "" for none
	password    Source // where the first password stands in the file
}

func (l *loader) read(entries []entry, put func(key string, value any) error) {
	for _, e := range entries {
		k, _ := lookup(e.name)
		value, ok := l.parse(k, e)
		if !ok {
			continue
		}
		if k.Kind == KindCamera {
			l.name(value)
		} else if err := put(e.name, value); err != nil {
			l.complain(k, e.from, &fault{reason: err.Error()})
			continue
		}
		l.from[e.name] = e.from
	}
}

// parse returns the value of an entry; of a list, a slice of what its kind
// makes of each item.
func (l *loader) parse(k Key, e entry) (any, bool) {
	if e.shape != "" {
		l.complain(k, e.from, k.misshapen(e.shape))
		return nil, false
	}
	values := make([]any, 0, len(e.items))
	sound := true
	for _, it := range e.items {
		at := e.from
		at.Line = it.line
		text, fault := l.revealed(k, it.text)
		var v any
		if fault == nil {
			v, fault = k.parse(at.Layer, text)
		}
		if at.Layer == LayerFile && l.password.Line == 0 && text == it.text && holdsPassword(v) {
			l.password = at
		}
		if fault != nil {
			l.complain(k, at, fault)
			sound = false
		}
		values = append(values, v)
	}
	switch {
	case !sound || (!k.List && len(values) == 0):
		return nil, false
	case k.List:
		return values, true
	default:
		return values[0], true
	}
}

// misshapen is the fault of a list or further keys where a value should be.
func (k Key) misshapen(shape string) *fault {
	f := &fault{reason: "takes " + k.takes() + ", not " + shape}
	if k.last() == cameraFlag && shape == aList {
		f.hint = "several cameras have names, and stand below cameras: as front: { camera: /dev/video0 }"
	}
	return f
}

func (k Key) takes() string {
	if k.List {
		return "a list"
	}
	return "one value"
}

func (l *loader) complain(k Key, at Source, f *fault) {
	p := &Problem{Source: at, Key: k.Name, Reason: f.reason, Nearest: f.nearest}
	if p.Nearest == "" {
		p.hint = cmp.Or(f.hint, keysHint)
	}
	l.problems = append(l.problems, p)
}

func (l *loader) setDefault(key string, value any) error {
	l.v.SetDefault(key, value)
	return nil
}

func (l *loader) merge(key string, value any) error {
	parts := strings.Split(key, ".")
	m := map[string]any{parts[len(parts)-1]: value}
	for _, section := range slices.Backward(parts[:len(parts)-1]) {
		m = map[string]any{section: m}
	}
	if err := l.v.MergeConfigMap(m); err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	return nil
}

func (l *loader) set(key string, value any) error {
	l.v.Set(key, value)
	return nil
}

func (l *loader) config(path string) (*Config, error) {
	c := Config{origin: origin{file: path}}
	l.overrule()
	given := l.ofCameras()
	if len(l.problems) == 0 {
		l.v.Set(camerasKey, l.cameras())
		if err := l.v.Unmarshal(&c); err != nil {
			return nil, fmt.Errorf("join settings: %w", err)
		}
		l.problems = c.check(l.from)
	}
	if len(l.problems) > 0 {
		return nil, l.problems
	}
	for _, k := range keys {
		if k.Kind == KindCamera {
			c.origin.settings = append(append(c.origin.settings, Setting{k.Name, append([]string{}, l.names...), l.from[k.Name]}), given...)
			continue
		}
		c.origin.settings = append(c.origin.settings, Setting{k.Name, plain(l.v.Get(k.Name)), l.from[k.Name]})
	}
	return &c, nil
}
