package main

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"boardcast/configs"
	"boardcast/device"
	"boardcast/internal/signalling"
	"boardcast/pipeline"
	"boardcast/pipeline/live"
	"boardcast/pipeline/produce"
)

// chosen are the devices that the settings get from a listing at the start.
func chosen(t *testing.T, cfg *configs.Config, list device.Listing) []sources {
	t.Helper()
	cameras, err := pickCameras(list, cfg)
	if err != nil {
		t.Fatal(err)
	}
	microphones, err := pickMicrophones(list.Microphones, cfg, cameras)
	if err != nil {
		t.Fatal(err)
	}
	all := make([]sources, len(cameras))
	for i := range all {
		all[i] = sources{request: cfg.Cameras[i], camera: cameras[i], microphone: microphones[i], wantedSpeaker: cfg.Audio.Speaker}
		all[i].speaker, err = findSound(list, all[i].speakerRequest(), device.Choice{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		all[i].setAudio()
	}
	return all
}

// TestAwayCamera has named cameras absent at the start, and coming and going later.
func TestAwayCamera(t *testing.T) {
	cfg, _ := settings(t, "cameras: {n: {camera: /dev/v4l/by-id/named}, m: {camera: /dev/v4l/by-id/more}, a: }\n")
	type state struct{ camera, away string } // a node and a part of the reason, of each camera
	tests := []struct {
		name   string
		events [][]string // the cameras by node at the start, and after each event
		want   []state    // of n, m and a at the end
		told   string     // the cameras that need a new plan after the last event
	}{
		{"absent at the start", [][]string{{"x"}}, []state{
			{"", `"/dev/v4l/by-id/named" is not there: there is x (/dev/video0)`}, {"", "is not there"}, {"/dev/video0", ""},
		}, ""},
		{"comes, and another stays away", [][]string{{"x"}, {"x", "named"}}, []state{
			{"/dev/video1", ""}, {"", `there is x (/dev/video0), named (/dev/video1)`}, {"/dev/video0", ""},
		}, "n"},
		{"nothing changes while they are away", [][]string{{"x"}, {"x"}}, []state{{"", "is not there"}, {"", "is not there"}, {"/dev/video0", ""}}, ""},
		{"both come, under other numbers", [][]string{{"x"}, {"x", "", "more"}, {"x", "named", "more"}}, []state{
			{"/dev/video1", ""}, {"/dev/video2", ""}, {"/dev/video0", ""},
		}, "n"},
		{"unplugged again", [][]string{{"x"}, {"x", "named"}, {"x"}}, []state{
			{"/dev/video1", "named was unplugged"}, {"", "is not there"}, {"/dev/video0", ""},
		}, ""},
		{"back under another number", [][]string{{"x"}, {"x", "named"}, {"x"}, {"x", "", "named"}}, []state{
			{"/dev/video2", ""}, {"", "is not there"}, {"/dev/video0", ""},
		}, "n"},
		{"auto has none", [][]string{{}, {"named"}}, []state{{"/dev/video0", ""}, {"", "is not there"}, {"", "no camera found"}}, "n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			all := chosen(t, cfg, webcams(tt.events[0]...))
			for _, event := range tt.events[1:] {
				all = lookAgain(webcams(event...), all)
			}
			var told []string
			for i, s := range all {
				reason, _ := s.away()
				if want := tt.want[i]; s.camera.Camera.Path != want.camera || !strings.Contains(reason, want.away) || (reason == "") != (want.away == "") {
					t.Errorf("%s is %q, away %q; want %+v", s.request.Name, s.camera.Camera.Path, reason, want)
				}
				if len(s.why) > 0 {
					told = append(told, s.request.Name)
				}
			}
			if got := strings.Join(told, " "); got != tt.told {
				t.Errorf("a new plan for %q, want %q", got, tt.told)
			}
		})
	}
}

// Two settings may come to name one camera only once it is plugged in. The second is told, and no node is opened twice.
func TestOneCameraThatTwoWaitFor(t *testing.T) {
	cfg, _ := settings(t, "cameras: {n: {camera: /dev/video0}, m: {camera: /dev/v4l/by-id/named}}\n")
	all := lookAgain(webcams("named"), chosen(t, cfg, webcams()))
	if reason, _ := all[1].away(); all[0].camera.Camera.Path != "/dev/video0" || reason != "camera n has /dev/video0 already" {
		t.Errorf("n has %q; m is away: %q", all[0].camera.Camera.Path, reason)
	}
}

// A camera on the board's connector is not left for one that is plugged in later.
func TestCameraOnTheConnectorStays(t *testing.T) {
	cfg, _ := settings(t, "cameras: {a: }\n")
	for found, want := range map[bool]string{true: "", false: "/dev/video0"} {
		all := chosen(t, cfg, webcams())
		all[0].connector = connector{true, found}
		if reason, _ := all[0].away(); (reason == "") != found || all[0].seeksConnector() == found {
			t.Errorf("found %v: away %q, sought %v", found, reason, all[0].seeksConnector())
		}
		if got := lookAgain(webcams("x"), all)[0].camera.Camera.Path; got != want {
			t.Errorf("found %v: goes over to %q, want %q", found, got, want)
		}
	}
}

func TestPlanOfAnAwayCamera(t *testing.T) {
	cfg, _ := settings(t, "cameras: {front: {camera: /dev/video7}}\n")
	p := planner{cfg: cfg, save: func() {}}
	plan, err := p.plan(t.Context(), chosen(t, cfg, device.Listing{})[0])
	if err != nil || !plan.Source.Away() || plan.Source.Missing != "not there" || plan.Source.Name != "front" || plan.Capture == nil {
		t.Errorf("%+v, %v", plan.Source, err)
	}
	for want, cause := range map[string]error{
		"in use by another program": &device.Error{Kind: device.ErrBusy, Detail: "held by cheese (pid 7)"}, "as it is": errors.New("whatever"),
	} {
		if got := briefly(device.Choice{Away: true, Cause: cause, Reason: "as it is"}); got != want {
			t.Errorf("%v in brief: %q, want %q", cause, got, want)
		}
	}
}

// The microphone and the speaker are found again under other numbers. While a microphone that is asked for is away, silence is sent.
func TestAwaySounds(t *testing.T) {
	mic := func(card int, id string) device.Sound {
		return device.Sound{Card: card, ID: id, Name: id, Driver: "USB-Audio", PCM: "hw:CARD=" + id + ",DEV=0", Stream: device.Capture}
	}
	box := func(id string) device.Sound {
		s := mic(5, id)
		s.Stream = device.Playback
		return s
	}
	impostor := mic(1, "Mic")
	impostor.Name = "another model"
	silent, heard := pipeline.AudioSource{Silent: true}, func(id string) pipeline.AudioSource {
		return pipeline.AudioSource{PCM: "hw:CARD=" + id + ",DEV=0"}
	}
	sound := func(speakers []device.Sound, microphones ...device.Sound) device.Listing {
		l := webcams("x")
		l.Microphones, l.Speakers = microphones, speakers
		return l
	}
	tests := []struct {
		name, microphone string
		events           []device.Listing
		audio            pipeline.AudioSource
		speaker          string
		told             bool // after the last event
	}{
		{"named, absent at the start", "hw:CARD=Mic,DEV=0", []device.Listing{sound(nil)}, silent, "", false},
		{"named, comes", "hw:CARD=Mic,DEV=0", []device.Listing{sound(nil), sound(nil, mic(1, "Mic"))}, heard("Mic"), "", true},
		{"auto, comes", "auto", []device.Listing{sound(nil), sound(nil, mic(1, "Mic"))}, heard("Mic"), "", true},
		{"unplugged: the same plan has silence", "auto", []device.Listing{sound(nil, mic(1, "Mic")), sound(nil)}, heard("Mic"), "", false},
		{"back under another number", "auto", []device.Listing{sound(nil, mic(1, "Mic")), sound(nil), sound(nil, mic(4, "Mic"))}, heard("Mic"), "", false},
		{"another in its place", "auto", []device.Listing{sound(nil, mic(1, "Mic")), sound(nil), sound(nil, mic(1, "Other"))}, heard("Mic"), "", false},
		{"another by its address", "auto", []device.Listing{sound(nil, mic(1, "Mic")), sound(nil), sound(nil, impostor)}, silent, "", true},
		{"off", "none", []device.Listing{sound(nil, mic(1, "Mic")), sound(nil)}, pipeline.AudioSource{None: true}, "", false},
		{"a speaker comes", "none", []device.Listing{sound(nil), sound([]device.Sound{box("Box")})}, pipeline.AudioSource{None: true}, "hw:CARD=Box,DEV=0", true},
		{"a speaker goes", "none", []device.Listing{sound([]device.Sound{box("Box")}), sound(nil)}, pipeline.AudioSource{None: true}, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg, _ := settings(t, "cameras: {a: {microphone: '"+tt.microphone+"'}}\n")
			all := chosen(t, cfg, tt.events[0])
			for _, event := range tt.events[1:] {
				all = lookAgain(event, all)
			}
			if s := all[0]; s.audio != tt.audio || s.sink != (pipeline.AudioSink{PCM: tt.speaker}) || (len(s.why) > 0) != tt.told {
				t.Errorf("sound %+v, speaker %+v, told %q; want %+v", s.audio, s.sink, s.why, tt)
			}
		})
	}
}

// Two cameras with auto do not get one microphone when it comes.
func TestOneMicrophoneThatTwoWaitFor(t *testing.T) {
	cfg, _ := settings(t, "cameras: {a: {microphone: auto}, b: {microphone: auto}}\n")
	list := webcams("x", "y")
	before := chosen(t, cfg, list)
	list.Microphones = []device.Sound{{ID: "Mic", Name: "Mic", PCM: "hw:CARD=Mic,DEV=0", Stream: device.Capture}}
	all := lookAgain(list, before)
	all = lookAgain(list, all)
	if all[0].audio.PCM != "hw:CARD=Mic,DEV=0" || !all[1].audio.Silent {
		t.Errorf("a hears %+v, b %+v", all[0].audio, all[1].audio)
	}
}

func TestLongestPause(t *testing.T) {
	away := func(cause error) sources {
		return sources{camera: device.Choice{Source: device.SourceNone, Away: true, Cause: cause}}
	}
	there := sources{camera: device.Choice{Source: device.SourceDevice}}
	test := sources{camera: device.Choice{Source: device.SourceTest}}
	refused := sources{camera: device.Choice{Source: device.SourceTest, Hint: "join the group"}}
	for want, list := range map[time.Duration][][]sources{
		0:                {nil, {there}, {test}},
		lookPauseLongest: {{there, away(device.ErrNoMatch)}, {refused}, {away(nil)}},
		lookPauseStuck:   {{away(device.ErrSilent), there}, {away(device.ErrNoMatch), away(device.ErrSilent)}},
	} {
		for _, all := range list {
			if got := longestPause(all); got != want {
				t.Errorf("%+v: %v, want %v", all, got, want)
			}
		}
	}
}

// The start does not end for what may come, and does for what is wrong.
func TestStartWithAwayDevices(t *testing.T) {
	on(t, device.Options{Root: fstest.MapFS{}})
	for text, fault := range map[string]string{
		"video: {camera: /dev/video3}\n":                                                   "",
		"video: {camera: usb-046d_HD_Cam_1234-video-index0}\n":                             "",
		"audio: {microphone: 'hw:CARD=Mic,DEV=0', speaker: 'plughw:2,0'}\n":                "",
		"cameras: {a: {camera: /dev/video3, microphone: 'hw:1,0'}, b: {camera: nosuch}}\n": `camera b: find camera "nosuch"`,
		"audio: {microphone: Mic}\n":                                                       `find microphone "Mic"`,
	} {
		cfg, _ := settings(t, text)
		if err := checkStream(t.Context(), cfg); fault == "" && err != nil || fault != "" && (err == nil || !strings.Contains(err.Error(), fault)) {
			t.Errorf("%s: %v, want %q", text, err, fault)
		}
	}
	cfg, _ := settings(t, "cameras: {front: {camera: /dev/video3, microphone: 'hw:1,0'}}\n")
	all, err := chooseSources(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`camera: placeholder: "/dev/video3" is not there: there is no camera`, "hint: plug it in, or give a name",
		`microphone: no sound: "hw:1,0" is not there: there is no microphone`,
	} {
		if !slices.ContainsFunc(all[0].why, func(why string) bool { return strings.HasPrefix(why, want) }) {
			t.Errorf("%q lacks %q", all[0].why, want)
		}
	}
}

func TestDoctorOfAwayDevices(t *testing.T) {
	on(t, device.Options{Root: fstest.MapFS{}})
	cfg, _ := settings(t, "video: {camera: /dev/video3}\naudio: {microphone: 'hw:1,0'}\n")
	if d := cameraFor(cfg)(t.Context()); !errors.Is(d.Err, device.ErrNoMatch) || d.Hint == "" {
		t.Errorf("camera: %+v", d)
	}
	if d := microphoneFor(cfg)(t.Context()); !errors.Is(d.Err, device.ErrNoMatch) || d.Hint == "" {
		t.Errorf("microphone: %+v", d)
	}
}

// The status says of each camera that is away that it is, and why; of the only one too.
func TestStatusOfAnAwayCamera(t *testing.T) {
	cfg, _ := settings(t, "cameras: [front, rear]\n")
	all := newStreams(t.Context(), cfg)
	for i := range all {
		all[i].broadcast = live.NewBroadcast(nil, pipeline.Plan{}, live.Options{})
		close(all[i].ready)
	}
	all[0].devices = func() (string, string) { return "it is not there", "" }
	all[1].devices = func() (string, string) { return "", "" }
	got := status(signalling.NewServer(signalling.ServerOptions{}), all)
	if got.State != "away" || got.Reason != "it is not there" {
		t.Errorf("%+v", got)
	}
	if f, r := got.Cameras[0], got.Cameras[1]; f.State != "away" || f.Reason != "it is not there" || r.State != "idle" || r.Reason != "" {
		t.Errorf("front %+v, rear %+v", f, r)
	}
	gone := func(name string, users int64) live.Status {
		return live.Status{Producers: []produce.Status{{Users: 1}, {Name: name, Users: users, Placeholder: true, Reason: "busy"}}}
	}
	if got := []string{lostFor(gone("capture", 1)), lostFor(gone("capture", 0)), lostFor(gone(microphoneProducer, 1))}; !slices.Equal(got, []string{"busy", "", ""}) {
		t.Errorf("lost for %q", got)
	}
	if got := stateOf(live.Status{Producers: []produce.Status{{Users: 1}, {Name: microphoneProducer, Users: 1, Placeholder: true}}}); got != "live" {
		t.Errorf("without sound a camera is %s", got)
	}
}
