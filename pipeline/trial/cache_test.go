package trial

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"boardcast/pipeline"
)

func TestCache(t *testing.T) {
	file := filepath.Join(t.TempDir(), "deep", "trials.json")
	spec, want := goodSpec(), pipeline.Verdict{Outcome: pipeline.OutcomeUsable, Reason: "works", FramesPerSecond: 30, Input: 1, Source: pipeline.SourceFacts{GOP: 3}}
	c := OpenCache(file, "here", false)
	if _, ok := c.find(spec); ok {
		t.Error("an empty cache knows a verdict")
	}
	c.keep(spec, want)
	if err := c.Save(); err != nil {
		t.Fatal(err)
	}
	other := spec
	other.Format.Width++
	cases := []struct {
		name, environment string
		fresh             bool
		spec              Spec
		damage            string
		found             bool
	}{
		{"kept", "here", false, spec, "", true},
		{"another size", "here", false, other, "", false},
		{"another machine", "there", false, spec, "", false},
		{"to be fresh", "here", true, spec, "", false},
		{"cut", "here", false, spec, "{\"environment\":\"here\",\"verd", false},
		{"of another kind", "here", false, spec, `{"environment":"here","verdicts":[1]}`, false},
		{"empty", "here", false, spec, " ", false},
	}
	for _, one := range cases {
		t.Run(one.name, func(t *testing.T) {
			copied := filepath.Join(t.TempDir(), "trials.json")
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if one.damage != "" {
				text = []byte(one.damage)
			}
			if err := os.WriteFile(copied, text, 0o600); err != nil {
				t.Fatal(err)
			}
			got, ok := OpenCache(copied, one.environment, one.fresh).find(one.spec)
			if ok != one.found {
				t.Fatalf("found %t, want %t", ok, one.found)
			}
			if diff := cmp.Diff(want, got); ok && diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 1 {
		t.Errorf("beside the cache there are %v, %v", left, err)
	}
}

func TestCacheThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := OpenCache(filepath.Join(file, "trials.json"), "", false).Save(); err == nil {
		t.Error("no error")
	}
	dir := t.TempDir()
	taken := filepath.Join(dir, "trials.json", "x")
	if err := os.MkdirAll(taken, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := OpenCache(filepath.Dir(taken), "", false).Save(); err == nil {
		t.Error("no error")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	var none *Cache
	if _, ok := none.find(goodSpec()); ok || none.Save() != nil {
		t.Error("no cache is a cache")
	}
	none.keep(goodSpec(), pipeline.Verdict{})
}

func TestEnvironment(t *testing.T) {
	root := func() fstest.MapFS {
		return fstest.MapFS{
			"proc/sys/kernel/osrelease": {Data: []byte("6.1.0-9-arm64\n")},
			"dev/video11":               {}, "dev/dri/renderD128": {}, "dev/null": {},
		}
	}
	base := Environment(root(), debian12, "v1")
	changes := []struct {
		name   string
		change func(fstest.MapFS)
		same   bool
	}{
		{"nothing", func(fstest.MapFS) {}, true},
		{"an unrelated node", func(r fstest.MapFS) { r["dev/ttyUSB0"] = &fstest.MapFile{} }, true},
		{"another kernel", func(r fstest.MapFS) { r["proc/sys/kernel/osrelease"].Data = []byte("6.6") }, false},
		{"an encoder's node", func(r fstest.MapFS) { r["dev/video12"] = &fstest.MapFile{} }, false},
		{"a GPU gone", func(r fstest.MapFS) { delete(r, "dev/dri/renderD128") }, false},
		{"Rockchip's node", func(r fstest.MapFS) { r["dev/mpp_service"] = &fstest.MapFile{} }, false},
	}
	for _, c := range changes {
		r := root()
		c.change(r)
		if got := Environment(r, debian12, "v1"); (got == base) != c.same {
			t.Errorf("%s: %s, was %s", c.name, got, base)
		}
	}
	if Environment(root(), debian13, "v1") == base || Environment(root(), debian12, "v2") == base {
		t.Error("another GStreamer or program is the same environment")
	}
	for _, p := range nodePatterns {
		if strings.HasPrefix(p, "/") || slices.Contains([]string{"*"}, p) {
			t.Errorf("pattern %q", p)
		}
	}
}
