package rules

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A rule looks at a repository and returns what is wrong there, each as "path: what" or "path:line: what".
type rule func(r repository) []string

// repository is what the rules look at: the files that git would keep, read and parsed once.
type repository struct {
	top   []string          // the names at the top, folders too
	texts map[string][]byte // every file that is not binary, by its slash-separated path
	code  []goFile          // the Go files among them, in the order of their paths
}

// goFile is one parsed Go source file.
type goFile struct {
	path string // slash-separated, from the top of the repository
	set  *token.FileSet
	ast  *ast.File
}

// dir is the folder of the file, which is the name the import table has for its package.
func (f goFile) dir() string { return path.Dir(f.path) }

func (f goFile) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

// at says something about one place in the file.
func (f goFile) at(p token.Pos, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: %s", f.path, f.set.Position(p).Line, fmt.Sprintf(format, args...))
}

// localName is what the file calls the package it imports from path, or "" if it doesn't import it.
func (f goFile) localName(importPath string) string {
	for _, spec := range f.ast.Imports {
		if importedPath(spec) == importPath {
			return specName(spec)
		}
	}
	return ""
}

// importedPath is the path without its quotes; the parser has already refused one that is not a string.
func importedPath(spec *ast.ImportSpec) string {
	unquoted, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return spec.Path.Value
	}
	return unquoted
}

func specName(spec *ast.ImportSpec) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	return path.Base(importedPath(spec))
}

// load reads a repository.
func load(t *testing.T, tree fs.FS) repository {
	t.Helper()
	r := repository{texts: map[string][]byte{}}
	ignored := ignores(tree)
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil || name == ".":
			return err
		case name == ".git" || ignored(name, entry.IsDir()):
			return skip(entry)
		case !strings.Contains(name, "/"):
			r.top = append(r.top, name)
		}
		if entry.Type().IsRegular() {
			err = r.add(tree, name)
		}
		return err
	})
	if err != nil {
		t.Fatalf("read the repository: %v", err)
	}
	return r
}

func skip(entry fs.DirEntry) error {
	if entry.IsDir() {
		return fs.SkipDir
	}
	return nil
}

// add reads one file, and parses it if it is Go. WalkDir comes in the order of the paths.
func (r *repository) add(tree fs.FS, name string) error {
	text, err := fs.ReadFile(tree, name)
	if err != nil || bytes.ContainsRune(text, 0) {
		return err
	}
	r.texts[name] = text
	if path.Ext(name) != ".go" {
		return nil
	}
	file := goFile{path: name, set: token.NewFileSet()}
	file.ast, err = parser.ParseFile(file.set, name, text, parser.ParseComments|parser.SkipObjectResolution)
	r.code = append(r.code, file)
	return err
}

// ignores reads the top .gitignore if there is one, as far as this repository uses the format: one name or glob a line, a slash behind
// for folders only, a slash before for the top only.
func ignores(tree fs.FS) func(name string, isDir bool) bool {
	text, _ := fs.ReadFile(tree, ".gitignore")
	patterns := strings.Fields(string(text))
	return func(name string, isDir bool) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			bare, dirOnly := strings.CutSuffix(pattern, "/")
			bare, topOnly := strings.CutPrefix(bare, "/")
			if dirOnly && !isDir || topOnly && strings.Contains(name, "/") {
				return false
			}
			matched, err := path.Match(bare, path.Base(name))
			return matched && err == nil
		})
	}
}
