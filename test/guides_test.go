package test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	numbered = regexp.MustCompile(`(?m)^## \d+\. .*$`)
	standing = regexp.MustCompile(`\(.*(untested|run\b).*\)$`)
)

// TestGuides holds the pages of docs/boards to saying what nobody has run: a box at the top, and a mark on each step.
func TestGuides(t *testing.T) {
	pages, err := filepath.Glob("../docs/boards/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("pages = %v, %v", pages, err)
	}
	table, err := os.ReadFile("../docs/BOARDS.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range pages {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, body, _ := strings.Cut(string(text), "\n\n")
			if !strings.HasPrefix(body, "> **Nobody has run boardcast on ") {
				t.Error("no box below the title that says what nobody has run")
			}
			steps := numbered.FindAllString(string(text), -1)
			if len(steps) < 5 {
				t.Errorf("steps = %q, want those from flashing to picture", steps)
			}
			for _, step := range steps {
				if !standing.MatchString(step) {
					t.Errorf("%q does not say whether anybody has run it", step)
				}
			}
			if !strings.Contains(string(text), "\n## Sources\n") {
				t.Error("no sources")
			}
			if !strings.Contains(string(table), "(boards/"+filepath.Base(path)+")") {
				t.Error("docs/BOARDS.md does not link to it")
			}
		})
	}
}
