package congestion

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The rules of README.md name the constants and the tests of this package, and nothing that is not there.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	own, _, ok := strings.Cut(string(text), "## The lower rendition") // from there on it is about other packages
	if !ok {
		t.Fatal("README.md has no section on the lower rendition")
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	code := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range regexp.MustCompile(`\w+`).FindAllString(string(text), -1) {
			code[word] = true
		}
	}
	names := regexp.MustCompile("`[A-Za-z.]+`|\\bTest[A-Za-z]+").FindAllString(own, -1)
	for _, name := range names {
		name = strings.Trim(name, "`")
		name = name[strings.LastIndex(name, ".")+1:]
		if !code[name] {
			t.Errorf("README.md names %s, which is not in this package", name)
		}
	}
	if len(names) < 100 {
		t.Errorf("README.md names %d things of this package, which are too few to be all", len(names))
	}
}
