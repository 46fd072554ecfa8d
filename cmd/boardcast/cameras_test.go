package main

import (
	stdcmp "cmp"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"boardcast/configs"
	"boardcast/device"
	"boardcast/internal/signalling"
	"boardcast/pipeline"
	"boardcast/pipeline/live"
	"boardcast/pipeline/produce"
)

// webcams are cameras on USB that can be told apart, the first the best; each is on the node of its place.
func webcams(names ...string) device.Listing {
	var l device.Listing
	for i, name := range names {
		if name == "" {
			continue // a node that nothing is on
		}
		sizes := []device.Size{{Width: 640, Height: 480 - 2*i, Rates: []device.Rate{{Num: 30, Den: 1}}}}
		l.Cameras = append(l.Cameras, device.Camera{
			Name: name, Path: "/dev/video" + string(rune('0'+i)), Bus: "usb-" + name, ByID: "/dev/v4l/by-id/" + name,
			ID: "/dev/v4l/by-id/" + name, Formats: []device.Format{{FourCC: "YUYV", Sizes: sizes}},
		})
	}
	return l
}

// settings reads a settings file.
func settings(t *testing.T, text string) (cfg *configs.Config, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "boardcast.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := configs.Load(configs.Options{File: path})
	if err != nil {
		t.Fatal(err)
	}
	return cfg, path
}

func TestPickCameras(t *testing.T) {
	list := webcams("best", "good", "poor")
	list.Cameras = append(list.Cameras, device.Camera{Name: "best", Path: "/dev/video9", Bus: "usb-best"}) // a second node
	tests := []struct {
		name, settings string
		want           []string // node and reason of each camera
		fault          string
	}{
		{"one without a name", "", []string{"/dev/video0 the best of 4 cameras: USB, up to 640x480 at 30 frames/s"}, ""},
		{"auto takes different ones", "cameras: [a, b]\n", []string{
			"/dev/video0 the best of 4 cameras: USB, up to 640x480 at 30 frames/s",
			"/dev/video1 the best of 2 cameras: USB, up to 640x478 at 30 frames/s",
		}, ""},
		{"auto takes what no other names, in whatever order", "cameras: {a: , b: {camera: best}}\n", []string{
			"/dev/video1 the best of 2 cameras: USB, up to 640x478 at 30 frames/s", "/dev/video0 asked for by stable id",
		}, ""},
		{"auto when all are taken", "cameras: [a, b, c, d]\n", []string{"/dev/video0", "/dev/video1", "/dev/video2", "test no other camera found"}, ""},
		{"test pictures as many as wanted", "cameras: {a: {camera: test}, b: {camera: test}, c: {camera: none}}\n", []string{
			"test asked for", "test asked for", "none asked for",
		}, ""},
		{"two nodes of one device, each named", "cameras: {a: {camera: /dev/video0}, b: {camera: /dev/video9}}\n", []string{"/dev/video0", "/dev/video9"}, ""},
		{
			"one node by two names", "cameras:\n  a: {camera: good}\n  b: {camera: /dev/video1}\n", nil,
			"F:3: cameras.b.camera: is /dev/video1, which camera a has already",
		},
		{
			"one node for all", "video: {camera: good}\ncameras: [a, b]\n", nil,
			"F:1: cameras.b.camera: is /dev/video1, which camera a has already",
		},
		{"one that is not there", "cameras: {a: {camera: nosuch}}\n", nil, `camera a: find camera "nosuch": no match: `},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg, path := settings(t, tt.settings)
			choices, err := pickCameras(list, cfg)
			if tt.fault != "" {
				if err == nil || !strings.HasPrefix(strings.ReplaceAll(err.Error(), path, "F"), tt.fault) || len(hints(err)) == 0 {
					t.Fatalf("error %v with hints %q, want %s and a hint", err, hints(err), tt.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range choices {
				got := strings.TrimSpace(stdcmp.Or(c.Camera.Path, string(c.Source)) + " " + c.Reason)
				if !strings.HasPrefix(got, tt.want[i]) {
					t.Errorf("camera %d is %s, want %s", i, got, tt.want[i])
				}
			}
			if len(choices) != len(tt.want) {
				t.Errorf("%d cameras, want %d", len(choices), len(tt.want))
			}
		})
	}
}

func TestPickMicrophones(t *testing.T) {
	list := []device.Sound{{Name: "Mic", ID: "Mic", PCM: "hw:CARD=Mic,DEV=0"}, {Name: "Desk", ID: "Desk", Card: 1, PCM: "hw:CARD=Desk,DEV=0"}}
	for text, want := range map[string][]string{
		"":                  {"hw:CARD=Mic,DEV=0"},
		"cameras: [a, b]\n": {"hw:CARD=Mic,DEV=0", "none"},
		"cameras: {a: , b: {microphone: auto}}\n":                   {"hw:CARD=Mic,DEV=0", "hw:CARD=Desk,DEV=0"},
		"cameras: {a: , b: {microphone: Mic}}\n":                    {"hw:CARD=Desk,DEV=0", "hw:CARD=Mic,DEV=0"},
		"cameras: {a: {microphone: test}, b: {microphone: test}}\n": {"test", "test"},
	} {
		cfg, _ := settings(t, text)
		choices, err := pickMicrophones(list, cfg, make([]device.Choice, len(cfg.Cameras)))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range choices {
			got = append(got, stdcmp.Or(c.Sound.PCM, string(c.Source)))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	cfg, path := settings(t, "cameras:\n  a: {microphone: Mic}\n  b: {microphone: Mic}\n")
	_, err := pickMicrophones(list, cfg, make([]device.Choice, 2))
	if want := path + ":3: cameras.b.microphone: is hw:CARD=Mic,DEV=0, which camera a has already"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// TestLookAgain plugs cameras in and out: f is found by name, a and b take any.
func TestLookAgain(t *testing.T) {
	cfg, _ := settings(t, "cameras: {f: {camera: named}, a: , b: }\n")
	tests := []struct {
		name   string
		events [][]string // the cameras by node after each event
		want   []string   // the node of f, a and b at the end
	}{
		{"nothing happens", [][]string{{"x", "named"}}, []string{"/dev/video1", "/dev/video0", ""}},
		{"one comes, and only one takes it", [][]string{{"x", "named"}, {"x", "named", "y"}}, []string{"/dev/video1", "/dev/video0", "/dev/video2"}},
		{"two that wait take one each", [][]string{{"named"}, {"named", "x", "y"}}, []string{"/dev/video0", "/dev/video1", "/dev/video2"}},
		{"all on other nodes", [][]string{{"x", "named"}, {"named", "x"}}, []string{"/dev/video0", "/dev/video1", ""}},
		{"one is gone, and its node waits for it", [][]string{{"x", "named"}, {"", "named"}}, []string{"/dev/video1", "/dev/video0", ""}},
		{
			"what comes on the node of one that is gone is not taken by another, for it may be tried",
			[][]string{{"x", "named"}, {"", "named"}, {"y", "named"}},
			[]string{"/dev/video1", "/dev/video0", ""},
		},
		{
			"one comes back on the node of one that is gone",
			[][]string{{"x", "named"}, {"", ""}, {"named"}},
			[]string{"/dev/video0", "/dev/video0.gone", ""},
		},
		{
			"and so does that one",
			[][]string{{"x", "named"}, {"", ""}, {"named"}, {"named", "", "x"}},
			[]string{"/dev/video0", "/dev/video2", ""},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := webcams(tt.events[0]...)
			choices, err := pickCameras(now, cfg)
			if err != nil {
				t.Fatal(err)
			}
			var all []sources
			for i, c := range choices {
				all = append(all, sources{request: cfg.Cameras[i], camera: c, microphone: device.SoundChoice{Source: device.SourceNone}})
				all[i].setAudio()
			}
			for _, event := range tt.events[1:] {
				before := all
				all = lookAgain(webcams(event...), before)
				for i, s := range all {
					if (len(s.why) > 0) != (s.camera.Camera.Path != before[i].camera.Camera.Path) {
						t.Errorf("%q: %s went from %s to %s, which says %q", event, s.request.Name, before[i].camera, s.camera, s.why)
					}
				}
			}
			var got []string
			for _, s := range all {
				got = append(got, s.camera.Camera.Path)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("nodes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStreams(t *testing.T) {
	for text, want := range map[string][]string{ // id here, id elsewhere
		"":                         {"camera "},
		"signalling: {id: door}\n": {"door door"},
		"cameras: [front, rear]\n": {"front ", "rear "},
		"signalling: {id: door}\ncameras: [front, rear]\n": {"front door-front", "rear door-rear"},
	} {
		cfg, _ := settings(t, text)
		var got []string
		for _, s := range newStreams(t.Context(), cfg) {
			got = append(got, s.id+" "+s.idElsewhere(cfg.Signalling.ID))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: ids %q, want %q", text, got, want)
		}
	}
}

func TestStateOf(t *testing.T) {
	line := func(users int64, waiting, placeholder bool) produce.Status {
		return produce.Status{Users: users, Waiting: waiting, Placeholder: placeholder}
	}
	for want, lines := range map[string][]produce.Status{
		"idle": {line(0, false, false), line(0, true, false)},
		"live": {line(0, true, false), line(1, false, false)},
		"lost": {line(1, false, false), line(1, true, false)},
	} {
		if got := stateOf(live.Status{Producers: lines}); got != want {
			t.Errorf("%+v is %s, want %s", lines, got, want)
		}
	}
	if got := stateOf(live.Status{Producers: []produce.Status{line(1, false, true)}}); got != "lost" {
		t.Errorf("a placeholder is %s, want lost", got)
	}
}

// TestTogether has two cameras whose producers go by the same name: the watchdog must tell them apart.
func TestTogether(t *testing.T) {
	cfg, _ := settings(t, "cameras: [front, rear]\n")
	all := newStreams(t.Context(), cfg)
	for i := range all {
		all[i].broadcast = live.NewBroadcast(nil, pipeline.Plan{}, live.Options{})
	}
	if got := together(all); len(got.Producers) != 0 || len(got.Viewers) != 0 {
		t.Errorf("%+v of two that do nothing", got)
	}
	names := map[string]bool{all[0].label("capture"): true, all[1].label("capture"): true}
	if want := map[string]bool{"front: capture": true, "rear: capture": true}; !maps.Equal(names, want) {
		t.Errorf("names %v, want %v", names, want)
	}
}

func TestStatusOfCameras(t *testing.T) {
	cfg, _ := settings(t, "cameras: [front, rear]\n")
	all := newStreams(t.Context(), cfg)
	hub := signalling.NewServer(signalling.ServerOptions{})
	if got := status(hub, all); got.Ready || got.Media != nil || len(got.Cameras) != 2 || got.Cameras[1].State != "starting" {
		t.Errorf("before it is ready: %+v", got)
	}
	for i := range all {
		all[i].broadcast = live.NewBroadcast(nil, pipeline.Plan{}, live.Options{})
		close(all[i].ready)
	}
	got := status(hub, all)
	if !got.Ready || got.Media == nil || got.Cameras[0].Media != got.Media || got.Cameras[1].Name != "rear" || got.Cameras[1].State != "idle" {
		t.Errorf("once it is: %+v", got)
	}
	one, _ := settings(t, "")
	if got := status(hub, newStreams(t.Context(), one)); got.Cameras != nil {
		t.Errorf("one camera without a name is listed: %+v", got)
	}
}

func TestDoctorsCameras(t *testing.T) {
	on(t, device.Options{Root: fstest.MapFS{}})
	cfg, _ := settings(t, "cameras: {a: {camera: test}, b: {camera: nosuch}}\n")
	if d := cameraFor(cfg)(t.Context()); !errors.Is(d.Err, device.ErrNoMatch) {
		t.Errorf("%+v, want one that is not there", d)
	}
	cfg, _ = settings(t, "cameras: {a: {camera: test}, b: {camera: none}}\n")
	if d := cameraFor(cfg)(t.Context()); d.Err != nil || d.Missing || d.Text != "a: test picture: asked for; b: no picture: asked for" {
		t.Errorf("%+v, want both", d)
	}
}
