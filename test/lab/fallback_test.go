//go:build lab

package lab

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

const replacedMessage = `msg="encoder replaced" component=media producer=h264`

// TestFallback has the lab's encoder fail in each way that it can, under a viewer: another takes its place, the
// connection stays, and the picture is away for a short time only.
func TestFallback(t *testing.T) {
	m := boot(t)
	load(t, m)
	remember(t, m)
	for _, row := range []struct {
		name string
		set  []setting
		act  func(t *testing.T, m *Machine, p *Process, v viewer, set []setting) time.Duration
	}{
		{"error in mid-stream", []setting{{"error_after", 1}}, breakUnderViewer},
		{"stall", []setting{{"stall_after", 1}}, breakUnderViewer},
		{"driver hangs", []setting{{"hang", 1}}, breakUnderViewer},
		{"keyframe requests unanswered", []setting{{"deaf", 1}}, deafenUnderViewer},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := startHardware(t, m, copyOfTrials(t, m))
			v := view(t)
			v.playing(20, 90*time.Second)
			if got := line(t, lineH264).Encoder; !strings.HasPrefix(got, hardware) {
				t.Fatalf("the status names encoder %q before anything fails, want %s", got, hardware)
			}
			gap := row.act(t, m, p, v, row.set)
			replacedOnce(t, m, p, row.name, gap)
		})
	}
}

// TestFallbackAtStart has the encoder fail when the first viewer comes, after it was chosen: STREAMON is refused, for
// its own sake or for the level's.
func TestFallbackAtStart(t *testing.T) {
	m := boot(t)
	load(t, m)
	remember(t, m)
	const enosys = 38
	for _, row := range []struct {
		name string
		set  []setting
	}{
		{"STREAMON fails", []setting{{"fail_streamon", enosys}}},
		{"level refused", []setting{{"low_level", 1}, {"least_level", 40}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := startHardware(t, m, copyOfTrials(t, m))
			set(t, m, row.set)
			v := view(t)
			var wait float64
			v.await(2*time.Minute, &wait, `(async () => {
				await e2e.until(() => globalThis.boardcast?.pc?.connectionState === "connected", 60000);
				const began = performance.now(), pc = boardcast.pc;
				await e2e.until(async () => (await e2e.stats()).frames > 0, 30000);
				if (boardcast.pc !== pc) throw new Error("the connection was replaced");
				return performance.now() - began;
			})()`)
			v.playing(10, 30*time.Second)
			replacedOnce(t, m, p, row.name+", connected to first frame", time.Duration(wait*float64(time.Millisecond)))
		})
	}
}

func set(t *testing.T, m *Machine, settings []setting) {
	t.Helper()
	for _, s := range settings {
		setParameter(t, m, s.parameter, s.value)
	}
}

// breakUnderViewer returns the longest time without a frame, from before the encoder is broken until the next one works.
func breakUnderViewer(t *testing.T, m *Machine, p *Process, v viewer, settings []setting) time.Duration {
	t.Helper()
	v.watch()
	v.moreFrames(10, 10*time.Second)
	usual := v.watched()
	set(t, m, settings)
	awaitLine(t, p, replacedMessage, 30*time.Second)
	v.moreFrames(20, 30*time.Second)
	v.kept()
	w := v.watched()
	t.Logf("longest time without a frame %v (%v before), longest delay of the page's timer %.0f ms", w.gap(), usual.gap(), w.Lag)
	return w.gap()
}

// deafenUnderViewer has another viewer join, whose picture depends on a keyframe that the encoder doesn't make. It
// returns how long that one waits; the first one's picture must not be away longer than that.
func deafenUnderViewer(t *testing.T, m *Machine, p *Process, v viewer, settings []setting) time.Duration {
	t.Helper()
	v.watch()
	set(t, m, settings)
	joined := v.join(30 * time.Second)
	awaitLine(t, p, replacedMessage, 30*time.Second)
	v.moreFrames(20, 30*time.Second)
	v.kept()
	gap := v.watched().gap()
	figures.add("fallback, keyframe requests unanswered", "the viewer who joins plays after %.1f s", joined.Seconds())
	return gap
}

// replacedOnce looks at what the program says of the replacement, and at the gap.
func replacedOnce(t *testing.T, m *Machine, p *Process, name string, gap time.Duration) {
	t.Helper()
	said := awaitLine(t, p, replacedMessage, 10*time.Second)
	now := line(t, lineH264)
	figures.add("fallback, "+name, "%.2f s without a picture, on %s", gap.Seconds(), now.Encoder)
	if gap > m.limit() {
		t.Errorf("the picture was away for %v, want at most %v", gap, m.limit())
	}
	if now.Encoder == "" || strings.HasPrefix(now.Encoder, hardware) || now.Replaced != 1 {
		t.Errorf("the status says encoder %q, replaced %d times; want another than %s, once", now.Encoder, now.Replaced, hardware)
	}
	for _, part := range []string{"level=WARN", "from=" + hardware, "to=" + now.Encoder, "error="} {
		if !strings.Contains(said, part) {
			t.Errorf("no %s in %s", part, said)
		}
	}
	if n := strings.Count(p.Output(), replacedMessage); n != 1 {
		t.Errorf("said %d times that the encoder was replaced", n)
	}
}

// remember has the program try its encoders once, so that the tests after it find the verdicts.
func remember(t *testing.T, m *Machine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	args := strings.Join(strings.Split(hardwareSettings, ","), "' '")
	if out, err := m.Run(ctx, fmt.Sprintf("CACHE_DIRECTORY=%s %s --dry-run '%s'", trialCache, programPath(t), args)); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// copyOfTrials makes a directory with the verdicts known so far: what a test makes of them is not remembered.
func copyOfTrials(t *testing.T, m *Machine) string {
	t.Helper()
	const script = "d=$(mktemp -d /run/trials.XXXX); cp -r %s/. $d 2>/dev/null; echo $d"
	return strings.TrimSpace(run(t, m, 10*time.Second, fmt.Sprintf(script, trialCache)))
}
