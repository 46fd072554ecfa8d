package doctor

import (
	"fmt"
	"io/fs"
	"net"
	"strconv"
)

// Holder names the process that listens on the port of an address (host:port),
// as "python3 (pid 812)". It is "" where no process is seen to: another user's
// shows nothing of itself. ours reports that it runs this same program.
func Holder(root fs.FS, address string) (holder string, ours bool) {
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", false
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return "", false
	}
	x := &exam{Host: Host{Root: root}}
	pid, name := x.listener(port)
	if pid == 0 {
		return "", false
	}
	return fmt.Sprintf("%s (pid %d)", name, pid), name == x.word("proc/self/comm")
}
