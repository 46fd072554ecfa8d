package configs

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFilesFromTheField loads files of the shapes that people write, in
// testdata/cases. right.txt says of each which settings it makes, or with which
// problems and remedies it is refused.
func TestFilesFromTheField(t *testing.T) {
	want := rightOf(t)
	files, err := filepath.Glob("testdata/cases/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	taken, refused := 0, 0
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		t.Run(name, func(t *testing.T) {
			got, remedied := outcome(t, path)
			if diff := cmp.Diff(want[name], got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !remedied {
				t.Error("it is refused without a remedy")
			}
			if strings.HasPrefix(got[0], "taken") {
				taken++
			} else {
				refused++
			}
		})
		delete(want, name)
	}
	for name := range want {
		t.Errorf("right.txt has %s, of which there is no file", name)
	}
	t.Logf("configuration files: %d, of which %d are taken and %d refused with line and remedy", taken+refused, taken, refused)
}

// rightOf reads right.txt: a name, and below it its lines, indented.
func rightOf(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("testdata/cases/right.txt")
	if err != nil {
		t.Fatal(err)
	}
	right, name := map[string][]string{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch inner, indented := strings.CutPrefix(line, "  "); {
		case strings.HasPrefix(line, "#") || line == "":
		case indented:
			right[name] = append(right[name], inner)
		default:
			name = strings.TrimSuffix(line, ":")
		}
	}
	return right
}

// outcome is what becomes of a file, in the form of right.txt, and whether each
// problem has a line and a remedy.
func outcome(t *testing.T, path string) (lines []string, remedied bool) {
	t.Helper()
	c, err := Load(Options{File: path})
	if err == nil {
		lines = []string{"taken"}
		for _, s := range c.Settings() {
			if s.Source.Layer == LayerFile {
				lines = append(lines, s.Key+" = "+s.Text())
			}
		}
		return lines, true
	}
	problems, ok := errors.AsType[Problems](err)
	if !ok {
		t.Fatalf("Load: %v", err)
	}
	lines, remedied = []string{"refused"}, true
	for _, p := range problems {
		lines = append(lines, strings.ReplaceAll(p.Error(), path+":", "line "))
		remedied = remedied && p.Source.Line > 0 && (p.Nearest != "" || p.Hint() != "")
		if hint := "hint: " + p.Hint(); p.Hint() != "" && p.Hint() != keysHint && !slices.Contains(lines, hint) {
			lines = append(lines, hint)
		}
	}
	return lines, remedied
}
