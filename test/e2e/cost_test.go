//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	costSeconds = 20
	costRate    = 30
	costFrames  = costSeconds * costRate
)

var costFlags = []string{
	"--codec", "h264", "--width", "640", "--height", "480", "--framerate", strconv.Itoa(costRate), "--bitrate", "1500k",
}

// BenchmarkViewer states what one 640x480 viewer at 30 frames/s and 1.5 Mbit/s of H.264 costs the program, in cores and
// MB, beside the same source and encoder alone under gst-launch-1.0. The browser runs on the same cores meanwhile. The
// test picture has a corner of noise, so that the encoder does reach that bit rate.
func BenchmarkViewer(b *testing.B) {
	for b.Loop() {
		alone, graph := encoderAlone(b)
		program := StartBoardcast(b, costFlags...)
		page := browsers.Launch(b, Chromium).Open(b, program.Address+"/")
		page.WaitPlaying(2 * costRate)
		began, used := time.Now(), processorTime(b, program.PID())
		first := page.Stats()
		page.in(2*costSeconds*time.Second, nil, "e2e.playing("+strconv.Itoa(first.Frames+costFrames)+", %d)")
		wall := time.Since(began).Seconds()
		serving := (processorTime(b, program.PID()) - used).Seconds() / wall
		last := page.Stats()
		b.ReportMetric(serving, "cores")
		b.ReportMetric(alone, "cores-encoder-alone")
		b.ReportMetric(serving/alone, "ratio")
		b.ReportMetric(memory(b, program.PID(), "VmRSS"), "MB-RSS")
		b.ReportMetric(float64(last.Frames-first.Frames)/wall, "frames/s")
		b.ReportMetric(float64(last.VideoBytes-first.VideoBytes)*8/wall/1e6, "Mbit/s")
		b.Logf("alone: %s", graph)
	}
}

// encoderAlone runs the source and the encoder that the program says it would run, and returns the cores used.
func encoderAlone(b *testing.B) (cores float64, graph string) {
	b.Helper()
	args := append(append([]string{"--dry-run"}, testSources(nil)...), costFlags...)
	var errs strings.Builder
	cmd := exec.CommandContext(b.Context(), binary(b), args...)
	cmd.Stderr, cmd.Env = &errs, environ()
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("boardcast --dry-run: %v\n%s", err, errs.String())
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, " videotestsrc ") && strings.Contains(line, "264") {
			graph = strings.TrimSpace(line)
		}
	}
	if graph == "" {
		b.Fatalf("no line with videotestsrc and an H.264 encoder in:\n%s", out)
	}
	graph = strings.Replace(graph, " videotestsrc ", fmt.Sprintf(" videotestsrc num-buffers=%d ", costFrames), 1)
	cmd = exec.CommandContext(b.Context(), "sh", "-c", "exec "+graph)
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%s: %v\n%s", graph, err, out)
	}
	wall := time.Since(began)
	if wall < costSeconds*time.Second*9/10 {
		b.Fatalf("%s: took %v for %d s of picture: not live", graph, wall, costSeconds)
	}
	return (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds() / wall.Seconds(), graph
}

// processorTime is what a process has used so far, user and system.
func processorTime(t testing.TB, pid int) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatalf("read the processor time: %v", err)
	}
	return usedSoFar(t, string(text))
}

// usedSoFar is the processor time in a text that begins with a process's stat.
func usedSoFar(t testing.TB, text string) time.Duration {
	t.Helper()
	_, rest, _ := strings.Cut(text, ") ")
	fields := strings.Fields(rest)
	const utime, stime = 11, 12 // in hundredths of a second
	if len(fields) <= stime {
		t.Fatalf("read the processor time: no stat of a process: %q", text)
	}
	var ticks time.Duration
	for _, field := range fields[utime : stime+1] {
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatalf("read the processor time: %v", err)
		}
		ticks += time.Duration(n)
	}
	return ticks * 10 * time.Millisecond
}

// memory is a line of the process's status, in MB.
func memory(t testing.TB, pid int, name string) float64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatalf("read the memory: %v", err)
	}
	return megabytes(t, string(text), name)
}

// megabytes is a line of a process's status.
func megabytes(t testing.TB, text, name string) float64 {
	t.Helper()
	match := regexp.MustCompile(name + `:\s+(\d+) kB`).FindStringSubmatch(text)
	if match == nil {
		t.Fatalf("no %s in %s", name, text)
	}
	kilobytes, _ := strconv.ParseFloat(match[1], 64)
	return kilobytes / 1024
}
