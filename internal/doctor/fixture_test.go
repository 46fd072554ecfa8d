package doctor

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Groups of the fixtures' /etc/group.
const (
	audioGID  = 29
	videoGID  = 44
	renderGID = 104
)

const etcGroup = "root:x:0:\naudio:x:29:\nvideo:x:44:ann\nrender:x:104:\n"

func text(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }

// made is a file that is so many hours old.
func made(hours int) *fstest.MapFile {
	return &fstest.MapFile{ModTime: now.Add(-time.Duration(hours) * time.Hour), Mode: 0o644}
}

func link(target string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777}
}

// charNode is a device node of a group.
func charNode(gid uint32, perm fs.FileMode) *fstest.MapFile {
	return &fstest.MapFile{Mode: fs.ModeDevice | fs.ModeCharDevice | perm, Sys: &syscall.Stat_t{Gid: gid}}
}

var now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// machine is a fixture. Its zero value is a machine without devices on which all is installed and right.
type machine struct {
	files       fstest.MapFS
	groups      []int
	refuses     string // a node that can't be opened whatever its mode, as a container's cgroup does it
	user        string
	env         map[string]string
	lacks       []string // elements that are not installed
	rescan      []string // elements that a new registry has
	rescanErr   error
	camera      Device
	microphone  Device
	interfaces  []Interface // nil for one ordinary network
	claim       error
	certificate Certificate
	answers     bool
	now         time.Time
	request     Request
	nogst       bool
	// scan is a file that appears when GStreamer is initialised.
	scan string
}

var (
	x264 = Encoder{Element: "x264enc", Codec: "h264", Package: "gstreamer1.0-plugins-ugly"}
	vp8  = Encoder{Element: "vp8enc", Codec: "vp8", Package: "gstreamer1.0-plugins-good"}
	v4l2 = hardwareEncoder("v4l2h264enc", "gstreamer1.0-plugins-good")
	mppE = hardwareEncoder("mpph264enc", "gstreamer1.0-rockchip1")
	vaE  = hardwareEncoder("vah264enc", "gstreamer1.0-plugins-bad")
)

func hardwareEncoder(element, pack string) Encoder {
	return Encoder{Element: element, Codec: "h264", Package: pack, Hardware: true}
}

const plugins1 = "usr/lib/aarch64-linux-gnu/gstreamer-1.0/"

// encoderNode adds a V4L2 node with its name in /sys.
func encoderNode(files fstest.MapFS, name, driver string, gid uint32, perm fs.FileMode) {
	files["dev/"+name] = charNode(gid, perm)
	files["sys/class/video4linux/"+name+"/name"] = text(driver + "\n")
}

var lan = []Interface{
	{Name: "lo", Running: true, Loopback: true, Addresses: addrs("127.0.0.1", "::1")},
	{Name: "eth0", Running: true, Addresses: addrs("192.168.1.20", "fe80::1")},
}

func addrs(list ...string) []netip.Addr {
	var out []netip.Addr
	for _, a := range list {
		out = append(out, netip.MustParseAddr(a))
	}
	return out
}

// open judges by mode and groups, as the kernel does for a user other than root.
func (m machine) open(name string) error {
	f, ok := m.files[strings.TrimPrefix(name, "/")]
	if !ok {
		return &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if name == m.refuses {
		return &fs.PathError{Op: "open", Path: name, Err: syscall.EPERM}
	}
	perm := f.Mode.Perm()
	stat, isNode := f.Sys.(*syscall.Stat_t)
	if perm&0o006 == 0o006 || !isNode && perm&0o200 != 0 ||
		isNode && perm&0o060 == 0o060 && slices.Contains(m.groups, int(stat.Gid)) {
		return nil
	}
	return &fs.PathError{Op: "open", Path: name, Err: syscall.EACCES}
}

func (m machine) host() Host {
	files := maps.Clone(m.files)
	if files == nil {
		files = fstest.MapFS{}
	}
	if files["etc/group"] == nil {
		files["etc/group"] = text(etcGroup)
	}
	// One check has GStreamer write its registry while other checks read files.
	root := &growing{files: files}
	h := Host{
		Root: root, Open: m.open,
		Process: Process{User: m.user, Groups: m.groups, Getenv: func(name string) string { return m.env[name] }},
		GStreamer: &GStreamer{
			Installed: func(e string) bool { root.add(m.scan); return !slices.Contains(m.lacks, e) },
			Rescan:    func(context.Context, []string) ([]string, error) { return slices.Clone(m.rescan), m.rescanErr },
		},
		Camera:      func(context.Context) Device { return m.camera },
		Microphone:  func(context.Context) Device { return m.microphone },
		Interfaces:  func() ([]Interface, error) { return m.interfaces, nil },
		Port:        Port{Claim: func() error { return m.claim }, Answers: func(context.Context) bool { return m.answers }},
		Certificate: func() Certificate { return m.certificate },
		Now:         func() time.Time { return m.now },
	}
	if m.certificate == (Certificate{}) {
		h.Certificate = func() Certificate { return Certificate{None: true} }
	}
	if m.interfaces == nil {
		h.Interfaces = func() ([]Interface, error) { return lan, nil }
	}
	if m.now.IsZero() {
		h.Now = func() time.Time { return now }
	}
	if m.nogst {
		h.GStreamer = nil
	}
	return h
}

// growing is a file system to which a file is added meanwhile.
type growing struct {
	mu    sync.Mutex
	files fstest.MapFS
}

func (g *growing) add(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if name != "" {
		g.files = maps.Clone(g.files) // an open file still looks at the old one
		g.files[name] = made(0)
	}
}

func (g *growing) now() fstest.MapFS {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.files
}

func (g *growing) Open(name string) (fs.File, error)          { return g.now().Open(name) }
func (g *growing) ReadLink(name string) (string, error)       { return g.now().ReadLink(name) }
func (g *growing) Lstat(name string) (fs.FileInfo, error)     { return g.now().Lstat(name) }
func (g *growing) ReadDir(name string) ([]fs.DirEntry, error) { return g.now().ReadDir(name) }

// row is a machine and the result that one check is to give of it.
type row struct {
	name string
	on   machine
	want Result
}

// table runs one check on each row. Each of the statuses must come out at least once.
func table(t *testing.T, name string, statuses []Status, rows []row) {
	t.Helper()
	seen := map[Status]bool{}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			r.want.Name = name
			if r.on.request.Encoders == nil {
				r.on.request.Encoders = []Encoder{x264, vp8}
			}
			got := result(t, Run(t.Context(), r.on.host(), r.on.request), name)
			if diff := cmp.Diff(r.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (got.Status == OK) != (got.Hint == "") {
				t.Errorf("status %q with the hint %q", got.Status, got.Hint)
			}
			seen[got.Status] = true
		})
	}
	for _, s := range statuses {
		if !seen[s] {
			t.Errorf("no row comes out as %q", s)
		}
	}
}

func result(t *testing.T, r Report, name string) Result {
	t.Helper()
	i := slices.IndexFunc(r.Checks, func(c Result) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("no check %q in %v", name, r)
	}
	return r.Checks[i]
}

func ok(detail string) Result { return Result{Status: OK, Detail: detail} }

// hinting is an error with a remedy.
type hinting struct {
	error
	hint string
}

func (h hinting) Hint() string  { return h.hint }
func (h hinting) Unwrap() error { return h.error }

var errTaken = hinting{errors.Join(syscall.EADDRINUSE), "end that program, or choose another port"}
