package main

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"boardcast/configs"
	"boardcast/device"
	"boardcast/internal/web"
)

// webcam is a capture node that answers, or is taken.
type webcam struct{ taken error }

func (webcam) Close() error { return nil }
func (webcam) Capability() (device.Capability, error) {
	return device.Capability{Driver: "uvcvideo", Card: "HD Cam", Caps: 0x04000001}, nil // video capture, streaming
}

func (webcam) Format(i uint32) (device.FormatDesc, error) {
	if i > 0 {
		return device.FormatDesc{}, errors.New("no more")
	}
	return device.FormatDesc{Code: 0x56595559, Description: "YUYV 4:2:2"}, nil
}

func (webcam) FrameSize(_, i uint32) (device.SizeRange, error) {
	if i > 0 {
		return device.SizeRange{}, errors.New("no more")
	}
	return device.SizeRange{Discrete: true, MinWidth: 640, MaxWidth: 640, MinHeight: 480, MaxHeight: 480}, nil
}

func (webcam) FrameInterval(_, _, _, _ uint32) (device.IntervalRange, error) {
	return device.IntervalRange{}, errors.New("not said")
}
func (w webcam) Claim() error { return w.taken }

// on makes a machine the one that devices are looked for on.
func on(t *testing.T, o device.Options) {
	t.Helper()
	here := machine
	machine = o
	t.Cleanup(func() { machine = here })
}

func camera(word string) *configs.Config {
	cfg := &configs.Config{}
	cfg.Cameras = []configs.Camera{{Video: configs.Video{Camera: word}, Microphone: word}}
	return cfg
}

func TestDoctorsCamera(t *testing.T) {
	plugged := fstest.MapFS{"dev/video0": {}}
	tests := []struct {
		name          string
		root          fstest.MapFS
		word          string
		taken         error
		missing, busy bool
		kind          error // of Err
		says          string
		hint          string
	}{
		{name: "none", word: "auto", missing: true, says: "no camera found", hint: "plug one in"},
		{name: "none wanted", word: "none", says: "asked for"},
		{name: "the test picture wanted", word: "test", says: "test picture"},
		{name: "one that is not there", word: "nosuch", kind: device.ErrNoMatch, says: "camera", hint: "boardcast devices"},
		{name: "there", root: plugged, word: "auto", says: "HD Cam"},
		{name: "taken", root: plugged, word: "auto", taken: syscall.EBUSY, busy: true, kind: device.ErrBusy, says: "HD Cam", hint: "close"},
		{name: "not permitted", root: plugged, word: "auto", taken: syscall.EACCES, kind: device.ErrForbidden, says: "HD Cam", hint: "run as"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.root == nil {
				tt.root = fstest.MapFS{}
			}
			on(t, device.Options{Root: tt.root, Open: func(string) (device.Node, error) { return webcam{tt.taken}, nil }})
			d := cameraFor(camera(tt.word))(t.Context())
			if d.Missing != tt.missing || d.Busy != tt.busy || !errors.Is(d.Err, tt.kind) {
				t.Errorf("%+v", d)
			}
			if !strings.Contains(d.Text, tt.says) || !strings.Contains(d.Hint, tt.hint) || (tt.hint == "") != (d.Hint == "") {
				t.Errorf("text %q, hint %q", d.Text, d.Hint)
			}
		})
	}
}

func TestDoctorsMicrophone(t *testing.T) {
	on(t, device.Options{Root: fstest.MapFS{}})
	for word, missing := range map[string]bool{"auto": true, "none": false, "test": false} {
		if d := microphoneFor(camera(word))(t.Context()); d.Missing != missing || d.Err != nil || missing != (d.Hint != "") {
			t.Errorf("%s: %+v", word, d)
		}
	}
	if d := microphoneFor(camera("nosuch"))(t.Context()); !errors.Is(d.Err, device.ErrNoMatch) || d.Hint == "" {
		t.Errorf("%+v", d)
	}
}

// The encoders are the board's own, in its order, each with what brings it.
func TestDoctorsEncoders(t *testing.T) {
	on(t, device.Options{Root: fstest.MapFS{
		"proc/device-tree/compatible": {Data: []byte("raspberrypi,4-model-b\x00brcm,bcm2711\x00")},
	}})
	list := doctorRequest(&configs.Config{}).Encoders
	if len(list) < 3 || list[0].Element != "v4l2h264enc" || !list[0].Hardware {
		t.Fatalf("%+v", list)
	}
	software := map[string]bool{}
	for _, e := range list {
		if e.Package == "" {
			t.Errorf("%s: no package", e.Element)
		}
		if !e.Hardware {
			software[e.Codec] = true
		}
	}
	if !software["h264"] || !software["vp8"] {
		t.Errorf("no software encoder for both codecs: %+v", list)
	}
}

func TestClaimPortGivesItBack(t *testing.T) {
	cfg := &configs.Config{Page: configs.Page{Listen: "127.0.0.1:0"}}
	if err := claimPort(cfg); err != nil {
		t.Fatal(err)
	}
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Page.Listen = taken.Addr().String()
	if err := claimPort(cfg); !errors.Is(err, syscall.EADDRINUSE) || len(hints(err)) == 0 {
		t.Errorf("a port in use: %v", err)
	}
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := claimPort(cfg); err != nil {
			t.Errorf("a port that is free again: %v", err)
		}
	}
}

func TestBoardcastAnswers(t *testing.T) {
	tests := []struct {
		name, reply string
		want        bool
	}{
		{"another program", "<html>", false},
		{"another program with a version", `{"version": "1"}`, false},
		{"boardcast's server", `{"version": "dev", "signalling": {}}`, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/api/status" {
					_, _ = w.Write([]byte(tt.reply))
				}
			}))
			defer s.Close()
			if got := boardcastAnswers(t.Context(), &configs.Config{Page: configs.Page{Listen: s.Listener.Addr().String()}}); got != tt.want {
				t.Errorf("answers = %t", got)
			}
		})
	}
}

// Our own page is known as such, on every address too, whether it asks for a key or not.
func TestBoardcastAnswersItself(t *testing.T) {
	t.Run("open", func(t *testing.T) { answersItself(t, web.Access{Open: true}) })
	t.Run("locked", func(t *testing.T) { answersItself(t, web.Access{}) })
}

func answersItself(t *testing.T, who web.Access) {
	t.Helper()
	site := web.New(web.Options{Listen: "127.0.0.1:0", Access: who, Status: func() any { return serverReply{Version: "dev"} }})
	addr, err := site.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- site.Run(ctx) }()
	_, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		t.Fatal(err)
	}
	for _, listen := range []string{":" + port, "0.0.0.0:" + port, addr.String()} {
		if !boardcastAnswers(t.Context(), &configs.Config{Page: configs.Page{Listen: listen}}) {
			t.Errorf("%s does not answer", listen)
		}
	}
	end()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if boardcastAnswers(t.Context(), &configs.Config{Page: configs.Page{Listen: addr.String()}}) {
		t.Error("answers after its end")
	}
}

// A registry of the child's own is looked at, whatever the old one says, and the old one stays as it is.
func TestRescan(t *testing.T) {
	if gstreamerVersion() == "" {
		t.Skip("built without GStreamer")
	}
	old := filepath.Join(t.TempDir(), "registry.bin")
	t.Setenv("GST_REGISTRY", old)
	program := os.Args[0]
	os.Args[0] = "boardcast" // TestMain then makes the child the program
	t.Cleanup(func() { os.Args[0] = program })
	got, err := rescan(t.Context(), []string{"x264enc", "nosuchenc"})
	if err != nil || !slices.Equal(got, []string{"x264enc"}) {
		t.Errorf("found %q, %v", got, err)
	}
	if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old registry was touched: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if got, err := rescan(ended, []string{"x264enc"}); err == nil {
		t.Errorf("after its context: %q", got)
	}
}
