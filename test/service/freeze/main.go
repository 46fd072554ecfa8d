// Command freeze stops the media threads of a program, as a driver does that never comes back: every thread of the process
// that does not bear the process's own name, those that come later too, until the process ends. The program itself goes on.
// Its threads of Go and of GLib's main context keep the name; GStreamer names those that carry media.
//
// usage: freeze PID
package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const lookEvery = 20 * time.Millisecond

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "freeze:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) != 1 {
		return errors.New("usage: freeze PID")
	}
	tasks := filepath.Join("/proc", args[0], "task")
	own, err := name(filepath.Join("/proc", args[0]))
	if err != nil {
		return fmt.Errorf("find process %s: %w", args[0], err)
	}
	runtime.LockOSThread() // a tracer is a thread
	frozen := map[string]bool{}
	for ticks := time.NewTicker(lookEvery); ; <-ticks.C {
		list, err := os.ReadDir(tasks)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			return nil // the process has ended
		}
		if err != nil {
			return err
		}
		for _, task := range list {
			thread, err := name(filepath.Join(tasks, task.Name()))
			if err != nil || thread == own || frozen[task.Name()] {
				continue
			}
			if err := freeze(task.Name()); err != nil {
				return fmt.Errorf("freeze %s (%s): %w", task.Name(), thread, err)
			}
			frozen[task.Name()] = true
			fmt.Fprintln(out, "frozen:", thread)
		}
	}
}

func name(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "comm"))
	return strings.TrimSpace(string(text)), err
}

func freeze(task string) error {
	id, err := strconv.Atoi(task)
	if err != nil {
		return err
	}
	if err := unix.PtraceSeize(id); err != nil {
		return err
	}
	return unix.PtraceInterrupt(id)
}
