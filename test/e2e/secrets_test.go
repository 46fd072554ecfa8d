//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// secrets are those of servers elsewhere, each in its own place.
var secrets = map[string]string{
	"the TURN server's password":       "turn-s3cr3t-p4ssw0rd",
	"the signalling server's password": "sign-s3cr3t-p4ssw0rd",
	"the WHIP server's token":          "whip-s3cr3t-t0k3n",
	"the key in the WHIP server's URL": "urlq-s3cr3t-k3y",
}

// told are the secrets that a text holds.
func told(text string) []string {
	var found []string
	for name, secret := range secrets {
		if strings.Contains(text, secret) {
			found = append(found, name)
		}
	}
	return found
}

// all is everything that the program wrote.
func (o *output) all() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var b strings.Builder
	for _, l := range o.lines {
		b.WriteString(l.text + "\n")
	}
	return b.String()
}

// TestSecretsOfOthersStayIn: servers elsewhere are named with passwords, and cannot be reached. At level debug neither the log, the
// status, `boardcast config` nor doctor's report tells one of them, while a browser plays.
func TestSecretsOfOthersStayIn(t *testing.T) {
	dir := t.TempDir()
	settings := filepath.Join(dir, "boardcast.yaml")
	nowhere := BoardAddr + ":9"
	texts := map[string]string{
		settings: fmt.Sprintf("log: {level: debug}\nwhip: {url: \"http://%s/whip?key=%s\", token: \"@%s/token\"}\nice: {turn: \"@%s/turn\"}\nsignalling: {server: \"ws://board:%s@%s\"}\n",
			nowhere, secrets["the key in the WHIP server's URL"], dir, dir, secrets["the signalling server's password"], nowhere),
		filepath.Join(dir, "token"): secrets["the WHIP server's token"] + "\n",
		filepath.Join(dir, "turn"):  "turn://board:" + secrets["the TURN server's password"] + "@" + nowhere + "?transport=tcp\n",
	}
	for path, text := range texts {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	program := StartBoardcast(t, "--config", settings, "--listen", BoardAddr+":0", "--width", "320", "--height", "240")
	page := browsers.Launch(t, Chromium).Open(t, program.Address+"/")
	page.WaitPlaying(30)
	program.WaitLine("stderr", regexp.MustCompile(`component=whip`), startWithin)
	program.WaitLine("stderr", regexp.MustCompile(`component=signalling .*`+regexp.QuoteMeta(nowhere)), startWithin)
	response, status := request(t, http.MethodGet, program.Address+"/api/status", "", "")
	if response.StatusCode != http.StatusOK {
		t.Errorf("the status is answered %s", response.Status)
	}
	said := map[string]string{"the status": status}
	for _, command := range []string{"config", "config --json", "doctor --json --camera test --microphone test"} {
		cmd := exec.CommandContext(t.Context(), binary(t), append(strings.Fields(command), "--config", settings)...)
		cmd.Env = environ()
		text, err := cmd.CombinedOutput()
		if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed { // doctor's exit code tells that a check failed
			t.Fatal(err)
		}
		said["boardcast "+command] = string(text)
	}
	program.Stop()
	said["the log"] = program.all()
	for where, text := range said {
		if !strings.Contains(text, "\n") {
			t.Errorf("%s is %q", where, text)
		}
		if found := told(text); len(found) > 0 {
			t.Errorf("%s tells %q", where, found)
		}
	}
}
