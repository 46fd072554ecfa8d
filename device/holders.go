package device

import (
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// maxHolders is how many programs an error names.
const maxHolders = 3

// holder is a process that has a device open.
type holder struct {
	pid     int
	command string
}

// holders scans /proc for processes that have the device open, lowest pid first, at most maxHolders. Processes
// of other users stay hidden without root, so an empty result doesn't mean that nobody has it open. Not every process that
// has it open uses it: a desktop's sound and camera service may be named beside the program that streams.
func holders(root fs.FS, device string) []holder {
	entries, err := fs.ReadDir(root, "proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	var found []holder
	for _, pid := range pids {
		dir := "proc/" + strconv.Itoa(pid)
		if !hasOpen(root, dir+"/fd", device) {
			continue
		}
		found = append(found, holder{pid: pid, command: command(root, dir)})
		if len(found) == maxHolders {
			break
		}
	}
	return found
}

// hasOpen tells whether one of a process's file descriptors is the device.
func hasOpen(root fs.FS, fdDir, device string) bool {
	entries, err := fs.ReadDir(root, fdDir)
	if err != nil {
		return false // another user's, or gone meanwhile
	}
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		target, err := fs.ReadLink(root, fdDir+"/"+e.Name())
		return err == nil && target == device
	})
}

// command is the process's short name.
func command(root fs.FS, dir string) string {
	if name := clean(readText(root, dir+"/comm")); name != "" {
		return name
	}
	return "a program"
}

// groupName looks a group up in /etc/group; the number where it isn't there.
func groupName(root fs.FS, gid uint32) string {
	number := strconv.FormatUint(uint64(gid), 10)
	const fields = 4 // name:password:gid:members
	for line := range strings.Lines(readText(root, "etc/group")) {
		f := strings.Split(line, ":")
		if len(f) == fields && f[2] == number {
			return clean(f[0])
		}
	}
	return number
}
