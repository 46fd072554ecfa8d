//go:build !nogst

package gst

/*
#include "trial.h"
#include <stdlib.h>
*/
import "C"

import (
	"runtime"
	"sync"
	"time"
	"unsafe"

	"github.com/go-gst/go-gst/gst"

	"boardcast/pipeline"
)

// Machine is what this machine's GStreamer has. Its answers load plugins, which may open devices: a question that is not
// answered in time counts as answered no. Answers are remembered as long as the value lives.
func Machine() pipeline.Machine {
	initOnce()
	m := &machine{known: map[string]bool{}, stuck: map[string]bool{}}
	return pipeline.Machine{
		GStreamer: pipeline.ParseVersion(Version()), Cores: runtime.NumCPU(),
		Installed: func(element string) bool { return gst.Find(element) != nil },
		Like:      like, Has: m.has, Driver: driver,
	}
}

type machine struct {
	mu    sync.Mutex
	known map[string]bool
	stuck map[string]bool // elements that did not answer: no more is asked of them
}

// askLimit bounds one question about an element. The first one loads its plugin, and V4L2's plugin opens every node.
const askLimit = 15 * time.Second

func (m *machine) has(element, property, value string) bool {
	key := element + " " + property + "=" + value
	m.mu.Lock()
	defer m.mu.Unlock()
	if answer, ok := m.known[key]; ok {
		return answer
	}
	answer := false
	if !m.stuck[element] {
		var ok bool
		answer, ok = ask(func() bool { return elementHas(element, property, value) })
		m.stuck[element] = !ok
	}
	m.known[key] = answer
	return answer
}

// ask runs a question within askLimit. ok is false when no answer came.
func ask(f func() bool) (answer, ok bool) {
	got := make(chan bool, 1)
	if bounded(askLimit, func() error { got <- f(); return nil }, nil) != nil {
		return false, false
	}
	return <-got, true
}

func elementHas(element, property, value string) bool {
	e, freeE := cString(element)
	defer freeE()
	p, freeP := cString(property)
	defer freeP()
	v, freeV := cString(value)
	defer freeV()
	return C.element_has(e, p, v) != 0
}

func driver(element string) (name, card string) {
	type names struct{ driver, card string }
	found := make(chan names, 1)
	err := bounded(callLimit, func() error {
		e, free := cString(element)
		defer free()
		var d, c *C.gchar
		if C.element_driver(e, &d, &c) != 0 {
			found <- names{C.GoString(d), C.GoString(c)}
			C.g_free(C.gpointer(d))
			C.g_free(C.gpointer(c))
		}
		close(found)
		return nil
	}, nil)
	if err != nil {
		return "", ""
	}
	n := <-found
	return n.driver, n.card
}

func like(pattern string) []string {
	p, free := cString(pattern)
	defer free()
	list := C.elements_like(p)
	defer C.g_strfreev(list)
	var out []string
	for i := 0; ; i++ {
		name := *(**C.char)(unsafe.Add(unsafe.Pointer(list), uintptr(i)*unsafe.Sizeof(list)))
		if name == nil {
			return out
		}
		out = append(out, C.GoString(name))
	}
}
