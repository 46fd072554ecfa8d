package configs

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// FuzzLoad feeds Load any bytes as a file. It must answer with a Config or with
// problems on lines that the file has, and what it took must survive being
// printed and given back as flags.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(Default())
	for _, seed := range []string{
		"listen: [1, {a: b}]\n", "video: &v {width: *v}\n", "a: &a [*a]\n", "? [x]\n: y\n", "video.width: 4\n", "--- !!map {}\n---\n",
		"ice: {turn: [turn://u:p@h, 'turn:x']}\n", "listen: !!binary aGk=\n", "%YAML 1.2\n---\n", "\ufeffdisplay: on\n", "video:\n\twidth: 1\n",
		"log: {level: |\n  info\n}\n", "viewers: {max: 1_0, grace: 1h0m0s}\n", "signalling: {server: ws://h, room: x, origins: '*'}\n", "<<: {}\n",
		"cameras: {b: {camera: test, width: 640}, a: {microphone: auto}}\n", "cameras: [b, a]\n", "cameras: {x: {a: {}}, 'y.z': 1}\n",
	} {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), FileName)
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(Options{File: path})
		if err == nil {
			printAndLoad(t, c)
			return
		}
		var problems Problems
		if !errors.As(err, &problems) {
			if len(data) > largestFile {
				return
			}
			t.Fatalf("Load: %v", err)
		}
		lines := strings.Count(strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(string(data)), "\n") + 1
		for _, p := range problems {
			if p.Source.Line < 1 || p.Source.Line > lines {
				t.Errorf("%v: line %d of %d", p, p.Source.Line, lines)
			}
		}
	})
}

func printAndLoad(t *testing.T, c *Config) {
	t.Helper()
	flags := map[string]string{}
	for _, s := range c.Settings() {
		text := s.Text()
		if u := c.Signalling.Server; s.Key == "signalling.server" {
			text = u.Full()
		}
		if s.Key == "whip.url" {
			text = c.WHIP.URL.Full()
		}
		flags[s.Key] = text
	}
	turn := make([]string, len(c.ICE.TURN))
	for i, u := range c.ICE.TURN {
		turn[i] = u.Full()
		if strings.Contains(turn[i], ",") {
			return // only a file can say this
		}
	}
	flags["ice.turn"] = strings.Join(turn, ",")
	again, err := Load(Options{Flags: flags})
	if err != nil {
		t.Fatalf("%v does not load again: %v", slices.Sorted(maps.Values(flags)), err)
	}
	if again.String() != c.String() {
		t.Errorf("%s\nreads as\n%s", c, again)
	}
}
