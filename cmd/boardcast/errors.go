package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"boardcast/device"
)

// hinter is an error that knows a remedy: one line, or "".
type hinter interface{ Hint() string }

// hinted adds a remedy to an error.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

func (h hinted) Hint() string { return h.hint }

// remedied is an error for the log, where its remedies follow it on the line.
type remedied struct{ error }

func (r remedied) Unwrap() error { return r.error }

func (r remedied) Error() string {
	return strings.Join(append([]string{r.Brief()}, hints(r.error)...), "; hint: ")
}

// Brief is the error without the remedies, for the status.
func (r remedied) Brief() string { return r.error.Error() }

// printError writes each line of the error, then each remedy that the errors
// in its tree know, once. Where that cannot be written, nothing can be.
func printError(w io.Writer, err error) {
	for line := range strings.Lines(err.Error()) {
		_, _ = fmt.Fprintf(w, "boardcast: error: %s\n", strings.TrimSuffix(line, "\n"))
	}
	for _, hint := range hints(err) {
		_, _ = fmt.Fprintf(w, "boardcast: hint: %s\n", hint)
	}
}

// hints collects from the outermost error inwards.
func hints(err error) []string {
	var found []string
	add := func(more ...string) {
		for _, h := range more {
			if h != "" && !slices.Contains(found, h) {
				found = append(found, h)
			}
		}
	}
	if h, ok := err.(hinter); ok {
		add(h.Hint())
	}
	if d, ok := err.(*device.Error); ok { //nolint:errorlint // hints looks at each error of the tree by itself; errors.As would already search the inner ones
		add(d.Hint)
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			add(hints(e)...)
		}
	} else if inner := errors.Unwrap(err); inner != nil {
		add(hints(inner)...)
	}
	return found
}
