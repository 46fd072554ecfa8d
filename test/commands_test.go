package test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	spans      = regexp.MustCompile("`[^`\n]+`")
	makeCall   = regexp.MustCompile(`\bmake ([a-z][a-z0-9-]*)`)
	testCall   = regexp.MustCompile(`(?:-run|-bench|-fuzz)[ =]'?\^?((?:Test|Benchmark|Fuzz)\w+)`)
	scriptCall = regexp.MustCompile(`(?:^|[\s\x60(])((?:test|internal)/[\w/-]+(?:\.sh|/run))\b`)
	targetLine = regexp.MustCompile(`(?m)^([a-z][\w -]*):`)
)

// commands are the parts of a page that a person types: what is in code font, and lines that are set in.
func commands(page string) []string {
	var out []string
	for line := range strings.SplitSeq(page, "\n") {
		if strings.HasPrefix(line, "    ") {
			out = append(out, line)
			continue
		}
		out = append(out, spans.FindAllString(line, -1)...)
	}
	return out
}

// TestCommandsOfThePages holds README.md and docs to commands that are there: targets of the Makefile, tests and scripts.
func TestCommandsOfThePages(t *testing.T) {
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	var targets []string
	for _, line := range targetLine.FindAllStringSubmatch(string(makefile), -1) {
		targets = append(targets, strings.Fields(line[1])...)
	}
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("pages = %v, %v", pages, err)
	}
	tree := readTree(t)
	found := 0
	for _, page := range append(pages, "../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, command := range commands(string(text)) {
			for _, call := range makeCall.FindAllStringSubmatch(command, -1) {
				found++
				if !slices.Contains(targets, call[1]) {
					t.Errorf("%s: %q: the Makefile has no target %s", page, command, call[1])
				}
			}
			for _, call := range testCall.FindAllStringSubmatch(command, -1) {
				found++
				if !tree.has(call[1]) {
					t.Errorf("%s: %q: there is no test %s", page, command, call[1])
				}
			}
			for _, call := range scriptCall.FindAllStringSubmatch(command, -1) {
				found++
				if _, err := os.Stat(filepath.Join("..", call[1])); err != nil {
					t.Errorf("%s: %q: %v", page, command, err)
				}
			}
		}
	}
	if found < 30 {
		t.Errorf("%d commands found, want those of the pages", found)
	}
}
