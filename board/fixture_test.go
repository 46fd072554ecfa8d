package board

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// fixture is one file of testdata: a comment that names its source, then "-- path --" sections that are the
// machine's files, and the section "want" with the expected ID.
type fixture struct {
	source string
	want   string
	files  map[string]string
}

// root makes the file system that the fixture describes. Device tree strings are written one a line there and end
// in NUL here, as the kernel gives them.
func (f fixture) root() fstest.MapFS {
	root := fstest.MapFS{}
	for name, text := range f.files {
		if strings.Contains(name, "device-tree/") || strings.Contains(name, "devicetree/") {
			text = strings.ReplaceAll(text, "\n", "\x00")
		}
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return root
}

func parseFixture(text string) fixture {
	f := fixture{files: map[string]string{}}
	name := ""
	for line := range strings.Lines(text) {
		if head, ok := strings.CutPrefix(line, "-- "); ok && strings.HasSuffix(head, " --\n") {
			name = strings.TrimSuffix(head, " --\n")
			continue
		}
		switch source, isSource := strings.CutPrefix(line, "source: "); {
		case name == "" && isSource:
			f.source = strings.TrimSpace(source)
		case name == "want":
			f.want = strings.TrimSpace(line)
		case name != "":
			f.files[name] += line
		}
	}
	return f
}

// fixtures reads testdata, keyed by file name without its ending.
func fixtures(t *testing.T) map[string]fixture {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("testdata: %d files, %v", len(paths), err)
	}
	all := map[string]fixture{}
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(p), ".txtar")] = parseFixture(string(data))
	}
	return all
}
