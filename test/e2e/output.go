//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"boardcast/test/viewers"
)

// output is what a program wrote, line by line, both streams in the order read. Safe for concurrent use.
type output struct {
	mu      sync.Mutex
	lines   []outputLine
	changed chan struct{} // closed, and made anew, at each line
}

type outputLine struct {
	at   time.Time
	from string
	text string
}

func (o *output) add(l outputLine) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines = append(o.lines, l)
	close(o.changed)
	o.changed = make(chan struct{})
}

// find returns the submatches of the first line that matches, or, where there is none, a channel closed at the next line.
func (o *output) find(from string, pattern *regexp.Regexp) ([]string, time.Time, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, l := range o.lines {
		if l.from != from {
			continue
		}
		if match := pattern.FindStringSubmatch(l.text); match != nil {
			return match, l.at, nil
		}
	}
	return nil, time.Time{}, o.changed
}

// whole is all that was written.
func (o *output) whole() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var b strings.Builder
	for _, l := range o.lines {
		b.WriteString(l.text + "\n")
	}
	return b.String()
}

// count is the number of lines on the named stream so far.
func (o *output) count(from string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for _, l := range o.lines {
		if l.from == from {
			n++
		}
	}
	return n
}

// disaster is the first line of stderr that no run may write, but for the known noise.
func (o *output) disaster() (string, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, l := range o.lines {
		if l.from == "stderr" && viewers.Disaster(l.text) {
			return l.text, true
		}
	}
	return "", false
}

// text is the last lines, each with the time since the start.
func (o *output) text(started time.Time) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var b strings.Builder
	const most = 400
	for _, l := range o.lines[max(0, len(o.lines)-most):] {
		fmt.Fprintf(&b, "%8.3f %s %s\n", l.at.Sub(started).Seconds(), l.from, l.text)
	}
	return b.String()
}

// lineWriter cuts one stream into lines. Only exec's copying goroutine writes to it.
type lineWriter struct {
	to   *output
	from string
	rest []byte
}

func (w *lineWriter) Write(data []byte) (int, error) {
	now := time.Now()
	w.rest = append(w.rest, data...)
	for {
		text, rest, found := bytes.Cut(w.rest, []byte("\n"))
		if !found {
			return len(data), nil
		}
		w.rest = rest
		w.to.add(outputLine{at: now, from: w.from, text: string(text)})
	}
}
