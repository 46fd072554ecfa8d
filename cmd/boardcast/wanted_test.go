package main

import (
	"strings"
	"testing"
	"testing/fstest"

	"boardcast/configs"
	"boardcast/device"
)

// TestCheckStream gives settings with which a stream would not start, and what is said of them.
func TestCheckStream(t *testing.T) {
	on(t, device.Options{Root: fstest.MapFS{}})
	tests := []struct {
		name  string
		flags map[string]string
		want  string // "" = it starts
	}{
		{"nothing is named", nil, ""},
		{"words", map[string]string{"video.camera": "test", "audio.microphone": "none", "audio.speaker": "none", "video.encoder": "x264enc"}, ""},
		{"the camera's own encoder", map[string]string{"video.encoder": "camera"}, ""},
		{"a camera", map[string]string{"video.camera": "nosuch"}, `find camera "nosuch"`},
		{"a camera of several", map[string]string{"cameras": "a,b", "cameras.b.camera": "nosuch"}, `camera b: find camera "nosuch"`},
		{"a microphone", map[string]string{"audio.microphone": "nosuch"}, `find microphone "nosuch"`},
		{"a speaker", map[string]string{"audio.speaker": "nosuch"}, `find speaker "nosuch"`},
		{"an encoder", map[string]string{"video.encoder": "nvenc"}, `flag --encoder: video.encoder: "nvenc" is no encoder that boardcast knows`},
		{"an encoder of one camera", map[string]string{"cameras": "a", "cameras.a.encoder": "h264"}, `cameras.a.encoder: "h264" is no encoder`},
		{"the encoder of no camera", map[string]string{"video.encoder": "camera", "video.camera": "none"}, "camera none has none"},
		{"a certificate", map[string]string{"tls.cert": "nosuch", "tls.key": "nosuch"}, "load TLS certificate nosuch and key nosuch: open nosuch: "},
		{"an authority", map[string]string{"signalling.ca": "nosuch"}, "read signalling.ca: open nosuch: "},
		{"an authority that is none", map[string]string{"signalling.ca": "wanted_test.go"}, "read signalling.ca: wanted_test.go holds no PEM certificate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg, err := configs.Load(configs.Options{Flags: tt.flags})
			if err != nil {
				t.Fatal(err)
			}
			err = checkStream(t.Context(), cfg)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("checkStream = %v, want %q", err, tt.want)
			}
		})
	}
}

// TestNothingIsLookedForWithoutAName wants the page's address printed before the devices are listed.
func TestNothingIsLookedForWithoutAName(t *testing.T) {
	for device, want := range map[string]int{"auto": 0, "test": 0, "none": 0, "HD Webcam": 1} {
		cfg, err := configs.Load(configs.Options{Flags: map[string]string{"video.camera": device}})
		if err != nil {
			t.Fatal(err)
		}
		looks := 0
		if err := checkWanted(cfg, func() ([]sources, error) { looks++; return nil, nil }); err != nil || looks != want {
			t.Errorf("camera %s: looked %d times, want %d (%v)", device, looks, want, err)
		}
	}
}

func TestPictured(t *testing.T) {
	none, sound := device.Choice{Source: device.SourceNone}, device.SoundChoice{Source: device.SourceTest}
	for want, s := range map[string]sources{
		"none, as asked for: sound only":                                    {camera: none, microphone: sound},
		"none, as asked for, and no sound either: there is nothing to play": {camera: none, microphone: device.SoundChoice{Source: device.SourceNone}},
		"test picture: asked for":                                           {camera: device.Choice{Source: device.SourceTest, Reason: "asked for"}, microphone: sound},
	} {
		if got := s.pictured(); got != want {
			t.Errorf("pictured = %q, want %q", got, want)
		}
	}
}
