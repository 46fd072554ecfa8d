// Package device answers "what is plugged in?": cameras through V4L2, microphones and speakers through ALSA. It picks
// among them by the words a user says, tells when something was plugged in or out, and finds a device again.
//
// It lists what the kernel shows and opens cameras only to ask what they are; it captures nothing and changes no
// setting. It says that things have changed, not what to do about it. Cameras that only libcamera or NVIDIA's Argus can
// drive appear in Listing.Skipped, since their V4L2 nodes give raw sensor data.
//
//	list := device.List(ctx, device.Options{})
//	choice, err := list.PickCamera("auto")
//	mode, why, err := device.PickMode(choice.Camera, device.Request{Width: 1280, Height: 720, FPS: 30})
//	...
//	err = device.Watch(ctx, device.Options{}, func([]device.Change) {
//		camera, there := device.List(ctx, device.Options{}).SameCamera(choice.Camera)
//		...
//	})
//
// # Concurrency
//
// Functions may be called from any goroutine; values are plain data. A driver that hangs costs one goroutine until
// it answers, never the caller: see Options.Timeout.
package device

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"time"
)

// defaultTimeout is how long a camera may take to answer; an idle USB camera that has to wake takes well under one
// second.
const defaultTimeout = 3 * time.Second

// Options say where to look. The zero value is the running machine.
type Options struct {
	// Root is the file system with dev, proc, sys and etc. It should implement fs.ReadLinkFS, else stable names and
	// USB paths stay empty. Default os.DirFS("/"). Watch listens to the kernel only for the default.
	Root fs.FS
	// Open opens a capture node by its absolute path. Default OpenNode. It need not honour Root.
	Open func(path string) (Node, error)
	// Timeout bounds each node. A node that has not answered by then is reported as not answering; the goroutine
	// stuck in its driver ends when the driver does. Default 3 s.
	Timeout time.Duration
	// Log gets one debug line per node. Default: discarded.
	Log *slog.Logger
}

// Keys of log attributes.
const (
	keyPath      = "path"
	keyName      = "name"
	keyDriver    = "driver"
	keyWhy       = "why"
	keyError     = "error"
	keyAction    = "action"
	keySubsystem = "subsystem"
)

// withDefaults fills in what the caller left out.
func (o Options) withDefaults() Options {
	if o.Root == nil {
		o.Root = os.DirFS("/")
	}
	if o.Open == nil {
		o.Open = OpenNode
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// List asks every capture node and every sound card of the machine and returns what it found, in the kernel's
// order. It never fails: what can't be asked is in Listing.Skipped with the reason. It returns at the latest when
// ctx ends or Options.Timeout has passed.
func List(ctx context.Context, o Options) Listing {
	o = o.withDefaults()
	l := Listing{Cameras: []Camera{}}
	for _, p := range probeAll(ctx, o, nodes(o.Root)) {
		if p.why == "" {
			l.Cameras = append(l.Cameras, p.camera)
		} else {
			l.Skipped = append(l.Skipped, Skipped{
				Path: p.camera.Path, Name: p.camera.Name, Driver: p.camera.Driver, Why: p.why, Err: p.err, names: p.camera,
			})
		}
		o.Log.Debug("capture node", keyPath, p.camera.Path, keyName, p.camera.Name,
			keyDriver, p.camera.Driver, keyWhy, p.why, keyError, p.err)
	}
	markTwins(l.Cameras)
	l.Microphones, l.Speakers = sounds(o.Root)
	return l
}
