package doctor

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

// How many threads a stream needs, as `make bench-viewers` counts them (the table in the README).
const (
	threadsPerViewer = 11 // with sound; 10 without
	threadsOfProgram = 40 // 29 while one viewer watches, and some for an encoder with a thread for each core
)

// ThreadRoom says how many more threads this process may start.
type ThreadRoom struct {
	Free  int    // never negative
	Limit string // the limit that Free comes from, for people
	hint  string
}

// Viewers is how many viewers a program that has just started can serve with the free threads.
func (r ThreadRoom) Viewers() int { return max(0, (r.Free-threadsOfProgram)/threadsPerViewer) }

// Threads reads how many more threads this process may start, from a file system that has proc and sys. There are limits of the
// control groups that the process is in, of its user, and of the kernel. The lowest counts. When a thread is refused GLib ends the
// program. known is false where no limit is found. Threads takes less than a millisecond, or a few where the user's limit is near:
// then the threads of the user's processes have to be counted.
func Threads(root fs.FS) (room ThreadRoom, known bool) {
	least := ThreadRoom{Free: math.MaxInt}
	for _, limit := range []func(fs.FS) (ThreadRoom, bool){threadsOfGroups, threadsOfUser, threadsOfKernel} {
		if r, known := limit(root); known && r.Free < least.Free {
			least = r
		}
	}
	least.Free = max(0, least.Free)
	return least, least.Limit != ""
}

// threadsOfGroups reads the limits of the control groups that this process is in, and of the groups above those.
func threadsOfGroups(root fs.FS) (ThreadRoom, bool) {
	least := ThreadRoom{Free: math.MaxInt}
	for line := range strings.Lines(textOf(root, "proc/self/cgroup")) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3) // number:controllers:path
		var base string
		switch {
		case len(parts) < 3:
			continue
		case parts[1] == "": // version 2
			base = "sys/fs/cgroup"
		case parts[1] == "pids":
			base = "sys/fs/cgroup/pids"
		default:
			continue
		}
		for dir := path.Clean("/" + parts[2]); ; dir = path.Dir(dir) {
			most, limited := numberOf(root, base+path.Join(dir, "/pids.max"))
			now, known := numberOf(root, base+path.Join(dir, "/pids.current"))
			if limited && known && most-now < least.Free {
				least = ThreadRoom{most - now, fmt.Sprintf("the limit of %d of the control group %s", most, printable(dir)), hintGroup}
			}
			if dir == "/" {
				break
			}
		}
	}
	return least, least.Limit != ""
}

// threadsOfUser reads RLIMIT_NPROC. It bounds the threads of all processes of a user, except root.
func threadsOfUser(root fs.FS) (ThreadRoom, bool) {
	const plenty = 2000 // threads: with so many left, all viewers that a board can serve find theirs
	user, known := statusOf(root, "self", "Uid")
	most := 0
	for line := range strings.Lines(textOf(root, "proc/self/limits")) {
		if rest, found := strings.CutPrefix(line, "Max processes"); found {
			soft, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
			most, _ = strconv.Atoi(soft) // 0 for "unlimited"
		}
	}
	if !known || user == 0 || most == 0 {
		return ThreadRoom{}, false
	}
	now, counted := allThreads(root) // of all users: an upper bound that is quick to read
	if !counted || most-now < plenty {
		now = userThreads(root, user)
	}
	return ThreadRoom{most - now, fmt.Sprintf("the limit of %d of this user", most), hintUser}, true
}

// userThreads counts the threads of a user's processes.
func userThreads(root fs.FS, user int) int {
	entries, err := fs.ReadDir(root, "proc")
	if err != nil {
		return 0
	}
	sum := 0
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		if owner, known := statusOf(root, e.Name(), "Uid"); known && owner == user {
			n, _ := statusOf(root, e.Name(), "Threads")
			sum += n
		}
	}
	return sum
}

// threadsOfKernel reads the kernel's limit.
func threadsOfKernel(root fs.FS) (ThreadRoom, bool) {
	most, limited := numberOf(root, "proc/sys/kernel/threads-max")
	now, known := allThreads(root)
	return ThreadRoom{most - now, fmt.Sprintf("the kernel's limit of %d", most), hintKernel}, limited && known
}

// allThreads is how many threads the machine has: the number behind the slash in "0.00 0.01 0.05 1/376 2465".
func allThreads(root fs.FS) (int, bool) {
	fields := strings.Fields(textOf(root, "proc/loadavg"))
	if len(fields) < 4 {
		return 0, false
	}
	_, total, _ := strings.Cut(fields[3], "/")
	n, err := strconv.Atoi(total)
	return n, err == nil
}

// statusOf is the first number in a line of /proc/PROCESS/status.
func statusOf(root fs.FS, process, name string) (int, bool) {
	for line := range strings.Lines(textOf(root, "proc/"+process+"/status")) {
		if rest, found := strings.CutPrefix(line, name+":"); found {
			fields := strings.Fields(rest)
			if len(fields) == 0 {
				return 0, false
			}
			n, err := strconv.Atoi(fields[0])
			return n, err == nil
		}
	}
	return 0, false
}

// numberOf reads a file that holds a number. ok is false where it holds none, such as "max".
func numberOf(root fs.FS, name string) (n int, ok bool) {
	n, err := strconv.Atoi(strings.TrimSpace(textOf(root, name)))
	return n, err == nil
}

// What raises each limit.
const (
	hintGroup = "give the group more (for the service: sudo systemctl edit boardcast, and TasksMax=4096 under [Service]; " +
		"for a container --pids-limit), or lower viewers.max"
	hintUser   = "raise it (ulimit -u, or LimitNPROC= for a service), or lower viewers.max"
	hintKernel = "sudo sysctl kernel.threads-max=100000, or lower viewers.max"
)

// threads checks whether there are threads for as many viewers as the viewer limit allows.
func threads(_ context.Context, x *exam) Result {
	room, known := Threads(x.Root)
	switch {
	case !known:
		return fine("no limit is known here")
	case room.Viewers() < x.request.Viewers:
		return warn(fmt.Sprintf("%d more threads may be started, by %s: enough for some %d viewers, and viewers.max is %d",
			room.Free, room.Limit, room.Viewers(), x.request.Viewers), room.hint)
	}
	return fine("%d more may be started, by %s; %d viewers take some %d",
		room.Free, room.Limit, x.request.Viewers, threadsOfProgram+threadsPerViewer*x.request.Viewers)
}
