package configs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// secretFile writes a file with a mode.
func secretFile(t *testing.T, text string, mode fs.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestSecretFromFile gives a token in each way, by each layer.
func TestSecretFromFile(t *testing.T) {
	private := secretFile(t, secret+"\n", 0o600)
	credentials := filepath.Dir(secretFile(t, secret, 0o444))
	for _, test := range []struct{ about, value, want string }{
		{"as it is", secret, secret},
		{"a file", "@" + private, secret},
		{"a file of root's that the service may read", "@" + secretFile(t, secret, 0o640), secret},
		{"a credential", "@secret", secret},
		{"a token that begins with @", "@@" + secret, "@" + secret},
	} {
		t.Run(test.about, func(t *testing.T) {
			env := []string{"CREDENTIALS_DIRECTORY=" + credentials}
			for layer, o := range map[string]Options{
				"file": {Env: env, File: write(t, `whip: {url: "https://host", token: "`+test.value+`"}`)},
				"env":  {Env: append(env, "BOARDCAST_WHIP_TOKEN="+test.value, "BOARDCAST_WHIP_URL=https://host")},
				"flag": {Env: env, Flags: map[string]string{"whip.token": test.value, "whip.url": "https://host"}},
			} {
				if got := load(t, o).WHIP.Token.Full(); got != test.want {
					t.Errorf("by %s the token is %q, want %q", layer, got, test.want)
				}
			}
		})
	}
}

// TestURLFromFile: passwords in URLs, also in a list.
func TestURLFromFile(t *testing.T) {
	turn := secretFile(t, "turn://user:"+secret+"@host:1\n", 0o600)
	server := secretFile(t, "wss://user:"+secret+"@host", 0o600)
	c := load(t, Options{Flags: map[string]string{"ice.turn": "turn://a:b@one:1,@" + turn, "signalling.server": "@" + server}})
	if got, want := c.ICE.TURN[1].Full(), "turn://user:"+secret+"@host:1"; got != want {
		t.Errorf("the TURN server is %s, want %s", got, want)
	}
	if got, want := c.Signalling.Server.Full(), "wss://user:"+secret+"@host"; got != want {
		t.Errorf("the signalling server is %s, want %s", got, want)
	}
	if text := c.String(); strings.Contains(text, secret) || !strings.Contains(text, "turn://user:***@host:1") {
		t.Errorf("String = %s", text)
	}
}

// TestSecretFileMistakes: what is wrong is told with a remedy, and never with the secret.
func TestSecretFileMistakes(t *testing.T) {
	for _, test := range []struct{ about, value, env, want, hint string }{
		{"others may read it", "@" + secretFile(t, secret, 0o644), "", "others can read ", "chmod 600 "},
		{"no such file", "@/nowhere/" + "token", "", "open /nowhere/token: no such file or directory", "@/path is a file"},
		{"a directory", "@" + t.TempDir(), "", "is no file", ""},
		{"an empty file", "@" + secretFile(t, " \n", 0o600), "", "is empty", ""},
		{"a large file", "@" + secretFile(t, strings.Repeat(secret, 1000), 0o600), "", "/secret is longer than", ""},
		{"a file with two lines", "@" + secretFile(t, secret+"\n"+secret, 0o600), "", "holds a blank", ""},
		{"a credential without systemd", "@token", "", "systemd gives none", "LoadCredential"},
		{"a credential that is not there", "@token", "CREDENTIALS_DIRECTORY=/nowhere", "open /nowhere/token: no such file", ""},
		{"a way out of the credentials", "@../" + secret, "CREDENTIALS_DIRECTORY=/nowhere", "names neither a file nor a credential", "LoadCredential"},
		{"a token that begins with @", "@" + secret + "/+=", "CREDENTIALS_DIRECTORY=/nowhere", "names neither a file nor a credential", "with two"},
	} {
		t.Run(test.about, func(t *testing.T) {
			_, err := Load(Options{Env: []string{test.env}, Flags: map[string]string{"whip.token": test.value, "whip.url": "https://host"}})
			p, ok := errors.AsType[*Problem](err)
			if !ok || !strings.Contains(p.Error(), test.want) || !strings.Contains(p.Hint(), test.hint) {
				t.Fatalf("error %v, want one with %q and the hint %q", err, test.want, test.hint)
			}
			if told := p.Error() + p.Hint(); strings.Contains(told, secret) {
				t.Errorf("the secret is told: %s", told)
			}
		})
	}
}

// TestSettingsWithPasswordAreClosed: a settings file that holds a password may be read by its owner and its group alone.
func TestSettingsWithPasswordAreClosed(t *testing.T) {
	for _, test := range []struct {
		about, text string
		mode        fs.FileMode
		want        string // the place that is named, "" for none
	}{
		{"a token", "whip:\n  url: https://host\n  token: " + secret + "\n", 0o644, ":3: "},
		{"a TURN server", "ice:\n  turn:\n    - turn://user:" + secret + "@host\n", 0o604, ":3: "},
		{"a URL with a token", "whip: {url: 'https://host/?key=" + secret + "'}\n", 0o644, ":1: "},
		{"for the owner and the group", "whip: {url: 'https://host', token: " + secret + "}\n", 0o640, ""},
		{"no password", "whip: {url: 'https://host'}\nice: {stun: 'stun://host'}\n", 0o644, ""},
		{"the name of a file", "whip: {url: 'https://host', token: '@" + secretFile(t, secret, 0o600) + "'}\n", 0o644, ""},
	} {
		t.Run(test.about, func(t *testing.T) {
			path := write(t, test.text)
			if err := os.Chmod(path, test.mode); err != nil {
				t.Fatal(err)
			}
			_, err := Load(Options{File: path})
			p, refused := errors.AsType[*Problem](err)
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (!refused || !strings.HasPrefix(p.Error(), path+test.want+"a password stands here") || !strings.HasPrefix(p.Hint(), "chmod 600 ")):
				t.Errorf("error %v, want one at %s with a remedy", err, test.want)
			case err != nil && strings.Contains(p.Error()+p.Hint(), secret):
				t.Errorf("the secret is told: %v", err)
			}
		})
	}
}
