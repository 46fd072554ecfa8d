package rules

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
)

// banned are words that may not be part of a name that we declare, with the word of docs/GLOSSARY.md, or what to do, in
// their place. A word is put here once the code no longer has it.
var banned = []struct{ word, instead string }{
	{"audience", "viewer limit is how many may watch, place one viewer's right to"},
	{"bandwidth", "bitrate is what is sent, estimate what a link is thought to carry"},
	{"helper", "name what it does"},
	{"helpers", "name what they do"},
	{"impl", "name what it is made with"},
	{"misc", "name what it holds"},
	{"mline", "section"},
	{"packer", "payloader"},
	{"recipe", "alternative"},
	{"recipes", "alternatives"},
	{"resend", "retransmission"},
	{"resent", "retransmission"},
	{"seats", "places"},
	{"spared", "keyframes only"},
	{"subscriber", "subscription, or viewer"},
	{"unheard", "deaf"},
	{"util", "name what it does"},
	{"utils", "name what they do"},
	{"wish", "request"},
	{"wishes", "requests"},
	{"worth", "utility"},
	{"wrapper", "name what it adds"},
}

// wordRule refuses the banned words in the names of packages and of all that Go files declare.
func wordRule(r repository) []string {
	var found []string
	for _, file := range r.code {
		for _, name := range declared(file.ast) {
			for _, part := range parts(name.Name) {
				at := slices.IndexFunc(banned, func(b struct{ word, instead string }) bool { return b.word == part })
				if at >= 0 {
					found = append(found, file.at(name.Pos(), "%s: not %s: %s", name.Name, part, banned[at].instead))
				}
			}
		}
	}
	return found
}

// declared are the names that a file declares: its package, and each type, function, field, parameter, constant and
// variable in it.
func declared(file *ast.File) []*ast.Ident {
	names := []*ast.Ident{file.Name}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			names = append(names, n.Name)
		case *ast.TypeSpec:
			names = append(names, n.Name)
		case *ast.ValueSpec:
			names = append(names, n.Names...)
		case *ast.Field:
			names = append(names, n.Names...)
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				names = append(names, identifiers(n.Lhs)...)
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				names = append(names, identifiers([]ast.Expr{n.Key, n.Value})...)
			}
		}
		return true
	})
	return names
}

func identifiers(list []ast.Expr) []*ast.Ident {
	var out []*ast.Ident
	for _, expr := range list {
		if name, ok := expr.(*ast.Ident); ok {
			out = append(out, name)
		}
	}
	return out
}

var (
	afterLower = regexp.MustCompile(`([a-z0-9])([A-Z])`)   // newHelper: new Helper
	afterUpper = regexp.MustCompile(`([A-Z])([A-Z][a-z])`) // HTTPHelper: HTTP Helper
	notLetters = regexp.MustCompile(`[^A-Za-z]+`)          // new_helper2: new helper
)

// parts are the words of a name, in lower case: "newHelperOf" has new, helper and of.
func parts(name string) []string {
	apart := afterUpper.ReplaceAllString(afterLower.ReplaceAllString(name, "$1 $2"), "$1 $2")
	all := strings.Fields(notLetters.ReplaceAllString(apart, " "))
	for i, part := range all {
		all[i] = strings.ToLower(part)
	}
	return all
}
