package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"boardcast/device"
)

// A camera that is named by a part of its name is waited for once the name has named one; a name that never did is an error.
func TestKnownNames(t *testing.T) {
	t.Setenv("CACHE_DIRECTORY", t.TempDir())
	cfg, _ := settings(t, "cameras: {a: {camera: nam, microphone: Mic}}\n")
	list := webcams("x", "named")
	list.Microphones = []device.Sound{{ID: "Mic", Name: "Mic", PCM: "hw:CARD=Mic,DEV=0", Stream: device.Capture}}
	refuses := func(list device.Listing) (camera, microphone error) {
		cameras, camera := pickCameras(list, cfg)
		if camera != nil {
			cameras = make([]device.Choice, 1)
		}
		_, microphone = pickMicrophones(list.Microphones, cfg, cameras)
		return camera, microphone
	}
	if camera, microphone := refuses(webcams("x")); !errors.Is(camera, device.ErrNoMatch) || !errors.Is(microphone, device.ErrNoMatch) {
		t.Errorf("names that never named anything: %v, %v", camera, microphone)
	}
	if err := rememberNames(chosen(t, cfg, list)); err != nil {
		t.Fatal(err)
	}
	if camera, microphone := refuses(webcams("x")); camera != nil || microphone != nil {
		t.Errorf("names that are known: %v, %v", camera, microphone)
	}
	if all := chosen(t, cfg, webcams("x")); !all[0].camera.Away || !all[0].microphone.Away {
		t.Errorf("%+v, %+v; want both away", all[0].camera, all[0].microphone)
	}
	if err := os.WriteFile(namesFile(), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if camera, _ := refuses(webcams("x")); !errors.Is(camera, device.ErrNoMatch) {
		t.Errorf("a broken file: %v", camera)
	}
}

// Only names that are needed are kept, and a bounded number. What cannot be kept is told.
func TestNamesThatAreKept(t *testing.T) {
	found := func(word string) sources {
		s := sources{camera: device.Choice{Source: device.SourceDevice}}
		s.request.Camera = word
		return s
	}
	away := found("away")
	away.camera.Source = device.SourceNone
	got := knownNames{Cameras: []string{"old"}}.with([]sources{found("new"), found("old"), found("auto"), found("/dev/video0"), away})
	if !slices.Equal(got.Cameras, []string{"old", "new"}) || got.Microphones != nil || got.Speakers != nil {
		t.Errorf("kept %+v", got)
	}
	for i := range 2 * mostKnownNames {
		got = got.with([]sources{found(fmt.Sprint("name", i))})
	}
	if n := len(got.Cameras); n != mostKnownNames || got.Cameras[n-1] != fmt.Sprint("name", 2*mostKnownNames-1) {
		t.Errorf("%d are kept, the last %s", n, got.Cameras[n-1])
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CACHE_DIRECTORY", filepath.Join(file, "below"))
	if err := rememberNames([]sources{found("new")}); err == nil {
		t.Error("nothing is told of a folder that is none")
	}
}
