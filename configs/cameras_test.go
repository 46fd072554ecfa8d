package configs

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCameras says which cameras there are, as NAME=CAMERA WIDTH MICROPHONE.
func TestCameras(t *testing.T) {
	const two = "video: {width: 800}\ncameras:\n  rear: { camera: test, width: 640 }\n  front: { microphone: test }\n"
	tests := []struct {
		name  string
		file  string
		env   []string
		flags map[string]string
		want  []string
	}{
		{"none: one without a name", "", nil, nil, []string{"=auto 0 auto"}},
		{"none in an empty list", "cameras:\n", nil, nil, []string{"=auto 0 auto"}},
		{"in the order of the file, the rest as in video", two, nil, nil, []string{"rear=test 640 auto", "front=auto 800 test"}},
		{"only the first has the common microphone", "cameras: [a, b]\naudio: {microphone: test}\n", nil, nil, []string{"a=auto 0 test", "b=auto 0 none"}},
		{"the common key in a variable", two, []string{"BOARDCAST_VIDEO_WIDTH=32"}, nil, []string{"rear=test 640 auto", "front=auto 32 test"}},
		{"a common camera in the file", "video: {camera: test}\ncameras: [a, b]\n", nil, nil, []string{"a=test 0 auto", "b=test 0 none"}},
		{"by variable", "", []string{"BOARDCAST_CAMERAS=b, a"}, nil, []string{"b=auto 0 auto", "a=auto 0 none"}},
		{
			"by flag, instead of those in the file, whose keys stay", two, nil,
			map[string]string{"cameras": "x,rear", "cameras.x.camera": "/dev/video0", "cameras.rear.camera": "none"},
			[]string{"x=/dev/video0 800 auto", "rear=none 640 none"},
		},
		{"one without a name by flag, instead of those in the file", two, nil, map[string]string{"video.camera": "test"}, []string{"=test 800 auto"}},
		{"one without a name by variable", two, []string{"BOARDCAST_VIDEO_CAMERA=test"}, nil, []string{"=test 800 auto"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := Options{Env: tt.env, Flags: tt.flags}
			if tt.file != "" {
				o.File = write(t, tt.file)
			}
			var got []string
			for _, c := range load(t, o).Cameras {
				got = append(got, c.Name+"="+strings.Join([]string{c.Camera, Setting{Key: "video.width", Value: int64(c.Width)}.Text(), c.Microphone}, " "))
				if c.Framerate != 30 || !c.Adaptive {
					t.Errorf("%+v lacks the defaults", c)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("cameras (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSettingsOfCameras wants the names, and what was said of each camera where it was said.
func TestSettingsOfCameras(t *testing.T) {
	path := write(t, "cameras:\n  rear:\n    camera: test\n    bitrate: 2.5M\n  front:\n")
	var got []string
	for _, s := range load(t, Options{File: path}).Settings() {
		if strings.HasPrefix(s.Key, "cameras") {
			got = append(got, s.Key+" "+s.Text()+" "+strings.Replace(s.Source.String(), path, "F", 1))
		}
	}
	want := []string{
		"cameras rear,front file F:1", "cameras.rear.camera test file F:3", "cameras.rear.bitrate 2.5M file F:4",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}
