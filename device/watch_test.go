package device

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// told is a call of changed, and when it came.
type told struct {
	After   time.Duration
	Changes []Change
}

// record is a changed that keeps the calls, and takes its time.
func record(calls *[]told, took time.Duration) func([]Change) {
	start := time.Now()
	return func(c []Change) {
		*calls = append(*calls, told{time.Since(start), c})
		<-time.After(took)
	}
}

func TestTellGathers(t *testing.T) {
	add := func(n int) Change { return Change{"add", "video4linux", fmt.Sprintf("/dev/video%d", n)} }
	const ms = time.Millisecond
	tests := []struct {
		name string
		took time.Duration // by each call
		gaps []time.Duration
		what []Change
		want []told
	}{
		{"nothing but the first call", 0, nil, nil, []told{{0, nil}}},
		{"one", 0, []time.Duration{300 * ms}, []Change{add(0)}, []told{{0, nil}, {400 * ms, []Change{add(0)}}}},
		{
			"a burst is one call, and says each once", 0,
			[]time.Duration{300 * ms, 50 * ms, 75 * ms},
			[]Change{add(0), add(1), add(0)},
			[]told{{0, nil}, {525 * ms, []Change{add(0), add(1)}}},
		},
		{
			"two with a pause are two calls", 0,
			[]time.Duration{300 * ms, 300 * ms},
			[]Change{add(0), add(0)},
			[]told{{0, nil}, {400 * ms, []Change{add(0)}}, {700 * ms, []Change{add(0)}}},
		},
		{
			"what never ends is told now and then", 0,
			[]time.Duration{75 * ms, 75 * ms, 75 * ms, 75 * ms, 75 * ms, 75 * ms, 75 * ms, 75 * ms, 75 * ms},
			[]Change{add(0), add(1), add(2), add(3), add(4), add(5), add(6), add(7), add(8)},
			[]told{
				{0, nil},
				{475 * ms, []Change{add(0), add(1), add(2), add(3), add(4), add(5)}},
				{775 * ms, []Change{add(6), add(7), add(8)}},
			},
		},
		{
			"what happens during a call makes one more", 3 * time.Second,
			[]time.Duration{ms, ms},
			[]Change{add(0), add(1)},
			[]told{{0, nil}, {3101 * ms, []Change{add(0), add(1)}}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				heard := make(chan Change)
				go func() {
					for i, c := range tt.what {
						<-time.After(tt.gaps[i])
						heard <- c
					}
					<-time.After(time.Minute)
					cancel()
				}()
				var calls []told
				w := watcher{root: fstest.MapFS{}, log: slog.New(slog.DiscardHandler), changed: record(&calls, tt.took)}
				w.tell(ctx, heard, nil, "")
				if diff := cmp.Diff(tt.want, calls); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestNoteIsBounded(t *testing.T) {
	var news []Change
	for i := range 2 * maxChanges {
		news = note(news, Change{Path: fmt.Sprint(i)})
	}
	if len(news) != maxChanges {
		t.Errorf("%d changes kept", len(news))
	}
}

// rootOfNow is a root that may be changed while it is read.
type rootOfNow struct{ atomic.Pointer[fstest.MapFS] }

func (r *rootOfNow) Open(name string) (fs.File, error) { return r.Load().Open(name) }

// set makes the root the machine's with some files put to it or, where nil, taken away.
func (r *rootOfNow) set(files fstest.MapFS) {
	root := machine()
	maps.Copy(root, files)
	maps.DeleteFunc(root, func(_ string, f *fstest.MapFile) bool { return f == nil })
	r.Store(&root)
}

// polled is what TestWatchPolls does to the machine, one every ten seconds.
var polled = []struct {
	name  string
	files fstest.MapFS
	calls int // more than before
}{
	{"something else", fstest.MapFS{"dev/null": charDevice(), "dev/video": charDevice(), "proc/uptime": text("1")}, 0},
	{"a camera is plugged in", fstest.MapFS{"dev/video2": {Mode: fs.ModeDevice | 0o600}}, 1},
	{"it may be used", fstest.MapFS{"dev/video2": charDevice()}, 1},
	{"it gets its name", fstest.MapFS{"dev/video2": charDevice(), "dev/v4l/by-id/usb-x-video-index0": symlink("../../video2")}, 1},
	{"nothing new", fstest.MapFS{"dev/video2": charDevice(), "dev/v4l/by-id/usb-x-video-index0": symlink("../../video2")}, 0},
	{"it is unplugged", nil, 1},
	{"a sound card goes", fstest.MapFS{"proc/asound/cards": nil}, 1},
	{"the camera is another one, at the same node", fstest.MapFS{
		"proc/asound/cards": nil, "dev/video0": {Mode: charDevice().Mode, ModTime: time.Unix(1e9, 0)},
	}, 1},
}

// A root of the caller's own is looked at.
func TestWatchPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var root rootOfNow
		root.set(nil)
		var calls []told
		var log strings.Builder
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			o := Options{Root: &root, Log: slog.New(slog.NewTextHandler(&log, nil))}
			done <- Watch(ctx, o, record(&calls, 0))
		}()
		<-time.After(pollEvery / 2)
		if diff := cmp.Diff([]told{{0, nil}}, calls); diff != "" {
			t.Errorf("the first call (-want +got):\n%s", diff)
		}
		for _, step := range polled {
			calls = nil
			root.set(step.files)
			<-time.After(5 * pollEvery)
			if len(calls) != step.calls {
				t.Errorf("%s: %d calls", step.name, len(calls))
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "polling for devices") {
			t.Errorf("log:\n%s", log.String())
		}
	})
}

// When the socket fails, polling takes over.
func TestTellPollsWhenDeaf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var root rootOfNow
		root.set(nil)
		var calls []told
		ctx, cancel := context.WithCancel(t.Context())
		deaf := make(chan error, 1)
		done := make(chan struct{})
		go func() {
			defer close(done)
			w := watcher{root: &root, log: slog.New(slog.DiscardHandler), changed: record(&calls, 0)}
			w.tell(ctx, nil, deaf, "")
		}()
		<-time.After(time.Minute)
		root.set(fstest.MapFS{"dev/video2": charDevice()})
		<-time.After(time.Minute)
		if len(calls) != 1 {
			t.Errorf("%d calls while listening", len(calls))
		}
		deaf <- errors.New("receive uevent: bad file descriptor")
		<-time.After(time.Minute)
		root.set(nil)
		<-time.After(time.Minute)
		if len(calls) != 3 {
			t.Errorf("%d calls, want the first, one when deaf and one for the camera", len(calls))
		}
		cancel()
		<-done
	})
}

func TestUntold(t *testing.T) {
	const inside = "         0     100000      65536\n"
	whole := fstest.MapFS{"run/udev/control": text(""), "proc/self/uid_map": text("         0          0 4294967295\n")}
	tests := []struct {
		name string
		root fstest.MapFS
		err  error
		want string
	}{
		{"a machine", whole, nil, ""},
		{"an old kernel's", fstest.MapFS{"run/udev/control": text("")}, nil, ""},
		{"no socket", whole, errors.New("open uevent socket: refused"), "open uevent socket: refused"},
		{"a user namespace", fstest.MapFS{"run/udev/control": text(""), "proc/self/uid_map": text(inside)}, nil, "this process is in a user namespace, and the kernel sends it no uevents"},
		{"no udev", fstest.MapFS{"proc/self/uid_map": whole["proc/self/uid_map"]}, nil, "no udev, which would tell when a device is ready"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := untold(tt.root, tt.err); got != tt.want {
				t.Errorf("untold = %q, want %q", got, tt.want)
			}
		})
	}
}

// BenchmarkSnapshot is what a look at this machine costs where it doesn't tell.
func BenchmarkSnapshot(b *testing.B) {
	root := os.DirFS("/")
	for b.Loop() {
		snapshot(root)
	}
}
