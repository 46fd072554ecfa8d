//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// werift is browser/werift.mjs, a player without a browser that shares no code with the others.
type werift struct {
	t      testing.TB
	cmd    *exec.Cmd
	stdin  io.Closer
	stderr bytes.Buffer  // read when it has ended
	exited chan struct{} // closed when it has

	mu   sync.Mutex
	seen weriftView
}

// weriftView is what it says it plays.
type weriftView struct {
	State  string        `json:"state"`
	Tracks []weriftTrack `json:"tracks"`
}

type weriftTrack struct {
	Kind      string `json:"kind"`
	Stream    string `json:"stream"`
	Codec     string `json:"codec"`
	Packets   int    `json:"packets"`
	Frames    int    `json:"frames"` // by their last packets, of a picture
	Keyframes int    `json:"keyframes"`
}

// startWerift starts a player on the tests' side of the network: it asks a STUN server in any case, and on the browsers' side,
// which has a default route, would wait five seconds for an answer.
func startWerift(t testing.TB, address, codec string) *werift {
	t.Helper()
	w := &werift{t: t, exited: make(chan struct{})}
	w.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), "node", "browser/werift.mjs", address, codec)
	w.cmd.Stderr = &w.stderr
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdout, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatalf("make a pipe: %v", err)
	}
	if w.stdin, err = w.cmd.StdinPipe(); err != nil {
		t.Fatalf("make a pipe: %v", err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatalf("start werift: %v", err)
	}
	t.Cleanup(w.close)
	go w.listen(bufio.NewScanner(stdout))
	return w
}

func (w *werift) listen(lines *bufio.Scanner) {
	defer close(w.exited)
	for lines.Scan() {
		var seen weriftView
		if json.Unmarshal(lines.Bytes(), &seen) != nil {
			continue // a library's own words
		}
		w.mu.Lock()
		w.seen = seen
		w.mu.Unlock()
	}
	_ = w.cmd.Wait()
}

func (w *werift) close() {
	_ = w.stdin.Close()
	select {
	case <-w.exited:
	case <-time.After(callWithin):
		_ = w.cmd.Process.Kill() // an error means that it has ended
		<-w.exited
	}
	if w.t.Failed() {
		w.t.Logf("werift saw %+v; it wrote:\n%s", w.seen, w.stderr.String())
	}
}

// both are the picture and the sound that it plays.
func (w *werift) both() (video, audio weriftTrack) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, track := range w.seen.Tracks {
		if track.Kind == "video" {
			video = track
		} else {
			audio = track
		}
	}
	return video, audio
}

// hasEnded tells whether its process is gone.
func (w *werift) hasEnded() bool {
	select {
	case <-w.exited:
		return true
	default:
		return false
	}
}

// TestWeriftWHEP plays by WHEP in werift.
func TestWeriftWHEP(t *testing.T) {
	for _, codec := range []string{"h264", "vp8"} {
		t.Run(codec, func(t *testing.T) {
			t.Parallel()
			program := startSmall(t)
			begin := time.Now()
			w := startWerift(t, program.Address+"/whep", codec)
			waitFor(t, "picture and sound in werift", func() bool {
				video, audio := w.both()
				return video.Keyframes > 0 && audio.Packets > 0 || w.hasEnded()
			})
			playing := time.Since(begin)
			video, audio := w.both()
			<-time.After(watchFor)
			seen, heard := w.both()
			frames, packets := seen.Frames-video.Frames, heard.Packets-audio.Packets
			t.Logf("playing after %v; in %v: %d frames, %d packets of sound", playing.Round(time.Millisecond), watchFor, frames, packets)
			seconds := int(watchFor / time.Second)
			if least := framesPerSecond[picture] * seconds / 3; frames < least {
				t.Errorf("%d frames in %v, want %d at least", frames, watchFor, least)
			}
			if least := framesPerSecond[sound] * seconds / 3; packets < least {
				t.Errorf("%d packets of sound in %v, want %d at least", packets, watchFor, least)
			}
			if !strings.EqualFold(seen.Codec, "video/"+codec) || !strings.EqualFold(heard.Codec, "audio/opus") {
				t.Errorf("werift plays %q and %q, want video/%s and audio/opus", seen.Codec, heard.Codec, codec)
			}
			if seen.Stream == "" || seen.Stream != heard.Stream {
				t.Errorf("streams %q and %q, want one with a name", seen.Stream, heard.Stream)
			}
			assertViewers(t, program, 1)
			w.close()
			assertViewers(t, program, 0)
		})
	}
}
