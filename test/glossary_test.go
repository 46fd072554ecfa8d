package test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	quoted   = regexp.MustCompile("`([^`]+)`")
	wordy    = regexp.MustCompile(`[A-Za-z_]\w*`)
	codeFile = regexp.MustCompile(`\.(go|c|h)$`)
)

// inTree are the words of the code files of the repository, by the files' names, which more than one may have.
type inTree map[string]map[string]bool

func readTree(t *testing.T) inTree {
	t.Helper()
	tree := inTree{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{"node_modules", ".git", "bin", "dist"}, entry.Name()):
			return fs.SkipDir
		case entry.IsDir() || !codeFile.MatchString(path):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if tree[entry.Name()] == nil {
			tree[entry.Name()] = map[string]bool{}
		}
		for _, word := range wordy.FindAllString(string(text), -1) {
			tree[entry.Name()][word] = true
		}
		return nil
	})
	if err != nil {
		t.Fatalf("read the repository: %v", err)
	}
	return tree
}

// has says whether a word is in any file.
func (tree inTree) has(word string) bool {
	for _, words := range tree {
		if words[word] {
			return true
		}
	}
	return false
}

// lacks are the names in code font, of a cell, that are not in the tree: "`a` and `b` in `c.go`" are three.
func (tree inTree) lacks(cell string) []string {
	var out, words []string
	for _, name := range quoted.FindAllStringSubmatch(cell, -1) {
		switch {
		case !codeFile.MatchString(name[1]):
			words = append(words, name[1])
			continue
		case tree[name[1]] == nil:
			out = append(out, name[1])
		}
		for _, word := range words {
			if !tree[name[1]][word] {
				out = append(out, word+" in "+name[1])
			}
		}
		words = nil
	}
	for _, word := range words {
		out = append(out, word+" with its file behind it")
	}
	return out
}

// TestGlossary holds docs/GLOSSARY.md to its order, and to what is there in the code.
func TestGlossary(t *testing.T) {
	text, err := os.ReadFile("../docs/GLOSSARY.md")
	if err != nil {
		t.Fatal(err)
	}
	tree := readTree(t)
	var terms []string
	for line := range strings.SplitSeq(string(text), "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| term ") {
			continue
		}
		if len(cells) != 4 {
			t.Errorf("%d cells, want 4: %s", len(cells), line)
			continue
		}
		term := strings.TrimSpace(cells[0])
		terms = append(terms, strings.ToLower(term))
		if term == "" || strings.TrimSpace(cells[1]) == "" || len(quoted.FindAllString(cells[2], -1)) == 0 {
			t.Errorf("%q: the term, what it is or where it lives is missing", term)
		}
		for _, name := range tree.lacks(cells[2]) {
			t.Errorf("%q: there is no %s in the code", term, name)
		}
	}
	if len(terms) < 40 || !slices.IsSorted(terms) {
		t.Errorf("%d terms, want those of the code, in order: %q", len(terms), terms)
	}
	if unique := slices.Compact(slices.Clone(terms)); len(unique) != len(terms) {
		t.Errorf("a term stands in two rows: %q", terms)
	}
}
