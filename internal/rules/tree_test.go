package rules

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// top is all that may lie at the top of the repository, beside dot-files and what git ignores.
var top = []string{
	"board", "cmd", "configs", "device", "docs", "internal", "pipeline", "test",
	"CHANGELOG.md", "LICENSE", "Makefile", "README.md", "SECURITY.md", "go.mod", "go.sum",
}

// topRule keeps the front door tidy: a new thing belongs into one of the rooms.
func topRule(r repository) []string {
	var found []string
	for _, name := range r.top {
		if !strings.HasPrefix(name, ".") && !slices.Contains(top, name) {
			found = append(found, name+": does not belong at the top")
		}
	}
	return found
}

// lengthRule stops a file that has grown past one reading.
func lengthRule(r repository) []string {
	const most = 450
	measured := []string{".go", ".c", ".h", ".js", ".mjs", ".css", ".html", ".sh", ""}
	var found []string
	for _, name := range slices.Sorted(maps.Keys(r.texts)) {
		if name == "LICENSE" || !slices.Contains(measured, path.Ext(name)) {
			continue
		}
		if lines := countLines(r.texts[name]); lines > most {
			found = append(found, fmt.Sprintf("%s: %d lines, split it", name, lines))
		}
	}
	return found
}

// countLines counts a last line without a newline too.
func countLines(text []byte) int {
	lines := bytes.Count(text, []byte("\n"))
	if len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
		lines++
	}
	return lines
}

// private are texts that hold on one machine or at one vendor only. The hosts are put together here, so that this file
// passes its own rule.
var private = []struct {
	what    string
	pattern *regexp.Regexp
}{
	{"an absolute path of one machine", regexp.MustCompile(`(^|[^\w.$}/-])/(work|root|tmp/w)/`)},
	{"a package registry's host", hosts(
		"debian.org", "ubuntu.com", "raspberrypi.org", "raspberrypi.com", "raspbian.org", "nodesource.com", "npmjs.org",
		"npmjs.com", "yarnpkg.com", "golang.org",
	)},
}

// hosts matches the hosts below the given domains that serve packages; a project's plain website is no registry.
func hosts(domains ...string) *regexp.Regexp {
	return regexp.MustCompile(`\b(deb|security|archives?|ports|registry|proxy|sum|mirrors?|cdn|ftp)(\.\w+)*\.(` +
		strings.ReplaceAll(strings.Join(domains, "|"), ".", `\.`) + `)\b`)
}

// privateRule refuses such texts in any file, and addresses of where a package came from in a lock file.
func privateRule(r repository) []string {
	var found []string
	for _, name := range slices.Sorted(maps.Keys(r.texts)) {
		for number, line := range bytes.Split(r.texts[name], []byte("\n")) {
			for _, secret := range private {
				if hit := secret.pattern.Find(line); hit != nil {
					found = append(found, fmt.Sprintf("%s:%d: %s: %s", name, number+1, secret.what, bytes.TrimSpace(hit)))
				}
			}
			if path.Base(name) == "package-lock.json" && bytes.Contains(line, []byte(`"resolved"`)) {
				found = append(found, fmt.Sprintf("%s:%d: names a registry (omit-lockfile-registry-resolved)", name, number+1))
			}
		}
	}
	return found
}

// makeRule keeps `make help` whole: each target has the line of help it prints, and the lines fit one screen. Targets that
// share a line (the architectures) count once: a person reads them once.
func makeRule(r repository) []string {
	const most = 20
	var found []string
	targets := regexp.MustCompile(`(?m)^([a-z][\w-]*(?: [a-z][\w-]*)*):([^=].*)?$`).FindAllStringSubmatch(string(r.texts["Makefile"]), -1)
	for _, target := range targets {
		if !strings.Contains(target[2], "## ") {
			found = append(found, "Makefile: target "+target[1]+" has no help")
		}
	}
	if len(targets) > most {
		found = append(found, fmt.Sprintf("Makefile: %d lines of targets", len(targets)))
	}
	return found
}
