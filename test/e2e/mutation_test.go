//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"boardcast/test/hostile"
)

// How many descriptions are altered in each way: by a plain test, and where the environment says otherwise.
const (
	mutationsEnv  = "BOARDCAST_MUTATIONS"
	mutationsSeed = "BOARDCAST_MUTATIONS_SEED" // of the first; the others follow
	mutationCount = 400
	mutateAtOnce  = 16                     // sessions at once; each stays for a while, so that fewer leave the processors idle
	mutationMB    = 20                     // more resident memory than before, at most
	culpritWithin = 500 * time.Millisecond // for the program to die of what it has read
	mostDeaths    = 200                    // the program is started again after each; more say nothing new
)

// TestMutations sends descriptions that were altered by a seed, each in a session of its own and from an address of its
// own, as offers to WHEP, as offers and as answers over the WebSocket. The program lives through all of them, writes no line
// that no run may write, and has its memory back.
func TestMutations(t *testing.T) {
	asService(t)
	if err := openStrangers(); err != nil {
		t.Fatal(err)
	}
	count := number(t, mutationsEnv, mutationCount)
	for _, way := range []hostile.Way{hostile.WHEP, hostile.Caller, hostile.Callee} {
		t.Run(string(way), func(t *testing.T) {
			m := &mutator{t: t, way: way, outcomes: map[string]int{}}
			m.startProgram()
			m.all(uint64(number(t, mutationsSeed, 1)), count)
			m.report(count)
		})
	}
	t.Run("answers of a WHIP server", func(t *testing.T) { mutateWHIP(t, max(whipLeast, count/whipShare)) })
}

// number is what a variable of the environment says.
func number(t testing.TB, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%s: want a number above 0", name, text)
	}
	return n
}

// mutator sends the descriptions of one way, and starts the program anew when it has died of one.
type mutator struct {
	t       *testing.T
	way     hostile.Way
	program *Program
	deaths  []string
	began   time.Time
	took    time.Duration

	mu       sync.Mutex
	outcomes map[string]int
	lost     []hostile.Session // whose connection broke
}

func (m *mutator) startProgram() {
	m.program = StartBoardcast(m.t, "--config", settings(m.t, "viewers:\n  max: 64\n"), "--width", "160", "--height", "120", "--framerate", "10")
	m.program.ended = true // its end is ours to judge
}

// all runs the sessions of count seeds. When the program has died, those that were under way are run again, one by one.
func (m *mutator) all(first uint64, count int) {
	m.warmUp()
	before := memory(m.t, m.program.PID(), "VmRSS")
	m.began = time.Now()
	for left := seeds(first, count); len(left) > 0 && len(m.deaths) < mostDeaths; {
		n := min(len(left), 40*mutateAtOnce)
		m.lost = nil
		rest := m.some(left[:n], mutateAtOnce)
		left = left[n:]
		if m.program.Running() {
			m.tellLost()
			continue
		}
		left = slices.Concat(m.unsent(), rest, left)
		m.findCulprits()
		m.warmUp()
		before = memory(m.t, m.program.PID(), "VmRSS")
	}
	m.took = time.Since(m.began)
	m.assertMemory(before)
}

// warmUp has as many good viewers come and go as there will be others, so that what is made once is made before the memory is looked at.
func (m *mutator) warmUp() {
	bad := make([]error, mutateAtOnce)
	var wg sync.WaitGroup
	for i := range bad {
		wg.Go(func() { bad[i] = door(m.program, i).Watch(m.t.Context(), fmt.Sprint("good", i)) })
	}
	wg.Wait()
	if err := errors.Join(bad...); err != nil {
		m.t.Fatalf("good viewers: %v", err)
	}
}

func seeds(first uint64, count int) []uint64 {
	out := make([]uint64, count)
	for i := range out {
		out[i] = first + uint64(i)
	}
	return out
}

// some runs sessions, several at once, for as long as the program lives, and returns the seeds that did not have their turn.
func (m *mutator) some(all []uint64, atOnce int) []uint64 {
	ctx, cancel := context.WithCancel(m.t.Context())
	defer cancel()
	go func() {
		select {
		case <-m.program.exited:
			cancel()
		case <-ctx.Done():
		}
	}()
	turns := make(chan uint64)
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for seed := range turns {
				m.note(door(m.program, int(seed)).Run(m.t.Context(), m.way, seed))
			}
		})
	}
	done := 0
feed:
	for _, seed := range all {
		select {
		case turns <- seed:
			done++
		case <-ctx.Done():
			break feed
		}
	}
	close(turns)
	wg.Wait()
	return all[done:]
}

func (m *mutator) note(s hostile.Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.outcomes[s.Outcome]++
	if s.Err != nil {
		m.lost = append(m.lost, s)
	}
}

// tellLost tells of connections that broke although the program lives.
func (m *mutator) tellLost() {
	for _, s := range m.lost {
		m.t.Logf("seed %d, %q: %v", s.Seed, s.Did, s.Err)
	}
}

// unsent takes those out of the lost whose description never came to the program.
func (m *mutator) unsent() []uint64 {
	var out []uint64
	m.lost = slices.DeleteFunc(m.lost, func(s hostile.Session) bool {
		if s.Unsent {
			out = append(out, s.Seed)
		}
		return s.Unsent
	})
	m.outcomes["broken off"] -= len(out)
	return out
}

// findCulprits runs what was under way when the program died, each alone on a program that lives, and keeps what kills.
func (m *mutator) findCulprits() {
	suspects, found := m.lost, 0
	last := m.program.lastWords()
	m.startProgram()
	for _, s := range suspects {
		if len(m.deaths) >= mostDeaths {
			return
		}
		again := door(m.program, int(s.Seed)).Run(m.t.Context(), m.way, s.Seed)
		if _, died := m.program.Wait(culpritWithin); !died {
			continue
		}
		found++
		m.died(again, m.program.lastWords())
		m.startProgram()
	}
	if found == 0 {
		for _, s := range suspects {
			m.keep(s)
		}
		m.deaths = append(m.deaths, fmt.Sprintf("one of the seeds %v, together: %s", seedsOf(suspects), last))
	}
}

func seedsOf(sessions []hostile.Session) []uint64 {
	out := make([]uint64, len(sessions))
	for i, s := range sessions {
		out[i] = s.Seed
	}
	return out
}

// died notes what the program died of.
func (m *mutator) died(s hostile.Session, last string) {
	m.deaths = append(m.deaths, fmt.Sprintf("seed %d, %q: %s", s.Seed, s.Did, last))
	m.t.Logf("a death: %s", m.deaths[len(m.deaths)-1])
	m.keep(s)
}

// keep writes a text that the program died of, or may have died of, under bin.
func (m *mutator) keep(s hostile.Session) {
	m.t.Helper()
	dir := filepath.Join("..", "..", "bin", "mutations")
	name := fmt.Sprintf("%s-%d.sdp", strings.ReplaceAll(string(s.Way), " ", "-"), s.Seed)
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name), []byte(s.Text), 0o644)); err != nil {
		m.t.Errorf("keep what killed: %v", err)
	}
}

// lastWords are what a program wrote last on stderr that is no line of its log.
func (p *Program) lastWords() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range slices.Backward(p.lines) {
		for _, sign := range []string{"ERROR:", "-CRITICAL", "-ERROR", "panic:", "fatal error:", "SIGSEGV", "malloc", "corrupt"} {
			if l.from == "stderr" && strings.Contains(l.text, sign) {
				return l.text
			}
		}
	}
	return fmt.Sprint(p.cmd.ProcessState)
}

// assertMemory waits for the program's memory to come back.
func (m *mutator) assertMemory(before float64) {
	deadline := time.NewTimer(callWithin)
	poll := time.NewTicker(250 * time.Millisecond)
	defer deadline.Stop()
	defer poll.Stop()
	for {
		if !m.program.Running() {
			m.deaths = append(m.deaths, "after the last: "+m.program.lastWords())
			return
		}
		now := memory(m.t, m.program.PID(), "VmRSS")
		if now <= before+mutationMB && len(m.program.status().Media.Viewers) == 0 {
			m.t.Logf("resident memory %.1f MB before, %.1f after", before, now)
			return
		}
		select {
		case <-poll.C:
		case <-deadline.C:
			m.t.Errorf("resident memory %.1f MB before, %.1f after; viewers %v", before, now, viewersOf(m.t, m.program))
			return
		}
	}
}

func (m *mutator) report(count int) {
	m.t.Logf("%d %s, %.0f a second, %s:", count, m.way, float64(count)/m.took.Seconds(), loadNow(m.t))
	for _, outcome := range slices.Sorted(maps.Keys(m.outcomes)) {
		m.t.Logf("  %-12s %6d", outcome, m.outcomes[outcome])
	}
	for _, death := range m.deaths {
		m.t.Errorf("the program died: %s", death)
	}
	if m.program.Running() {
		m.program.Signal(syscall.SIGTERM)
		if code, inTime := m.program.Wait(stopWithin); code != 0 || !inTime {
			m.t.Errorf("the program exited with %d, in time %v", code, inTime)
		}
	}
}
