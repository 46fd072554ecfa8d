// Package doctor answers "what is wrong with this machine, and what would mend it?".
//
// It checks what people get wrong: plugins that are not installed, groups that the user has not joined, a GStreamer registry that was
// made while a device was not permitted, a camera that another program uses. Each check looks at a few files and a few answers of
// the [Host], and makes one line of a report. No check changes anything: the user mends what is wrong.
//
//	report := doctor.Run(ctx, host, request)
//	err := report.Write(os.Stdout)
//
// With a failure no stream works. With a warning a stream works less well than it could. A check tells only what it saw: when an
// encoder's element is installed the encoder may still not work, which only a trial finds out.
//
// # Concurrency
//
// All checks run at once, each for a bounded time. A check that hangs costs a goroutine until the system answers, and the caller
// does not wait for it. The functions of a Host are called from several goroutines.
package doctor

import (
	"context"
	"fmt"
	"io/fs"
	"net/netip"
	"sync"
	"time"
)

// Status says how a check came out.
type Status string

// The outcomes.
const (
	OK      Status = "ok"
	Warning Status = "warning" // it works, but not as well as it could
	Failure Status = "failure" // no stream works until this is mended
)

// Result is one line of a report. Hint is empty when all is well.
type Result struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	Detail string `json:"detail"`
	Hint   string `json:"hint"`
}

// Report has the results of all checks, always in the same order.
type Report struct {
	Checks []Result `json:"checks"`
}

// Host is the machine as the checks see it. All functions must be set.
type Host struct {
	Root      fs.FS                   // has dev, etc, proc, sys, usr and boot; os.DirFS("/") for the running machine
	Open      func(path string) error // opens a file for reading and writing, and closes it
	Process   Process
	GStreamer *GStreamer // nil in a program that was built without it
	// Camera and Microphone look at the device that would be used.
	Camera, Microphone func(ctx context.Context) Device
	Interfaces         func() ([]Interface, error)
	Port               Port
	Certificate        func() Certificate
	Now                func() time.Time
}

// Process is what the checks ask of this process.
type Process struct {
	User   string
	Groups []int
	Getenv func(name string) string
}

// GStreamer is what the checks ask of GStreamer.
type GStreamer struct {
	// Installed reports whether GStreamer has an element. The first call initialises GStreamer.
	Installed func(element string) bool
	// Rescan returns those of the elements that GStreamer finds when it starts without a registry.
	Rescan func(ctx context.Context, elements []string) ([]string, error)
}

// Port is what the checks ask of the port that the page would have.
type Port struct {
	Claim   func() error                   // opens the port and closes it
	Answers func(ctx context.Context) bool // reports whether boardcast answers at the port
}

// Request is what the user asked for, as far as a check needs it.
type Request struct {
	Listen   string    // host:port
	Open     bool      // nobody is asked for a key
	STUN     string    // empty for none
	TURN     []string  // URLs; user and password in them are not shown
	Told     []string  // addresses that viewers are told in place of this machine's own
	Encoders []Encoder // the encoders to try on this board, the best first
	Viewers  int       // the viewer limit
	Built    time.Time // when the program was built: an earlier time now is wrong; zero when not known
}

// Encoder is an encoder that the board has, or one in software, which every machine can have.
type Encoder struct {
	Element, Codec, Package string
	Hardware                bool
}

// Device describes the camera or the microphone that would be used.
type Device struct {
	Text    string // which device was chosen, and why
	Missing bool   // no device was found: a test picture or a test tone takes its place
	Busy    bool   // Err says that another program uses the device
	Err     error  // why the device cannot be used; it has a method Hint where something helps
	Hint    string // what helps, when Err has no hint
}

// Interface is a network interface with its addresses.
type Interface struct {
	Name              string
	Running, Loopback bool
	Addresses         []netip.Addr
}

// exam is one run: the machine, the request, and findings that more than one check uses.
type exam struct {
	Host
	request  Request
	registry registryFile
	port     func() portState
}

// Time limits of a check. At its first start GStreamer looks at all plugins, which takes a small board many seconds.
const (
	quick = 8 * time.Second  // for a check that opens devices and reads files: a driver may be slow to answer
	slow  = 40 * time.Second // for a check that needs GStreamer
)

// checks are all checks, in the order of the report. Names never change: scripts use them.
var checks = []struct {
	name  string
	limit time.Duration
	check func(context.Context, *exam) Result
}{
	{"plugins", slow, plugins},
	{"encoder", slow, encoder},
	{"registry", slow, registry},
	{"groups", quick, groups},
	{"mpp", quick, mpp},
	{"dma-heap", quick, dmaHeap},
	{"cma", quick, cma},
	{"gpu-mem", quick, gpuMem},
	{"camera", quick, camera},
	{"microphone", quick, microphone},
	{"candidates", quick, candidates},
	{"port", quick, port},
	{"certificate", quick, certificate},
	{"access", quick, access},
	{"clock", quick, clock},
	{"governor", quick, governor},
	{"power", quick, power},
	{"threads", quick, threads},
}

// Run makes all checks. When ctx ends, the checks that are not done yet report that they gave no answer in time.
func Run(ctx context.Context, h Host, wanted Request) Report {
	// The registry's date is read before GStreamer is initialised, which may write the registry.
	x := &exam{Host: h, request: wanted, registry: findRegistry(h)}
	x.port = sync.OnceValue(func() portState { return x.lookAtPort(ctx) })
	answers := make([]chan Result, len(checks))
	for i, c := range checks {
		answers[i] = make(chan Result, 1)
		go func() { answers[i] <- c.check(ctx, x) }()
	}
	began := time.Now()
	var r Report
	for i, c := range checks {
		result := await(ctx, answers[i], c.limit-time.Since(began))
		result.Name = c.name
		r.Checks = append(r.Checks, result)
	}
	return r
}

// await waits for the result of a check.
func await(ctx context.Context, answer <-chan Result, limit time.Duration) Result {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case r := <-answer:
		return r
	case <-timer.C:
	case <-ctx.Done():
	}
	select {
	case r := <-answer: // the answer came at the same time
		return r
	default:
		return warn("no answer in time", "something hangs: the kernel's log (dmesg) may say what")
	}
}

func fine(format string, args ...any) Result {
	return Result{Status: OK, Detail: fmt.Sprintf(format, args...)}
}

func warn(detail, hint string) Result { return Result{Status: Warning, Detail: detail, Hint: hint} }

func fail(detail, hint string) Result { return Result{Status: Failure, Detail: detail, Hint: hint} }
