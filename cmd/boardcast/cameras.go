package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"boardcast/configs"
	"boardcast/device"
)

// namedFirst returns the order in which the cameras get their devices, as indices. Cameras that name a device come first;
// those with auto then get the best of what is left.
func namedFirst(wanted []configs.Camera, device func(configs.Camera) string) []int {
	var named, auto []int
	for i, w := range wanted {
		if device(w) == configs.Auto {
			auto = append(auto, i)
		} else {
			named = append(named, i)
		}
	}
	return append(named, auto...)
}

// pickCameras chooses a device for each camera of the settings, and no device twice. One that is named by an address, or by a known
// name, and is not there is a choice that says so; so is one that cannot be used now.
func pickCameras(list device.Listing, cfg *configs.Config) ([]device.Choice, error) {
	wanted, known := cfg.Cameras, readNames().Cameras
	chosen := make([]sources, len(wanted))
	for _, i := range namedFirst(wanted, func(c configs.Camera) string { return c.Camera }) {
		w, used, from := wanted[i], inUse(chosen), list
		auto := w.Camera == configs.Auto
		if auto {
			from = list.Beside(used)
		}
		choice, err := from.FindCamera(w.Camera, expected(known, w.Camera))
		if err != nil {
			return nil, sources{request: w}.named(err)
		}
		if auto && choice.Source == device.SourceTest && len(used) > 0 && choice.Hint == "" {
			choice.Reason = "no other camera found"
		}
		if j := slices.IndexFunc(chosen, func(s sources) bool { return s.has(choice) }); j >= 0 {
			return nil, twice(cfg, w.Name, wanted[j].Name, "camera", choice.Camera.Path)
		}
		chosen[i] = sources{request: w, camera: choice}
	}
	choices := make([]device.Choice, len(chosen))
	for i, s := range chosen {
		choices[i] = s.camera
	}
	return choices, nil
}

// has reports whether the choice is this camera's device.
func (s sources) has(c device.Choice) bool {
	return c.Source == device.SourceDevice && s.camera.Source == device.SourceDevice && s.camera.Camera.Path == c.Camera.Path
}

// hears reports whether the choice is this camera's microphone.
func (s sources) hears(m device.SoundChoice) bool {
	return m.Source == device.SourceDevice && s.microphone.Source == device.SourceDevice && s.microphone.Sound.PCM == m.Sound.PCM
}

// inUse lists the devices that cameras have taken.
func inUse(all []sources) []device.Camera {
	var used []device.Camera
	for _, s := range all {
		if s.camera.Source == device.SourceDevice {
			used = append(used, s.camera.Camera)
		}
	}
	return used
}

// untaken lists the microphones that no camera has taken.
func untaken(microphones []device.Sound, all []sources) []device.Sound {
	return slices.DeleteFunc(slices.Clone(microphones), func(m device.Sound) bool {
		choice := device.SoundChoice{Source: device.SourceDevice, Sound: m}
		return slices.ContainsFunc(all, func(s sources) bool { return s.hears(choice) })
	})
}

// pickMicrophones chooses a microphone for each camera of the settings, and no microphone twice.
func pickMicrophones(list []device.Sound, cfg *configs.Config, cameras []device.Choice) ([]device.SoundChoice, error) {
	wanted, known := cfg.Cameras, readNames().Microphones
	chosen := make([]sources, len(wanted))
	for _, i := range namedFirst(wanted, func(c configs.Camera) string { return c.Microphone }) {
		w, from := wanted[i], list
		if w.Microphone == configs.Auto {
			from = untaken(list, chosen)
		}
		request := device.SoundRequest{Stream: device.Capture, Want: w.Microphone}
		choice, err := findSound(device.Listing{Microphones: from}, request, cameras[i], known)
		if err != nil {
			return nil, sources{request: w}.named(err)
		}
		if j := slices.IndexFunc(chosen, func(s sources) bool { return s.hears(choice) }); j >= 0 {
			return nil, twice(cfg, w.Name, wanted[j].Name, "microphone", choice.Sound.PCM)
		}
		chosen[i] = sources{request: w, microphone: choice}
	}
	choices := make([]device.SoundChoice, len(chosen))
	for i, s := range chosen {
		choices[i] = s.microphone
	}
	return choices, nil
}

// findSound chooses a sound device at the start. One that is named by an address, or by a known name, and is not there is a choice
// that says so; another word that names nothing is an error.
func findSound(list device.Listing, r device.SoundRequest, camera device.Choice, known []string) (device.SoundChoice, error) {
	choice, err := list.FindSound(r, camera, device.SoundChoice{})
	if err == nil && choice.Away && !expected(known, r.Want) {
		return device.SoundChoice{}, choice.Cause
	}
	return choice, err
}

// twice is the error for a device that two cameras of the settings name. No device can be opened twice.
func twice(cfg *configs.Config, name, other, what, path string) error {
	key := "cameras." + name + "." + what
	from := cfg.Source(key)
	if from == (configs.Source{}) {
		from = cfg.Source("video." + what) // it was given once, for all cameras
	}
	return hinted{
		error: &configs.Problem{Source: from, Key: key, Reason: fmt.Sprintf("is %s, which camera %s has already", path, other)},
		hint:  "each camera needs a device of its own: `boardcast devices` lists what is there",
	}
}

// nameCameras sets the keys that --camera NAME=CAMERA stands for.
func nameCameras(given map[string]string, texts []string) {
	var names []string
	for _, text := range texts {
		name, camera, _ := configs.CutCamera(text)
		names = append(names, name)
		given["cameras."+name+".camera"] = camera
	}
	given["cameras"] = strings.Join(names, ",")
}

var errMixed = hinted{
	errors.New("flag --camera: some cameras have a name and one has none"),
	"give each a name: --camera front=/dev/video0 --camera rear=test",
}
