package device

import (
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// plugged is a webcam's node in a machine: what differs between two of a model.
type plugged struct {
	node, port, serial string // "video0", "2", "1234"; port "" is not on USB, serial "-" is no by-id link
	index              string // of the node within the camera, "0"
	udev               bool   // whether it has come round to the links
}

// rootWith is a machine with these cameras. A link of which there are two is the first one's.
func rootWith(cams ...plugged) fstest.MapFS {
	root := fstest.MapFS{}
	for _, c := range cams {
		sys := "sys/class/video4linux/" + c.node
		root["dev/"+c.node] = charDevice()
		root[sys+"/device"] = symlink("../../../1-" + c.port + ":1.0")
		root[sys+"/index"] = text(c.index + "\n")
		if !c.udev {
			continue
		}
		root["dev/v4l/by-path/pci-0000:00:14.0-usb-0:"+c.port+":1.0-video-index"+c.index] = symlink("../../" + c.node)
		link := "dev/v4l/by-id/usb-HD_Cam" + c.serial + "-video-index" + c.index
		if root[link] == nil && c.serial != "-" {
			root[link] = symlink("../../" + c.node)
		}
	}
	return root
}

// listed lists such a machine; name is what all its cameras are called.
func listed(t *testing.T, name string, cams ...plugged) Listing {
	t.Helper()
	nodes := map[string]any{}
	for _, c := range cams {
		n := webcam()
		n.capability.Card = name
		n.capability.Bus = "usb-0000:00:14.0-" + c.port
		nodes["/dev/"+c.node] = n
	}
	l := List(t.Context(), Options{Root: rootWith(cams...), Open: openFrom(nodes)})
	if len(l.Cameras) != len(cams) {
		t.Fatalf("%d cameras listed of %d", len(l.Cameras), len(cams))
	}
	return l
}

func TestSameCamera(t *testing.T) {
	const cam, other = "HD Cam", "Other Cam"
	one := plugged{"video0", "1", "_A", "0", true}
	two := plugged{"video2", "2", "_B", "0", true}
	// Two that udev can't tell apart: they have one by-id link.
	twin1 := plugged{"video0", "1", "", "0", true}
	twin2 := plugged{"video2", "2", "", "0", true}
	at := func(p plugged, node string) plugged { p.node = node; return p }
	in := func(p plugged, port string) plugged { p.port = port; return p }
	bare := func(p plugged) plugged { p.udev = false; return p }
	nth := func(p plugged, index string) plugged { p.index = index; return p }
	tests := []struct {
		name string
		was  []plugged // the first is the one to find
		is   []plugged
		now  string // what they are called now, "" as before
		want string // its node now, "" if it is not there
	}{
		{name: "where it was", was: []plugged{one}, is: []plugged{one}, want: "/dev/video0"},
		{name: "gone", was: []plugged{one}, is: nil},
		{name: "on another node", was: []plugged{one}, is: []plugged{at(one, "video1")}, want: "/dev/video1"},
		{name: "at another connector", was: []plugged{one}, is: []plugged{at(in(one, "3"), "video1")}, want: "/dev/video1"},
		{name: "no serial number, at another connector", was: []plugged{twin1}, is: []plugged{in(twin1, "3")}, want: "/dev/video0"},
		{name: "only another", was: []plugged{one}, is: []plugged{two}},
		{name: "another of the model, on its node", was: []plugged{one}, is: []plugged{at(two, "video0")}},
		{name: "another of the model, at its connector", was: []plugged{one}, is: []plugged{in(two, "1")}},
		{name: "another model at its connector", was: []plugged{twin1}, is: []plugged{{"video0", "1", "-", "0", true}}, now: other},
		{name: "two, nodes swapped", was: []plugged{one, two}, is: []plugged{at(two, "video0"), at(one, "video2")}, want: "/dev/video2"},
		{name: "two, connectors swapped", was: []plugged{one, two}, is: []plugged{in(two, "1"), in(one, "2")}, want: "/dev/video0"},
		{name: "twins, where they were", was: []plugged{twin1, twin2}, is: []plugged{twin1, twin2}, want: "/dev/video0"},
		{name: "twins, nodes swapped", was: []plugged{twin1, twin2}, is: []plugged{at(twin2, "video0"), at(twin1, "video2")}, want: "/dev/video2"},
		{name: "twins, the link has moved", was: []plugged{twin1, twin2}, is: []plugged{twin2, twin1}, want: "/dev/video0"},
		{name: "twins, only the other, which has the link now", was: []plugged{twin1, twin2}, is: []plugged{twin2}},
		{name: "a twin has come and taken the link", was: []plugged{twin1}, is: []plugged{twin2, twin1}, want: "/dev/video0"},
		{name: "before udev's links", was: []plugged{one}, is: []plugged{at(bare(one), "video1")}, want: "/dev/video1"},
		{name: "chosen before udev's links", was: []plugged{bare(one)}, is: []plugged{at(one, "video1")}, want: "/dev/video1"},
		{name: "no udev", was: []plugged{bare(one)}, is: []plugged{bare(two), at(bare(one), "video3")}, want: "/dev/video3"},
		{name: "no udev, another model at its connector", was: []plugged{bare(one)}, is: []plugged{bare(one)}, now: other},
		{name: "second node of one camera", was: []plugged{nth(one, "2")}, is: []plugged{one, at(nth(one, "2"), "video4")}, want: "/dev/video4"},
		{name: "second node of one camera, no udev", was: []plugged{bare(nth(one, "2"))}, is: []plugged{bare(one), at(bare(nth(one, "2")), "video4")}, want: "/dev/video4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			was := listed(t, cam, tt.was...)
			i := 0
			for was.Cameras[i].Path != "/dev/"+tt.was[0].node {
				i++
			}
			now := tt.now
			if now == "" {
				now = cam
			}
			got, ok := listed(t, now, tt.is...).SameCamera(was.Cameras[i])
			if got.Path != tt.want || ok != (tt.want != "") {
				t.Errorf("got %q, %v, want %q", got.Path, ok, tt.want)
			}
		})
	}
}

// A camera without a serial number that was alone is found wherever it is; once a twin was seen beside it, only at its
// connector. So the one that goes on with what it was given never takes the twin for it.
func TestSameCameraLearns(t *testing.T) {
	one, two := plugged{"video0", "1", "", "0", true}, plugged{"video2", "2", "", "0", true}
	alone := listed(t, "HD Cam", one).Cameras[0]
	beside, ok := listed(t, "HD Cam", one, two).SameCamera(alone)
	if !ok {
		t.Fatal("not found beside its twin")
	}
	if got, ok := listed(t, "HD Cam", two).SameCamera(beside); ok {
		t.Errorf("its twin at %s was taken for it", got.Path)
	}
}

// Cameras that are not on USB are told apart by the driver's word for where they are, and where that says nothing by
// udev's.
func TestSameCameraOfDrivers(t *testing.T) {
	vivid := func(bus, path, byPath string) Camera {
		return Camera{Name: "vivid", Driver: "vivid", Bus: bus, Path: path, ByPath: byPath}
	}
	tests := []struct {
		name string
		was  Camera
		is   []Camera
		want string
	}{
		{
			"by bus", vivid("platform:vivid-000", "/dev/video0", ""),
			[]Camera{vivid("platform:vivid-001", "/dev/video0", ""), vivid("platform:vivid-000", "/dev/video4", "")},
			"/dev/video4",
		},
		{
			"by connector", vivid("platform:", "/dev/video0", "/dev/v4l/by-path/a"),
			[]Camera{vivid("platform:", "/dev/video0", "/dev/v4l/by-path/b"), vivid("platform:", "/dev/video4", "/dev/v4l/by-path/a")},
			"/dev/video4",
		},
		{"another at a connector", vivid("platform:", "/dev/video0", "/dev/v4l/by-path/a"), []Camera{vivid("platform:", "/dev/video0", "/dev/v4l/by-path/b")}, ""},
		{"nothing is known of either", vivid("", "/dev/video0", ""), []Camera{vivid("", "/dev/video0", "")}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := Listing{Cameras: tt.is}.SameCamera(tt.was)
			if got.Path != tt.want || ok != (tt.want != "") {
				t.Errorf("got %q, %v, want %q", got.Path, ok, tt.want)
			}
		})
	}
}

func TestMarkTwins(t *testing.T) {
	linked := Camera{Name: "HD Cam", USBPath: "1-1", ByID: "/id/HD_Cam", ByPath: "/path/1"}
	tests := []struct {
		name   string
		beside Camera
		want   bool
	}{
		{"one of the model without the link", Camera{Name: "HD Cam", USBPath: "1-2", ByPath: "/path/2"}, true},
		{"one of the model with its own", Camera{Name: "HD Cam", USBPath: "1-2", ByID: "/id/HD_Cam_B", ByPath: "/path/2"}, false},
		{"one of the model that udev hasn't come round to", Camera{Name: "HD Cam", USBPath: "1-2"}, false},
		{"another model", Camera{Name: "Other Cam", USBPath: "1-2", ByPath: "/path/2"}, false},
		{"a second node of its own", Camera{Name: "HD Cam", USBPath: "1-1", ByPath: "/path/1b"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list := []Camera{tt.beside, linked}
			markTwins(list)
			if list[0].twin != tt.want || list[1].twin != tt.want {
				t.Errorf("twins = %v, %v, want %v", list[0].twin, list[1].twin, tt.want)
			}
		})
	}
}

// card is one sound card with a microphone and a speaker. The port may be followed by # and udev's word for the serial
// number; "1#" is a card without a serial number, of which udev has made a name.
type card struct{ number, id, port string }

func soundRoot(cards ...card) fstest.MapFS {
	root := fstest.MapFS{}
	names, pcms := "", ""
	for _, c := range cards {
		port, serial, linked := strings.Cut(c.port, "#")
		c.port = port
		names += " " + c.number + " [" + c.id + "]: USB-Audio - HD Cam\n                      HD Cam at usb-x-" + c.port + ", high speed\n"
		pcms += "0" + c.number + "-00: USB Audio : USB Audio : playback 1 : capture 1\n"
		maps.Copy(root, fstest.MapFS{
			"proc/asound/card" + c.number + "/usbid":      text("046d:082d\n"),
			"sys/class/sound/card" + c.number + "/device": symlink("../../../1-" + c.port + ":1.2"),
		})
		if link := "dev/snd/by-id/usb-HD_Cam" + serial + "-02"; linked && root[link] == nil {
			root[link] = symlink("../controlC" + c.number)
		}
	}
	root["proc/asound/cards"], root["proc/asound/pcm"] = text(names), text(pcms)
	return root
}

func TestSameSound(t *testing.T) {
	tests := []struct {
		name    string
		was, is []card // the first is the one to find
		want    string
	}{
		{"where it was", []card{{"1", "Cam", "1"}}, []card{{"1", "Cam", "1"}}, "hw:CARD=Cam,DEV=0"},
		{"gone", []card{{"1", "Cam", "1"}}, nil, ""},
		{"another number", []card{{"1", "Cam", "1"}}, []card{{"3", "Cam", "1"}}, "hw:CARD=Cam,DEV=0"},
		{"another identifier", []card{{"1", "Cam", "1"}}, []card{{"2", "Cam_1", "1"}}, "hw:CARD=Cam_1,DEV=0"},
		{"another connector", []card{{"1", "Cam", "1"}}, []card{{"1", "Cam", "3"}}, "hw:CARD=Cam,DEV=0"},
		{"two, identifiers swapped", []card{{"1", "Cam", "1"}, {"2", "Cam_1", "2"}}, []card{{"1", "Cam", "2"}, {"2", "Cam_1", "1"}}, "hw:CARD=Cam_1,DEV=0"},
		{"two, the other has got its identifier", []card{{"1", "Cam", "1"}, {"2", "Cam_1", "2"}}, []card{{"1", "Cam", "2"}}, ""},
		{"serial numbers, connectors and identifiers swapped", []card{{"1", "Cam", "1#A"}, {"2", "Cam_1", "2#B"}}, []card{{"1", "Cam", "1#B"}, {"2", "Cam_1", "2#A"}}, "hw:CARD=Cam_1,DEV=0"},
		{"serial numbers, only the other", []card{{"1", "Cam", "1#A"}}, []card{{"1", "Cam", "1#B"}}, ""},
		{"serial number, another connector", []card{{"1", "Cam", "1#A"}, {"2", "Cam_1", "2#B"}}, []card{{"4", "Cam", "3#A"}}, "hw:CARD=Cam,DEV=0"},
		{"one link between two, which has moved", []card{{"1", "Cam", "1#"}, {"2", "Cam_1", "2#"}}, []card{{"1", "Cam", "2#"}}, ""},
		{"another has come with its identifier", []card{{"1", "Cam", "1"}}, []card{{"1", "Cam", "2"}, {"2", "Cam_1", "3"}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			was := List(t.Context(), Options{Root: soundRoot(tt.was...)})
			is := List(t.Context(), Options{Root: soundRoot(tt.is...)})
			for _, s := range []Sound{was.Microphones[0], was.Speakers[0]} {
				got, ok := is.SameSound(s)
				if got.PCM != tt.want || ok != (tt.want != "") || ok && got.Stream != s.Stream {
					t.Errorf("%s: got %+v, want %q", s.Stream, got, tt.want)
				}
			}
		})
	}
}

// Where sysfs doesn't say the connector, udev's name or the driver's word does.
func TestSameSoundWithoutSysfs(t *testing.T) {
	at := func(id, bus, byPath string) Sound {
		return Sound{ID: id, Name: "HD Cam", Driver: "USB-Audio", Bus: bus, Stream: Capture, cardFacts: cardFacts{byPath: byPath}}
	}
	tests := []struct {
		name    string
		was, is Sound
		want    bool
	}{
		{"the driver's word", at("Cam", "usb-x-2", ""), at("Cam_1", "usb-x-2", ""), true},
		{"another connector", at("Cam", "usb-x-2", ""), at("Cam_1", "usb-x-3", ""), false},
		{"udev's name", at("Cam", "", "/p/1"), at("Cam_1", "", "/p/1"), true},
		{"another name of udev's", at("Cam", "", "/p/1"), at("Cam_1", "", "/p/2"), false},
		{"nothing is known", at("Cam", "", ""), at("Cam_1", "", ""), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, ok := (Listing{Microphones: []Sound{tt.is}}).SameSound(tt.was); ok != tt.want {
				t.Errorf("found: %v, want %v", ok, tt.want)
			}
		})
	}
}

// What isn't on USB is known by the card's identifier and its own place on it.
func TestSameSoundOfTheBoard(t *testing.T) {
	hda := func(card, device int) Sound {
		return Sound{Card: card, ID: "PCH", Name: "HDA Intel PCH", Driver: "HDA-Intel", Device: device, Stream: Playback}
	}
	list := Listing{Speakers: []Sound{hda(2, 0), hda(2, 3)}}
	got, ok := list.SameSound(hda(0, 3))
	if diff := cmp.Diff(hda(2, 3), got, cmp.AllowUnexported(Sound{}, cardFacts{})); diff != "" || !ok {
		t.Errorf("%v (-want +got):\n%s", ok, diff)
	}
	if _, ok := list.SameSound(hda(0, 7)); ok {
		t.Error("another device of the card is taken for it")
	}
	other := hda(0, 0)
	other.USBID = "046d:0825"
	if _, ok := list.SameSound(other); ok {
		t.Error("another model is taken for it")
	}
}
