//go:build lab

package lab

import (
	"fmt"
	"io"
	"sync"
)

// figures collects what the run measured, to be read in one place at its end.
var figures figureList

type figureList struct {
	mu    sync.Mutex
	lines []string
}

func (f *figureList) add(name, format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lines = append(f.lines, fmt.Sprintf("%-44s %s", name, fmt.Sprintf(format, args...)))
}

func (f *figureList) print(w io.Writer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, line := range f.lines {
		_, _ = fmt.Fprintln(w, "figure:", line)
	}
}
