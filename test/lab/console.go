//go:build lab

package lab

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"sync"
)

// What the guest prints on its serial line for us, beside markReady.
const (
	markInit = "LAB-INIT" // the initramfs runs
	markFail = "LAB-FAIL" // and why
)

var trouble = regexp.MustCompile(`Kernel panic|Oops|BUG:|WARNING:|general protection|soft lockup|Out of memory`)

// findTrouble returns the lines of a kernel's log by which it says that something is wrong.
func findTrouble(log string) []string {
	var found []string
	for line := range strings.Lines(log) {
		if trouble.MatchString(line) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

// console reads the guest's serial line: keeps it, and picks out the marks. A kernel in trouble counts as one.
type console struct {
	log   io.Writer
	marks chan string // dropped when nobody reads them

	mu      sync.Mutex
	partial []byte
	lines   []string
}

func newConsole(log io.Writer) *console {
	return &console{log: log, marks: make(chan string, 16)}
}

// Write takes a piece of the line's output.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = c.log.Write(p)
	c.partial = append(c.partial, p...)
	for {
		line, rest, found := bytes.Cut(c.partial, []byte("\n"))
		if !found {
			return len(p), nil
		}
		c.partial = rest
		c.takeLocked(strings.TrimRight(string(line), "\r"))
	}
}

func (c *console) takeLocked(line string) {
	c.lines = append(c.lines, line)
	if trouble.MatchString(line) {
		line = markFail + " " + line
	}
	if i := strings.Index(line, "LAB-"); i >= 0 {
		select {
		case c.marks <- line[i:]:
		default:
		}
	}
}

// Tail returns the last n lines.
func (c *console) Tail(n int) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.lines[max(0, len(c.lines)-n):], "\n")
}
