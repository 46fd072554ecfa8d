package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"boardcast/device"
)

// knownNames are the names of the settings that have named a device on this machine before, by the kind of device. Such a name is
// not misspelt, and its device is waited for while it is not there.
type knownNames struct {
	Cameras     []string `json:"cameras,omitempty"`
	Microphones []string `json:"microphones,omitempty"`
	Speakers    []string `json:"speakers,omitempty"`
}

// mostKnownNames bounds each list: more than anybody tries out. The newest are kept.
const mostKnownNames = 64

// namesFile is where they are kept; "" where the system has no folder for it.
func namesFile() string {
	dir := cacheDir()
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, "names.json")
}

// cacheDir is the folder that the service's unit names, else the user's cache folder; "" where there is neither.
func cacheDir() string {
	if dir := os.Getenv("CACHE_DIRECTORY"); dir != "" { // systemd's
		return dir
	}
	user, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(user, "boardcast")
}

// readNames reads them. A file that is missing or broken has none.
func readNames() knownNames {
	var known knownNames
	text, err := os.ReadFile(namesFile())
	if err != nil || json.Unmarshal(text, &known) != nil {
		return knownNames{}
	}
	return known
}

// expected tells a word that names a device also while that is not there: an address, or a name that is known.
func expected(known []string, word string) bool {
	return device.IsAddress(word) || slices.Contains(known, word)
}

// with are the known names and those by which devices were found now.
func (k knownNames) with(all []sources) knownNames {
	add := func(list []string, word string, found device.Source) []string {
		if found != device.SourceDevice || word == "auto" || word == "" || expected(list, word) {
			return list
		}
		list = append(slices.Clone(list), word)
		return list[max(0, len(list)-mostKnownNames):]
	}
	for _, s := range all {
		k.Cameras = add(k.Cameras, s.request.Camera, s.camera.Source)
		k.Microphones = add(k.Microphones, s.request.Microphone, s.microphone.Source)
		k.Speakers = add(k.Speakers, s.wantedSpeaker, s.speaker.Source)
	}
	return k
}

// rememberNames keeps the names by which devices were found. Without it a device that is named by a part of its name and is not there at
// the next start ends that start, and nothing else is lost.
func rememberNames(all []sources) error {
	known, file := readNames(), namesFile()
	now := known.with(all)
	if file == "" || slices.Equal(now.Cameras, known.Cameras) && slices.Equal(now.Microphones, known.Microphones) && slices.Equal(now.Speakers, known.Speakers) {
		return nil
	}
	text, err := json.Marshal(now)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o700)
	}
	if err == nil {
		err = os.WriteFile(file+".new", text, 0o600)
	}
	if err == nil {
		err = os.Rename(file+".new", file)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("remember the names of devices: %w", err), os.RemoveAll(file+".new"))
	}
	return nil
}
