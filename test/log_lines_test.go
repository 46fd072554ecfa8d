package test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	logTable = regexp.MustCompile(`(?s)\*\*The log\.\*\*.*?\|---\|---\|\n(.*?)\n\n`)
	logSpan  = regexp.MustCompile("`([^`]+)`")
)

// TestLogLines holds the table of log lines in docs/INSTALL.md to the code: each line of its first column is a text that the program
// logs.
func TestLogLines(t *testing.T) {
	page, err := os.ReadFile("../docs/INSTALL.md")
	if err != nil {
		t.Fatal(err)
	}
	table := logTable.FindStringSubmatch(string(page))
	if table == nil {
		t.Fatal("docs/INSTALL.md has no table of log lines")
	}
	code := programText(t)
	found := 0
	for row := range strings.SplitSeq(table[1], "\n") {
		cell, _, _ := strings.Cut(strings.TrimPrefix(row, "|"), "|")
		for _, line := range logSpan.FindAllStringSubmatch(cell, -1) {
			found++
			if !strings.Contains(code, `"`+line[1]+`"`) {
				t.Errorf("no code logs %q", line[1])
			}
		}
	}
	const least = 15 // lines: the table had 21 when this was written
	if found < least {
		t.Errorf("%d lines found, want %d at least", found, least)
	}
}

// programText is the text of the program's own Go files.
func programText(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, dir := range []string{"../cmd", "../device", "../internal", "../pipeline"} {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			all.Write(text)
			return err
		})
		if err != nil {
			t.Fatalf("read the program: %v", err)
		}
	}
	return all.String()
}
