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

// inTree are the names of the code files of the repository, and the words in them.
type inTree struct{ files, words map[string]bool }

func readTree(t *testing.T) inTree {
	t.Helper()
	tree := inTree{files: map[string]bool{}, words: map[string]bool{}}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git" || entry.Name() == "bin" || entry.Name() == "dist") {
			return fs.SkipDir
		}
		if entry.IsDir() {
			tree.words[entry.Name()] = true // the name of a package
			return nil
		}
		if !codeFile.MatchString(path) {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		tree.files[entry.Name()] = true
		for _, word := range wordy.FindAllString(string(text), -1) {
			tree.words[word] = true
		}
		return nil
	})
	if err != nil {
		t.Fatalf("read the repository: %v", err)
	}
	return tree
}

// lacks are the names in code font, of a cell, that are neither a file of the tree nor a word in one.
func (tree inTree) lacks(cell string) []string {
	var out []string
	for _, name := range quoted.FindAllStringSubmatch(cell, -1) {
		if is := codeFile.MatchString(name[1]); is && !tree.files[name[1]] || !is && !tree.words[name[1]] {
			out = append(out, name[1])
		}
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
		if len(cells) != 5 {
			t.Errorf("%d cells, want 5: %s", len(cells), line)
			continue
		}
		term := strings.TrimSpace(cells[0])
		terms = append(terms, strings.ToLower(term))
		if term == "" || strings.TrimSpace(cells[1]) == "" || len(quoted.FindAllString(cells[2], -1)) == 0 {
			t.Errorf("%q: the term, what it is or where it lives is missing", term)
		}
		for _, name := range slices.Concat(tree.lacks(cells[2]), tree.lacks(cells[4])) {
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
