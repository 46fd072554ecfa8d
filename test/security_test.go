package test

import (
	"os"
	"regexp"
	"testing"
)

// TestSecurityNamesWhatIsThere: the tests that docs/SECURITY.md names exist.
func TestSecurityNamesWhatIsThere(t *testing.T) {
	text, err := os.ReadFile("../docs/SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	tree := readTree(t)
	named := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z]+)`").FindAllStringSubmatch(string(text), -1)
	if len(named) < 10 {
		t.Errorf("%d tests are named, want the table of threats", len(named))
	}
	for _, m := range named {
		if !tree.has(m[1]) {
			t.Errorf("there is no %s", m[1])
		}
	}
}
