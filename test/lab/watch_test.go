//go:build lab

package lab

import (
	"testing"
	"time"
)

// pictureBack is how long a picture may be away when an encoder is replaced or a camera has returned, as the product
// promises; emulated is what a machine without hardware virtualisation is allowed beside, for both its processors and
// the browser share the host's.
const (
	pictureBack = 2 * time.Second
	emulated    = 0 * time.Second
)

// limit is how long the picture may be away on this machine.
func (m *Machine) limit() time.Duration {
	if m.Accel == "kvm" {
		return pictureBack
	}
	return pictureBack + emulated
}

// watched is what a page saw since watch: frames shown, the longest time without one and the longest delay of a timer,
// in milliseconds, and whether the connection is still the one of then.
type watched struct {
	Frames   int
	Gap, Lag float64
	SamePC   bool
}

func (w watched) gap() time.Duration { return time.Duration(w.Gap * float64(time.Millisecond)) }

// watch begins to count the frames shown and the time between them.
func (v viewer) watch() {
	v.t.Helper()
	v.await(5*time.Second, nil, "e2e.watch()")
}

// watched is what the page saw since watch.
func (v viewer) watched() watched {
	v.t.Helper()
	var w watched
	v.await(5*time.Second, &w, "e2e.watchedSoFar()")
	return w
}

// moreFrames waits until so many more have been shown.
func (v viewer) moreFrames(frames int, limit time.Duration) {
	v.t.Helper()
	v.await(limit, nil, `((most) => e2e.until(() => e2e.watchedSoFar().frames >= most, %d).then(() => null))(e2e.watchedSoFar().frames + %d)`,
		limit.Milliseconds(), frames)
}

// kept fails the test unless the connection is the one that was there at watch, and still up.
func (v viewer) kept() {
	v.t.Helper()
	var state string
	v.await(5*time.Second, &state, "boardcast.pc?.connectionState ?? 'closed'")
	if same := v.watched().SamePC; !same || state != "connected" {
		v.t.Errorf("the viewer's connection is %s, the one that it had: %v", state, same)
	}
}

// playsAnew waits until the page has another connection than it had at watch, and has decoded so many frames by it.
func (v viewer) playsAnew(frames int, limit time.Duration) {
	v.t.Helper()
	v.await(limit, nil, "e2e.until(() => boardcast.pc && !e2e.watchedSoFar().samePC, %d).then(() => null)", limit.Milliseconds())
	v.playing(frames, limit)
}

// join has one more viewer join, in a frame of the same page, and returns when it plays and how long that took.
func (v viewer) join(limit time.Duration) time.Duration {
	v.t.Helper()
	began := time.Now()
	v.await(limit, nil, `(async () => {
		const frame = document.createElement("iframe");
		frame.src = location.href;
		document.body.append(frame);
		await e2e.until(() => frame.contentWindow.e2e?.playing(1, 100).catch(() => null), %d);
	})()`, limit.Milliseconds())
	return time.Since(began)
}

// leave has those who joined leave.
func (v viewer) leave() {
	v.t.Helper()
	v.await(5*time.Second, nil, `document.querySelectorAll("iframe").forEach((frame) => frame.remove())`)
}

// eventually calls check ten times a second until it is true; it fails the test, with what format says, if it never is.
func eventually(t *testing.T, limit time.Duration, what string, check func() bool) {
	t.Helper()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(limit); !check(); <-ticker.C {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}
