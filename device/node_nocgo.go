//go:build !cgo

package device

import (
	"errors"
	"io/fs"
)

// OpenNode opens nothing: go4vl, which asks the drivers, needs cgo. Everything that decides is built without it too, so
// that its tests also run where Go has no C compiler.
func OpenNode(path string) (Node, error) {
	return nil, &fs.PathError{Op: "open (in a program that was built without cgo)", Path: path, Err: errors.ErrUnsupported}
}
