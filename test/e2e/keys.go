//go:build e2e

package e2e

import (
	"context"
	"encoding/base64"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// keys are those of a program that asks for them.
type keys struct {
	dir           string   // where the state of the program lies
	viewer, owner string   // as they are now
	all           []string // that there were
}

// StartLocked runs the streamer with a test picture and keys of its own, which it asks for. Its log tells all that it can; the test fails
// if a key stands in it.
func StartLocked(t testing.TB, args ...string) *Program {
	t.Helper()
	return startLocked(t, append(testSources(args), args...)...)
}

func startLocked(t testing.TB, args ...string) *Program {
	t.Helper()
	args = append(args, "--log-level", "debug")
	return startWithKeys(t, exec.CommandContext(context.WithoutCancel(t.Context()), binary(t), args...))
}

func startWithKeys(t testing.TB, cmd *exec.Cmd) *Program {
	t.Helper()
	k := &keys{dir: t.TempDir()}
	cmd.Env = k.environ()
	p := startCommand(t, cmd)
	k.read(t)
	p.keys = k
	return p
}

func (k *keys) environ() []string {
	return append(withoutSettings(os.Environ()), "XDG_STATE_HOME="+k.dir)
}

// command runs `boardcast key` with these words for the program, and returns what it prints.
func (k *keys) command(t testing.TB, words ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary(t), append([]string{"key"}, words...)...)
	cmd.Env = k.environ()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("boardcast key %q: %v\n%s", words, err, out)
	}
	return string(out)
}

// renew makes a new viewers' key, which ends who came with the old one.
func (k *keys) renew(t testing.TB) {
	t.Helper()
	k.command(t, "--new", "viewer")
	old := k.viewer
	if k.read(t); k.viewer == old {
		t.Fatal("the viewers' key is the old one")
	}
}

func (k *keys) read(t testing.TB) {
	t.Helper()
	k.viewer, k.owner = keptKeys(t, filepath.Join(k.dir, "boardcast"))
	k.all = append(k.all, k.viewer, k.owner)
}

// in is the first of the keys that a text holds, "" for none.
func (k *keys) in(text string) string {
	if k == nil {
		return ""
	}
	for _, key := range k.all {
		if strings.Contains(text, key) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte("viewer:"+key))) {
			return key
		}
	}
	return ""
}

// ownerOf adds the owner's key to a request, if the program asks for one.
func (k *keys) ownerOf(r *http.Request) {
	if k != nil {
		r.Header.Set("Authorization", "Bearer "+k.owner)
	}
}

// link is the address that lets viewers in.
func (p *Program) link() string { return p.Address + "/?key=" + p.keys.viewer }

// add makes a named key, and returns it.
func (k *keys) add(t testing.TB, words ...string) string {
	t.Helper()
	out := k.command(t, append([]string{"add"}, append(words, "--json")...)...)
	match := regexp.MustCompile(`"key": *"([0-9a-z]+)"`).FindStringSubmatch(out)
	if match == nil {
		t.Fatalf("boardcast key add %q prints no key:\n%s", words, out)
	}
	k.all = append(k.all, match[1])
	return match[1]
}
