package doctor

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// registryFile is GStreamer's registry: the list of the elements that it found when it last looked at the plugins.
//
// An element of a device is in the registry only if the device was there, and this user was permitted to use it, when GStreamer
// looked. GStreamer looks again when device nodes come or go, but not when permissions change (gstplugin.c hashes whether a node
// is there, and not its mode). So the dates of the registry and of the node do not tell whether the registry is out of date. Only
// another look tells that.
type registryFile struct {
	path string    // empty when it is not known
	old  time.Time // when the file was written; zero when there is none
}

// findRegistry looks where GStreamer does. The middle of the file's name is the machine's architecture, which has many spellings.
func findRegistry(h Host) registryFile {
	x := &exam{Host: h}
	dir := h.Process.Getenv("XDG_CACHE_HOME")
	if home := h.Process.Getenv("HOME"); dir == "" && home != "" {
		dir = path.Join(home, ".cache")
	}
	f := registryFile{}
	for _, name := range []string{"GST_REGISTRY", "GST_REGISTRY_1_0"} { // GStreamer takes the second where both are set
		if named := h.Process.Getenv(name); path.IsAbs(named) {
			f.path = path.Clean(named)
		}
	}
	if f.path == "" && path.IsAbs(dir) {
		f.path = path.Join(dir, "gstreamer-1.0", "registry.*.bin")
		for _, name := range x.glob(f.path[1:]) {
			if info, err := fs.Stat(h.Root, name); err == nil && info.ModTime().After(f.old) {
				f.path, f.old = "/"+name, info.ModTime()
			}
		}
		return f
	}
	if info, err := fs.Stat(h.Root, strings.TrimPrefix(f.path, "/")); err == nil && f.path != "" {
		f.old = info.ModTime()
	}
	return f
}

const ownRegistry = "give boardcast a registry of its own: GST_REGISTRY=/var/cache/boardcast/registry.bin, where it may write"

// registry checks whether GStreamer's registry hides an encoder that is there.
func registry(ctx context.Context, x *exam) Result {
	if x.GStreamer == nil {
		return warn("not looked at: "+withoutGStreamer, withGStreamer)
	}
	var hidden []string
	for _, f := range x.hardware() { // initialises GStreamer, which writes the registry where it is permitted to
		if f.standing == unseen {
			hidden = append(hidden, f.Element)
		}
	}
	file := findRegistry(x.Host)
	switch {
	case file.path == "":
		return warn("GStreamer has no place for its registry: every start looks at all plugins anew", ownRegistry)
	case file.old.IsZero():
		return warn(file.path+" can't be written: every start looks at all plugins anew", ownRegistry)
	case len(hidden) == 0:
		return fine("%s hides no encoder", file.path)
	case x.registry.old.IsZero():
		return fine("%s was made just now", file.path)
	}
	seen, err := x.GStreamer.Rescan(ctx, hidden)
	seen = slices.DeleteFunc(seen, func(e string) bool { return !slices.Contains(hidden, e) })
	switch {
	case err != nil:
		return warn(fmt.Sprintf("%s lacks %s and could not be compared with a new one: %v",
			file.path, strings.Join(hidden, ", "), err), x.renew(file))
	case len(seen) == 0:
		return fine("%s hides no encoder: a new one has no more", file.path)
	}
	return warn(fmt.Sprintf("%s hides %s: it was made when the device was not there or not permitted",
		file.path, strings.Join(seen, ", ")), x.renew(file))
}

// renew says how to get a new registry.
func (x *exam) renew(file registryFile) string {
	if x.Open(file.path) != nil {
		return "this user may not write it; " + ownRegistry
	}
	return "delete it, the next start makes a new one: rm " + file.path + "; or " + ownRegistry
}
