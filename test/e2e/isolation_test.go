//go:build e2e

package e2e

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

// What a viewer keeps whatever another one does, and how much may be written of it.
const (
	keptFrames  = 0.98
	keptGap     = 250 * time.Millisecond
	linesOfWarn = 60 // on stderr, while one viewer misbehaves
)

// TestIsolation has a good viewer watch beside a bad one: it keeps its frames, and the program says little of the other.
func TestIsolation(t *testing.T) {
	tests := []struct {
		name string
		do   func(t *testing.T, program *Program)
	}{
		{"never answers DTLS", silentDTLS},
		{"stopped for ten seconds", stopped},
		{"killed", killed},
		{"garbage SDP", garbageSDP},
		{"garbage RTCP", garbageRTCP},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // most of them wait
			program := StartBoardcast(t, "--codec", "h264", "--width", "320", "--height", "240",
				"--listen", fmt.Sprintf("%s:%d", BoardAddr, 8081+i))
			steady := StartViewers(t)
			steady.PlayOne(program, "steady")
			steady.Mark()
			lines, made := program.count("stderr"), program.status().frames("h264")
			tt.do(t, program)
			made = program.status().frames("h264") - made
			seen := steady.Views()["steady"]
			written := program.count("stderr") - lines
			t.Logf("the steady viewer: %v; the encoder made %d frames, the program wrote %d lines", seen, made, written)
			if share := float64(seen.Frames) / float64(made); share < keptFrames {
				t.Errorf("it got %.1f %% of the frames that were made, want %.0f %%", share*100, keptFrames*100)
			}
			if limit := ms(keptGap) + 5*seen.Lag; seen.Gap > limit { // as in assertUnbroken
				t.Errorf("it was without a frame for %.0f ms, want at most %.0f", seen.Gap, limit)
			}
			if written > linesOfWarn {
				t.Errorf("the program wrote %d lines on stderr, want at most %d", written, linesOfWarn)
			}
		})
	}
}

// stopped stands still for ten seconds and goes on.
func stopped(t *testing.T, program *Program) {
	bad := StartViewers(t)
	bad.PlayOne(program, "stopped")
	bad.Signal(syscall.SIGSTOP)
	pause(10 * time.Second)
	bad.Signal(syscall.SIGCONT)
	bad.Mark()
	waitFor(t, "frames for the viewer that was stopped", func() bool { return bad.Views()["stopped"].Frames >= 30 })
}

// killed is gone without a word, and is noticed.
func killed(t *testing.T, program *Program) {
	bad := StartViewers(t)
	bad.PlayOne(program, "killed")
	bad.Kill()
	assertViewers(t, program, 1)
}

// garbageRTCP sends for a while, and hangs up.
func garbageRTCP(t *testing.T, program *Program) {
	bad := StartViewers(t)
	bad.Join(program, "garbage", Manner{Garbage: true})
	bad.Wait("garbage", StageConnected, playWithin)
	pause(5 * time.Second)
	bad.Leave("garbage")
	assertViewers(t, program, 1)
}

// garbageSDP answers in forty ways that are wrong, eight at a time.
func garbageSDP(t *testing.T, program *Program) {
	const rounds, atOnce = 5, 8
	for round := range rounds {
		bad := StartViewers(t)
		for i := range atOnce {
			seed := round*atOnce + i + 1
			bad.Join(program, fmt.Sprint("garbage-", seed), Manner{Garble: uint64(seed)})
		}
		for i := range atOnce {
			id := fmt.Sprint("garbage-", round*atOnce+i+1)
			bad.Wait(id, StageOffered, playWithin)
		}
		pause(time.Second)
		bad.Kill()
	}
	assertViewers(t, program, 1)
}

// silentDTLS is connected as far as ICE goes, and is given up.
func silentDTLS(t *testing.T, program *Program) {
	bad := StartViewers(t)
	bad.Join(program, "silent", Manner{Silent: true})
	bad.Wait("silent", StageAnswered, playWithin)
	bad.Wait("silent", StageEnded, callWithin)
	assertViewers(t, program, 1)
}
