//go:build lab

package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// address is where a browser on the host reaches the program in the guest.
const address = "http://" + GuestAddress + ":8080/"

// programPath returns the path of the program under test, which is the same in the guest.
func programPath(t *testing.T) string {
	t.Helper()
	path := os.Getenv("BOARDCAST_BIN")
	if path == "" {
		path = "../../bin/boardcast"
	}
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("no program to test: %v", err)
	}
	return path
}

// fullRate keeps the bitrate where the test has it: the emulated machine is slow, which looks like a slow link, and the lab's
// encoder has no pictures to offer at a low rate.
const fullRate = "BOARDCAST_VIDEO_ADAPTIVE=false"

// startProgram starts boardcast in the guest and returns when it says its address. When the test ends, it is told to
// end too, and must do so in order.
func startProgram(t *testing.T, m *Machine, args ...string) *Process {
	t.Helper()
	return startProgramIn(t, m, trialCache, args...)
}

// trialCache is the guest's directory where the program remembers its trials from one test to another.
const trialCache = "/run/trials"

// startProgramIn is startProgram with another directory for the trials.
func startProgramIn(t *testing.T, m *Machine, cache string, args ...string) *Process {
	t.Helper()
	return startProgramWith(t, m, "CACHE_DIRECTORY="+cache+" "+fullRate, args...)
}

// startProgramWith is startProgram with an environment of the caller's. No test of the lab is about keys: everybody is let in.
func startProgramWith(t *testing.T, m *Machine, env string, args ...string) *Process {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	began := time.Now()
	line := "exec env BOARDCAST_OPEN=true " + env + " " + programPath(t) + " --listen :8080 '" + strings.Join(args, "' '") + "'"
	p, err := m.Start(context.WithoutCancel(t.Context()), line)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { endProgram(t, p) })
	first, err := p.Await(ctx, ": open http://")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("after %.1f s: %s", time.Since(began).Seconds(), first)
	return p
}

// endProgram sends SIGTERM, which must end the program within the emulated machine's share of patience.
func endProgram(t *testing.T, p *Process) {
	t.Helper()
	defer p.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	if err := p.Signal(ctx, "TERM"); err != nil {
		t.Error(err)
	}
	if status, err := p.Wait(ctx); err != nil || status != 0 {
		t.Errorf("after SIGTERM: exit status %d, %v", status, err)
	}
	if t.Failed() {
		t.Logf("the program said:\n%s", p.Output())
	}
}

// viewer is a page that plays what the guest streams. What it knows of the picture comes from the browser, by the
// script that the end-to-end tests use too, not from what the page says of itself.
type viewer struct {
	*Page
	t *testing.T
}

// view opens the program's page in a browser of its own. The scripts run in it before the page's own.
func view(t *testing.T, scripts ...string) viewer {
	t.Helper()
	return viewAt(t, address, scripts...)
}

// viewAt is view of another address of the program's.
func viewAt(t *testing.T, address string, scripts ...string) viewer {
	t.Helper()
	return launch(t)(address, scripts...)
}

// launch starts a browser with these flags besides the usual, and returns what opens a page in it.
func launch(t *testing.T, flags ...string) func(address string, scripts ...string) viewer {
	t.Helper()
	script, err := os.ReadFile("../e2e/browser/inpage.js")
	if err != nil {
		t.Fatal(err)
	}
	b, err := Launch(flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return func(address string, scripts ...string) viewer {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		p, err := b.Open(ctx, address, strings.Join(append(scripts, string(script)), "\n"))
		if err != nil {
			t.Fatal(err)
		}
		return viewer{Page: p, t: t}
	}
}

// in is the same viewer for a subtest, which is the one to fail.
func (v viewer) in(t *testing.T) viewer { return viewer{Page: v.Page, t: t} }

// stats are the browser's counters of what it received, by the names of inpage.js.
type stats struct {
	Width, Height, Frames, KeyFrames int
	FPS, AudioEnergy                 float64
	Codec                            string
}

// await evaluates an expression whose promise the page settles within the limit, and decodes its value.
func (v viewer) await(limit time.Duration, result any, format string, args ...any) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), limit+10*time.Second)
	defer cancel()
	if err := v.Eval(ctx, fmt.Sprintf(format, args...), result); err != nil {
		v.t.Fatal(err)
	}
}

// playing waits until the page has decoded so many frames.
func (v viewer) playing(frames int, limit time.Duration) stats {
	v.t.Helper()
	var s stats
	v.await(limit, &s, "e2e.playing(%d, %d)", frames, limit.Milliseconds())
	return s
}

// during returns by how much the counters grow in a time, and the frames per second of it.
func (v viewer) during(span time.Duration) (frames, energy float64) {
	v.t.Helper()
	var grown struct{ FPS, Energy float64 }
	v.await(span, &grown, `(async () => {
		const before = await e2e.stats(), began = performance.now();
		await new Promise((resolve) => setTimeout(resolve, %d));
		const after = await e2e.stats(), seconds = (performance.now() - began) / 1000;
		return { fps: (after.frames - before.frames) / seconds, energy: after.audioEnergy - before.audioEnergy };
	})()`, span.Milliseconds())
	return grown.FPS, grown.Energy
}

// unmute presses the page's button: Chromium measures what a muted element plays as silence.
func (v viewer) unmute() {
	v.t.Helper()
	v.await(5*time.Second, nil, "document.querySelector('#sound').click()")
}
