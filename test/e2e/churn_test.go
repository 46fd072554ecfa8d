//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// What is promised of viewers that come and go, and how many do where nobody says otherwise.
const (
	churnEnv   = "BOARDCAST_CHURN"
	churnCount = 60
	churnGap   = 100 * time.Millisecond
	churnSlope = 5.0 // kB of resident memory per viewer, after the first hundred
	churnAtOne = 10  // viewers at once
	churnEvery = 50  // viewers from one look at what is left to the next
	churnMost  = 40  // viewers beside a round's own, of those that were killed and not missed yet
)

// left is what a program holds once all have gone but the steady viewer.
type left struct {
	viewers, fds, threads, goroutines int
	rss                               float64 // MB
}

func (l left) String() string {
	return fmt.Sprintf("after %4d viewers: %d descriptors, %d threads, %d goroutines, %.1f MB", l.viewers, l.fds, l.threads, l.goroutines, l.rss)
}

// TestChurn has viewers come and go beside one that stays: a third hang up, a third are killed, a third break off at any
// moment of their negotiation. BOARDCAST_CHURN says how many.
func TestChurn(t *testing.T) {
	count := churnCount
	if text := os.Getenv(churnEnv); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("%s=%s: want a number of viewers", churnEnv, text)
		}
		count = n
	}
	asService(t)
	program := StartBoardcast(t, "--config", settings(t, "viewers:\n  max: 100\n"), "--codec", "h264", "--width", "640", "--height", "360")
	steady, guests := StartViewers(t), StartViewers(t)
	steady.PlayOne(program, "steady")
	random := rand.New(rand.NewPCG(5, 5))
	round(t, program, guests, random, 0) // what is made once is made
	looks := []left{lookAt(t, program, 0)}
	t.Log(looks[0])
	steady.Mark()
	for gone := 0; gone < count; {
		round(t, program, guests, random, gone+churnAtOne)
		gone += churnAtOne
		if gone%churnEvery == 0 || gone >= count {
			look := lookAt(t, program, gone)
			looks = append(looks, look)
			t.Log(look)
		}
	}
	seen := steady.Views()["steady"]
	t.Logf("%s; the steady viewer: %v", loadNow(t), seen)
	if limit := ms(churnGap) + 5*seen.Lag; seen.Gap > limit {
		t.Errorf("the steady viewer was without a frame for %.0f ms, want at most %.0f", seen.Gap, limit)
	}
	assertNothingLeft(t, looks)
}

// assertNothingLeft compares the last look with the first one.
func assertNothingLeft(t *testing.T, looks []left) {
	t.Helper()
	first, last := looks[0], looks[len(looks)-1]
	// GLib keeps some threads for the next task.
	if last.fds > first.fds+2 || last.threads > first.threads+8 || last.goroutines > first.goroutines+4 {
		t.Errorf("%v; at the beginning %v", last, first)
	}
	var points [][2]float64
	for _, l := range looks {
		if l.viewers >= 100 {
			points = append(points, [2]float64{float64(l.viewers), l.rss * 1024})
		}
	}
	if len(points) < 8 {
		return // too few for a slope
	}
	slope := fit(points)
	t.Logf("resident memory: %.1f kB per viewer (promised %.0f)", slope, churnSlope)
	if slope > churnSlope {
		t.Errorf("resident memory grows by %.1f kB per viewer, want at most %.0f", slope, churnSlope)
	}
}

// round has ten viewers come at once, and go.
func round(t *testing.T, program *Program, guests *Viewers, random *rand.Rand, first int) {
	t.Helper()
	waitFor(t, "most of those that were killed are missed", func() bool { return len(program.status().Media.Viewers) <= churnMost })
	doomed := StartViewers(t)
	stages := []Stage{StageHello, StageSession, StageOffered, StageAnswered, StageConnected}
	var polite, broken, killed []string
	for i := range churnAtOne {
		id := fmt.Sprintf("guest-%d", first+i)
		switch (first + i) % 3 {
		case 0:
			polite = append(polite, id)
			guests.Join(program, id, Manner{})
		case 1:
			killed = append(killed, id)
			doomed.Join(program, id, Manner{})
		case 2:
			broken = append(broken, id)
			guests.Join(program, id, Manner{
				Leave: stages[random.IntN(len(stages))], After: time.Duration(random.IntN(200)) * time.Millisecond,
			})
		}
	}
	for _, id := range broken {
		guests.Wait(id, StageEnded, playWithin)
	}
	for _, id := range polite {
		guests.Wait(id, StagePlaying, playWithin)
		guests.Leave(id)
	}
	for _, id := range killed {
		if random.IntN(2) == 0 { // the others are killed wherever they are
			doomed.Wait(id, StagePlaying, playWithin)
		}
	}
	doomed.Kill()
}

// lookAt waits until only the steady viewer is left, and for what goes after the viewer.
func lookAt(t *testing.T, program *Program, viewers int) left {
	t.Helper()
	assertViewers(t, program, 1)
	var l left
	same := 0 // looks in a row: sockets and threads end a little after what they were for
	waitFor(t, "the numbers of descriptors and threads at rest", func() bool {
		before := l
		l = left{
			viewers: viewers, fds: entries(t, program, "fd"), threads: entries(t, program, "task"),
			goroutines: program.status().Goroutines, rss: memory(t, program.PID(), "VmRSS"),
		}
		same++
		if l.fds != before.fds || l.threads != before.threads || l.goroutines != before.goroutines {
			same = 0
		}
		return same == 10
	})
	return l
}
