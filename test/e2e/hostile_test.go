//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"

	"boardcast/test/hostile"
)

// What an attack may take of the program at worst, beyond what it took before, and what it may leave.
const (
	hostileThreads = 60  // at worst, and
	threadsEach    = 25  // for each viewer that the attacker may have
	hostileFDs     = 60  // at worst, and
	fdsEach        = 20  // for each viewer that the attacker may have
	hostileMB      = 40  // of resident memory, at worst
	hostileCores   = 0.6 // at worst, over cpuWindow
	cpuWindow      = 3 * time.Second
	leftThreads    = 16 // and one for each viewer: Go keeps what its calls of C had at once, and GLib some for the next task
	leftFDs        = 4
	framesUnderWay = 2                      // made and not yet there when the steady viewer is asked
	hostileGap     = 300 * time.Millisecond // the longest that the steady viewer may be without a frame
	hostileLog     = 32 << 10               // bytes on stderr in the attack, and
	hostileLogRate = 2 << 10                // for each second of it
	calmShort      = 12 * time.Second       // until things are back, at most: with every test,
	calmLong       = 30 * time.Second       // and in the long run
)

// TestHostile has strangers attack while a viewer watches from another address. Each row has a program of its own, limited
// as the service is. What the attack must look like from outside is the row's to say; what it may do to the program and to
// the viewer is the same for all.
func TestHostile(t *testing.T) {
	asService(t)
	if err := openStrangers(); err != nil {
		t.Fatal(err)
	}
	long := os.Getenv(longEnv) != ""
	for _, attack := range hostile.Attacks {
		t.Run(attack.Name, func(t *testing.T) {
			lasts, calm := attack.Short, calmShort
			if long {
				lasts, calm = attack.Long, calmLong
			}
			runAttack(t, attack, lasts, calm)
		})
	}
}

// runAttack runs one row, and prints it.
func runAttack(t *testing.T, attack hostile.Attack, lasts, calm time.Duration) {
	args := append([]string{"--codec", "h264", "--width", "640", "--height", "360"}, attack.Flags...)
	program := map[bool]func(testing.TB, ...string) *Program{false: startLimited, true: startLimitedLocked}[attack.Locked](t, args...)
	steady := StartViewers(t)
	steady.PlayOne(program, "steady")
	warmUp(t, program)
	before := takeOver(program.PID(), cpuWindow/2)
	written := program.bytes("stderr")
	steady.Mark()
	made := program.status().frames("h264")

	began := time.Now()
	watch := watchUsage(program.PID())
	scene := hostile.Scene{For: lasts, Door: func(n int) hostile.Door { return door(program, n) }}
	ctx, cancel := context.WithTimeout(t.Context(), lasts+2*time.Minute)
	found, err := attack.Do(ctx, scene)
	cancel()
	took := time.Since(began)
	worst := watch()

	if _, died := program.Wait(culpritWithin); died {
		t.Fatalf("the program died: %s\n  (%s, %v)", program.lastWords(), found, err)
	}
	after := waitCalm(t, program, before, attack, calm)
	made = program.status().frames("h264") - made
	seen := steady.Views()["steady"]
	written = program.bytes("stderr") - written
	t.Logf("%-38s %5.1f s | threads %d, %d, %d | descriptors %d, %d, %d | MB %.1f, %.1f, %.1f | cores %.2f, %.2f | steady %d/%d frames, gap %.0f ms (timers %.0f) | log %d kB | %s",
		attack.Name, took.Seconds(), before.threads, worst.threads, after.threads, before.fds, worst.fds, after.fds,
		before.rss, worst.rss, after.rss, before.cores, worst.cores, seen.Frames, made, seen.Gap, seen.Lag, written>>10, found)
	if err != nil {
		t.Errorf("%v", err)
	}
	judge(t, attack, before, worst, after)
	if seen.Frames < made-framesUnderWay {
		t.Errorf("the steady viewer got %d of %d frames", seen.Frames, made)
	}
	if limit := ms(hostileGap) + 5*seen.Lag; seen.Gap > limit { // as in assertUnbroken
		t.Errorf("the steady viewer was without a frame for %.0f ms, want at most %.0f", seen.Gap, limit)
	}
	if most := hostileLog + int(took.Seconds()*hostileLogRate); written > most {
		t.Errorf("the program wrote %d bytes on stderr, want at most %d", written, most)
	}
}

// judge compares what the program took.
func judge(t *testing.T, attack hostile.Attack, before, worst, after taken) {
	t.Helper()
	for _, bound := range []struct {
		what       string
		got, most  float64
		beforehand any
	}{
		{"threads at worst", float64(worst.threads), float64(before.threads + hostileThreads + threadsEach*attack.Viewers), before.threads},
		{"descriptors at worst", float64(worst.fds), float64(before.fds + hostileFDs + fdsEach*attack.Viewers + attack.Sockets), before.fds},
		{"threads afterwards", float64(after.threads), float64(before.threads + leftThreads + attack.Viewers), before.threads},
		{"descriptors afterwards", float64(after.fds), float64(before.fds + leftFDs), before.fds},
		{"MB of memory at worst", worst.rss, before.rss + hostileMB, before.rss},
		{"cores at worst", worst.cores, before.cores + hostileCores + attack.Cores, before.cores},
	} {
		if bound.got > bound.most {
			t.Errorf("%s: %.2f, want at most %.2f (before: %v)", bound.what, bound.got, bound.most, bound.beforehand)
		}
	}
}

// warmUp has one viewer come and go, so that what is made once is made.
func warmUp(t *testing.T, program *Program) {
	t.Helper()
	if err := door(program, 250).Watch(t.Context(), "first"); err != nil {
		t.Fatalf("the first viewer: %v", err)
	}
	assertViewers(t, program, 1)
}

// tasksMax is the limit of threads in the service.
func tasksMax(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("../../internal/packaging/files/boardcast.service")
	if err != nil {
		t.Fatalf("read the service: %v", err)
	}
	match := regexp.MustCompile(`(?m)^TasksMax=(\d+)$`).FindStringSubmatch(string(text))
	if match == nil {
		t.Fatal("the service sets no TasksMax")
	}
	return match[1]
}

// bytes is how much stands on the named stream.
func (o *output) bytes(from string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for _, l := range o.lines {
		if l.from == from {
			n += len(l.text) + 1
		}
	}
	return n
}

// String is for a test's own lines.
func (u taken) String() string {
	return fmt.Sprintf("%d threads, %d descriptors, %.1f MB, %.2f cores", u.threads, u.fds, u.rss, u.cores)
}

// calm tells whether a program is as it was before an attack.
func (u taken) calm(before taken, attack hostile.Attack) bool {
	return u.threads <= before.threads+leftThreads+attack.Viewers && u.fds <= before.fds+leftFDs
}
