//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	firstStart = regexp.MustCompile(`^boardcast \S+: open (http://\S+/\?key=([0-9a-z]{26})) in a browser`)
	laterStart = regexp.MustCompile(`^boardcast \S+: open (http://\S+/) in a browser`)
	endOfStart = regexp.MustCompile("`boardcast key` shows ")
	streaming  = regexp.MustCompile(`^  encoder: .*VP8`) // the last line of a start
)

// keptKeys are the keys of both roles in a state directory.
func keptKeys(t testing.TB, state string) (viewer, owner string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(state, "keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	var keys struct{ Viewer, Owner string }
	if err := json.Unmarshal(text, &keys); err != nil {
		t.Fatal(err)
	}
	return keys.Viewer, keys.Owner
}

// TestFirstStart starts the program for the first time in a terminal: it shows the viewer's link once, as text and as a QR code. A
// second start shows no key, and `boardcast key` shows both.
func TestFirstStart(t *testing.T) {
	home := t.TempDir()
	env := []string{"HOME=" + home, "XDG_STATE_HOME="}
	args := []string{"--camera", "test", "--microphone", "test", "--listen", "127.0.0.1:0"}
	first := StartInTerminal(t, env, args...)
	shown := first.WaitLine(firstStart)
	first.WaitLine(endOfStart)
	first.WaitLine(streaming)
	viewer, owner := keptKeys(t, filepath.Join(home, ".local", "state", "boardcast"))
	if shown[2] != viewer {
		t.Errorf("the link has the key %s, the viewers' is %s", shown[2], viewer)
	}
	if got := first.Codes(); !slices.Equal(got, []string{shown[1]}) {
		t.Errorf("the QR code reads %q, want %q", got, shown[1])
	}
	first.end()

	second := StartInTerminal(t, env, append(args, "--log-level", "debug")...)
	second.WaitLine(laterStart)
	second.WaitLine(endOfStart)
	second.WaitLine(streaming)
	second.end()
	if text := second.Shown(); strings.Contains(text, viewer) || strings.Contains(text, owner) || len(second.Codes()) > 0 {
		t.Error("the second start shows a key")
	}
	if text := first.Shown() + second.Shown(); strings.Contains(text, owner) {
		t.Error("a start shows the owner's key")
	}

	command := StartInTerminal(t, env, "key", "--listen", "127.0.0.1:8080")
	<-command.exited
	want := []string{"http://127.0.0.1:8080/?key=" + viewer, "http://127.0.0.1:8080/?key=" + owner}
	got := command.Codes()
	slices.Sort(got) // the decoder has an order of its own
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("`boardcast key` shows the codes %q, want %q", got, want)
	}
}

// TestFirstStartAsService: nothing that a service writes holds a key, and `boardcast key` finds it where the service put it.
func TestFirstStartAsService(t *testing.T) {
	state := t.TempDir()
	env := []string{"STATE_DIRECTORY=" + state}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), binary(t), "--camera", "test", "--microphone", "test",
		"--listen", "127.0.0.1:0", "--log-level", "debug")
	cmd.Env = append(withoutSettings(os.Environ()), env...)
	p := startCommand(t, cmd)
	p.WaitLine("stdout", regexp.MustCompile("keys were made, and nobody is let in without one: `sudo boardcast key` shows the links"), startWithin)
	p.WaitLine("stdout", streaming, startWithin)
	p.Stop()
	viewer, owner := keptKeys(t, state)
	if text := p.text(p.Started); strings.Contains(text, viewer) || strings.Contains(text, owner) {
		t.Errorf("the log has a key:\n%s", text)
	}
	command := StartInTerminal(t, env, "key", "--json", "--listen", "127.0.0.1:8080")
	command.WaitLine(regexp.MustCompile(`"key": "` + viewer))
	command.WaitLine(regexp.MustCompile(`"key": "` + owner))
}

// TestOpenSaysSo: where no key is asked for, the terminal says it in red.
func TestOpenSaysSo(t *testing.T) {
	p := StartInTerminal(t, []string{"HOME=" + t.TempDir()}, "--camera", "test", "--microphone", "test", "--listen", "127.0.0.1:0", "--open")
	p.WaitLine(laterStart)
	p.WaitLine(regexp.MustCompile(`^\x1b\[1;31m  open to everybody: .*\x1b\[0m`))
	p.WaitLine(streaming)
}
