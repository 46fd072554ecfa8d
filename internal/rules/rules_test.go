package rules

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// house is every rule by the name its failure is reported under.
var house = []struct {
	name string
	rule rule
}{
	{"imports", importRule},
	{"binding stays behind its wall", wallRule},
	{"package comments", docRule},
	{"calls", callRule},
	{"no code for one board", boardRule},
	{"file length", lengthRule},
	{"top level", topRule},
	{"nothing private", privateRule},
	{"make help", makeRule},
	{"words", wordRule},
}

// TestHouse runs every rule over this repository.
func TestHouse(t *testing.T) {
	r := load(t, os.DirFS("../.."))
	for _, h := range house {
		t.Run(h.name, func(t *testing.T) {
			for _, finding := range h.rule(r) {
				t.Error(finding)
			}
		})
	}
}

// TestRules shows each rule a tree that breaks it, or one that nearly does.
func TestRules(t *testing.T) {
	for _, test := range ruleCases {
		t.Run(test.name, func(t *testing.T) {
			files := fstest.MapFS{}
			for name, text := range test.files {
				files[name] = &fstest.MapFile{Data: []byte(text)}
			}
			if diff := cmp.Diff(test.want, test.rule(load(t, files))); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// TestEveryRuleHasBadExample fails when a rule is added that no tree in the table breaks.
func TestEveryRuleHasBadExample(t *testing.T) {
	for _, h := range house {
		broken := false
		for _, test := range ruleCases {
			broken = broken || strings.HasPrefix(test.name, h.name+": ") && len(test.want) > 0
		}
		if !broken {
			t.Errorf("no case in ruleCases breaks the rule %q", h.name)
		}
	}
}
