package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// portState says whether the port is free, and otherwise what uses it.
type portState struct {
	err    error  // of opening the port
	holder string // "python3 (pid 812)", empty when not known
	ours   bool   // another process of boardcast uses the port
}

// lookAtPort opens the port, and looks for the process that uses it when that fails.
func (x *exam) lookAtPort(ctx context.Context) portState {
	s := portState{err: x.Port.Claim()}
	if !errors.Is(s.err, syscall.EADDRINUSE) {
		return s
	}
	_, text, err := net.SplitHostPort(x.request.Listen)
	if err != nil {
		return s
	}
	number, err := strconv.Atoi(text)
	if err != nil {
		return s
	}
	if pid, name := x.listener(number); pid != 0 {
		s.holder = fmt.Sprintf("%s (pid %d)", name, pid)
		s.ours = name == x.word("proc/self/comm")
	}
	// /proc does not show the sockets of another user's process, but that process answers requests.
	s.ours = s.ours || s.holder == "" && x.Port.Answers(ctx)
	return s
}

// port checks whether the page can be served at the port of the settings.
func port(_ context.Context, x *exam) Result {
	s := x.port()
	switch {
	case s.err == nil:
		return fine("%s is free", x.request.Listen)
	case s.ours && s.holder != "":
		return fine("%s is in use by %s: boardcast is running", x.request.Listen, s.holder)
	case s.ours:
		return fine("boardcast answers on %s: it is running", x.request.Listen)
	}
	detail := s.err.Error()
	if s.holder != "" {
		detail = fmt.Sprintf("%s is in use by %s", x.request.Listen, s.holder)
	}
	return fail(detail, hintOf(s.err, "choose another port: --listen :8081"))
}

// listener finds the process that listens on a TCP port. pid is 0 when it is not found: /proc does not show the sockets of other users'
// processes.
func (x *exam) listener(port int) (pid int, name string) {
	sockets := map[string]bool{}
	for _, table := range []string{"proc/net/tcp", "proc/net/tcp6"} {
		for line := range strings.Lines(x.text(table)) {
			if inode, ok := listening(line, port); ok {
				sockets["socket:["+inode+"]"] = true
			}
		}
	}
	if len(sockets) == 0 {
		return 0, ""
	}
	entries, err := fs.ReadDir(x.Root, "proc")
	if err != nil {
		return 0, ""
	}
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err == nil && x.holds("proc/"+e.Name()+"/fd", sockets) {
			return n, x.word("proc/" + e.Name() + "/comm")
		}
	}
	return 0, ""
}

// listening reads a line of /proc/net/tcp. It returns the inode of a socket that listens on the port.
func listening(line string, port int) (inode string, ok bool) {
	const (
		local, state, socket = 1, 3, 9 // numbers of the fields
		listen               = "0A"    // the state of a socket that listens
	)
	f := strings.Fields(line)
	if len(f) <= socket || f[state] != listen {
		return "", false
	}
	_, hex, _ := strings.Cut(f[local], ":")
	n, err := strconv.ParseUint(hex, 16, 16)
	return f[socket], err == nil && int(n) == port
}

// holds reports whether a process has one of the sockets among its file descriptors.
func (x *exam) holds(dir string, sockets map[string]bool) bool {
	entries, err := fs.ReadDir(x.Root, dir)
	return err == nil && slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		target, err := fs.ReadLink(x.Root, dir+"/"+e.Name())
		return err == nil && sockets[target]
	})
}
