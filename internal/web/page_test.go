package web

import (
	"path"
	"regexp"
	"slices"
	"testing"
)

func TestPageKeepsItsPolicy(t *testing.T) {
	inline := map[string]*regexp.Regexp{
		"an inline script":       regexp.MustCompile(`<script(?:\s+(?:type="module"|async))*\s*>`),
		"an inline style":        regexp.MustCompile(`<style|\sstyle=`),
		"an inline handler":      regexp.MustCompile(`<[^>]*\son\w+=`),
		"a request to elsewhere": regexp.MustCompile(`(?:src|href|url\(|import|fetch\()[ ='"(]*(?:https?:)?//`),
		"code from a string":     regexp.MustCompile(`\beval\(|new Function\(|innerHTML`),
	}
	for name, body := range embedded(t) {
		for what, pattern := range inline {
			if found := pattern.FindString(body); found != "" {
				t.Errorf("%s has %s: %s", name, what, found)
			}
		}
	}
}

// TestPageIsComplete follows the references of the page and its modules. Each must name an embedded file, and each embedded file must
// be referred to.
func TestPageIsComplete(t *testing.T) {
	files := embedded(t)
	reference := regexp.MustCompile(`(?:src|href)="([^":]+)"|from "\./([^"]+)"`)
	seen := map[string]bool{}
	for _, name := range documents {
		seen[name] = true
	}
	var preloaded []string
	for queue := slices.Clone(documents); len(queue) > 0; queue = queue[1:] {
		for _, match := range reference.FindAllStringSubmatch(files[queue[0]], -1) {
			name := match[1] + match[2]
			if name == "config.json" || seen[name] {
				continue
			}
			if _, ok := files[name]; !ok {
				t.Errorf("%s refers to %s, which does not exist", queue[0], name)
				continue
			}
			if match[1] != "" {
				preloaded = append(preloaded, name)
			}
			seen[name] = true
			queue = append(queue, name)
		}
	}
	for name := range files {
		if !seen[name] {
			t.Errorf("%s is embedded for nothing", name)
		}
		if path.Ext(name) == ".js" && !slices.Contains(preloaded, name) {
			t.Errorf("%s is not preloaded: it costs the first picture a round trip", name)
		}
	}
}

func embedded(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	for name, f := range pageFiles() {
		if f.contentType == "" {
			t.Errorf("%s has no content type", name)
		}
		files[name] = string(f.body)
	}
	if len(files) < 5 {
		t.Fatalf("only %d files embedded", len(files))
	}
	return files
}
