// Package doctor answers "what is wrong with this machine, and what would mend it?".
//
// It goes through what people get wrong: plugins that are not installed, groups that were not joined, a registry that was
// made when a device was not permitted, a camera that is taken. Each check looks at a few files and a few answers of the
// [Host] and comes to one line; none changes anything, and what is found wrong is for the user to mend.
//
//	report := doctor.Run(ctx, host, wish)
//	err := report.Write(os.Stdout)
//
// A failure is what keeps a stream from working, a warning what makes it worse than it could be. A check tells what it saw
// and no more: that an encoder's element is there proves nothing of the encoder, which only a trial does.
//
// # Concurrency
//
// The checks run at once, each for a bounded time: one that hangs costs a goroutine until the system answers it, never the
// caller. So the functions of a Host are called from several goroutines.
package doctor

import (
	"context"
	"fmt"
	"io/fs"
	"net/netip"
	"sync"
	"time"
)

// Status is how a check came out.
type Status string

// The outcomes.
const (
	OK      Status = "ok"
	Warning Status = "warning" // it works, but not as well as it could
	Failure Status = "failure" // a stream does not work until this is mended
)

// Result is one line of a report. Hint is empty when all is well.
type Result struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	Detail string `json:"detail"`
	Hint   string `json:"hint"`
}

// Report is every check's result, always all of them and in the same order.
type Report struct {
	Checks []Result `json:"checks"`
}

// Host is the machine as the checks see it. All functions are needed, but for Installed and Rescan, which are nil in a
// program without GStreamer.
type Host struct {
	Root   fs.FS                   // dev, etc, proc, sys, usr and boot; os.DirFS("/") for the running machine
	Open   func(path string) error // opens for reading and writing, and closes
	Groups []int                   // of this process
	User   string
	Getenv func(name string) string
	// Installed reports whether GStreamer has an element. The first call brings GStreamer up.
	Installed func(element string) bool
	// Rescan lists those of the elements that GStreamer finds when it starts with no registry.
	Rescan func(ctx context.Context, elements []string) ([]string, error)
	// Camera and Microphone look at the device that would be used.
	Camera, Microphone func(ctx context.Context) Device
	Interfaces         func() ([]Interface, error)
	// Claim takes the port and gives it back. Answers reports whether it is boardcast that answers there.
	Claim   func() error
	Answers func(ctx context.Context) bool
	Now     func() time.Time
}

// Wish is what the settings ask for, as far as a check needs it.
type Wish struct {
	Listen   string    // host:port
	STUN     string    // empty for none
	TURN     []string  // what stands before the host is not shown
	Encoders []Encoder // those worth trying on this board, best first
	Viewers  int       // at most, at once
	Built    time.Time // no clock is right that shows an earlier time; zero when not known
}

// Encoder is an encoder that the board is known for, or that every machine can have.
type Encoder struct {
	Element, Codec, Package string
	Hardware                bool
}

// Device is what there is to say of the camera or the microphone that would be used.
type Device struct {
	Text    string // what was chosen and why
	Missing bool   // nothing was found; a test picture or a test tone stands in
	Busy    bool   // Err is that another program has it
	Err     error  // why it can't be used, with a method Hint where something helps
	Hint    string // what would help when Err has none
}

// Interface is a network interface with its addresses.
type Interface struct {
	Name              string
	Running, Loopback bool
	Addresses         []netip.Addr
}

// exam is one run: the machine, the wish, and what more than one check needs.
type exam struct {
	Host
	wish     Wish
	registry registryFile
	port     func() portState
}

// Time limits of a check. GStreamer's first start looks at all plugins, which takes a small board many seconds.
const (
	quick = 8 * time.Second
	slow  = 40 * time.Second
)

// checks is the table, in the order of the report. The names stay.
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
	{"clock", quick, clock},
	{"governor", quick, governor},
	{"power", quick, power},
	{"threads", quick, threads},
}

// Run makes all checks. When ctx ends before they are done, those that are left say so.
func Run(ctx context.Context, h Host, w Wish) Report {
	// Where the registry stands is noted before GStreamer comes up, which may write it.
	x := &exam{Host: h, wish: w, registry: findRegistry(h)}
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
	case r := <-answer: // it was there as well
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
