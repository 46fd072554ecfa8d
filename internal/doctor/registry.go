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

// registryFile is GStreamer's list of the elements that it found when it last looked at the plugins.
//
// An element that belongs to a device is in it only if that device was there, and permitted, at that time. GStreamer looks
// again when nodes come or go, not when permissions change (gstplugin.c hashes a node's presence and nothing of its mode), so
// neither the registry's age nor the node's tells whether it is out of date: only a second look does.
type registryFile struct {
	path string // "" when it can't be told
	old  time.Time
}

// findRegistry looks where GStreamer does. The middle of the name is the machine's kind, of which there are many spellings.
func findRegistry(h Host) registryFile {
	x := &exam{Host: h}
	dir := h.Getenv("XDG_CACHE_HOME")
	if home := h.Getenv("HOME"); dir == "" && home != "" {
		dir = path.Join(home, ".cache")
	}
	f := registryFile{}
	for _, name := range []string{"GST_REGISTRY", "GST_REGISTRY_1_0"} { // the second wins
		if named := h.Getenv(name); path.IsAbs(named) {
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

// registry tells whether GStreamer's registry hides an encoder that is there.
func registry(ctx context.Context, x *exam) Result {
	if x.Installed == nil {
		return warn("not looked at: "+withoutGStreamer, withGStreamer)
	}
	var hidden []string
	for _, f := range x.hardware() { // brings GStreamer up, which writes the registry where it may
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
	seen, err := x.Rescan(ctx, hidden)
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

// renew words the way out.
func (x *exam) renew(file registryFile) string {
	if x.Open(file.path) != nil {
		return "this user may not write it; " + ownRegistry
	}
	return "delete it, the next start makes a new one: rm " + file.path + "; or " + ownRegistry
}
