package device

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Bounds on what a driver may enumerate, above what any does (vivid lists some 90 formats): a driver that
// always has one more must not hold the listing up.
const (
	maxNode      = 1024 // number in /dev/videoN
	maxFormats   = 256
	maxSizes     = 128
	maxIntervals = 64
)

// Why says in a word why a node isn't among the cameras.
type Why string

// The reasons.
const (
	WhyNoCapture  Why = "no capture"     // metadata, output, radio, touch, or no streaming
	WhyCodec      Why = "codec"          // an encoder, decoder or converter
	WhyISP        Why = "isp"            // part of an image processor that feeds on another node
	WhySensor     Why = "raw sensor"     // Bayer or deep grey only: reached through libcamera or Argus
	WhyController Why = "needs set-up"   // does nothing until its media graph is set up, which libcamera does
	WhyNoFormat   Why = "no format"      // lists no format that can be used here
	WhySilent     Why = "not answering"  // the driver hangs
	WhyForbidden  Why = "not permitted"  // may not be opened by this user
	WhyBusy       Why = "busy"           // the driver allows one program at a time even to ask
	WhyFailed     Why = "can't be asked" // any other error, in Skipped.Err
)

// Skipped is a node that was seen and is not among the cameras. Name and Driver are empty where the node didn't say.
type Skipped struct {
	Path, Name, Driver string
	Why                Why
	Err                error // what happened, for WhySilent, WhyForbidden, WhyBusy and WhyFailed

	names Camera // the names by which a user may ask for the node
}

// processors are drivers whose capture nodes give pictures only of what is put into another node.
var processors = []struct {
	driver string // prefix
	why    Why
}{
	{"bcm2835-codec", WhyCodec},
	{"bcm2835-isp", WhyISP},
	{"pispbe", WhyISP},
}

// classify says whether a node can be a camera by its capabilities and driver alone; "" if so.
func classify(c Capability) Why {
	for _, p := range processors {
		if strings.HasPrefix(c.Driver, p.driver) {
			return p.why
		}
	}
	const (
		capture = capCapture | capCaptureMPlane
		output  = capOutput | capOutputMPlane
	)
	switch {
	case c.Caps&(capMem2Mem|capMem2MemMPlane) != 0:
		return WhyCodec
	case c.Caps&capture == 0, c.Caps&capStreaming == 0, c.Caps&capTouch != 0:
		return WhyNoCapture
	case c.Caps&output != 0 && (Camera{Driver: c.Driver}).driverClass() != classVirtual:
		return WhyCodec // written before the M2M bits existed; v4l2loopback shows both sides on purpose
	case c.Caps&capMediaController != 0:
		return WhyController
	}
	return ""
}

// probed is one node's answer. why is "" for a camera; otherwise camera holds at least the path.
type probed struct {
	camera Camera
	why    Why
	err    error
}

// probeAll asks all nodes at once, each in a goroutine of its own, and waits for them until the time-out or ctx
// ends. A goroutine whose driver hangs stays behind, with nothing to do but close the node when the driver returns.
func probeAll(ctx context.Context, o Options, paths []string) []probed {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	answers := make([]chan probed, len(paths))
	for i, p := range paths {
		answers[i] = make(chan probed, 1)
		go func() { answers[i] <- probe(o.Open, p) }()
	}
	links := readLinks(o.Root)
	list := make([]probed, 0, len(paths))
	for i, p := range paths {
		a := await(ctx, answers[i], p)
		a.camera.identify(o.Root, links)
		if a.why == WhyForbidden || a.why == WhyBusy || a.why == WhyFailed {
			a.err = explain(o.Root, p, a.err)
		}
		list = append(list, a)
	}
	return list
}

// await takes an answer that is there even when ctx has ended meanwhile.
func await(ctx context.Context, answer <-chan probed, p string) probed {
	select {
	case a := <-answer:
		return a
	case <-ctx.Done():
	}
	select {
	case a := <-answer:
		return a
	default:
		return probed{camera: Camera{Path: p}, why: WhySilent, err: silent(p, ctx.Err())}
	}
}

// probe opens one node and asks it everything.
func probe(open func(string) (Node, error), p string) probed {
	failed := func(c Camera, err error) probed {
		switch {
		case errors.Is(err, fs.ErrPermission):
			return probed{camera: c, why: WhyForbidden, err: err}
		case errors.Is(err, unix.EBUSY):
			return probed{camera: c, why: WhyBusy, err: err}
		}
		return probed{camera: c, why: WhyFailed, err: err}
	}
	c := Camera{Path: p}
	n, err := open(p)
	if err != nil {
		return failed(c, err)
	}
	defer n.Close() //nolint:errcheck // only asked questions
	capability, err := n.Capability()
	if err != nil {
		return failed(c, fmt.Errorf("ask %s: %w", p, err))
	}
	c.Name, c.Driver, c.Bus = cardName(capability), capability.Driver, capability.Bus
	if why := classify(capability); why != "" {
		return probed{camera: c, why: why}
	}
	c.Formats = readFormats(n)
	c.unlisted = !c.listsRates()
	c.takeCurrent(n)
	return probed{camera: c, why: judge(c.Formats)}
}

// takeCurrent gives each format without a size the size that the source has now, where the node can tell that size.
func (c *Camera) takeCurrent(n Node) {
	r, ok := n.(Receiver)
	sizeless := func(f Format) bool { return len(f.Sizes) == 0 }
	if !ok || !slices.ContainsFunc(c.Formats, sizeless) {
		return
	}
	now, err := r.Current()
	if err != nil {
		return
	}
	for i := range c.Formats {
		if sizeless(c.Formats[i]) {
			c.Formats[i].Sizes = []Size{now.size()}
		}
	}
}

// judge says whether any of a capture node's formats is of use; "" if so.
func judge(formats []Format) Why {
	if slices.ContainsFunc(formats, Format.usable) {
		return ""
	}
	if slices.ContainsFunc(formats, func(f Format) bool { return f.info().kind == kindSensor }) {
		return WhySensor
	}
	return WhyNoFormat
}

// cardName is the driver's name for the device without uvcvideo's habit of saying it twice ("HD Cam: HD Cam").
func cardName(c Capability) string {
	first, second, ok := strings.Cut(c.Card, ": ")
	if ok && strings.HasPrefix(first, second) {
		return first
	}
	if c.Card == "" {
		return c.Driver
	}
	return c.Card
}

func readFormats(n Node) []Format {
	formats := []Format{}
	for i := range uint32(maxFormats) {
		d, err := n.Format(i)
		if err != nil {
			break
		}
		formats = append(formats, Format{
			FourCC: fourCC(d.Code), Description: d.Description, Compressed: d.Compressed,
			Sizes: readSizes(n, d.Code),
		})
	}
	return formats
}

func readSizes(n Node, code uint32) []Size {
	list := []Size{}
	for i := range uint32(maxSizes) {
		r, err := n.FrameSize(code, i)
		if err != nil {
			break
		}
		for _, s := range r.sizes() {
			list = append(list, Size{Width: int(s[0]), Height: int(s[1]), Rates: readRates(n, code, s[0], s[1])})
		}
		if !r.Discrete {
			break // a range is the only entry
		}
	}
	return bySize(list)
}

func readRates(n Node, code, width, height uint32) []Rate {
	list := []Rate{}
	for i := range uint32(maxIntervals) {
		r, err := n.FrameInterval(code, width, height, i)
		if err != nil {
			break
		}
		list = append(list, r.rates()...)
		if !r.Discrete {
			break
		}
	}
	return highestFirst(list)
}

// nodes lists /dev/videoN in the order of N.
func nodes(root fs.FS) []string {
	entries, err := fs.ReadDir(root, "dev")
	if err != nil {
		return nil
	}
	var numbers []int
	for _, e := range entries {
		if n, ok := nodeNumber(e.Name()); ok && e.Type()&fs.ModeSymlink == 0 {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	paths := make([]string, 0, len(numbers))
	for _, n := range numbers {
		paths = append(paths, "/dev/video"+strconv.Itoa(n))
	}
	return paths
}

// nodeNumber is the N of "videoN".
func nodeNumber(name string) (int, bool) {
	digits, ok := strings.CutPrefix(path.Base(name), "video")
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n >= 0 && n < maxNode && digits == strconv.Itoa(n)
}
