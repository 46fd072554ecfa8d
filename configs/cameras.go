package configs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// camerasKey is the key under which several cameras have their names, in their
// order. A camera may have keys of its own, such as cameras.NAME.width. For a
// key that a camera lacks, the common key counts, such as video.width.
const camerasKey = "cameras"

// cameraFlag names the cameras on a command line: --camera NAME=CAMERA.
const cameraFlag = "camera"

// mostCameras is how many cameras are taken at once. No known board encodes as
// many; the limit is for lists that were written by mistake.
const mostCameras = 16

// microphoneKey is the only key of a camera whose common key stands in section
// audio and not in video.
const microphoneKey = "microphone"

var (
	cameraForm = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$`)
	notCamera  = regexp.MustCompile(`[^a-z0-9]+`)
)

func parseCamera(_ Key, text string) (any, *fault) {
	if cameraForm.MatchString(text) {
		return text, nil
	}
	nearest := strings.Trim(notCamera.ReplaceAllString(strings.ToLower(text), "-"), "-")
	if !cameraForm.MatchString(nearest) {
		nearest = ""
	}
	return nil, &fault{
		reason: fmt.Sprintf("%.100q is not a name of at most 32 lower-case letters, digits and -", text), nearest: nearest,
		hint: "a camera's name is a word such as front",
	}
}

// CutCamera takes NAME=CAMERA apart, as a flag names one of several cameras.
func CutCamera(text string) (name, camera string, ok bool) {
	name, camera, ok = strings.Cut(text, "=")
	return name, camera, ok && !strings.ContainsAny(name, "/:")
}

// cutCamera takes cameras.front.width apart.
func cutCamera(name string) (camera, key string, ok bool) {
	rest, ok := strings.CutPrefix(name, camerasKey+".")
	if !ok {
		return "", "", false
	}
	camera, key, ok = strings.Cut(rest, ".")
	return camera, key, ok
}

// common returns the key that counts where a camera lacks a key of its own:
// video.width for cameras.front.width. It returns any other name as it is.
func common(name string) string {
	switch _, key, ok := cutCamera(name); {
	case !ok:
		return name
	case key == microphoneKey:
		return "audio." + key
	default:
		return "video." + key
	}
}

// lookupOfCamera returns a key of one camera: the common key under the camera's
// name.
func lookupOfCamera(name string) (Key, bool) {
	i := slices.IndexFunc(keys, func(k Key) bool { return k.Name == common(name) })
	if _, _, ok := cutCamera(name); !ok || i < 0 {
		return Key{}, false
	}
	k := keys[i]
	k.Name = name
	return k, true
}

// namesOfCamera lists the keys that a camera may have.
func namesOfCamera(camera string) []string {
	var names []string
	for _, k := range keys {
		if key, ok := strings.CutPrefix(k.Name, "video."); ok {
			names = append(names, camerasKey+"."+camera+"."+key)
		}
	}
	return append(names, camerasKey+"."+camera+"."+microphoneKey)
}

// cameras reads the cameras' names, and the keys below each name.
func (w *walk) cameras(k Key, key, value *yaml.Node) {
	list := entry{name: k.Name, from: w.at(key.Line), items: []item{}}
	at := len(w.entries)
	for i := 0; i+1 < len(value.Content); i += 2 {
		name, below := target(value.Content[i]), target(value.Content[i+1])
		if name.Kind != yaml.ScalarNode {
			w.complain(name, k.Name, "has "+describe(name)+" where a camera's name should be", "")
			continue
		}
		section := k.Name + "." + name.Value
		if line, twice := w.lines[section]; twice {
			w.complain(name, section, fmt.Sprintf("is set twice, first on line %d", line), "")
			continue
		}
		w.lines[section] = name.Line
		list.items = append(list.items, item{name.Value, name.Line})
		if cameraForm.MatchString(name.Value) {
			w.section(name, below, section)
		}
	}
	w.entries = slices.Insert(w.entries, at, list)
}

// name takes over the list of cameras of one layer. It replaces the list of a
// lower layer.
func (l *loader) name(value any) {
	l.names = nil
	for _, v := range value.([]any) {
		l.names = append(l.names, fmt.Sprint(v))
	}
}

// overrule leaves out cameras that a file named where a flag or a variable asks
// for one camera without a name.
func (l *loader) overrule() {
	if l.from["video.camera"].Layer > l.from[camerasKey].Layer {
		l.names = nil
		delete(l.from, camerasKey)
	}
}

// ofCameras lists the settings that were given for one camera alone.
func (l *loader) ofCameras() []Setting {
	var given []Setting
	for _, name := range l.names {
		for _, key := range namesOfCamera(name) {
			if from, ok := l.from[key]; ok {
				given = append(given, Setting{key, plain(l.v.Get(key)), from})
			}
		}
	}
	return given
}

// cameras are all settings of each camera, as viper takes them: of one without
// a name where the settings name none.
func (l *loader) cameras() []any {
	names := l.names
	if len(names) == 0 {
		names = []string{""}
	}
	list := []any{}
	for i, name := range names {
		one := map[string]any{"name": name}
		for _, key := range namesOfCamera(name) {
			last := key[strings.LastIndexByte(key, '.')+1:]
			switch _, own := l.from[key]; {
			case own:
				one[last] = l.v.Get(key)
			case last == microphoneKey && i > 0:
				one[last] = None // the common microphone goes with the first camera
			default:
				one[last] = l.v.Get(common(key))
			}
		}
		list = append(list, one)
	}
	return list
}

// twice is a name that two cameras have, "" for none.
func (c *Config) twice() string {
	seen := map[string]bool{}
	for _, one := range c.Cameras {
		if seen[one.Name] {
			return one.Name
		}
		seen[one.Name] = true
	}
	return ""
}
