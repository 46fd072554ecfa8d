//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// demo is sendrecv/sendrecv.c, a peer that behaves as the C demos of GStreamer's webrtcbin do.
type demo struct {
	t      testing.TB
	cmd    *exec.Cmd
	say    say
	stderr bytes.Buffer  // read when the process has ended
	exited chan struct{} // closed when it has
	write  sync.Mutex    // guards stdin
	stdin  io.WriteCloser

	video, audio atomic.Int64 // frames decoded
}

// buildDemo compiles the demo, once for all tests.
var buildDemo = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "sendrecv") // in the tests' own tmpfs
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "sendrecv")
	ask := []string{"--cflags", "--libs", "gstreamer-1.0", "gstreamer-sdp-1.0"}
	flags, err := exec.CommandContext(context.Background(), "pkg-config", ask...).Output()
	if err != nil {
		return "", fmt.Errorf("ask pkg-config for GStreamer: %w", err)
	}
	args := append([]string{"-O1", "-o", path, "sendrecv/sendrecv.c"}, strings.Fields(string(flags))...)
	return path, run(exec.CommandContext(context.Background(), "gcc", args...))
})

// startDemo starts the media of a demo of that year.
func startDemo(t testing.TB, year string) *demo {
	t.Helper()
	path, err := buildDemo()
	if err != nil {
		t.Fatalf("build the demo: %v", err)
	}
	d := &demo{t: t, exited: make(chan struct{})}
	d.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), path, year)
	d.cmd.Stderr = &d.stderr
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdout, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatalf("make a pipe: %v", err)
	}
	if d.stdin, err = d.cmd.StdinPipe(); err != nil {
		t.Fatalf("make a pipe: %v", err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatalf("start the demo: %v", err)
	}
	t.Cleanup(d.close)
	go d.listen(bufio.NewReader(stdout))
	return d
}

// join makes the demo the side of a call.
func (d *demo) join(say say) side {
	d.say = say
	return d
}

func (d *demo) hear(word string, line int, text string) error {
	d.write.Lock()
	defer d.write.Unlock()
	if _, err := fmt.Fprintf(d.stdin, "%s %d %d\n%s", word, line, len(text), text); err != nil {
		return fmt.Errorf("tell the demo of the %s: %w", word, err)
	}
	return nil
}

func (d *demo) listen(stdout *bufio.Reader) {
	defer close(d.exited)
	for {
		var word string
		var number, length int
		if _, err := fmt.Fscanf(stdout, "%s %d %d\n", &word, &number, &length); err != nil {
			break
		}
		text := make([]byte, length)
		if _, err := io.ReadFull(stdout, text); err != nil {
			break
		}
		switch word {
		case "video":
			d.video.Store(int64(number))
		case "audio":
			d.audio.Store(int64(number))
		default:
			d.say(word, number, string(text))
		}
	}
	_ = d.cmd.Wait()
}

func (d *demo) close() {
	_ = d.stdin.Close()
	_ = d.cmd.Process.Kill() // an error means that it has ended
	<-d.exited
	if d.t.Failed() {
		d.t.Logf("the demo decoded %d pictures and %d frames of sound; it wrote:\n%s", d.video.Load(), d.audio.Load(), d.stderr.String())
	}
}

// TestClassicDemos has the C demos of the classic family call and be called. They take VP8 as payload type 96 and Opus as
// 97 alone, and send them whatever was agreed; later ones, when they are called with an offer, with the offer's numbers.
func TestClassicDemos(t *testing.T) {
	for _, year := range []string{"2020", "2022"} {
		for _, f := range forms {
			t.Run(year+"/"+f.name, func(t *testing.T) {
				t.Parallel()
				d := startDemo(t, year)
				session, program := startCall(t, f, d.join)
				waitFor(t, "a picture in the demo", func() bool { return d.video.Load() > 0 || session.over() != nil })
				pictures, sounds := d.video.Load(), d.audio.Load()
				assertLives(t, session, program, strayFor)
				pictures, sounds = d.video.Load()-pictures, d.audio.Load()-sounds
				t.Logf("%d pictures and %d frames of sound decoded in %v; here %v", pictures, sounds, strayFor, incomingOf(t, program))
				if least := 30 * int64(strayFor/time.Second) / 3; pictures < least {
					t.Errorf("the demo decoded %d pictures in %v, want %d at least", pictures, strayFor, least)
				}
				if least := 50 * int64(strayFor/time.Second) / 3; sounds < least {
					t.Errorf("the demo decoded %d frames of sound in %v, want %d at least", sounds, strayFor, least)
				}
				if got := incomingOf(t, program); !slices.Contains(got, "audio") {
					t.Errorf("from the demo come %q, want audio", got)
				}
			})
		}
	}
}

// incomingOf are the kinds of media that come from the program's only viewer.
func incomingOf(t testing.TB, program *Program) []string {
	t.Helper()
	response, text := request(t, http.MethodGet, program.Address+"/api/status", "", "")
	var status struct {
		Media struct{ Viewers []struct{ Incoming []string } }
	}
	if err := json.Unmarshal([]byte(text), &status); err != nil {
		t.Fatalf("status %s %.200q: %v", response.Status, text, err)
	}
	if len(status.Media.Viewers) != 1 {
		return nil
	}
	return status.Media.Viewers[0].Incoming
}
