//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"boardcast/test/hostile"
)

const (
	// limitedUser is nobody's number on any machine: the limit counts all that a user runs, and does not hold for root.
	limitedUser = "64123"
	ticksPerSec = 100 // of the processor time in /proc: USER_HZ, which Linux has fixed for programs
	sampleEvery = 250 * time.Millisecond
)

// startLimited runs the streamer with as many threads as the service allows, and waits for its address. Where the tests are
// root the program is not, but may read and write their files.
func startLimited(t testing.TB, args ...string) *Program {
	t.Helper()
	return startCommand(t, limitedCommand(t, args...))
}

// startLimitedLocked is startLimited of a program that asks for keys of its own.
func startLimitedLocked(t testing.TB, args ...string) *Program {
	t.Helper()
	return startWithKeys(t, limitedCommand(t, args...))
}

func limitedCommand(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	limit := tasksMax(t)
	command := []string{"prlimit", "--nproc=" + limit + ":" + limit, "--"}
	if os.Getuid() == 0 && isRootOutside() {
		command = append([]string{
			"setpriv", "--reuid=" + limitedUser, "--regid=" + limitedUser, "--clear-groups",
			"--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--",
		}, command...)
	}
	command = slices.Concat(command, []string{binary(t)}, testSources(args), args)
	return exec.CommandContext(context.WithoutCancel(t.Context()), command[0], command[1:]...)
}

// isRootOutside tells root from a user who is root in a namespace of its own.
func isRootOutside() bool {
	text, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && len(strings.Fields(string(text))) == 3 && strings.Fields(string(text))[1] == "0"
}

// taken is what a program takes at one time, or at worst.
type taken struct {
	threads, fds int
	rss          float64 // MB
	cores        float64 // of late
	used         time.Duration
	at           time.Time
}

// take looks at a program. Of one that is gone it sees nothing.
func take(pid int) taken {
	u := taken{at: time.Now()}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u
	}
	for line := range strings.Lines(string(text)) {
		name, rest, _ := strings.Cut(line, ":")
		value, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
		n, err := strconv.Atoi(value)
		switch {
		case err != nil:
		case name == "Threads":
			u.threads = n
		case name == "VmRSS":
			u.rss = float64(n) / 1024
		}
	}
	if list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid)); err == nil {
		u.fds = len(list)
	}
	u.used = used(pid)
	return u
}

// takeOver looks at a program, and at what it uses of the processors meanwhile.
func takeOver(pid int, span time.Duration) taken {
	before := take(pid)
	pause(span)
	after := take(pid)
	after.cores = (after.used - before.used).Seconds() / after.at.Sub(before.at).Seconds()
	return after
}

// used is a program's processor time.
func used(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest) // the third field of the line is the first here
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / ticksPerSec
}

// watchUsage looks at a program until the returned function is called, which returns the worst of each.
func watchUsage(pid int) func() taken {
	ctx, cancel := context.WithCancel(context.Background())
	worst, done := make(chan taken, 1), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(sampleEvery)
		defer tick.Stop()
		var most taken
		var looks []taken
		for {
			now := take(pid)
			if now.threads > 0 {
				looks = append(looks, now)
				most = most.worse(now, looks)
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				worst <- most
				return
			}
		}
	}()
	return func() taken {
		cancel()
		<-done
		return <-worst
	}
}

// worse is the worst of what was and of a new look; looks are all of them, the last one included.
func (u taken) worse(now taken, looks []taken) taken {
	u.threads, u.fds, u.rss = max(u.threads, now.threads), max(u.fds, now.fds), max(u.rss, now.rss)
	for _, look := range slices.Backward(looks) {
		if since := now.at.Sub(look.at); since >= cpuWindow {
			u.cores = max(u.cores, (now.used-look.used).Seconds()/since.Seconds())
			break
		}
	}
	return u
}

// waitCalm waits until the program is as it was before, at most for so long, and returns the last look.
func waitCalm(t testing.TB, program *Program, before taken, attack hostile.Attack, within time.Duration) taken {
	t.Helper()
	deadline := time.NewTimer(within)
	poll := time.NewTicker(sampleEvery)
	defer deadline.Stop()
	defer poll.Stop()
	for {
		now := take(program.PID())
		if now.calm(before, attack) {
			return now
		}
		select {
		case <-poll.C:
		case <-deadline.C:
			return now
		}
	}
}
