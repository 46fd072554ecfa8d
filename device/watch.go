package device

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// settle is how long things must have been quiet before changed is called: a webcam is half a dozen devices, each
	// announced by the kernel and by udev.
	settle = 100 * time.Millisecond
	// settleMost is the most that a change waits for quiet.
	settleMost = 400 * time.Millisecond
	// pollEvery is the time from one look at the machine to the next where messages do not tell enough.
	pollEvery = 2 * time.Second
	// maxChanges is how many changes are told of at once; more than a hub full of devices makes.
	maxChanges = 64
)

// Watch calls changed whenever cameras, microphones or speakers may have come or gone, until ctx ends; then it returns
// nil. It never fails: where no messages of the kernel and udev come, as in most containers, Watch looks at the machine
// every 2 s, and says so once in the log.
//
// A call of changed means "look again": List is the truth. The changes that the call names are for the log, each once;
// some or all may be missing, and it may be that nothing has changed. The first call comes at once, without changes, for
// what has happened since the caller's last look. Later ones come some 100 ms after the last change. Calls come one at a
// time, on the goroutine that called Watch. A call may take long: the changes in the meantime make one more call.
//
// The kernel's messages are about the running machine. So Watch does not listen to them where Options.Root is set.
func Watch(ctx context.Context, o Options, changed func([]Change)) error {
	var socket *ueventSocket
	why := "another root than the machine's"
	if o.Root == nil {
		var err error
		socket, err = openUevents()
		why = untold(os.DirFS("/"), err)
	}
	o = o.withDefaults()
	w := watcher{root: o.Root, log: o.Log, subsystems: []string{"video4linux", "sound"}, changed: changed}
	w.run(ctx, socket, why)
	return nil
}

// untold says why Watch must poll: uevents do not reach this process, or no udev reports that a device is ready. It returns "" if
// uevents are enough. err is the error of opening the socket.
func untold(root fs.FS, err error) string {
	_, noUdev := fs.Stat(root, "run/udev/control")
	switch {
	case err != nil:
		return err.Error()
	case inUserNamespace(root):
		return "this process is in a user namespace, and the kernel sends it no uevents" // since Linux 4.18
	case noUdev != nil:
		return "no udev, which would tell when a device is ready"
	}
	return ""
}

// inUserNamespace tells whether this process is in one that somebody made.
func inUserNamespace(root fs.FS) bool {
	const everyone = "0 0 4294967295"
	users := strings.Join(strings.Fields(readText(root, "proc/self/uid_map")), " ")
	return users != "" && users != everyone
}

// watcher is what Watch needs while it runs.
type watcher struct {
	root       fs.FS
	log        *slog.Logger
	subsystems []string
	changed    func([]Change)
}

// run listens if there is a socket, which it closes, and polls if there is a reason to. It returns when ctx has ended
// and nothing that it started is left.
func (w watcher) run(ctx context.Context, socket *ueventSocket, poll string) {
	var wg sync.WaitGroup
	defer wg.Wait()
	heard := make(chan Change)
	deaf := make(chan error, 1)
	if socket != nil {
		wg.Go(func() {
			defer socket.Close() //nolint:errcheck // only read from
			defer context.AfterFunc(ctx, socket.interrupt)()
			deaf <- w.listen(ctx, socket, heard)
		})
	}
	w.tell(ctx, heard, deaf, poll)
}

// listen passes on what happens to the devices that count, until ctx or the socket ends. While nobody takes it, the
// messages queue up in the kernel, which says so when it had to drop some.
func (w watcher) listen(ctx context.Context, socket *ueventSocket, heard chan<- Change) error {
	for {
		var c Change // of lost messages nothing is known
		message, err := socket.receive()
		switch {
		case errors.Is(err, errLost):
		case err != nil:
			return err
		default:
			var ok bool
			if c, ok = parseUevent(message); !ok || !slices.Contains(w.subsystems, c.Subsystem) {
				continue
			}
		}
		select {
		case heard <- c:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tell gathers changes until it is quiet, and calls changed with them. If poll is not empty, it is the reason why tell
// also looks at the machine every pollEvery. tell begins to do so, too, when deaf delivers why listening has ended.
func (w watcher) tell(ctx context.Context, heard <-chan Change, deaf <-chan error, poll string) {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	var ticks <-chan time.Time
	var seen string
	startPolling := func(why string) {
		w.log.Info("polling for devices", keyWhy, why)
		ticks, seen = ticker.C, snapshot(w.root)
	}
	if poll != "" {
		startPolling(poll)
	}
	var news []Change
	var latest time.Time // when news is told even if it isn't quiet
	quiet := time.NewTimer(settle)
	defer quiet.Stop()
	quiet.Stop()
	add := func(c Change) {
		w.log.Debug("device changed", keyAction, c.Action, keySubsystem, c.Subsystem, keyPath, c.Path)
		if len(news) == 0 {
			latest = time.Now().Add(settleMost)
		}
		news = note(news, c)
		quiet.Reset(min(settle, time.Until(latest)))
	}
	w.changed(nil)
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-heard:
			add(c)
		case err := <-deaf:
			if ctx.Err() == nil {
				startPolling(err.Error())
				add(Change{})
			}
		case <-ticks:
			if now := snapshot(w.root); now != seen {
				seen = now
				add(Change{})
			}
		case <-quiet.C:
			w.changed(news)
			news = nil
		}
	}
}

// note adds a change to those not told yet, once.
func note(news []Change, c Change) []Change {
	if slices.Contains(news, c) || len(news) >= maxChanges {
		return news
	}
	return append(news, c)
}

// snapshot is a text that is another one after a camera or a sound card has come or gone, or a camera's permissions or
// stable names have.
func snapshot(root fs.FS) string {
	var s strings.Builder
	for _, dir := range []string{devDir, byIDDir, byPathDir} {
		entries, err := fs.ReadDir(root, dir)
		if err != nil {
			continue // absence is not failure
		}
		for _, e := range entries {
			if _, node := nodeNumber(e.Name()); dir == devDir && !node {
				continue
			}
			if info, err := e.Info(); err == nil {
				s.WriteString(dir + "/" + fs.FormatFileInfo(info) + "\n") // with its mode and the time it was made
			}
		}
	}
	return s.String() + readText(root, "proc/asound/cards")
}
