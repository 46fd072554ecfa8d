//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"boardcast/test/viewers"
)

// What one more viewer may cost, and for how long each number of them is watched.
const (
	promisedCores   = 0.012
	promisedMB      = 1.5
	promisedFDs     = 12
	viewersSettle   = 5 * time.Second
	viewersMeasured = 20 * time.Second
)

var viewersFlags = []string{
	"--codec", "h264", "--width", "1280", "--height", "720", "--framerate", "30", "--bitrate", "2M",
}

// usage is what a program takes, and what its viewers see, at one number of viewers.
type usage struct {
	viewers         int
	cores, rss      float64 // MB
	threads, fds    int
	delay, p95, max float64 // ms; of the median viewer, of the worst, of the worst
	kept            float64 // of the frames that were made, the worst viewer's
	rate            float64 // Mbit/s of video, the mean
}

// BenchmarkViewers states what 1, 5, 10, 20 and 30 viewers of 720p at 30 frames/s and 2 Mbit/s cost, and what one more does,
// without sound and with it. The viewers run on the same processor; the allocators are set as the service has them.
func BenchmarkViewers(b *testing.B) {
	asService(b)
	for _, microphone := range []string{"none", "test"} {
		b.Run("microphone "+microphone, func(b *testing.B) {
			for b.Loop() {
				benchViewers(b, append([]string{"--microphone", microphone}, viewersFlags...))
			}
		})
	}
}

// asService has the programs of a test run with the service's allocators.
func asService(t testing.TB) {
	t.Helper()
	for _, a := range viewers.Allocators(t) {
		name, value, _ := strings.Cut(a, "=")
		t.Setenv(name, value)
	}
}

func benchViewers(b *testing.B, flags []string) {
	b.Helper()
	file := settings(b, "viewers:\n  max: 64\n")
	program := StartBoardcast(b, append([]string{"--config", file}, flags...)...)
	viewers := StartViewers(b)
	var steps []usage
	for _, n := range []int{1, 5, 10, 20, 30} {
		steps = append(steps, measureViewers(b, program, viewers, n))
	}
	var table strings.Builder
	fmt.Fprintln(&table, "viewers   cores  MB RSS  threads  descriptors  delay ms (95 %, most)  frames  Mbit/s")
	for _, u := range steps {
		fmt.Fprintf(&table, "%7d  %6.3f  %6.1f  %7d  %11d  %8.1f (%.1f, %.1f)  %5.1f %%  %.2f\n",
			u.viewers, u.cores, u.rss, u.threads, u.fds, u.delay, u.p95, u.max, u.kept*100, u.rate)
	}
	cores := slope(steps, func(u usage) float64 { return u.cores })
	rss := slope(steps, func(u usage) float64 { return u.rss })
	threads := slope(steps, func(u usage) float64 { return float64(u.threads) })
	fds := slope(steps, func(u usage) float64 { return float64(u.fds) })
	b.Logf("%s\n%sone more viewer: %.2f %% of a core (promised %.1f), %.2f MB (%.1f), %.1f descriptors (%d), %.1f threads",
		loadNow(b), table.String(), cores*100, promisedCores*100, rss, promisedMB, fds, promisedFDs, threads)
	b.ReportMetric(cores, "cores/viewer")
	b.ReportMetric(rss, "MB/viewer")
	b.ReportMetric(fds, "descriptors/viewer")
	b.ReportMetric(0, "ns/op")
}

// measureViewers joins as many as are missing of n, one after the other, and measures.
func measureViewers(b *testing.B, program *Program, viewers *Viewers, n int) usage {
	b.Helper()
	for i := len(viewers.Views()); i < n; i++ {
		viewers.PlayOne(program, fmt.Sprint("viewer-", i))
	}
	pause(viewersSettle)
	viewers.Mark()
	began, used, made := time.Now(), processorTime(b, program.PID()), program.status().frames("h264")
	pause(viewersMeasured)
	wall := time.Since(began).Seconds()
	u := usage{
		viewers: n, cores: (processorTime(b, program.PID()) - used).Seconds() / wall, rss: memory(b, program.PID(), "VmRSS"),
		threads: entries(b, program, "task"), fds: entries(b, program, "fd"), kept: 1,
	}
	made = program.status().frames("h264") - made
	var delays []float64
	for _, v := range viewers.Views() {
		delays = append(delays, v.Delay)
		u.p95, u.max = max(u.p95, v.DelayP95), max(u.max, v.DelayMax)
		u.kept = min(u.kept, float64(v.Frames)/float64(made))
		u.rate += float64(v.Bytes) * 8 / wall / 1e6 / float64(n)
	}
	u.delay = median(delays)
	return u
}

// slope is that of the straight line which fits the steps best, over the number of viewers.
func slope(steps []usage, y func(usage) float64) float64 {
	points := make([][2]float64, len(steps))
	for i, u := range steps {
		points[i] = [2]float64{float64(u.viewers), y(u)}
	}
	return fit(points)
}

// fit is the slope of the straight line with the least squares.
func fit(points [][2]float64) float64 {
	var x, y, xx, xy float64
	n := float64(len(points))
	for _, p := range points {
		x, y, xx, xy = x+p[0], y+p[1], xx+p[0]*p[0], xy+p[0]*p[1]
	}
	return (n*xy - x*y) / (n*xx - x*x)
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// entries counts what /proc lists of the program: "fd" or "task".
func entries(t testing.TB, program *Program, what string) int {
	t.Helper()
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/%s", program.PID(), what))
	if err != nil {
		t.Fatalf("count %s: %v", what, err)
	}
	return len(list)
}

// loadNow is how busy the machine is, which belongs to every figure.
func loadNow(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		t.Fatalf("read the load: %v", err)
	}
	return "load " + strings.Join(strings.Fields(string(text))[:3], " ")
}

// pause is for what is a span of time itself: a measurement.
func pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}
